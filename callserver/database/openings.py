"""Openings: the facts of dial decisions, each beside the sealed entry that commits to them.

They are personal data: they are deleted by the retention class `decisions` and at erasure. The commitment
stays.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, delete, exists, insert, or_, select

from callserver.database.many_keys import among
from callserver.database.prepared_statements import Prepared
from callserver.database.tables import audit, openings
from callserver.domain.audit import EntryKind
from callserver.ports import Tx

_insert = Prepared(
    insert(openings).values({name: bindparam(name) for name in ("entry", "at", "number", "body")})
)
DECISIONS = (EntryKind.PERMITTED.value, EntryKind.REFUSED.value)


def add(tx: Tx, entry: int, at: datetime, number: int | None, body: bytes) -> None:
    """Keep the opening of the decision that this entry seals. `number`: if it names no contact."""
    _insert(tx, {"entry": entry, "at": at, "number": number, "body": body})


def forget(tx: Tx, contacts: Sequence[int], numbers: Sequence[int] = ()) -> int:
    """Drop the openings of decisions about these contacts or numbers. Returns how many."""
    about = select(audit.c.id).where(
        among(tx, audit.c.contact, contacts), audit.c.kind.in_(DECISIONS)
    )
    theirs = or_(openings.c.entry.in_(about), among(tx, openings.c.number, numbers))
    return tx.execute(delete(openings).where(theirs)).rowcount


def about(tx: Tx, contacts: Sequence[int]) -> list[int]:
    """Those of the contacts about whom decisions with an opening were made."""
    query = (
        select(audit.c.contact)
        .where(among(tx, audit.c.contact, contacts), audit.c.kind.in_(DECISIONS))
        .where(exists(select(openings.c.entry).where(openings.c.entry == audit.c.id)))
    )
    return list(tx.execute(query.distinct().order_by(audit.c.contact)).scalars())


class DecisionRow(NamedTuple):
    """A sealed decision with its opening; None: it expired, was erased or never was."""

    leaf: int
    body: bytes
    opening: bytes | None


def sealed_decisions(tx: Tx, size: int) -> Iterator[DecisionRow]:
    """Every decision among the first `size` leaves, in their order, streamed."""
    query = (
        select(audit.c.leaf, audit.c.body, openings.c.body)
        .select_from(audit.outerjoin(openings, openings.c.entry == audit.c.id))
        .where(audit.c.leaf < size, audit.c.kind.in_(DECISIONS))
        .order_by(audit.c.leaf)
    )
    return map(DecisionRow._make, tx.execute(query.execution_options(yield_per=1_000)))
