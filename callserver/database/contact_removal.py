"""Contacts that leave a list: those whom nobody has called, of one import or one by one; and old ones."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, delete, exists, select

from callserver.database import register_people
from callserver.database.tables import calls, contacts
from callserver.domain.contact_status import ContactStatus
from callserver.ports import Tx

never_called: ColumnElement[bool] = and_(
    contacts.c.tries == 0,
    contacts.c.status != ContactStatus.CLAIMED,
    ~exists(select(calls.c.attempt).where(calls.c.contact == contacts.c.id)),
)
"""No dial of the contact is under way or was ever made."""


def remove(tx: Tx, ids: Sequence[int], condition: ColumnElement[bool]) -> int:
    """Delete those of the contacts that meet the condition; how many. The one place that deletes any."""
    whose = select(contacts.c.person).where(contacts.c.id.in_(ids), condition)
    persons = list(tx.execute(whose).scalars())
    removed = tx.execute(delete(contacts).where(contacts.c.id.in_(ids), condition)).rowcount
    register_people.forget_removed(tx, persons)
    return removed


def of_import(tx: Tx, number: int) -> list[int]:
    """The contacts of an import."""
    return list(tx.execute(select(contacts.c.id).where(contacts.c.imported == number)).scalars())
