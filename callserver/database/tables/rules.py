"""Tables of the configuration: every revision, and proposed changes."""

from sqlalchemy import JSON, BigInteger, Column, Index, Table, Text

from callserver.database.tables.types import Id, Instant, metadata

revisions = Table(
    "revisions",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("content", JSON, nullable=False),
    Column("texts", JSON),  # path -> the file's text
)

proposals = Table(
    "proposals",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("by", BigInteger),  # null: the files in the folder changed
    Column("why", Text, nullable=False, server_default=""),
    Column("ethics", Text, nullable=False, server_default=""),  # whether it is ethically sound
    Column("base", Text, nullable=False),  # the revision that was in force
    Column("revision", Text, nullable=False),  # the revision that it would become
    Column("texts", JSON, nullable=False),  # path -> text, every file
    Column("changed", JSON, nullable=False),  # paths that differ from the base
    Column("looser", JSON, nullable=False),  # which rules would become looser
    Column("state", Text, nullable=False),  # open applied active refused withdrawn
    Column("decided_at", Instant),
    Column("decided_by", BigInteger),
    Column("answer", Text, nullable=False, server_default=""),  # why it was refused
)
Index("proposals_state", proposals.c.state)
