"""Entries of the log that name a number by its pseudonymous key."""

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    LargeBinary,
    Select,
    TextClause,
    func,
    literal,
    literal_column,
    or_,
    select,
    text,
    type_coerce,
)

from callserver.database.entries_of_calls import is_of_prepared
from callserver.database.prepared_statements import PreparedMany
from callserver.database.tables import audit, calls
from callserver.database.tables.audit import RARE, REFUSED
from callserver.domain.audit import EntryKind
from callserver.domain.compact_entries import BRACE, traces
from callserver.domain.identity import NOBODY
from callserver.ports import Tx

RARE_WITH_KEYS = (
    EntryKind.CASE,
    EntryKind.LIFTED,
    EntryKind.MARKED,
    EntryKind.MARK_ENDED,
    EntryKind.NO_LISTENER,
    EntryKind.SUPPRESSED,
)
"""The kinds that name subjects by their pseudonymous keys. Besides these only decisions do: permits and refusals."""

PASSED_MEANWHILE = 50
"""So many entries are passed in the time in which the permit of one call is read."""

CALLS = 1_000
"""Calls of one statement."""

_PERMITTED: ColumnElement[str] = literal_column(f"'{EntryKind.PERMITTED.value}'")


def naming(tx: Tx, number: int, key: str) -> list[dict[str, Any]]:
    """The entries that name the number, whose key this is, oldest first.

    They say it by nothing else where a contact has left its list, or its number has changed. Permits are found by
    their calls; where a call's number was forgotten, its permit is read. Everything else is looked through.
    """
    named = key.encode()
    rare = audit.c.kind.in_([kind.value for kind in RARE_WITH_KEYS])
    queries = [
        _holding(tx, named, text(RARE[tx.dialect.name]), rare),
        _holding(tx, named, text(REFUSED)),
    ]
    bodies = {row.id: row.body for query in queries for row in tx.execute(query)}
    bodies |= _permits(tx, number, named)
    return [
        {"id": entry, **orjson.loads(bodies[entry])}
        for entry in sorted(bodies)
        if named in bodies[entry]
    ]


def _permits(tx: Tx, number: int, named: bytes) -> dict[int, bytes]:
    forgotten = select(func.count()).where(calls.c.number == NOBODY)
    newest = select(func.coalesce(func.max(audit.c.id), 0))
    if tx.execute(forgotten).scalar_one() * PASSED_MEANWHILE > tx.execute(newest).scalar_one():
        passed = tx.execute(_holding(tx, named, audit.c.kind == _PERMITTED))
        return {row.id: row.body for row in passed}
    query = select(calls.c.attempt).where(calls.c.number.in_([number, NOBODY]))
    attempts = list(tx.execute(query).scalars())
    parts = (attempts[at : at + CALLS] for at in range(0, len(attempts), CALLS))
    return {entry: body for part in parts for entry, body in _of_calls(tx, part) if named in body}


def _permits_of(keys: Sequence[BindParameter[Any]]) -> dict[str, Select[Any]]:
    query = select(audit.c.id, audit.c.body).where(audit.c.kind == _PERMITTED)
    return {name: query.where(is_of_prepared(keys, name)) for name in ("sqlite", "postgresql")}


_of_calls = PreparedMany(_permits_of)


def _holding(tx: Tx, named: bytes, *which: ColumnElement[bool] | TextClause) -> Select[Any]:
    """Those that hold the key's bytes, which every stored form of an entry with the key holds."""
    digits = named.rpartition(b":")[2]
    stored = type_coerce(audit.c.body, LargeBinary)
    if tx.dialect.name == "sqlite":
        parts = (literal(part, LargeBinary) for part in traces(digits))
        found = [func.instr(stored, part) > 0 for part in parts]
    else:  # it stores the long form
        held = literal(b"%" + digits + b"%", LargeBinary)
        found = [stored.op("LIKE")(held), func.get_byte(stored, 0) != BRACE]
    return select(audit.c.id, audit.c.body).where(*which, or_(*found))
