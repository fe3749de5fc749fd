"""A listener's leg: the answer when it asks, where it is moved, and how it ends.

Every move of a seat sets `look_at` of its listenings to now (engine/calls/seat_moves.py), and the scheduler
checks them. So a leg follows the seat across calls, lost legs and restarts. An order counts as carried out
only when the network shows it: the leg has asked, or is known to be gone.
"""

import asyncio
from datetime import datetime, timedelta
from functools import partial

import structlog

from callserver import outbox
from callserver.database import listening_intervals, listenings, seats
from callserver.database.listening_intervals import Interval
from callserver.database.listenings import ListeningRow
from callserver.database.seats import SeatRow
from callserver.domain import exchange_names
from callserver.domain.instruction import HangUp, Hear, Instruction, WaitToHear
from callserver.domain.listening import ListenReason, Mode
from callserver.domain.seat import SeatState
from callserver.engine import user_lines
from callserver.engine.calls import heard_calls
from callserver.engine.context import EngineContext
from callserver.engine.listening import leg_orders, placement, room_occupancy
from callserver.engine.listening.leg_orders import ListenerLegOrders
from callserver.engine.listening.placement import Placement
from callserver.engine.retried_orders import HANG_UP_AGAIN
from callserver.outbox import (
    CheckListenerLeg,
    CheckPhonerLeg,
    DialSeat,
    EndListenerLeg,
    MoveListener,
)
from callserver.ports import Tx
from callserver.provider_events import RoomEvent

log = structlog.get_logger(__name__)

LOOK = timedelta(seconds=30)
"""How often every open listening is checked, as a safety net."""

SEEN_WITHIN = timedelta(seconds=60)
"""The provider is asked about a leg that has not asked or been seen for this long."""

AGAIN = timedelta(seconds=5)
"""An order to a leg that has had no effect by then is repeated."""

ANSWERS_WITHIN = timedelta(seconds=45)
"""A listening ends if the listener's telephone is not answered by then."""

A_MOMENT = timedelta(seconds=1)
"""A leg that was told to ask and has not asked by then is told again."""

LEAVES_WITHIN = timedelta(seconds=10)
"""A silent leg that has not left a room by then, though it was told to, is hung up."""

VOICE_LEAVES_WITHIN = timedelta(seconds=3)
"""The same for a leg whose voice can be heard there."""

CLEAR_LOOKS, CLEAR_LOOK_S = 5, 0.2
"""How often, and at what interval in seconds, to check whether a leg has left as ordered."""

CLOCKS = timedelta(seconds=10)
"""How far the network's clock and the server's may differ."""


