"""Look-ups of people, as entries of the audit log: one for each contact, so that a person's are found."""

import json
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import select

from callserver.database import audit
from callserver.database.tables import audit as log
from callserver.domain.audit import EntryKind
from callserver.ports import Tx


def record(tx: Tx, now: datetime, by: str, contacts: Collection[int], **details: Any) -> None:
    """Log who looked these contacts up: the person may ask. Nobody was found: one entry says so."""
    ids: list[int | None] = [*contacts]
    for contact in ids or [None]:
        audit.append(tx, now, EntryKind.LOOKED_UP, contact=contact, by=by, **details)


def without_contact(tx: Tx) -> list[dict[str, Any]]:
    """Look-up entries that are stored without a contact; those of earlier versions list their contacts.

    This reads the whole log.
    """
    query = select(log.c.body).where(log.c.kind == EntryKind.LOOKED_UP, log.c.contact.is_(None))
    return [json.loads(body) for body in tx.execute(query).scalars()]
