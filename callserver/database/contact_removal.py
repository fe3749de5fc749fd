"""Contacts that leave a list: those whom nobody has called, of one import or one by one."""

from sqlalchemy import ColumnElement, and_, delete, exists, func, select

from callserver.database.tables import calls, contacts
from callserver.domain.contact_status import ContactStatus
from callserver.ports import Tx

never_called: ColumnElement[bool] = and_(
    contacts.c.tries == 0,
    contacts.c.status != ContactStatus.CLAIMED,
    ~exists(select(calls.c.attempt).where(calls.c.contact == contacts.c.id)),
)
"""No dial of the contact is under way or was ever made."""


def of_import(tx: Tx, number: int) -> int:
    """Remove an import's contacts whom nobody has called; how many."""
    return tx.execute(delete(contacts).where(contacts.c.imported == number, never_called)).rowcount


def count_of_import(tx: Tx, number: int) -> int:
    """How many contacts of an import there are."""
    query = select(func.count()).where(contacts.c.imported == number)
    return int(tx.execute(query).scalar_one())


def of_contact(tx: Tx, contact: int) -> bool:
    """Remove one contact; False: it was called, or is just being called."""
    removed = tx.execute(delete(contacts).where(contacts.c.id == contact, never_called))
    return removed.rowcount == 1
