"""Which campaign a contact or a call belongs to."""

from collections.abc import Collection, Mapping

from sqlalchemy import select

from callserver.database.tables import calls, contacts
from callserver.ports import Tx


def campaigns_of_contacts(tx: Tx, keys: Collection[int]) -> Mapping[int, str]:
    query = select(contacts.c.id, contacts.c.campaign).where(contacts.c.id.in_(keys))
    return {row[0]: row[1] for row in tx.execute(query)} if keys else {}


def campaigns_of_calls(tx: Tx, attempts: Collection[str]) -> Mapping[str, str]:
    query = select(calls.c.attempt, calls.c.campaign).where(calls.c.attempt.in_(attempts))
    return {row[0]: row[1] for row in tx.execute(query)} if attempts else {}
