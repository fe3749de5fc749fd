"""A phoner's seat on a shift: its states and their transitions.

Rule: everything that decides the next state of a seat is in this file. `move` is pure. Nobody is dialed
for a seat whose phoner is not in the room: `connected` is checked wherever a seat would start waiting.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum


class SeatState(StrEnum):
    OFF = "off"
    CONNECTING = "connecting"  # on shift, the phoner's telephone is not in the room
    WAITING = "waiting"  # ready: the next contact may be dialed
    RESERVED = "reserved"  # a permit is written for this seat
    RINGING = "ringing"
    TALKING = "talking"
    WRAPPING_UP = "wrapping_up"  # the call has ended, its outcome is missing
    PAUSED = "paused"


class Pause(StrEnum):
    """Why a phoner pauses: a closed list, because the log keeps it and free text may name a person
    (I10)."""

    PAUSE = "pause"
    MEAL = "meal"
    TALK = "talk"  # with the supervisor
    READING = "reading"
    TECHNICAL = "technical"
    BREATHER = "breather"  # after a difficult call; others see an ordinary pause


class SeatEvent(StrEnum):
    ON_SHIFT = "on_shift"
    JOINED = "joined"  # the phoner's leg is in the room
    LEG_LOST = "leg_lost"
    READY = "ready"
    PAUSE = "pause"
    OFF_SHIFT = "off_shift"
    RESERVED = "reserved"
    RANG = "rang"
    ANSWERED = "answered"
    ENDED_UNANSWERED = "ended_unanswered"
    ENDED = "ended"  # an answered call has ended
    OUTCOME = "outcome"
    WRAP_UP_OVER = "wrap_up_over"  # the time limit has passed without an outcome


class ImpossibleEvent(Exception):  # noqa: N818 - the domain's own word
    """The event does not fit the seat's state; the seat is unchanged."""

    def __init__(self, state: SeatState, event: SeatEvent) -> None:
        super().__init__(f"{event} does not fit a seat that is {state}")
        self.state = state
        self.event = event


LINE_TROUBLE = "line_"
"""Prefix of the reasons why a phoner's telephone is not in its room."""

PLANNED = "leg_old"
"""The reason of a leg that the server replaces itself. After any other loss the phoner must press Ready:
a reopened page answers automatically, which does not show that the phoner is there."""


@dataclass(frozen=True, slots=True)
class Seat:
    """The phoner's state, and the state that they chose for after the current call."""

    state: SeatState = SeatState.OFF
    connected: bool = False
    wants: SeatState = SeatState.PAUSED  # WAITING, PAUSED or OFF
    reason: str = ""  # why paused, or why waiting
    outcome_owed: bool = False
    outcome_given: bool = False  # given before the call ended


S, E = SeatState, SeatEvent

IN_CALL = frozenset({S.RESERVED, S.RINGING, S.TALKING})
"""A call is in hand, from its permit to its end."""


def has_answered_call(seat: Seat) -> bool:
    """Whether somebody is on the line, or was and the phoner has not finished with the call."""
    return seat.state in (S.TALKING, S.WRAPPING_UP) or seat.outcome_owed


ALLOWED: Mapping[SeatState, frozenset[SeatEvent]] = {
    S.OFF: frozenset({E.ON_SHIFT, E.LEG_LOST, E.OFF_SHIFT}),
    S.CONNECTING: frozenset({E.ON_SHIFT, E.JOINED, E.LEG_LOST, E.READY, E.PAUSE, E.OFF_SHIFT}),
    S.WAITING: frozenset({E.JOINED, E.LEG_LOST, E.READY, E.PAUSE, E.OFF_SHIFT, E.RESERVED}),
    S.RESERVED: frozenset(
        {E.JOINED, E.LEG_LOST, E.READY, E.PAUSE, E.OFF_SHIFT, E.RANG, E.ANSWERED}
        | {E.ENDED_UNANSWERED, E.ENDED}
    ),
    S.RINGING: frozenset(
        {E.JOINED, E.LEG_LOST, E.READY, E.PAUSE, E.OFF_SHIFT, E.RANG, E.ANSWERED}
        | {E.ENDED_UNANSWERED, E.ENDED}
    ),
    S.TALKING: frozenset(
        {E.JOINED, E.LEG_LOST, E.READY, E.PAUSE, E.OFF_SHIFT, E.RANG, E.ANSWERED}
        | {E.ENDED_UNANSWERED, E.ENDED, E.OUTCOME}
    ),
    S.WRAPPING_UP: frozenset(
        {E.JOINED, E.LEG_LOST, E.READY, E.PAUSE, E.OFF_SHIFT, E.OUTCOME, E.WRAP_UP_OVER}
        | {E.RANG, E.ANSWERED, E.ENDED, E.ENDED_UNANSWERED}
    ),
    S.PAUSED: frozenset(
        {E.JOINED, E.LEG_LOST, E.READY, E.PAUSE, E.OFF_SHIFT, E.OUTCOME}
        | {E.RESERVED}  # a manual dial or a redial
    ),
}
"""The events that each state accepts; any other event is refused and changes nothing."""


