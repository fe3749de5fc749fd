"""A campaign's list, or its calls and outcomes, as rows of text: what leaves the house as CSV.

No cell begins like a formula: a spreadsheet would run what a stranger wrote into a name. Numbers
begin with 00 instead of a plus for that reason. An exported list can be imported as it is: the same
contacts come out of it; where they stand, behind the list's own columns, is left out.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select

from callserver.database import audit
from callserver.database.tables import calls, contacts
from callserver.domain.audit import Kind
from callserver.domain.headings import STATE_COLUMNS
from callserver.domain.sheet import guarded
from callserver.ports import Tx

CHUNK = 5_000

CONTACTS = {
    "ref": contacts.c.ref,
    "name": contacts.c.name,
    "phone": contacts.c.number,
    "zone": contacts.c.zone,
    "born": contacts.c.born,
    "member": contacts.c.member,
    "last_gift": contacts.c.last_gift,
    "ended": contacts.c.ended,
    "source": contacts.c.source,
}
STATE = {"contact": contacts.c.id, **{name: contacts.c[name] for name in STATE_COLUMNS[1:]}}
OUTCOMES = {
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
    "details": calls.c.details,
    "note": calls.c.note,
}


class What(StrEnum):
    CONTACTS = "contacts"
    OUTCOMES = "outcomes"


def safe(column: str, value: Any) -> str:
    """One cell's text, with an apostrophe before what a spreadsheet would run."""
    if value is None:
        return ""
    if column == "phone":
        return f"00{value}"
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Mapping):
        value = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return guarded(str(value))


def rows(tx: Tx, what: What, campaign: str) -> Iterator[Sequence[str]]:
    """The header and every row, streamed. A list's merge fields are columns of their own."""
    if what is What.OUTCOMES:
        yield list(OUTCOMES)
        query = (
            select(*OUTCOMES.values())
            .outerjoin(contacts, contacts.c.id == calls.c.contact)
            .where(calls.c.campaign == campaign)
            .order_by(calls.c.permit_at, calls.c.attempt)
        )
        for row in _streamed(tx, query):
            yield [safe(column, value) for column, value in zip(OUTCOMES, row, strict=True)]
        return
    extra = _merge_fields(tx, campaign)
    shown = [f"{name} 2" if name in CONTACTS else name for name in extra]
    yield [*CONTACTS, *map(guarded, shown), *STATE]
    query = (
        select(*CONTACTS.values(), contacts.c.fields, *STATE.values())
        .where(contacts.c.campaign == campaign)
        .order_by(contacts.c.id)
    )
    for row in _streamed(tx, query):
        own, fields, state = row[: len(CONTACTS)], row[len(CONTACTS)] or {}, row[-len(STATE) :]
        yield [
            *map(safe, CONTACTS, own),
            *(safe("", fields.get(name)) for name in extra),
            *map(safe, STATE, state),
        ]


def _streamed(tx: Tx, query: Any) -> Iterator[Any]:
    yield from tx.execute(query, execution_options={"yield_per": CHUNK})


def _merge_fields(tx: Tx, campaign: str) -> list[str]:
    """The names of all merge fields of a list, in the order in which they first appear."""
    found: dict[str, None] = {}
    query = select(contacts.c.fields).where(
        contacts.c.campaign == campaign, contacts.c.fields.is_not(None)
    )
    for (fields,) in _streamed(tx, query.order_by(contacts.c.id)):
        found.update(dict.fromkeys(fields or ()))
    return list(found)


def record(tx: Tx, what: str, campaign: str, by: str, now: datetime) -> None:
    """Personal data is about to be copied out: that stands in the log."""
    audit.append(tx, now, Kind.EXPORTED, campaign=campaign, what=str(what), by=by)
