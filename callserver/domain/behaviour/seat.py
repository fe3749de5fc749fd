"""One seat: the moves of a phoner's shift, and what must be true before each.

Nobody is dialed for a seat whose phoner is not in the room; a talk ends with its outcome; nothing else is
dialed before that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from callserver.domain.behaviour import call as calls
from callserver.domain.behaviour.call import Call
from callserver.domain.behaviour.entry import Breach, Entry

IN_CALL = frozenset({"reserved", "ringing", "talking"})
REST = frozenset({"waiting", "paused", "connecting", "off"})
BY_HAND = frozenset({"manual", "redial"})

MOVES: Mapping[str, Mapping[str, str]] = {
    "off": {
        "connecting": "the phoner comes on shift, and the telephone is called",
        "off": "the shift is ended twice",
    },
    "connecting": {
        "connecting": "something is known about the telephone",
        "paused": "the telephone is in the room",
        "waiting": "the telephone is back, and the phoner wanted the next call",
        "off": "the shift ends",
    },
    "waiting": {
        "waiting": "something is known about why it waits",
        "reserved": "a permit was given",
        "paused": "the phoner pauses",
        "connecting": "the telephone was lost",
        "off": "the shift ends",
    },
    "reserved": {
        "reserved": "the phoner says what they want after the call",
        "ringing": "the telephone rings",
        "talking": "it was answered",
        "wrapping_up": "it was answered and is over, in one report",
        **dict.fromkeys(REST, "nobody answered"),
    },
    "ringing": {
        "ringing": "the phoner says what they want after the call",
        "talking": "it was answered",
        "wrapping_up": "it was answered and is over, in one report",
        **dict.fromkeys(REST, "nobody answered"),
    },
    "talking": {
        "talking": "the phoner says what they want after the call",
        "wrapping_up": "the talk is over, and its outcome is missing",
        **dict.fromkeys(REST, "the talk is over; its outcome was given, or the phoner was lost"),
    },
    "wrapping_up": {
        "wrapping_up": "the phoner says what they want afterwards",
        "paused": "the time limit has passed, or the outcome was given",
        **dict.fromkeys(REST - {"paused"}, "the outcome was given"),
    },
    "paused": {
        "paused": "another reason, or another wish",
        "reserved": "the phoner dials by hand",
        "waiting": "the phoner is ready",
        "connecting": "the telephone was lost",
        "off": "the shift ends",
    },
}
"""State -> the states that may follow, and why. Off-boarding (the reason `left`) ends a seat in any state."""


@dataclass(frozen=True, slots=True)
class Seat:
    """A seat according to the log. `call`: in hand; `owes`: the call whose outcome is missing."""

    name: str
    state: str = "off"
    connected: bool = False
    campaign: str = ""
    call: str = ""
    owes: str = ""
    ends: bool = False  # a supervisor has ended the shift


def moved(seat: Seat, entry: Entry, in_hand: Call | None) -> tuple[Seat, list[Breach]]:
    """An entry of kind `seat`. `in_hand`: the call that the entry names, or that the seat has."""
    to = entry.text("state")
    left = to == "off" and entry.text("reason") == "left"
    breaches = []
    if to not in MOVES[seat.state] and not left:
        breaches.append(Breach("seat-moves", f"a seat that is {seat.state} cannot be {to}"))
    if to == "reserved" and seat.state != "reserved":
        breaches += _reserving(seat, entry, in_hand)
    if to in IN_CALL and seat.state in IN_CALL and entry.text("call") != seat.call:
        breaches.append(Breach("seat-call", "the seat has another call in hand than before"))
    if to in ("ringing", "talking") and to != seat.state:
        breaches += _follows_call(to, in_hand)
    if seat.state in IN_CALL and to not in IN_CALL and not left:
        breaches += _leaving_call(seat, to, in_hand)
    owes = _owed(seat, to, in_hand, left=left)
    if owes and to not in ("paused", "wrapping_up", *IN_CALL):
        breaches.append(Breach("outcome-first", f"{to}, though an outcome is missing"))
    after = replace(
        seat,
        state=to if to in MOVES else seat.state,
        connected=_connected(seat, entry, to),
        campaign=entry.text("campaign") or seat.campaign,
        call=entry.text("call") if to in IN_CALL else "",
        owes=owes,
        ends=seat.ends and to not in ("off", "connecting"),
    )
    return after, breaches


def _connected(seat: Seat, entry: Entry, to: str) -> bool:
    """Whether the phoner's telephone is in its room: said by the entry, or by the state itself."""
    if to in ("off", "connecting"):
        return False
    if "connected" in entry.fields:
        return bool(entry.fields["connected"])
    return seat.connected or seat.state == "connecting"


def _reserving(seat: Seat, entry: Entry, call: Call | None) -> list[Breach]:
    breaches = []
    if call is None or call.name != entry.text("call") or call.seat != seat.name:
        return [Breach("permit-first", "reserved without a permit for this seat")]
    if call.reserved or call.state != "permitted":
        breaches.append(Breach("permit-first", "the permit has been used before"))
    if not seat.connected:
        breaches.append(Breach("phoner-present", "reserved, and the phoner is not in the room"))
    if seat.state == "paused" and call.path not in BY_HAND:
        breaches.append(Breach("phoner-ready", "dialed for a phoner who pauses"))
    if seat.owes:
        breaches.append(Breach("outcome-first", "reserved, though an outcome is missing"))
    if seat.ends:
        breaches.append(Breach("shift-ended", "dialed for a seat whose shift was ended"))
    if call.path not in BY_HAND and call.campaign != seat.campaign:
        breaches.append(
            Breach("own-campaign", f"a call of {call.campaign} for a seat of {seat.campaign}")
        )
    return breaches


def _follows_call(to: str, call: Call | None) -> list[Breach]:
    if call is None or call.state != to:
        was = "unknown" if call is None else call.state
        return [Breach("seat-call", f"the seat is {to}, and its call is {was}")]
    if to == "talking" and calls.must_not_begin(call):
        sentence = f"a talk begins, though the call was stopped before: {call.stopped}"
        return [Breach("no-talk-after-stop", sentence)]
    return []


def _leaving_call(seat: Seat, to: str, call: Call | None) -> list[Breach]:
    """A seat leaves a call when the call is over; a talk leaves its outcome, or its absence is owed."""
    if call is None:
        return [Breach("seat-call", "the seat leaves a call that the log does not know")]
    if call.is_open:
        return [Breach("seat-call", f"the seat leaves a call that is {call.state}")]
    talked = call.answered and not call.abandoned and seat.connected
    if talked and not call.outcome and to != "wrapping_up":
        return [Breach("outcome-owed", "a talk is over, and its outcome is not asked for")]
    if to == "wrapping_up" and not call.answered:
        return [Breach("outcome-owed", "an outcome is asked for, and nobody answered")]
    return []


def _owed(seat: Seat, to: str, call: Call | None, *, left: bool) -> str:
    if left:
        return ""
    owes = seat.owes
    if to == "wrapping_up" and seat.state in IN_CALL and call is not None:
        owes = call.name
    return owes


def settled(seat: Seat, call: Call) -> Seat:
    """The outcome of a call was given."""
    return replace(seat, owes="") if seat.owes == call.name else seat
