"""One call: permitted once, ordered once and soon, never moving back, ended once, never without a phoner."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from callserver.domain.behaviour import network
from callserver.domain.behaviour.entry import Breach, Duty, Entry

PERMIT_LIVES = timedelta(seconds=2)
"""The facts of an older permit may have changed (I2)."""

ANSWERED_WITHIN = timedelta(seconds=15)
"""The network's report about an order may come before its answer to it, but not much later."""

SET_UP = timedelta(seconds=10)
"""From the order to the first ring, and the network's own extra time of ringing."""

SETTLED_WITHIN = timedelta(minutes=3)
"""Time from a permit until it is known whether a telephone rings, or the network has been asked."""

RINGS_WITHIN = timedelta(minutes=5)
"""The longest ringing after a permit: by then the call is answered, ended or stopped."""

STOPS_WITHIN = timedelta(minutes=3)
"""After an order to stop: with a network that loses orders and reports; the order is repeated."""

SPEAKS_WITHIN = timedelta(minutes=2)
"""After somebody answered without a phoner: they have heard who called and an apology, or had hung up (I5)."""

AFTER_CLOSING = timedelta(seconds=15)
"""After the calling hours: for the order to cancel, and an answer of the network that is late."""

MOVES: Mapping[str, Mapping[str, str]] = {
    "permitted": {
        "silent": "the order was sent, and nobody knows whether it arrived",
        "dialing": "the network took the order",
        "ringing": "its report was faster than its answer",
        "talking": "its report was faster than its answer",
        "ended": "the order was refused, or the telephone was busy",
    },
    "silent": {
        "dialing": "asked later, the network had taken the order",
        "ringing": "the telephone rings after all",
        "talking": "it was answered after all",
        "ended": "it is settled",
    },
    "dialing": {
        "ringing": "the telephone rings",
        "talking": "it was answered, and the report of ringing is late",
        "ended": "it is over",
    },
    "ringing": {"talking": "it was answered", "ended": "it is over"},
    "talking": {"ended": "it is over"},
    "ended": {},  # an ended call stays ended (I6)
}
"""State -> the states that may follow, and why. Never back: late reports change nothing."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call according to the log. Empty fields are unknown."""

    name: str
    permit: int  # the number of the permit's entry
    at: datetime
    keys: tuple[str, ...]
    contact: str
    campaign: str
    seat: str
    path: str
    purpose: str
    closes_at: datetime | None
    state: str = "permitted"
    ordered: bool = False
    asked: bool = False  # the network was asked about it
    rang: bool = False
    answered: bool = False
    reserved: bool = False  # a seat was reserved for it
    abandoned: bool = False
    stopped: str = ""  # why it was to end
    cause: str = ""
    has_code: bool = False  # the network's own response says why it ended
    outcome: str = ""
    does: str = ""

    @property
    def is_open(self) -> bool:
        return self.state != "ended"

    @property
    def counts(self) -> bool:
        """Whether it counts as an attempt: a telephone rang, or may have rung (I7)."""
        nothing_rang = self.cause in network.NOTHING_RANG
        return self.rang or not (nothing_rang or (self.cause == "unreachable" and self.has_code))


def permitted(entry: Entry) -> tuple[Call, list[Breach], list[Duty]]:
    """A permit begins a call."""
    call = Call(
        name=entry.text("call"),
        permit=entry.number,
        at=entry.at,
        keys=entry.keys(),
        contact=entry.text("contact"),
        campaign=entry.text("campaign"),
        seat=entry.text("seat"),
        path=entry.text("path"),
        purpose=entry.text("purpose"),
        closes_at=entry.instant("closes_at"),
    )
    breaches = []
    rings = timedelta(seconds=entry.whole("ring_seconds")) + SET_UP
    if call.closes_at is not None and call.at + rings > call.closes_at and not agreed(call):
        breaches.append(
            Breach("hours-guard", "the telephone may still ring when the calling hours end")
        )
    owes = [
        Duty("settled", call.name, SETTLED_WITHIN, "nobody knows what happened to this permit"),
        Duty("rings-out", call.name, RINGS_WITHIN, "the telephone rings on, and nobody stops it"),
    ]
    if call.closes_at is not None:
        until = call.closes_at - call.at + AFTER_CLOSING
        owes.append(Duty("hours-over", call.name, until, "it rings after the calling hours"))
    return call, breaches, owes


