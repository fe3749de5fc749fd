"""Tables of what protects a person: opt-outs, marks, public registers, proposals to end an opt-out."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, Integer, Table, Text, text

from callserver.database.tables.types import Id, Instant, metadata

suppressions = Table(
    "suppressions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("subject", Text, nullable=False),  # number:45… person:… household:… hash:…
    Column("scope", Text, nullable=False),
    Column("purpose", Text),
    Column("at", Instant, nullable=False),
    Column("lifted_at", Instant),
    Column("by", Text, nullable=False),
    Column("list", Text),
    Column("heard", Text),  # the channel of a request that was entered by hand
    Column("opt_out", Text),  # equal for the rows of one opt-out; null: the only row
)
Index("suppressions_subject", suppressions.c.subject)
Index("suppressions_opt_out", suppressions.c.opt_out)

marks = Table(
    "marks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("kind", Text, nullable=False),  # domain.marks.MarkKind
    Column("at", Instant, nullable=False),
    Column("detail", JSON),
)
Index("marks_subject", marks.c.subject)

registers = Table(
    "registers",
    metadata,
    Column("version", Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("washed_at", Instant, nullable=False),
    Column("active", Boolean, nullable=False, server_default=text("false")),
    Column("size", Integer, nullable=False, server_default="0"),
)

register_entries = Table(
    "register_entries",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

lifts = Table(
    "lifts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("by", BigInteger, nullable=False),  # who proposed it
    Column("suppressions", JSON, nullable=False),  # ids
    Column("asked_on", Text, nullable=False),  # the date of the person's own request
    Column("channel", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("state", Text, nullable=False),  # open approved refused
    Column("decided_at", Instant),
    Column("decided_by", BigInteger),
)
Index("lifts_state", lifts.c.state)
