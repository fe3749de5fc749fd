"""Removal of contacts: those never called, by import or one by one, and those past retention."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, exists, select

from callserver.database import (
    audit,
    former_identifiers,
    look_ups,
    openings,
    register_people,
)
from callserver.database.former_identifiers import Because
from callserver.database.tables import calls, contacts
from callserver.domain.audit import EntryKind
from callserver.domain.contact_status import ContactStatus
from callserver.ports import Tx

NAMED_IN_ENTRY = 3_000
"""Contacts that one audit entry names: an entry has at most 65,535 bytes where it is published."""

never_called: ColumnElement[bool] = and_(
    contacts.c.tries == 0,
    contacts.c.status != ContactStatus.CLAIMED,
    ~exists(select(calls.c.attempt).where(calls.c.contact == contacts.c.id)),
)
"""No dial of the contact is under way or was ever made."""


def removable(tx: Tx, ids: Collection[int]) -> set[int]:
    """Those of these contacts that were never called."""
    query = select(contacts.c.id).where(contacts.c.id.in_(ids), never_called)
    return set(tx.execute(query).scalars())


def remove(
    tx: Tx, ids: Sequence[int], condition: ColumnElement[bool], now: datetime, *, old: bool = False
) -> int:
    """Delete the contacts that meet the condition. Returns how many. Nothing else deletes contacts.

    Identifiers that link their persons to other lists are kept; for `old` contacts only if something is known
    about the person. Facts of decisions about them and look-ups of them are deleted too.
    """
    kept = (
        and_(condition, former_identifiers.is_known("person", contacts.c.person))
        if old
        else condition
    )
    former_identifiers.keep(tx, ids, Because.REMOVED, now, kept)
    whose = select(contacts.c.id, contacts.c.person).where(contacts.c.id.in_(ids), condition)
    leaving = tx.execute(whose).all()
    persons = [person for _, person in leaving]
    _forget_decisions(tx, [contact for contact, _ in leaving], now)
    look_ups.forget(tx, [contact for contact, _ in leaving])
    removed = tx.execute(delete(contacts).where(contacts.c.id.in_(ids), condition)).rowcount
    register_people.forget_removed(tx, persons)
    return removed


def _forget_decisions(tx: Tx, ids: Sequence[int], now: datetime) -> None:
    """The facts of decisions about these contacts go, and the log says about whom."""
    decided = openings.about(tx, ids)
    openings.forget(tx, decided)
    for at in range(0, len(decided), NAMED_IN_ENTRY):
        named = decided[at : at + NAMED_IN_ENTRY]
        audit.append(tx, now, EntryKind.FORGOTTEN, contacts=named)


def of_import(tx: Tx, number: int) -> list[int]:
    """The contacts of an import."""
    return list(tx.execute(select(contacts.c.id).where(contacts.c.imported == number)).scalars())
