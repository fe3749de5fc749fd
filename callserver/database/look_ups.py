"""Look-ups of people: who was looked at, and why, beside the sealed entry that commits to it.

The entry says that a user looked somebody up, and holds a commitment (domain/commitment.py). The person and
the reason are personal data: they are deleted by the retention class `look_ups`, at erasure, and with the
contact. The entry stays.
"""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, text

from callserver.database import audit
from callserver.database.many_keys import among
from callserver.database.tables import audit as log
from callserver.database.tables import look_ups
from callserver.database.tables.audit import RARE
from callserver.domain import commitment
from callserver.domain.audit import EntryKind
from callserver.ports import Tx

Entry = dict[str, Any]


def record(tx: Tx, now: datetime, by: str, contacts: Collection[int], **why: Any) -> None:
    """Log who looked these contacts up: the person may ask. Nobody was found: one entry says so."""
    ids: list[int | None] = [*contacts]
    rows = []
    for contact in ids or [None]:
        promised = commitment.commit({**why, "contact": contact})
        entry = audit.append_numbered(tx, now, EntryKind.LOOKED_UP, by=by, commitment=promised.root)
        rows.append({"entry": entry, "at": now, "contact": contact, "body": promised.opening})
    tx.execute(insert(look_ups), rows)


def about(tx: Tx, contact: int) -> list[Entry]:
    """The look-ups of a contact that are still known, oldest first, each with its log entry's fields."""
    query = select(look_ups.c.entry, look_ups.c.body, log.c.body.label("sealed"))
    query = query.join(log, log.c.id == look_ups.c.entry).where(look_ups.c.contact == contact)
    return [
        {"id": row.entry, **json.loads(row.sealed), **_opened(row.body)}
        for row in tx.execute(query.order_by(look_ups.c.entry))
    ]


def entries_about(tx: Tx, contact: int) -> list[Entry]:
    """Everything that the log says about a contact, look-ups included, oldest first."""
    entries = [*audit.about(tx, contact=contact), *about(tx, contact)]
    return sorted(entries, key=lambda entry: int(entry["id"]))


def with_openings(tx: Tx, entries: Sequence[Entry]) -> list[Entry]:
    """Entries of the log; look-ups also say whom and why, as long as that is known."""
    ids = [entry["id"] for entry in entries if entry["kind"] == EntryKind.LOOKED_UP]
    query = select(look_ups.c.entry, look_ups.c.body).where(look_ups.c.entry.in_(ids))
    known = {row.entry: _opened(row.body) for row in tx.execute(query)} if ids else {}
    return [{**entry, **known.get(entry["id"], {})} for entry in entries]


def leaves_about(tx: Tx, contacts: Collection[int]) -> list[int]:
    """The leaf numbers of the sealed entries of these contacts' look-ups."""
    query = select(log.c.leaf).join(look_ups, log.c.id == look_ups.c.entry)
    known = among(tx, look_ups.c.contact, contacts)
    return list(tx.execute(query.where(known, log.c.leaf.is_not(None))).scalars())


def forget(tx: Tx, contacts: Collection[int]) -> None:
    """Drop whom and why of these contacts' look-ups."""
    tx.execute(delete(look_ups).where(among(tx, look_ups.c.contact, contacts)))


def without_contact(tx: Tx) -> list[Entry]:
    """Look-up entries of earlier versions, which are stored without a contact, and list their contacts."""
    rare = text(RARE[tx.dialect.name])
    query = select(log.c.body).where(
        rare, log.c.kind == EntryKind.LOOKED_UP, log.c.contact.is_(None)
    )
    bodies = tx.execute(query.execution_options(yield_per=1_000)).scalars()
    return [json.loads(body) for body in bodies if b'"contacts":' in body]


def _opened(opening: bytes) -> Entry:
    fields = commitment.opened(opening)
    return {name: field.value for name, field in fields.items() if field.value is not None}