class ListenerLegs:
    """Answers legs, moves them, and makes sure that they end."""

    def __init__(self, ctx: EngineContext, orders: ListenerLegOrders) -> None:
        self._ctx = ctx
        self._orders = orders

    async def listener_asks(
        self,
        listening: int | None,
        listener: int | None,
        leg: str,
        hears: tuple[Mode, str] | None = None,
    ) -> Instruction:
        """Instruct a listener's leg that asks what to hear. `listener` names a browser's leg that called in.

        `hears`: mode and phoner's leg, if the provider knows what the leg hears when it asks; otherwise a leg
        that asks is in no room.
        """
        return await self._ctx.store.run(
            lambda tx: self.answer_in(tx, listening, listener, leg, hears)
        )

    def answer_in(
        self,
        tx: Tx,
        listening: int | None,
        listener: int | None,
        leg: str,
        hears: tuple[Mode, str] | None,
    ) -> Instruction:
        now = self._ctx.clock.now()
        # The leg may have moved on from the listening that it was called for.
        known = listenings.by_leg(tx, leg)
        locked = placement.lock_open(tx, listening if known is None else known.id, listener)
        locked = None if locked is None or self._is_unexpected(tx, leg, *locked) else locked
        where = None
        if locked is not None:
            seat, row = locked
            if listening is not None:
                user_lines.answered(tx, row.listener, row.line)
            if row.leg is not None and row.leg != leg:
                row = self._another_leg(tx, row, seat)
            where = placement.place(tx, self._ctx, row, seat)
        if locked is None or where is None:
            if hears is None:
                listening_intervals.end(tx, leg, now)
            return HangUp()
        look_at = now + LOOK
        if hears is None and isinstance(where, Hear) and self._is_at(tx, leg, where):
            # The leg left a room in which it belongs: the room may have ended without a report.
            if seat.leg is not None:
                outbox.add(tx, CheckPhonerLeg(seat.leg))
            where, look_at = WaitToHear(row.id), now + A_MOMENT
        room_occupancy.asked(tx, row, seat, leg, where, hears, now)
        left = not room_occupancy.misplaced(listening_intervals.of_leg(tx, leg), where)
        listenings.change(
            tx,
            row.id,
            leg=leg,
            seen_at=now,
            look_at=look_at if left else now + A_MOMENT,
            # A leg that has not left yet may be unable to. It is told again later, not at once.
            ordered_at=None if left else now,
            leave_by=None if left else row.leave_by,
        )
        if isinstance(where, Hear):
            heard_calls.note(tx, self._ctx, row, seat)
        if left and (seat.state, seat.reason) == (
            SeatState.WAITING,
            room_occupancy.LISTENER_LEAVES,
        ):
            outbox.add(tx, DialSeat(seat.id))
        return where

    def _is_unexpected(self, tx: Tx, leg: str, seat: SeatRow, row: ListeningRow) -> bool:
        """Whether the leg is at another exchange, or its number has become known since it was called."""
        return _is_elsewhere(leg, seat) or user_lines.is_refused(tx, self._ctx.terms, row.line)

    @staticmethod
    def _is_at(tx: Tx, leg: str, where: Hear | WaitToHear) -> bool:
        """Whether the leg is assumed to be where it belongs, and nowhere else."""
        assumed = {
            (interval.room, interval.mode) for interval in listening_intervals.of_leg(tx, leg)
        }
        return assumed == ({(where.room, where.mode)} if isinstance(where, Hear) else set())

    def _another_leg(self, tx: Tx, row: ListeningRow, seat: SeatRow) -> ListeningRow:
        """A reloaded page calls in: end the old leg, the newest is the listener's."""
        leg_orders.end(tx, self._ctx, row, "moved")
        wanted = Placement(seat.id, Mode(row.mode), ListenReason(row.why))
        return placement.open_another(
            tx, self._ctx, row.listener, seat, wanted, line=row.line, leg=None
        )

    def room_joined(self, tx: Tx, listening: ListeningRow, event: RoomEvent, now: datetime) -> None:
        """The network reports a listener's leg in a room: check whether it belongs there.

        A network may act late on what the leg was told before. The leg's place is recorded and then checked;
        a leg whose listening is over is ended. Reports from before the leg last asked, by the network's time,
        are ignored.
        """
        seat = seats.lock(tx, listening.seat)
        row = listenings.lock(tx, listening.id)
        if seat is None or row is None or row.leg != event.leg:
            return
        if event.at is not None and row.seen_at is not None and event.at < row.seen_at - CLOCKS:
            return
        changed = room_occupancy.joined(tx, row, event.leg, event.room, event.mode, now)
        heard_calls.note(tx, self._ctx, row, seat)
        if changed or row.ended_at is not None:
            self._look(tx, row.id)

    async def listener_leg_ended(self, leg: str) -> None:
        """The listener hung up, or never answered."""

        def work(tx: Tx) -> None:
            known = listenings.by_leg(tx, leg)
            row = None if known is None else listenings.lock(tx, known.id)
            if row is not None and row.leg == leg:
                leg_orders.leg_ended(tx, self._ctx, row)

        await self._ctx.store.run(work)

    # -- for the scheduler and the dialer -------------------------------------------------------

    async def look(self, listening: int) -> None:
        """Check whether the listener may go on and where the leg belongs now."""
        await self._ctx.store.run(lambda tx: self._look(tx, listening))

    async def check_all(self) -> None:
        """Ask about every listener's leg, after a start or an outage."""

        def check(tx: Tx, row: ListeningRow) -> None:
            self._look(tx, row.id)
            if row.leg is not None:
                outbox.add(tx, CheckListenerLeg(row.id, row.leg))

        for row in await self._ctx.store.run(listenings.every_watched):
            await self._ctx.store.run(partial(check, row=row))

    def look_at_seat(self, tx: Tx, seat: SeatRow) -> None:
        """Check every listening of a locked seat, in the caller's transaction."""
        for row in listenings.open_at(tx, seat.id):
            self._look(tx, row.id)

    async def clear(self, seat: int) -> bool:
        """Have every leg that may not be there leave the seat's room. Returns, within about a second, whether
        they have left."""

        def whose(tx: Tx) -> list[int]:
            row = seats.lock(tx, seat)
            if row is None:
                return []
            concerned = {listening.id for listening in listenings.open_at(tx, seat)}
            for interval in listening_intervals.in_room(tx, row.room):
                owner = listenings.by_leg(tx, interval.leg)
                concerned.add(interval.listening if owner is None else owner.id)
            return sorted(concerned)

        def in_the_way(tx: Tx) -> bool:
            row = seats.lock(tx, seat)
            here = listenings.open_at(tx, seat)
            return row is not None and room_occupancy.in_the_way(tx, self._ctx, row, here)

        def orders(tx: Tx, listening: int) -> tuple[list[MoveListener], list[EndListenerLeg]]:
            self._look(tx, listening)
            # Taken out of the outbox, because this function waits for them.
            return outbox.take(tx, MoveListener), outbox.take(tx, EndListenerLeg)

        async def leave(listening: int) -> None:
            moves, ends = await self._ctx.store.run(partial(orders, listening=listening))
            await asyncio.gather(*map(self._orders.move, moves), *map(self._orders.end, ends))

        await asyncio.gather(*map(leave, await self._ctx.store.run(whose)))
        for _ in range(CLEAR_LOOKS):
            if not await self._ctx.store.run(in_the_way):
                return True
            await self._ctx.clock.sleep(CLEAR_LOOK_S)
        return not await self._ctx.store.run(in_the_way)

    def _look(self, tx: Tx, listening: int) -> None:
        locked = placement.lock_open(tx, listening)
        if locked is None:
            self._watch_ended(tx, listening)
        else:
            seat, row = locked
            self.arrange(tx, row, seat)

    def arrange(self, tx: Tx, row: ListeningRow, seat: SeatRow) -> None:
        """Order what is needed for the leg to be where it belongs now. The row is locked."""
        now = self._ctx.clock.now()
        where = placement.place(tx, self._ctx, row, seat)
        if where is None:
            leg_orders.hang_up(tx, row)
            return
        if row.leg is None:
            if now - row.started_at >= ANSWERS_WITHIN:
                leg_orders.end(tx, self._ctx, row, "not_answered")
            else:
                listenings.change(tx, row.id, look_at=row.started_at + ANSWERS_WITHIN)
            return
        intervals = listening_intervals.of_leg(tx, row.leg)
        misplaced = room_occupancy.misplaced(intervals, where)
        leave_by = self._leave_by(row, misplaced)
        if leave_by is not None and now >= leave_by:
            log.warning("listener_not_moved", listening=row.id)
            leg_orders.end(tx, self._ctx, row, "not_moved")
            return
        look_at, ordered_at = now + LOOK, row.ordered_at
        if misplaced or not self._is_at(tx, row.leg, where):
            look_at = now + (A_MOMENT if misplaced else AGAIN)
            if ordered_at is None or now - ordered_at >= A_MOMENT:
                ordered_at = now
                aloud = _any_voice(misplaced)
                outbox.add(tx, MoveListener(row.id, row.leg, where, must_leave=aloud))
            else:
                # It was told to ask a moment ago and will get the answer that applies when it asks. The
                # network might carry out two such orders in the wrong order.
                look_at = ordered_at + A_MOMENT
        elif isinstance(where, Hear):
            heard_calls.note(tx, self._ctx, row, seat)
        if now - (row.seen_at or row.started_at) >= SEEN_WITHIN:
            outbox.add(tx, CheckListenerLeg(row.id, row.leg))
            if intervals and seat.leg:
                # A room with a listener does not end by itself when the phoner is gone.
                outbox.add(tx, CheckPhonerLeg(seat.leg))
        listenings.change(tx, row.id, look_at=look_at, leave_by=leave_by, ordered_at=ordered_at)

    def _leave_by(self, row: ListeningRow, misplaced: list[Interval]) -> datetime | None:
        """When a leg in a room where it may not be must have left."""
        if not misplaced:
            return None
        within = VOICE_LEAVES_WITHIN if _any_voice(misplaced) else LEAVES_WITHIN
        return row.leave_by or self._ctx.clock.now() + within

    def _watch_ended(self, tx: Tx, listening: int) -> None:
        """Hang up the leg of an ended listening again until it is known to be gone."""
        row = listenings.lock(tx, listening)
        if row is None or row.ended_at is None:
            return
        again = None if row.leg is None else self._ctx.clock.now() + HANG_UP_AGAIN
        listenings.change(tx, row.id, look_at=again)
        leg_orders.hang_up(tx, row)


def _any_voice(intervals: list[Interval]) -> bool:
    return any(interval.mode != Mode.SILENT for interval in intervals)


def _is_elsewhere(leg: str, seat: SeatRow) -> bool:
    """Whether the leg is at another exchange than the seat: it cannot hear it."""
    return exchange_names.exchange_of(leg) != seat.exchange
