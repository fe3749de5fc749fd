"""Tables of the audit log, its signed heads, and the facts behind its decisions."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    Index,
    LargeBinary,
    Table,
    Text,
    TypeDecorator,
    text,
)

from callserver.database.tables.types import HexName, Id, Instant, metadata, where
from callserver.domain import compact_entries

Form = Callable[[bytes], bytes]
Processor = Callable[[bytes | None], bytes | None]


class Compact(TypeDecorator[bytes]):
    """Bytes that SQLite stores in a shorter form, and PostgreSQL as they are. Either form is read.

    On PostgreSQL a server of the version before may be reading them too.
    """

    impl = LargeBinary
    cache_ok = True

    def __init__(self, compact: Form, whole: Form) -> None:
        super().__init__()
        self.compact = compact
        self.whole = whole  # also called with None

    def bind_processor(self, dialect: Dialect) -> Processor | None:
        return _unless_null(self.compact) if dialect.name == "sqlite" else None

    def result_processor(self, dialect: Dialect, _coltype: object) -> Callable[[Any], bytes | None]:
        return _of_any(self.whole) if dialect.name == "sqlite" else self.whole


def _unless_null(form: Form) -> Processor:
    return lambda value: None if value is None else form(value)


def _of_any(form: Form) -> Callable[[Any], bytes | None]:
    """SQLite stores text or a number in any column: what somebody wrote so is read as its bytes."""

    def read(stored: Any) -> bytes | None:
        if stored is None:
            return None
        return form(stored if type(stored) is bytes else str(stored).encode())

    return read


ENTRY = Compact(compact_entries.compact, compact_entries.whole)
OPENING = Compact(
    compact_entries.compact_opening,
    lambda stored: stored and compact_entries.whole_opening(stored),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("contact", BigInteger),
    Column("call", HexName),
    Column("body", ENTRY, nullable=False),  # canonical JSON: the bytes that are sealed
    Column("leaf", BigInteger, unique=True),  # position in the hash tree, set by the sealer
    # PostgreSQL's transaction: ids may become visible out of their order, transactions below the
    # snapshot's horizon never change again. SQLite writes one after another: always 0.
    Column("tx", BigInteger, nullable=False, server_default=text("0")),
    sqlite_autoincrement=True,
)
Index("audit_tail", audit.c.tx, audit.c.id).ddl_if(dialect="postgresql")
Index("audit_contact", audit.c.contact, sqlite_where=text("contact IS NOT NULL"))

BY_CALL = (
    "call IS NOT NULL AND"
    " (contact IS NULL OR kind <> 'outcome' AND kind <> 'placed' AND kind <> 'reported')"
)
"""What SQLite finds by the call itself. Entries of these kinds are about the contact of their call's permit, and
are found by it. A query must hold this condition word for word for SQLite to use the index."""

Index("audit_call", audit.c.call, sqlite_where=text(BY_CALL))
# SQLite finds them by the unique index on `leaf`, in which they come first, in the order of their ids.
Index("audit_unsealed", audit.c.id).ddl_if(dialect="postgresql")

COMMON_KINDS = ("card", "outcome", "permitted", "placed", "refused", "reported", "seat")
RARE = {
    "postgresql": "kind NOT IN ('card','outcome','permitted','placed','refused','reported','seat')",
    "sqlite": " AND ".join(f"kind <> '{kind}'" for kind in COMMON_KINDS),
}
"""Everything but what every call writes, for each database. Searched for by an index that no call touches; a query
must hold this condition word for word for the databases to use it. SQLite sets up a list at every insert."""

Index("audit_rare_kind", audit.c.kind, audit.c.id, **where(RARE["sqlite"]))

REFUSED = "kind = 'refused'"
"""A query must hold this condition word for word as well."""

Index("audit_refused", audit.c.id, **where(REFUSED))

seals = Table(
    "seals",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    # The signed head: on PostgreSQL the line that left the database, on SQLite without the leaves' hashes
    Column("body", LargeBinary, nullable=False),
)

openings = Table(
    "openings",
    metadata,
    Column("entry", Id, primary_key=True, autoincrement=False),  # audit.id of a decision
    Column("at", Instant, nullable=False),
    Column("number", BigInteger),  # only where the entry names no contact, by whom it is found
    Column("body", OPENING, nullable=False),  # domain.commitment: the secret and the facts
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
