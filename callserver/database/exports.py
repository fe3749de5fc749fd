"""A campaign's list, its calls and outcomes, or the opt-outs, row by row, as an export reads them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ColumnElement,
    Select,
    Text,
    cast,
    or_,
    select,
    type_coerce,
)

from callserver.database.tables import calls, contacts, suppressions, undone_agreements
from callserver.database.tables.types import EPOCH, Instant
from callserver.domain.headings import STATE_COLUMNS
from callserver.ports import Tx

CHUNK = 500

_CONTACT = {
    "ref": contacts.c.ref,
    "namespace": contacts.c.namespace,
    "name": contacts.c.name,
    "phone": contacts.c.number,
    "zone": contacts.c.zone,
    "born": contacts.c.born,
    "member": contacts.c.member,
    "last_gift": contacts.c.last_gift,
    "ended": contacts.c.ended,
    "source": contacts.c.source,
}
_STATE = {"contact": contacts.c.id, **{name: contacts.c[name] for name in STATE_COLUMNS[1:]}}
_OUTCOME = {
    "attempt": calls.c.attempt,
    "contact": calls.c.contact,
    "ref": contacts.c.ref,
    "phone": calls.c.number,
    "path": calls.c.path,
    "permit_at": calls.c.permit_at,
    "answered_at": calls.c.answered_at,
    "ended_at": calls.c.ended_at,
    "cause": calls.c.cause,
    "outcome": calls.c.outcome,
    "outcome_at": calls.c.outcome_at,
    "undone_at": undone_agreements.c.at,
    "details": calls.c.details,
    "note": calls.c.note,
}

CONTACT, STATE, OUTCOME = tuple(_CONTACT), tuple(_STATE), tuple(_OUTCOME)
"""The names of the columns: of a list, of its contacts' state, and of calls."""

INSTANTS = frozenset(
    name for name, column in (_STATE | _OUTCOME).items() if isinstance(column.type, Instant)
)
"""Columns of instants. They come as they are stored, for `instant`."""

DOCUMENTS = frozenset({"details"})
"""Columns of JSON, which come as text."""


def outcomes(tx: Tx, campaign: str) -> Iterator[Sequence[Any]]:
    """The campaign's calls in parts, in the order of OUTCOME."""
    query = (
        select(*map(_stored, _OUTCOME.values()))
        .outerjoin(contacts, contacts.c.id == calls.c.contact)
        .outerjoin(undone_agreements, undone_agreements.c.call == calls.c.attempt)
        .where(calls.c.campaign == campaign)
        .order_by(calls.c.permit_at, calls.c.attempt)
    )
    return _streamed(tx, query)


class OptOut(NamedTuple):
    """An opt-out and one contact that it names. Without a contact, `ref` is None."""

    ref: str | None
    number: int | None
    scope: str
    purpose: str | None
    at: datetime
    lifted_at: datetime | None


_NAMED = {
    "number": contacts.c.number,
    "person": contacts.c.person,
    "household": contacts.c.household,
}
"""The kinds of subjects that name contacts, and by which column."""

SOME = 1_000


def opt_outs(tx: Tx, since: datetime | None) -> Iterator[OptOut]:
    """Opt-outs in force; with `since`, those recorded or lifted since then. Oldest first."""
    query = select(suppressions).order_by(suppressions.c.id).limit(SOME)
    if since is None:
        query = query.where(suppressions.c.lifted_at.is_(None))
    else:
        recorded = suppressions.c.at >= since
        query = query.where(or_(recorded, suppressions.c.lifted_at >= since))
    after = 0
    while rows := list(tx.execute(query.where(suppressions.c.id > after))):
        after = rows[-1].id
        named = _contacts_named(tx, [row.subject for row in rows])
        for row in rows:
            kind, _, key = row.subject.partition(":")
            if kind not in _NAMED:
                continue
            number = int(key) if kind == "number" else None
            for ref, known_number in named.get(row.subject) or [(None, number)]:
                yield OptOut(ref, known_number, row.scope, row.purpose, row.at, row.lifted_at)


def _contacts_named(
    tx: Tx, subjects: Sequence[str]
) -> Mapping[str, list[tuple[str | None, int | None]]]:
    """Reference and number of each contact, once, by the subjects that name it."""
    named: dict[str, dict[tuple[str | None, int | None], None]] = {}
    for kind, column in _NAMED.items():
        keys = [
            int(subject.partition(":")[2]) for subject in subjects if subject.startswith(f"{kind}:")
        ]
        query = select(column, contacts.c.ref, contacts.c.number).where(column.in_(keys))
        for key, ref, number in tx.execute(query.order_by(contacts.c.id)) if keys else ():
            named.setdefault(f"{kind}:{key}", {})[ref, number or None] = None
    return {subject: list(rows) for subject, rows in named.items()}


def list_rows(tx: Tx, campaign: str) -> Iterator[Sequence[Any]]:
    """The campaign's contacts in parts: the columns of CONTACT, the merge fields as text, the columns of STATE."""
    query = (
        select(*_CONTACT.values(), _stored(contacts.c.fields), *map(_stored, _STATE.values()))
        .where(contacts.c.campaign == campaign)
        .order_by(contacts.c.id)
    )
    return _streamed(tx, query)


def merge_fields(tx: Tx, campaign: str) -> list[str]:
    """The names of all merge fields of a list, in the order in which they first appear."""
    names: dict[str, None] = {}
    query = select(_stored(contacts.c.fields)).where(
        contacts.c.campaign == campaign, contacts.c.fields.is_not(None)
    )
    for part in _streamed(tx, query.order_by(contacts.c.id)):
        for (fields,) in part:
            names.update(dict.fromkeys(fields_of(fields)))
    return list(names)


def fields_of(text: str | None) -> Mapping[str, Any]:
    """Merge fields from their text, in a fifth of the time that the driver takes for it."""
    return (text and orjson.loads(text)) or {}


def _stored(column: Column[Any]) -> ColumnElement[Any]:
    """The column without the conversion that costs most of a large export's time."""
    if isinstance(column.type, Instant):
        return type_coerce(column, BigInteger)
    return cast(column, Text) if isinstance(column.type, JSON) else column


def _streamed(tx: Tx, query: Select[Any]) -> Iterator[Sequence[Any]]:
    yield from tx.execute(query, execution_options={"yield_per": CHUNK}).partitions()


def instant(stored: int) -> str:
    """A stored instant in the form of `datetime.isoformat`, in a third of the time."""
    minute, rest = divmod(stored, 60_000_000)
    second, microsecond = divmod(rest, 1_000_000)
    if microsecond:
        return f"{_minute(minute)}{second:02}.{microsecond:06}+00:00"
    return f"{_minute(minute)}{second:02}+00:00"


@lru_cache(maxsize=10_000)
def _minute(minute: int) -> str:
    """Up to the colon before the seconds."""
    return (EPOCH + timedelta(minutes=minute)).isoformat()[: len("2026-05-12T16:30:")]
