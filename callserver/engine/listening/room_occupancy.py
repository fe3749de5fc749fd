"""Which listeners' legs are, or may be, in a seat's room, and which of them may not be there.

A leg is believed to be in a room from the answer that sends it there until it asks again, or is known
to be gone. Nobody is dialed for a seat while a leg may be in its room that has no business there: the
transaction that reserves the seat asks here.
"""

from datetime import datetime

from callserver.database import listening_intervals, listenings
from callserver.database.listening_intervals import Interval
from callserver.database.listenings import ListeningRow
from callserver.database.seats import SeatRow
from callserver.domain.instruction import Hear, WaitToHear
from callserver.domain.listening import Mode, may_stay
from callserver.domain.seat import State
from callserver.engine.context import EngineContext
from callserver.engine.listening import placement
from callserver.ports import Tx

LISTENER_LEAVES = "listener_leaves"
"""Why a seat waits: somebody who listened has not left its room yet."""


class ListenerInRoom(Exception):  # noqa: N818 - what is the case
    """The seat cannot be reserved: a leg may be in its room that has no business there."""

    def __init__(self, seat: int) -> None:
        super().__init__(f"a listener's leg has not left the room of seat {seat}")
        self.seat = seat


def misplaced(stays: list[Interval], where: Hear | WaitToHear) -> list[Interval]:
    """A leg's stays that it should not have: in another room, or louder than it may be."""
    room, mode = (where.room, where.mode) if isinstance(where, Hear) else (None, None)
    return [stay for stay in stays if stay.room != room or not may_stay(Mode(stay.mode), mode)]


def in_the_way(tx: Tx, ctx: EngineContext, seat: SeatRow) -> bool:
    """Whether a leg may be in the seat's room that may not be there when its next call is dialed.

    `seat`: held; as it is, or reserved already for the call that it is about to have.
    """
    stays = listening_intervals.in_room(tx, seat.room) if seat.room else []
    if not stays or seat.state in (State.RINGING, State.TALKING):
        return False
    if seat.state != State.RESERVED:
        seat = seat._replace(state=State.RESERVED.value, call=None)
    allowed: dict[str, Mode] = {}
    for row in listenings.open_at(tx, seat.id):
        where = placement.place(tx, ctx, row, seat)
        if isinstance(where, Hear) and row.leg is not None:
            allowed[row.leg] = where.mode
    return any(not may_stay(Mode(stay.mode), allowed.get(stay.leg)) for stay in stays)


def asked(
    tx: Tx,
    row: ListeningRow,
    seat: SeatRow,
    leg: str,
    where: Hear | WaitToHear,
    hears: tuple[Mode, str] | None,
    now: datetime,
) -> None:
    """A leg has asked and is told where it belongs: what is believed about it from now on.

    `hears`: what it hears as it asks, until it has done what it is told.
    """
    lasting: set[tuple[str, str]] = set()
    for stay in listening_intervals.of_leg(tx, leg):
        same_room = hears is not None and (stay.room == seat.room) == (seat.leg == hears[1])
        if hears is not None and same_room and stay.mode == hears[0]:
            lasting.add((stay.room, stay.mode))
        else:
            listening_intervals.end_one(tx, stay.id, now)
    will = set() if hears is None or seat.leg != hears[1] else {(seat.room, hears[0].value)}
    will |= {(where.room, where.mode.value)} if isinstance(where, Hear) else set()
    for room, mode in sorted(will - lasting):
        listening_intervals.begin(tx, row.id, leg, room, mode, now)


def came(tx: Tx, row: ListeningRow, leg: str, room: str, mode: Mode | None, now: datetime) -> bool:
    """The network says that a leg is in a room, in a mode if it says so; False: as it was believed.

    What is so is written down, though it was told something else since.
    """
    stays = listening_intervals.of_leg(tx, leg)
    if any(stay.room == room and mode in (None, stay.mode) for stay in stays):
        return False
    earlier = listening_intervals.last(tx, leg, room)
    listening_intervals.end(tx, leg, now)
    heard = row.id if earlier is None else earlier.listening
    listening_intervals.begin(tx, heard, leg, room, (mode or Mode.JOIN).value, now)
    return True
