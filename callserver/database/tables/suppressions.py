"""Tables of what protects a person: opt-outs, marks, public registers, proposals to end an opt-out."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, Integer, Table, Text, text

from callserver.database.tables.types import Id, Instant, metadata, where

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
    Column("heard", Text, key="received_by"),  # the channel of a request entered by hand
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
    Column("by", Text),  # user:… or a command's word; null: the server itself, or not recorded
    Column("ended_at", Instant),  # it was recorded by mistake; from then on it counts nowhere
    Column("ended_by", Text),
)
Index("marks_subject", marks.c.subject)
Index("marks_outcome_missing", marks.c.at, **where("kind = 'outcome_missing' AND ended_at IS NULL"))

registers = Table(
    "registers",
    metadata,
    Column("version", Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("washed_at", Instant, nullable=False),  # when it was issued
    Column("active", Boolean, nullable=False, server_default=text("false")),
    Column("size", Integer, nullable=False, server_default="0"),
    Column("kind", Text, nullable=False, server_default="numbers"),  # or: people
)

register_entries = Table(
    "register_entries",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

register_records = Table(
    "register_records",
    metadata,
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("record", Integer, primary_key=True, autoincrement=False),  # in the file's order
    Column("text", Text, nullable=False),  # the whole record
    sqlite_with_rowid=False,
)
"""An issue of a register of names and addresses (domain/robinson.py)."""

register_keys = Table(
    "register_keys",
    metadata,
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("record", Integer, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
"""Where a person's entries are found (domain/register_match.py)."""

contact_addresses = Table(
    "contact_addresses",
    metadata,
    Column("person", BigInteger, primary_key=True, autoincrement=False),
    Column("campaign", Text, primary_key=True),
    Column("address", Text),
    Column("postcode", Text),
    sqlite_with_rowid=False,
)
"""A person's address as a campaign's list has it, for comparison with registers."""

register_matches = Table(
    "register_matches",
    metadata,
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("person", BigInteger, primary_key=True, autoincrement=False),
    Column("result", Integer, nullable=False),  # domain.register_match.Match
    sqlite_with_rowid=False,
)
"""Who is on an issue; a person without a row has not been compared, which counts as unsure."""
Index(
    "register_matches_unsure",
    register_matches.c.version,
    register_matches.c.person,
    **where("result = 1"),
)

register_decisions = Table(
    "register_decisions",
    metadata,
    Column("person", BigInteger, primary_key=True, autoincrement=False),
    Column("entry", BigInteger, primary_key=True, autoincrement=False),  # a fingerprint
    Column("same", Boolean, nullable=False),
    Column("details", BigInteger, nullable=False),  # of the person, as they were then
    Column("at", Instant, nullable=False),
    Column("by", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""Whether an entry is the person, as a colleague decided."""

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
