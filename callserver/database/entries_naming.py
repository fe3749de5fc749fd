"""Entries of the log that name a subject by its pseudonymous key."""

from typing import Any

import orjson
from sqlalchemy import LargeBinary, func, literal, or_, select, type_coerce

from callserver.database.tables import audit
from callserver.domain.audit import EntryKind
from callserver.domain.compact_entries import BRACE, traces
from callserver.ports import Tx

WITHOUT_KEYS = (
    EntryKind.SEAT,
    EntryKind.REPORTED,
    EntryKind.PLACED,
    EntryKind.OUTCOME,
    EntryKind.CARD,
)
"""Five of six entries, the most frequent kinds first. They name no subject by its pseudonymous key."""


def naming(tx: Tx, key: str) -> list[dict[str, Any]]:
    """The entries that name the key's subject, oldest first.

    The database looks through the whole log, for bytes that every stored form of such an entry holds: entries
    about a contact who left their list, or whose number has changed, are found by nothing else.
    """
    named = key.encode()
    digits = named.rpartition(b":")[2]
    stored = type_coerce(audit.c.body, LargeBinary)
    if tx.dialect.name == "sqlite":
        parts = (literal(part, LargeBinary) for part in traces(digits))
        found = [func.instr(stored, part) > 0 for part in parts]
    else:  # it stores the long form
        text = literal(b"%" + digits + b"%", LargeBinary)
        found = [stored.op("LIKE")(text), func.get_byte(stored, 0) != BRACE]
    # One by one, because SQLite sets up the list of an IN for each row.
    other = (audit.c.kind != kind.value for kind in WITHOUT_KEYS)
    query = select(audit.c.id, audit.c.body).where(*other, or_(*found)).order_by(audit.c.id)
    return [
        {"id": number, **orjson.loads(body)} for number, body in tx.execute(query) if named in body
    ]
