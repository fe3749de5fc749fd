"""What the pages see of a seat, a call and the floor: only what this call needs (numbers masked)."""

from typing import Any

from callserver.database import calls, contacts, house, seats
from callserver.database.calls import CallRow
from callserver.database.house import User
from callserver.database.seats import SeatRow
from callserver.domain import phone
from callserver.engine.house import Rules
from callserver.ports import Tx


def seat(tx: Tx, rules: Rules, user: User) -> dict[str, Any]:
    """The phoner's own seat, with the call in hand and what its outcome asks for."""
    row = seats.of_phoner(tx, user.id)
    if row is None:
        return {"id": None, "state": "off", "call": None}
    shown = _seat(row)
    call = None if row.call is None else calls.get(tx, row.call)
    shown["call"] = None if call is None else _call(tx, rules, call)
    return shown


def floor(tx: Tx, rules: Rules, user: User) -> dict[str, Any]:
    """Every seat of the department, and the campaigns' states."""
    rows = [
        row
        for row in seats.every(tx)
        if user.department is None or row.department == user.department
    ]
    campaigns = {}
    for name, campaign in rules.current.campaigns.items():
        if user.department is None or campaign.department == user.department:
            paused, reason = house.campaign_state(tx, name)
            campaigns[name] = {"paused": paused, "reason": reason}
    return {"seats": [_seat(row) for row in rows], "campaigns": campaigns}


def _seat(row: SeatRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "state": row.state,
        "reason": row.reason,
        "since": row.since.isoformat(),
        "until": None if row.until is None else row.until.isoformat(),
        "wants": row.wants,
        "connected": row.connected,
        "outcome_owed": row.outcome_owed,
        "campaign": row.campaign,
    }


def _call(tx: Tx, rules: Rules, call: CallRow) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "attempt": call.attempt,
        "state": call.state,
        "campaign": call.campaign,
        "path": call.path,
        "number": phone.masked(phone.from_int(call.number)),
        "answered_at": None if call.answered_at is None else call.answered_at.isoformat(),
        "ended_at": None if call.ended_at is None else call.ended_at.isoformat(),
        "outcome": call.outcome,
        "contact": None,
        "outcomes": {},
    }
    campaign = rules.current.campaigns.get(call.campaign) or rules.former.get(call.campaign)
    if campaign is not None:
        shown["outcomes"] = {
            key: {
                "label": outcome.label.model_dump(),
                "does": outcome.does.value,
                "asks": [ask.value for ask in outcome.asks],
            }
            for key, outcome in campaign.outcomes.items()
        }
        shown["purpose"] = campaign.purpose.value
        shown["why"] = campaign.why.model_dump()
    contact = None if call.contact is None else contacts.get(tx, call.contact)
    if contact is not None:
        shown["contact"] = {
            "id": contact.id,
            "name": contact.name,
            "member": contact.member,
            "last_gift": contact.last_gift,
            "source": contact.source,
            "fields": dict(contact.fields or {}),
        }
    return shown
