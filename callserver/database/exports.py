"""A campaign's list, or its calls and outcomes, row by row, as an export reads them."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from callserver.database.tables import calls, contacts
from callserver.domain.headings import STATE_COLUMNS
from callserver.ports import Tx

CHUNK = 5_000

_CONTACT = {
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
    "details": calls.c.details,
    "note": calls.c.note,
}

CONTACT, STATE, OUTCOME = tuple(_CONTACT), tuple(_STATE), tuple(_OUTCOME)
"""The names of the columns: of a list, of its contacts' state, and of calls."""


def outcomes(tx: Tx, campaign: str) -> Iterator[Any]:
    """The campaign's calls, in the order of OUTCOME."""
    query = (
        select(*_OUTCOME.values())
        .outerjoin(contacts, contacts.c.id == calls.c.contact)
        .where(calls.c.campaign == campaign)
        .order_by(calls.c.permit_at, calls.c.attempt)
    )
    return _streamed(tx, query)


def list_rows(tx: Tx, campaign: str) -> Iterator[Any]:
    """The campaign's contacts: the columns of CONTACT, the merge fields, the columns of STATE."""
    query = (
        select(*_CONTACT.values(), contacts.c.fields, *_STATE.values())
        .where(contacts.c.campaign == campaign)
        .order_by(contacts.c.id)
    )
    return _streamed(tx, query)


def merge_fields(tx: Tx, campaign: str) -> list[str]:
    """The names of all merge fields of a list, in the order in which they first appear."""
    names: dict[str, None] = {}
    query = select(contacts.c.fields).where(
        contacts.c.campaign == campaign, contacts.c.fields.is_not(None)
    )
    for (fields,) in _streamed(tx, query.order_by(contacts.c.id)):
        names.update(dict.fromkeys(fields or ()))
    return list(names)


def _streamed(tx: Tx, query: Any) -> Iterator[Any]:
    yield from tx.execute(query, execution_options={"yield_per": CHUNK})
