"""Contacts whose newest row in a list was refused: they are closed until a row about them is taken."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sqlalchemy import Column, ColumnElement, and_, or_, select, text, true, update

from callserver.database.bulk_facts import CHUNK
from callserver.database.tables import contacts
from callserver.domain.contact_status import ROW_REFUSED, ContactStatus
from callserver.domain.reason import Reason
from callserver.ports import Tx

_OF_THE_GATE = sorted({reason.value for reason in Reason} - {Reason.PERSON_ERASED.value})
_CALLABLE = or_(
    contacts.c.status.in_((ContactStatus.READY, ContactStatus.WAITING, ContactStatus.CLAIMED)),
    and_(contacts.c.status == ContactStatus.CLOSED, contacts.c.reason.in_(_OF_THE_GATE)),
)
"""One that is being called may be called again if nobody answers; one that the gate closed, when that is undone:
an accepted row reopens it, and the gate has the last word."""


def about(tx: Tx, persons: Collection[int], campaign: str, numbers: Collection[int]) -> set[int]:
    """Contacts that may still be called from a list, and whose person is not staged.

    `persons`: in every campaign. `numbers`: of contacts of this campaign.
    """
    here = contacts.c.campaign == campaign
    known = {
        row.id: row.person
        for column, keys, among in (
            (contacts.c.person, persons, _CALLABLE),
            (contacts.c.number, numbers, _CALLABLE & here),
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
    query = select(contacts.c.id, contacts.c.person).where(
        contacts.c.status == ContactStatus.CLOSED, contacts.c.reason == ROW_REFUSED
    )
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
    """Close contacts whose newest row could not be read."""
    ordered = sorted(keys)
    for at in range(0, len(ordered), 10 * CHUNK):
        some = contacts.c.id.in_(ordered[at : at + 10 * CHUNK])
        tx.execute(
            update(contacts)
            .where(some, _CALLABLE)
            .values(status=ContactStatus.CLOSED, reason=ROW_REFUSED, next_at=None)
        )
