"""Removal of contacts: roll back a mistaken import, or remove a single person.

Only contacts who were never called are removed: a call's record needs its contact. Opt-outs and marks are not
stored with the list and stay. Changes that an import made to existing contacts stay too: their earlier values
are not stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from callserver.database import audit, contact_removal, contacts, imports
from callserver.domain.audit import EntryKind
from callserver.engine.suppressions.opt_outs import check_why
from callserver.errors import Impossible, NotFound
from callserver.ports import Tx

PART = 1_000
"""Contacts of one transaction: a server that dials waits for one at most."""


@dataclass(frozen=True, slots=True)
class RolledBack:
    """How many contacts of an import were removed, and how many stay because they were called."""

    removed: int = 0
    kept: int = 0

    def __add__(self, other: "RolledBack") -> "RolledBack":
        return RolledBack(self.removed + other.removed, self.kept + other.kept)


def parts_of(tx: Tx, number: int) -> list[list[int]]:
    """The contacts of an import, in the parts in which they are removed.

    Raises:
        NotFound: there is no such import.
        Impossible: it has no contact left.
    """
    _campaign_of(tx, number)
    ids = contact_removal.of_import(tx, number)
    if not ids:
        raise Impossible("the import has no contact left", key="nothing_to_roll_back")
    return [ids[at : at + PART] for at in range(0, len(ids), PART)]


def roll_back(tx: Tx, number: int, part: Sequence[int], by: str, now: datetime) -> RolledBack:
    """Remove those of the import's contacts in this part that were never called."""
    campaign = _campaign_of(tx, number)
    removed = contact_removal.remove(tx, part, contact_removal.never_called, now)
    result = RolledBack(removed, len(part) - removed)
    imports.add_counts(tx, number, rolled_back=removed)
    audit.append(
        tx,
        now,
        EntryKind.REMOVED,
        campaign=campaign,
        imported=number,
        count=removed,
        kept=result.kept,
        by=by,
    )
    return result


def _campaign_of(tx: Tx, number: int) -> str:
    campaign = imports.campaign_of(tx, number)
    if campaign is None:
        raise NotFound(f"there is no import {number}", key="not_found")
    return campaign


def remove(tx: Tx, contact: int, why: str, by: str, now: datetime) -> None:
    """Remove one person from one list. `why`: a few words for the log.

    Raises:
        NotFound: there is no such contact.
        Impossible: they were called from this list; or `why` holds a name or a number.
    """
    row = contacts.get(tx, contact)
    if row is None:
        raise NotFound(f"there is no contact {contact}", key="not_found")
    kept_why = check_why(why, [row])
    if not contact_removal.remove(tx, [contact], contact_removal.never_called, now):
        raise Impossible(
            "the contact was called, so it stays: record an opt-out or erase the person",
            key="contact_was_called",
        )
    audit.append(
        tx, now, EntryKind.REMOVED, campaign=row.campaign, contact=contact, why=kept_why, by=by
    )