def _rest(seat: Seat) -> Seat:
    """The state of a seat outside a call."""
    if seat.outcome_owed:
        paused = seat.wants is S.PAUSED and seat.reason  # keeps the reason, such as a breather
        return replace(seat, state=S.PAUSED, reason=seat.reason if paused else "outcome_owed")
    if seat.wants is S.OFF:
        return replace(seat, state=S.OFF, connected=False, reason="")
    if not seat.connected:
        return replace(seat, state=S.CONNECTING)
    if seat.wants is S.WAITING:
        return replace(seat, state=S.WAITING, reason="")
    return replace(seat, state=S.PAUSED)


def move(seat: Seat, event: SeatEvent, reason: str = "") -> Seat:  # noqa: C901, PLR0912 - one table
    """The seat after the event.

    Raises:
        ImpossibleEvent: the event does not fit; nothing changed.
    """
    if event not in ALLOWED[seat.state]:
        raise ImpossibleEvent(seat.state, event)
    in_call = seat.state in IN_CALL
    match event:
        case E.ON_SHIFT:
            return replace(seat, state=S.CONNECTING, wants=S.PAUSED, reason="arrived")
        case E.JOINED:
            reason = "arrived" if seat.reason.startswith(LINE_TROUBLE) else seat.reason
            joined = replace(seat, connected=True, reason=reason)
            return _rest(joined) if seat.state is S.CONNECTING else joined
        case E.LEG_LOST:
            lost = replace(seat, connected=False)
            if seat.wants is S.WAITING and reason != PLANNED:
                lost = replace(lost, wants=S.PAUSED, reason=reason or "leg_lost")
            if seat.state is S.WAITING or (seat.state is S.PAUSED and not seat.outcome_owed):
                return replace(lost, state=S.CONNECTING, reason=reason or "leg_lost")
            return lost
        case E.READY:
            ready = replace(seat, wants=S.WAITING)
            if seat.outcome_owed or in_call or seat.state is S.WAITING:
                return ready
            return _rest(ready)
        case E.PAUSE:
            paused = replace(seat, wants=S.PAUSED, reason=reason)
            if in_call or seat.state in (S.WRAPPING_UP, S.CONNECTING):
                return paused
            return replace(paused, state=S.PAUSED)
        case E.OFF_SHIFT:
            off = replace(seat, wants=S.OFF)
            return off if in_call or seat.outcome_owed else _rest(off)
        case E.RESERVED:
            return replace(seat, state=S.RESERVED, reason="", outcome_given=False)
        case E.RANG:
            return replace(seat, state=S.RINGING) if seat.state is S.RESERVED else seat
        case E.ANSWERED:
            return replace(seat, state=S.TALKING) if in_call else seat
        case E.ENDED_UNANSWERED:
            return _rest(seat) if in_call else seat
        case E.ENDED:
            if not in_call:
                return seat
            if seat.outcome_given:
                return _rest(seat)
            return replace(seat, state=S.WRAPPING_UP, outcome_owed=True)
        case E.OUTCOME:
            given = replace(seat, outcome_given=True, outcome_owed=False)
            return given if seat.state is S.TALKING else _rest(given)
        case E.WRAP_UP_OVER:
            return _rest(replace(seat, outcome_owed=True))
