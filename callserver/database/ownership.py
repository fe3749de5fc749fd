"""Which campaign a contact or a call belongs to."""

from collections.abc import Collection, Mapping

from sqlalchemy import select

from callserver.database.tables import calls, contacts
from callserver.ports import Tx

CHUNK = 10_000
"""Contacts of one statement: SQLite takes 32,766 values, and an entry of the log may name thousands."""


def campaigns_of_contacts(tx: Tx, keys: Collection[int]) -> Mapping[int, str]:
    ordered, campaigns = sorted(keys), dict[int, str]()
    for at in range(0, len(ordered), CHUNK):
        some = contacts.c.id.in_(ordered[at : at + CHUNK])
        rows = tx.execute(select(contacts.c.id, contacts.c.campaign).where(some))
        campaigns |= {row.id: row.campaign for row in rows}
    return campaigns


def campaigns_of_calls(tx: Tx, attempts: Collection[str]) -> Mapping[str, str]:
    query = select(calls.c.attempt, calls.c.campaign).where(calls.c.attempt.in_(attempts))
    return {row[0]: row[1] for row in tx.execute(query)} if attempts else {}
