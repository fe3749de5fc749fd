"""Which entries of the log are about a call."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Text, func, literal, select, text

from callserver.database.tables import audit
from callserver.database.tables.audit import BY_CALL


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
