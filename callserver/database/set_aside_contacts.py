"""Contacts whose newest row in a list was refused: the gate refuses them until a row about them is taken."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sqlalchemy import Column, ColumnElement, select, text, true, update

from callserver.database.bulk_facts import CHUNK
from callserver.database.tables import contacts
from callserver.domain.contact_status import ContactStatus
from callserver.domain.identity import NOBODY
from callserver.domain.reason import Reason
from callserver.ports import Tx

_KNOWN = contacts.c.number != NOBODY
"""Whatever their status: a correction, an undone mark or a call back may bring back who is done. An erased one stays
as it is."""


def about(tx: Tx, persons: Collection[int], campaign: str, numbers: Collection[int]) -> set[int]:
    """Contacts whose person is not staged.

    `persons`: in every campaign. `numbers`: of contacts of this campaign.
    """
    here = contacts.c.campaign == campaign
    known = {
        row.id: row.person
        for column, keys, among in (
            (contacts.c.person, persons, _KNOWN),
            (contacts.c.number, numbers, _KNOWN & here),
        )
        for row in _with(tx, column, keys, among)
    }
    staged = _staged(tx, known.values())
    return {contact for contact, person in known.items() if person not in staged}


def younger(tx: Tx, births: Mapping[int, str]) -> dict[int, str]:
    """Contacts of these persons who are younger than what is known: their date of birth."""
    return {
        row.id: births[row.person]
        for row in _with(tx, contacts.c.person, births, true())
        if births[row.person] > (row.born or "")
    }


def returned(tx: Tx) -> set[int]:
    """Contacts that were set aside, and whose person is staged again."""
    query = select(contacts.c.id, contacts.c.person).where(contacts.c.row_refused)
    aside: dict[int, int] = {row.id: row.person for row in tx.execute(query)}
    staged = _staged(tx, aside.values())
    return {contact for contact, person in aside.items() if person in staged}


def _with(
    tx: Tx, column: Column[int], keys: Collection[int], among: ColumnElement[bool]
) -> Iterator[Any]:
    ordered = sorted(keys)
    for at in range(0, len(ordered), 10 * CHUNK):
        some = column.in_(ordered[at : at + 10 * CHUNK])
        yield from tx.execute(
            select(contacts.c.id, contacts.c.person, contacts.c.born).where(some, among)
        )


def _staged(tx: Tx, persons: Collection[int]) -> set[int]:
    """Those of the persons who are staged."""
    if not persons:
        return set()
    wanted = set(persons)
    return wanted.intersection(tx.execute(text("SELECT person FROM staged")).scalars())


def set_aside(tx: Tx, keys: Collection[int]) -> None:
    """Note that the newest row of these contacts was refused, and close those that the list would dial."""
    for some in _some(keys):
        tx.execute(update(contacts).where(some, _KNOWN).values(row_refused=True))
        dialed = contacts.c.status.in_((ContactStatus.READY, ContactStatus.WAITING))
        closed = {"status": ContactStatus.CLOSED, "reason": Reason.BASIS_ROW_REFUSED.value}
        tx.execute(update(contacts).where(some, _KNOWN, dialed).values(**closed, next_at=None))


def bring_back(tx: Tx, keys: Collection[int]) -> None:
    """A row about these contacts was taken: those that were closed for the refused one are ready again."""
    for some in _some(keys):
        tx.execute(update(contacts).where(some).values(row_refused=False))
        closed = contacts.c.reason == Reason.BASIS_ROW_REFUSED.value
        ready = {"status": ContactStatus.READY, "reason": None}
        is_closed = contacts.c.status == ContactStatus.CLOSED
        tx.execute(update(contacts).where(some, closed, is_closed).values(**ready))


def _some(keys: Collection[int]) -> Iterator[ColumnElement[bool]]:
    ordered = sorted(keys)
    for at in range(0, len(ordered), 10 * CHUNK):
        yield contacts.c.id.in_(ordered[at : at + 10 * CHUNK])
