"""Which entries of the log are about a call."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    Text,
    bindparam,
    func,
    literal,
    literal_column,
    select,
    text,
)

from callserver.database.prepared_statements import PreparedMany
from callserver.database.tables import audit
from callserver.database.tables.audit import BY_CALL, COMMON_KINDS
from callserver.ports import Tx


def is_of_call(call: Any, dialect: str) -> ColumnElement[bool]:
    """Whether an entry is about this call. On SQLite by two indexes: `BY_CALL` says what the first one holds."""
    same: ColumnElement[bool] = audit.c.call == call
    if dialect != "sqlite":
        return same
    given = literal(call, audit.c.call.type) if isinstance(call, str) else call
    as_text = func.lower(func.hex(given))  # as an earlier version stored it
    same = audit.c.call.in_([given, as_text])
    named = select(audit.c.id).where(same, text(BY_CALL))
    contact = select(audit.c.contact).where(same, text(BY_CALL), audit.c.contact.is_not(None))
    others = select(audit.c.id).where(audit.c.contact.in_(contact), same)
    return audit.c.id.in_(named.union(others))


def is_of_one_of(calls: Sequence[str]) -> ColumnElement[bool]:
    """Whether an entry that the index of calls holds is about one of these calls."""
    as_text = [literal(call, Text) for call in calls]
    same = audit.c.call.in_([*(literal(call, audit.c.call.type) for call in calls), *as_text])
    return same & text(BY_CALL)


def is_of_prepared(keys: Sequence[BindParameter[Any]], dialect: str) -> ColumnElement[bool]:
    """The same in a prepared statement."""
    typed = [bindparam(key.key, type_=audit.c.call.type) for key in keys]
    if dialect != "sqlite":
        return audit.c.call.in_(typed)
    as_text = [func.lower(func.hex(key)) for key in typed]  # as an earlier version stored it
    return audit.c.call.in_([*typed, *as_text]) & text(BY_CALL)


def _rare(keys: Sequence[BindParameter[Any]]) -> Mapping[str, Select[Any]]:
    common = audit.c.kind.in_([literal_column(f"'{kind}'") for kind in COMMON_KINDS])
    query = select(audit.c.call, audit.c.body).where(~common).order_by(audit.c.id)
    return {name: query.where(is_of_prepared(keys, name)) for name in ("sqlite", "postgresql")}


_rare_entries = PreparedMany(_rare)


def rare_entries(
    tx: Tx, calls: Sequence[str], holding: bytes
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The entries about these calls, oldest first, of kinds that not every call has, which hold these bytes."""
    rows = _rare_entries(tx, calls)
    return ((call, orjson.loads(body)) for call, body in rows if holding in body)