def agreed(call: Call) -> bool:
    """Whether the person agreed to be called at that time: it may lie outside the hours."""
    return call.path == "call_back"


MET_BY_STATE: Mapping[str, tuple[str, ...]] = {
    "silent": ("settled",),
    "dialing": ("settled",),
    "ringing": ("settled",),
    "talking": ("settled", "rings-out", "hours-over"),
    "ended": ("settled", "rings-out", "hours-over", "stops"),
}
"""State -> the duties about the call that are met with it."""


def reported(call: Call, entry: Entry) -> tuple[Call, list[Breach]]:
    """An entry with a state: placed, silent or reported."""
    state = entry.text("state")
    ended_as = "" if call.is_open else call.cause
    breaches = network.report_breaches(
        entry, rang=call.rang, answered=call.answered, ended_as=ended_as
    )
    if entry.kind == "placed" and call.ordered:
        breaches.append(Breach("one-permit-one-dial", "this permit has been dialed before"))
    breaches += _order(call, entry)
    unchanged = state == call.state and (entry.kind == "silent" or _brings_news(call, entry))
    if not unchanged and state not in MOVES[call.state]:
        breaches.append(Breach("call-moves", f"a call that is {call.state} cannot be {state}"))
    after = replace(
        call,
        state=state if state in MOVES else call.state,
        ordered=call.ordered or entry.kind == "placed",
        rang=call.rang or state in ("ringing", "talking"),
        answered=call.answered or state == "talking" or entry.text("cause") == "completed",
        cause=entry.text("cause") or call.cause,
        has_code=call.has_code or "code" in entry.fields,
    )
    return after, breaches


def must_not_begin(call: Call) -> bool:
    """Whether the person who answers must not be put through: the call was stopped before."""
    return call.stopped not in ("", *TALKS_AFTER)


def words_owed(call: Call) -> list[Duty]:
    """A person who answered and meets no phoner hears who called, and an apology."""
    if not (call.is_open and call.answered and must_not_begin(call)):
        return []
    sentence = "somebody answered, no phoner was there, and they were told nothing"
    return [Duty("apology", call.name, SPEAKS_WITHIN, sentence)]


def _brings_news(call: Call, entry: Entry) -> bool:
    """A late report adds the network's own response, once, or corrects how the call ended."""
    has_code = "code" in entry.fields and not call.has_code
    return not call.is_open and (has_code or entry.text("cause") != call.cause)


def _order(call: Call, entry: Entry) -> list[Breach]:
    """The order was sent while the permit was fresh, or the network was asked about it later."""
    if entry.kind not in ("placed", "silent"):
        return []
    ordered_at = entry.instant("ordered_at")
    if ordered_at is None:
        known_late = call.asked or call.state == "silent"
        if not known_late and entry.at - call.at > PERMIT_LIVES + ANSWERED_WITHIN:
            return [Breach("fresh-permit", "nothing says when this call was ordered")]
        return []
    if not timedelta(0) <= ordered_at - call.at <= PERMIT_LIVES:
        age = (ordered_at - call.at).total_seconds()
        return [Breach("fresh-permit", f"the permit was {age:.0f} s old when it was used")]
    return []


UNEXPECTED = frozenset({"second_leg", "rings_after_all"})
"""Reasons to stop a leg that no permit explains."""

TALKS_AFTER = frozenset({"hours_over", "phoner_hung_up"})
"""Reasons to stop a call with which a talk may begin afterwards: the person was asked for in the hours, or the phoner
had been with them when the answer was reported."""

APOLOGY_TRIED = frozenset({"apology_gone", "apology_refused", "apology_silent"})


def stopped(call: Call, entry: Entry) -> tuple[Call, list[Breach], list[Duty]]:
    """The server ends a call, for a reason."""
    reason = entry.text("reason")
    if reason in UNEXPECTED:
        return call, [Breach("one-permit-one-dial", f"a second telephone rang: {reason}")], []
    if reason in APOLOGY_TRIED:
        return call, [], []
    breaches = []
    if not call.is_open:
        breaches.append(Breach("call-moves", "a call that has ended cannot be stopped"))
    owes = [Duty("stops", call.name, STOPS_WITHIN, f"it goes on, though it was stopped: {reason}")]
    return replace(call, stopped=reason), breaches, owes
