"""Contacts whose newest row in a list was refused: they are closed until a row about them is taken."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import bindparam, text, update

from callserver.database.bulk_facts import CHUNK
from callserver.database.tables import contacts
from callserver.domain.contact_status import ContactStatus
from callserver.ports import Tx

ROW_REFUSED = "row_refused"
"""Why a contact is closed whose newest row in a list could not be read."""


def about(tx: Tx, persons: Collection[int], campaign: str, numbers: Collection[int]) -> set[int]:
    """Contacts that may still be called from a list, and whose person is not staged.

    `persons`: in every campaign. `numbers`: of contacts of this campaign.
    """
    known: set[int] = set()
    for keys, condition in (
        (sorted(persons), "c.person IN :keys"),
        (sorted(numbers), "c.number IN :keys AND c.campaign = :campaign"),
    ):
        query: Any = text(
            f"SELECT c.id FROM contacts c WHERE {condition} AND c.status IN ('ready', 'waiting')"
            " AND NOT EXISTS (SELECT 1 FROM staged s WHERE s.person = c.person)"
        ).bindparams(bindparam("keys", expanding=True))
        for at in range(0, len(keys), 10 * CHUNK):
            values: dict[str, Any] = {"keys": keys[at : at + 10 * CHUNK]}
            if ":campaign" in condition:
                values["campaign"] = campaign
            known.update(tx.execute(query, values).scalars())
    return known


def returned(tx: Tx) -> set[int]:
    """Contacts that were set aside, and whose person is staged again."""
    query = text(
        "SELECT c.id FROM contacts c JOIN staged s ON s.person = c.person"
        " WHERE c.status = 'closed' AND c.reason = :reason"
    )
    return set(tx.execute(query, {"reason": ROW_REFUSED}).scalars())


def set_aside(tx: Tx, keys: Collection[int]) -> None:
    """Close contacts whose newest row could not be read."""
    ordered = sorted(keys)
    for at in range(0, len(ordered), 10 * CHUNK):
        some = contacts.c.id.in_(ordered[at : at + 10 * CHUNK])
        tx.execute(
            update(contacts)
            .where(some, contacts.c.status.in_((ContactStatus.READY, ContactStatus.WAITING)))
            .values(status=ContactStatus.CLOSED, reason=ROW_REFUSED, next_at=None)
        )
