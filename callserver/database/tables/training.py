"""Tables of training: documents and their signatures, shifts that count, conversations, activities."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text

from callserver.database.tables.types import Id, Instant, metadata

document_versions = Table(
    "document_versions",
    metadata,
    Column("document", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("since", Instant, nullable=False),  # the latest time at which it came into force
    Column("first_at", Instant, nullable=False),
)

signatures = Table(
    "signatures",
    metadata,
    Column("id", Id, primary_key=True),
    Column("user", BigInteger, nullable=False),
    Column("document", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("at", Instant, nullable=False),
)
Index(
    "signatures_user",
    signatures.c.user,
    signatures.c.document,
    signatures.c.version,
    unique=True,
)

worked_shifts = Table(
    "worked_shifts",
    metadata,
    Column("user", BigInteger, primary_key=True, autoincrement=False),
    Column("day", Text, primary_key=True),  # of the organisation: 2026-03-03
    Column("seconds", Integer, nullable=False),  # that the phoner was in their room
    Column("counts", Boolean, nullable=False),
)
"""Days of phoners who are not trained yet."""

shift_credits = Table(
    "shift_credits",
    metadata,
    Column("id", Id, primary_key=True),
    Column("user", BigInteger, nullable=False),
    Column("at", Instant, nullable=False),
    Column("by", Text, nullable=False),  # user:N, command, migration
    Column("shifts", Integer, nullable=False),
    Column("reason", Text, nullable=False),
)
Index("shift_credits_user", shift_credits.c.user)

training_talks = Table(
    "training_talks",
    metadata,
    Column("user", BigInteger, primary_key=True, autoincrement=False),
    Column("supervisor", BigInteger),
    Column("phoner_at", Instant),  # recorded by the phoner
    Column("supervisor_at", Instant),  # recorded by the supervisor
    Column("words", Text, nullable=False, server_default=""),
)
"""The conversation on the third shift."""

training_sessions = Table(
    "training_sessions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("activity", Text, nullable=False),
    Column("department", Text),
    Column("day", Text, nullable=False),
    Column("by", BigInteger, nullable=False),
)

attendances = Table(
    "attendances",
    metadata,
    Column("session", BigInteger, primary_key=True, autoincrement=False),
    Column("user", BigInteger, primary_key=True, autoincrement=False),
    Column("attended", Boolean),  # null: invited
)
Index("attendances_user", attendances.c.user)
