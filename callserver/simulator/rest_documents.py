"""The JSON documents of the network's REST API: calls, participants and conferences as Twilio has them."""

from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Any

from callserver.simulator.legs import ENDED, Conference, Leg

_PARTICIPANT = {
    "queued": "queued",
    "initiated": "connecting",
    "ringing": "ringing",
    "in-progress": "connected",
    "completed": "complete",
}


@lru_cache(maxsize=256)
def _date(at: datetime | None) -> str | None:
    return None if at is None else format_datetime(at.astimezone(UTC))  # as Twilio writes it


def call(leg: Leg, account: str, queued: int) -> dict[str, Any]:
    status = "queued" if leg.status == "initiated" else leg.status
    talked = (leg.ended - leg.answered).total_seconds() if leg.ended and leg.answered else None
    return {
        "sid": leg.sid,
        "account_sid": account,
        "parent_call_sid": None,
        "to": leg.to,
        "to_formatted": leg.to,
        "from": leg.caller,
        "from_formatted": leg.caller,
        "phone_number_sid": None,
        "status": status,
        "start_time": _date(leg.answered or leg.created),
        "end_time": _date(leg.ended),
        "duration": None if talked is None else str(round(talked)),
        "price": None,
        "price_unit": "USD",
        "direction": leg.direction,
        "answered_by": None,
        "api_version": "2010-04-01",
        "forwarded_from": None,
        "group_sid": None,
        "caller_name": None,
        "queue_time": str(queued),
        "trunk_sid": None,
        "uri": f"/2010-04-01/Accounts/{account}/Calls/{leg.sid}.json",
        "date_created": _date(leg.created),
        "date_updated": _date(leg.ended or leg.created),
        "subresource_uris": {},
    }


def participant(leg: Leg, room: Conference, account: str, queued: int) -> dict[str, Any]:
    status = "failed" if leg.status in ENDED - {"completed"} else _PARTICIPANT[leg.status]
    return {
        "account_sid": account,
        "call_sid": leg.sid,
        "label": leg.label,
        "call_sid_to_coach": leg.coach,
        "coaching": leg.coach is not None,
        "conference_sid": room.sid,
        "date_created": _date(leg.created),
        "date_updated": _date(leg.created),
        "end_conference_on_exit": leg.sid in room.ends_with,
        "muted": leg.muted,
        "hold": False,
        "start_conference_on_enter": leg.starts,
        "status": status,
        "queue_time": str(queued),
        "uri": f"/2010-04-01/Accounts/{account}/Conferences/{room.sid}/Participants/{leg.sid}.json",
    }


def room_document(room: Conference, account: str) -> dict[str, Any]:
    return {
        "sid": room.sid,
        "account_sid": account,
        "friendly_name": room.name,
        "status": room.status,
        "region": "ie1",
        "api_version": "2010-04-01",
        "date_created": _date(room.created),
        "date_updated": _date(room.created),
        "reason_conference_ended": None,
        "call_sid_ending_conference": None,
        "uri": f"/2010-04-01/Accounts/{account}/Conferences/{room.sid}.json",
        "subresource_uris": {},
    }
