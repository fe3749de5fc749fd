"""Which listeners' legs are, or may be, in a seat's room, and which of them may not be there.

A leg is assumed to be in a room from the answer that sends it there until it asks again or is known to be
gone. No call is dialed for a seat while a leg without permission may be in its room; the transaction that
reserves the seat checks this.
"""

from collections.abc import Sequence
from datetime import datetime

from callserver.database import listening_intervals
from callserver.database.listening_intervals import Interval
from callserver.database.listenings import ListeningRow
from callserver.database.seats import SeatRow
from callserver.domain.instruction import Hear, WaitToHear
from callserver.domain.listening import Mode, loudest, may_stay
from callserver.domain.seat import SeatState
from callserver.engine.context import EngineContext
from callserver.engine.listening import placement
from callserver.ports import Tx

LISTENER_LEAVES = "listener_leaves"
"""The reason why a seat waits: a listener has not left its room yet."""


class ListenerInRoom(Exception):  # noqa: N818 - a state, not an error
    """The seat cannot be reserved: a leg without permission may be in its room."""

    def __init__(self, seat: int) -> None:
        super().__init__(f"a listener's leg has not left the room of seat {seat}")
        self.seat = seat


def misplaced(intervals: list[Interval], where: Hear | WaitToHear) -> list[Interval]:
    """A leg's intervals in another room or in a louder mode than allowed."""
    room, mode = (where.room, where.mode) if isinstance(where, Hear) else (None, None)
    return [
        interval
        for interval in intervals
        if interval.room != room or not may_stay(Mode(interval.mode), mode)
    ]


def in_the_way(
    tx: Tx, ctx: EngineContext, seat: SeatRow, listening_now: Sequence[ListeningRow]
) -> bool:
    """Whether a leg may be in the seat's room that must not be there when the next call is dialed.

    A listener who had joined the talk before is silent from now on, even if their leg is not in the room yet.

    `seat`: locked, before or after it is reserved for that call.
    """
    if seat.state in (SeatState.RINGING, SeatState.TALKING):
        return False
    if seat.state != SeatState.RESERVED:
        seat = seat._replace(state=SeatState.RESERVED.value, call=None)
    intervals = listening_intervals.in_room(tx, seat.room) if seat.room else []
    allowed: dict[str, Mode] = {}
    for row in listening_now:
        where = placement.place(tx, ctx, row, seat)
        if isinstance(where, Hear) and row.leg is not None:
            allowed[row.leg] = where.mode
    return any(
        not may_stay(Mode(interval.mode), allowed.get(interval.leg)) for interval in intervals
    )


def asked(
    tx: Tx,
    row: ListeningRow,
    seat: SeatRow,
    leg: str,
    where: Hear | WaitToHear,
    hears: tuple[Mode, str] | None,
    now: datetime,
) -> None:
    """Record where a leg is assumed to be from now on: it has asked and is told where it belongs.

    `hears`: what it still hears until it has followed the instruction.
    """
    lasting: set[tuple[str, str]] = set()
    for interval in listening_intervals.of_leg(tx, leg):
        same_room = hears is not None and (interval.room == seat.room) == (seat.leg == hears[1])
        if hears is not None and same_room and interval.mode == hears[0]:
            lasting.add((interval.room, interval.mode))
        else:
            listening_intervals.end_one(tx, interval.id, now)
    expected = set() if hears is None or seat.leg != hears[1] else {(seat.room, hears[0].value)}
    expected |= {(where.room, where.mode.value)} if isinstance(where, Hear) else set()
    for room, mode in sorted(expected - lasting):
        listening_intervals.begin(tx, row.id, leg, room, mode, now)


def nobody_looked(tx: Tx, until: datetime, now: datetime) -> None:
    """No server ran from `until` to now, or its clock was in doubt: who heard what meanwhile is not known.

    Each interval ends where it was known to last, and another begins now, until its leg is found gone.
    """
    for interval in listening_intervals.lasting(tx):
        listening_intervals.end_one(tx, interval.id, max(interval.since, min(until, now)))
        stay = (interval.listening, interval.leg, interval.room, interval.mode)
        listening_intervals.begin(tx, *stay, now)


def joined(
    tx: Tx, row: ListeningRow, leg: str, room: str, mode: Mode | None, now: datetime
) -> bool:
    """Record that the network reports a leg in a room, perhaps with its mode. False: it was known.

    The report is recorded even if the leg has been told something else since. A mode that it does not say is the
    loudest in which the leg was sent into the room.
    """
    intervals = listening_intervals.of_leg(tx, leg)
    if any(interval.room == room and mode in (None, interval.mode) for interval in intervals):
        return False
    earlier = listening_intervals.stays(tx, leg, room)
    listening_intervals.end(tx, leg, now)
    heard = earlier[-1].listening if earlier else row.id
    mode = mode or loudest([Mode(stay.mode) for stay in earlier])
    listening_intervals.begin(tx, heard, leg, room, mode.value, now)
    return True
