"""Tables of the audit log, its signed heads, and the facts behind its decisions."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text, text

from callserver.database.tables.types import Id, Instant, metadata, where

audit = Table(
    "audit",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("contact", BigInteger),
    Column("call", Text),
    Column("body", LargeBinary, nullable=False),  # canonical JSON: the bytes that are sealed
    Column("leaf", BigInteger, unique=True),  # position in the hash tree, set by the sealer
    # PostgreSQL's transaction: ids may become visible out of their order, transactions below the
    # snapshot's horizon never change again. SQLite writes one after another: always 0.
    Column("tx", BigInteger, nullable=False, server_default=text("0")),
    sqlite_autoincrement=True,
)
Index("audit_tail", audit.c.tx, audit.c.id).ddl_if(dialect="postgresql")
Index("audit_contact", audit.c.contact)
Index("audit_call", audit.c.call)
Index(
    "audit_unsealed",
    audit.c.id,
    **where("leaf IS NULL"),
)

RARE = "kind NOT IN ('card','outcome','permitted','placed','refused','reported','seat')"
"""Everything but what every call writes. Searched for by an index that no call touches; a query must hold
this condition word for word for the databases to use it."""

Index("audit_rare_kind", audit.c.kind, audit.c.id, **where(RARE))

seals = Table(
    "seals",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),  # the signed head as it also left the database
)

openings = Table(
    "openings",
    metadata,
    Column("entry", BigInteger, primary_key=True, autoincrement=False),  # audit.id of a decision
    Column("at", Instant, nullable=False),
    Column("number", BigInteger),  # only where the entry names no contact, by whom it is found
    Column("body", LargeBinary, nullable=False),  # domain.commitment: the secret and the facts
)
look_ups = Table(
    "look_ups",
    metadata,
    Column("entry", BigInteger, primary_key=True, autoincrement=False),  # audit.id of a look-up
    Column("at", Instant, nullable=False),
    Column("contact", BigInteger),  # None: nobody was found
    Column("body", LargeBinary, nullable=False),  # domain.commitment: the secret, whom and why
)
Index("look_ups_at", look_ups.c.at)
Index("look_ups_contact", look_ups.c.contact)
Index("openings_at", openings.c.at)
Index("openings_number", openings.c.number, **where("number IS NOT NULL"))
