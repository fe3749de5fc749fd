"""Contacts that were closed or finished, and are dialed again: what closed them does not hold any more."""

from collections.abc import Sequence

from sqlalchemy import or_, select, update

from callserver.database.contacts import NO_CALL_BACK
from callserver.database.tables import contacts
from callserver.domain.contact_status import ContactStatus
from callserver.domain.identity import NOBODY
from callserver.ports import Tx

CHUNK = 10_000
"""Contacts of one statement: SQLite takes 32,766 values."""


def reopen(tx: Tx, ids: Sequence[int], reasons: Sequence[str]) -> list[int]:
    """Reopen those of the contacts that were closed for one of these reasons. Returns their ids."""
    reopened: list[int] = []
    for at in range(0, len(ids), CHUNK):
        reopened += _reopen(tx, ids[at : at + CHUNK], reasons)
    return reopened


def _reopen(tx: Tx, ids: Sequence[int], reasons: Sequence[str]) -> list[int]:
    closed = select(contacts.c.id).where(
        contacts.c.id.in_(ids),
        contacts.c.status == ContactStatus.CLOSED,
        contacts.c.reason.in_(reasons),
        contacts.c.number != NOBODY,  # an erased person stays erased, whatever else ends
    )
    reopened = list(tx.execute(closed).scalars())
    if not reopened:
        return []
    change = update(contacts).where(contacts.c.id.in_(reopened)).values(reason=None)
    agreed = contacts.c.callback_for.is_not(None)
    when_agreed = {"status": ContactStatus.CALL_BACK, "next_at": contacts.c.callback_for}
    tx.execute(change.where(agreed).values(**when_agreed))
    tx.execute(change.where(~agreed).values(status=ContactStatus.READY))
    return reopened


def reopen_done(tx: Tx, ids: Sequence[int], campaign: str, outcomes: Sequence[str]) -> list[int]:
    """Reopen those of a campaign's contacts that one of these outcomes finished. Returns their ids."""
    finished = select(contacts.c.id).where(
        contacts.c.id.in_(list(ids)),
        contacts.c.campaign == campaign,
        contacts.c.status == ContactStatus.DONE,
        contacts.c.reason.in_(list(outcomes)),
    )
    reopened = list(tx.execute(finished).scalars())
    tx.execute(
        update(contacts)
        .where(contacts.c.id.in_(reopened))
        .values(status=ContactStatus.READY, reason=None, next_at=None, **NO_CALL_BACK)
    )
    return reopened


def closed_for(tx: Tx, reason: str) -> list[int]:
    """The contacts closed for exactly this reason."""
    closed = (contacts.c.status == ContactStatus.CLOSED, contacts.c.reason == reason)
    return list(tx.execute(select(contacts.c.id).where(*closed)).scalars())


def reopen_closed_for(tx: Tx, persons: Sequence[int], reasons: Sequence[str]) -> int:
    """Reopen these persons' contacts closed for reasons with these prefixes. Returns how many."""
    begins = or_(*(contacts.c.reason.startswith(reason, autoescape=True) for reason in reasons))
    closed = select(contacts.c.id, contacts.c.reason).where(
        contacts.c.person.in_(list(persons)), contacts.c.status == ContactStatus.CLOSED, begins
    )
    rows = tx.execute(closed).all()
    return len(reopen(tx, [row.id for row in rows], list({row.reason for row in rows})))
