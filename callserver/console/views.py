"""What a phoner's page sees of her seat and call: only what this call needs, numbers masked."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from callserver.console.endpoint import Answer
from callserver.database import calls, contacts, seats
from callserver.database.accounts import User
from callserver.database.calls import CallRow
from callserver.database.seats import SeatRow
from callserver.domain import phone
from callserver.domain.campaign import Ask, Effect, Label
from callserver.engine.house import Rules
from callserver.ports import Tx


class ContactView(Answer):
    """Whom the call is with."""

    id: int
    name: str | None
    member: bool
    last_gift: str | None
    source: str | None
    fields: Mapping[str, Any]


class OutcomeView(Answer):
    """One outcome that may be given."""

    label: Label
    does: Effect
    asks: tuple[Ask, ...]
    agreement: bool


class CallView(Answer):
    """The call in hand."""

    attempt: str
    state: str
    campaign: str
    path: str
    number: str
    answered_at: datetime | None
    ended_at: datetime | None
    outcome: str | None
    contact: ContactView | None
    outcomes: Mapping[str, OutcomeView]
    purpose: str | None = None
    why: Label | None = None


class SeatView(Answer):
    """A phoner's place: where it is, why, since when and until when."""

    id: int | None
    state: str
    reason: str = ""
    since: datetime | None = None
    until: datetime | None = None
    wants: str = "off"
    connected: bool = False
    outcome_owed: bool = False
    campaign: str | None = None
    call: CallView | None = None


def seat(tx: Tx, rules: Rules, user: User) -> SeatView:
    """The phoner's own seat, with the call in hand and what its outcome asks for."""
    row = seats.look(tx, user.id)
    if row is None:
        return SeatView(id=None, state="off")
    call = None if row.call is None else calls.get(tx, row.call)
    return _seat(row, None if call is None else _call(tx, rules, call))


def _seat(row: SeatRow, call: CallView | None = None) -> SeatView:
    return SeatView(
        id=row.id,
        state=row.state,
        reason=row.reason,
        since=row.since,
        until=row.until,
        wants=row.wants,
        connected=row.connected,
        outcome_owed=row.outcome_owed,
        campaign=row.campaign,
        call=call,
    )


def _call(tx: Tx, rules: Rules, call: CallRow) -> CallView:
    campaign = rules.current.campaigns.get(call.campaign)
    contact = None if call.contact is None else contacts.get(tx, call.contact)
    return CallView(
        attempt=call.attempt,
        state=call.state,
        campaign=call.campaign,
        path=call.path,
        number=phone.masked(phone.from_int(call.number)),
        answered_at=call.answered_at,
        ended_at=call.ended_at,
        outcome=call.outcome,
        contact=None if contact is None else _contact(contact),
        outcomes={}
        if campaign is None
        else {
            key: OutcomeView(label=one.label, does=one.does, asks=one.asks, agreement=one.agreement)
            for key, one in campaign.outcomes.items()
        },
        purpose=None if campaign is None else campaign.purpose.value,
        why=None if campaign is None else campaign.why,
    )


def _contact(contact: contacts.Contact) -> ContactView:
    return ContactView(
        id=contact.id,
        name=contact.name,
        member=contact.member,
        last_gift=contact.last_gift,
        source=contact.source,
        fields=dict(contact.fields or {}),
    )
