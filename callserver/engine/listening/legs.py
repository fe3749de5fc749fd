"""A listener's leg: what it is told when it asks, where it is moved, and that it ends.

Whatever moves a seat stirs its listenings (engine/calls/seat_moves.py), and upkeep looks at what was stirred:
so a leg follows the seat over calls, lost legs and restarts, and none is left behind. An order counts
as carried out when the network has shown it: the leg has asked, or is known to be gone.
"""

import asyncio
from datetime import datetime, timedelta

import structlog

from callserver.database import listening_intervals, listenings, seats
from callserver.database.listening_intervals import Interval
from callserver.database.listenings import ListeningRow
from callserver.database.seats import SeatRow
from callserver.domain.instruction import HangUp, Hear, Instruction, WaitToHear
from callserver.domain.listening import ListenReason, Mode
from callserver.domain.seat import State
from callserver.engine import user_lines
from callserver.engine.calls import heard_calls
from callserver.engine.calls.call_flow import CallFlow
from callserver.engine.context import EngineContext
from callserver.engine.listening import placement, room_occupancy
from callserver.engine.listening.leg_orders import LegOrders, Orders, ToHear, ended, gone, to_end
from callserver.engine.listening.placement import Placement
from callserver.ports import Tx

log = structlog.get_logger(__name__)

LOOK = timedelta(seconds=30)
"""The safety net: every open listening is looked at this often, moved or not."""

SEEN_WITHIN = timedelta(seconds=60)
"""A leg that gave no sign of life for so long is asked about."""

AGAIN = timedelta(seconds=5)
"""An order to a leg that has not shown any effect by then is given again."""

ANSWERS_WITHIN = timedelta(seconds=45)
"""A listener whose telephone was not answered by then does not listen."""

A_MOMENT = timedelta(seconds=1)
"""A leg that was told to ask has asked by then; one that has not is told again."""

LEAVES_WITHIN = timedelta(seconds=10)
"""A silent leg that has not left a room by then, though it was told to, is hung up."""

VOICE_LEAVES_WITHIN = timedelta(seconds=3)
"""... and one whose voice is heard there."""

CLEAR_LOOKS, CLEAR_LOOK_S = 5, 0.2
"""How often, and how far apart, it is looked whether a leg that was told to leave has left."""

CLOCKS = timedelta(seconds=10)
"""How far the network's clock and ours may differ."""


class ListenerLegs:
    """Answers legs, moves them, and sees that they end."""

    def __init__(self, ctx: EngineContext, call_flow: CallFlow) -> None:
        self._ctx = ctx
        self._orders = LegOrders(ctx, call_flow)

    async def leg_calls(
        self,
        listening: int | None,
        listener: int | None,
        leg: str,
        hears: tuple[Mode, str] | None = None,
    ) -> Instruction:
        """A listener's leg asks what to hear. `listener` names a browser's leg that called in.

        `hears`: mode and phoner's leg, where the provider knows what the leg hears as it asks; else
        a leg that asks is in no room.
        """
        instruction, orders = await self._ctx.store.run(
            lambda tx: self._leg_calls(tx, listening, listener, leg, hears)
        )
        self.follow(orders)
        return instruction

    def _leg_calls(
        self,
        tx: Tx,
        listening: int | None,
        listener: int | None,
        leg: str,
        hears: tuple[Mode, str] | None,
    ) -> tuple[Instruction, Orders]:
        now, orders = self._ctx.clock.now(), Orders()
        # It may have come along from the listening that it was rung for.
        known = listenings.by_leg(tx, leg)
        held = placement.hold(tx, listening if known is None else known.id, listener)
        where = None
        if held is not None:
            seat, row = held
            if listening is not None:
                user_lines.answered(tx, row.listener, row.line)
            if row.leg is not None and row.leg != leg:
                row = self._another_leg(tx, row, seat, orders)
            where = placement.place(tx, self._ctx, row, seat)
        if held is None or where is None:
            if hears is None:
                listening_intervals.end(tx, leg, now)
            return HangUp(), orders
        look_at = now + LOOK
        if hears is None and isinstance(where, Hear) and self._is_at(tx, leg, where):
            # She came out of the room though she belongs there: it may be over, its end untold.
            orders.after.check_room += [] if seat.leg is None else [seat.leg]
            where, look_at = WaitToHear(row.id), now + A_MOMENT
        room_occupancy.asked(tx, row, seat, leg, where, hears, now)
        left = not room_occupancy.misplaced(listening_intervals.of_leg(tx, leg), where)
        listenings.change(
            tx,
            row.id,
            leg=leg,
            seen_at=now,
            look_at=look_at if left else now + A_MOMENT,
            ordered_at=None,
            leave_by=None if left else row.leave_by,
        )
        if isinstance(where, Hear):
            heard_calls.note(tx, self._ctx, row, seat)
        if (seat.state, seat.reason) == (State.WAITING, room_occupancy.LISTENER_LEAVES):
            orders.after.dial.append(seat.id)
        return where, orders

    @staticmethod
    def _is_at(tx: Tx, leg: str, where: Hear | WaitToHear) -> bool:
        """Whether the leg is believed to be where it belongs, and nowhere else."""
        stays = {(stay.room, stay.mode) for stay in listening_intervals.of_leg(tx, leg)}
        return stays == ({(where.room, where.mode)} if isinstance(where, Hear) else set())

    def _another_leg(
        self, tx: Tx, row: ListeningRow, seat: SeatRow, orders: Orders
    ) -> ListeningRow:
        """A reloaded page calls in: the newest leg is hers. The old one is looked after till it ends."""
        orders.end += ended(tx, self._ctx, row, "moved").end
        wanted = Placement(seat.id, Mode(row.mode), ListenReason(row.why))
        return placement.open_another(
            tx, self._ctx, row.listener, seat, wanted, line=row.line, leg=None
        )

    async def leg_came(
        self, leg: str, room: str, mode: Mode | None = None, at: datetime | None = None
    ) -> None:
        """The network says that a listener's leg is in a room now: is it where it belongs?

        A network may act late on what the leg was told before. What is so is written down, and
        `look` sees to the rest; a leg that has no business there any more is hung up. `at`: the
        network's time; what happened before the leg asked last is known to be over.
        """

        def work(tx: Tx) -> int | None:
            known = listenings.by_leg(tx, leg)
            seat = None if known is None else seats.lock(tx, known.seat)
            row = None if known is None else listenings.lock(tx, known.id)
            if seat is None or row is None or row.leg != leg:
                return None
            if at is not None and row.seen_at is not None and at < row.seen_at - CLOCKS:
                return None
            now = self._ctx.clock.now()
            changed = room_occupancy.came(tx, row, leg, room, mode, now)
            heard_calls.note(tx, self._ctx, row, seat)
            return row.id if changed or row.ended_at is not None else None

        listening = await self._ctx.store.run(work)
        if listening is not None:
            await self.look(listening)

    async def leg_gone(self, leg: str) -> None:
        """The listener put the receiver down, or never took it up."""

        def work(tx: Tx) -> Orders:
            row = listenings.by_leg(tx, leg)
            held = None if row is None else listenings.lock(tx, row.id)
            return Orders() if held is None or held.leg != leg else gone(tx, self._ctx, held)

        self.follow(await self._ctx.store.run(work))

    # -- upkeep ---------------------------------------------------------------------------------

    async def look(self, listening: int) -> None:
        """See whether the listener may go on, and where her leg belongs now."""
        self.follow(await self._ctx.store.run(lambda tx: self._look(tx, listening)))

    async def check_all(self) -> None:
        """After a start nothing is taken for granted: every listener's leg is asked about."""
        for row in await self._ctx.store.run(listenings.every_watched):
            await self.look(row.id)
            if row.leg is not None:
                self._ctx.background.start(self._orders.check(row.id, row.leg))

    async def look_at_seat(self, seat: int) -> None:
        """The same, at once, for everybody who listens to a seat."""
        for row in await self._ctx.store.run(lambda tx: listenings.open_at(tx, seat)):
            await self.look(row.id)

    async def clear(self, seat: int) -> None:
        """Have every leg leave the seat's room that has no business there; return when none is there
        any more, or after a second."""

        def whose(tx: Tx) -> list[int]:
            row = seats.lock(tx, seat)
            if row is None:
                return []
            found = {one.id for one in listenings.open_at(tx, seat)}
            for stay in listening_intervals.in_room(tx, row.room):
                owner = listenings.by_leg(tx, stay.leg)
                found.add(stay.listening if owner is None else owner.id)
            return sorted(found)

        def in_the_way(tx: Tx) -> bool:
            row = seats.lock(tx, seat)
            return row is not None and room_occupancy.in_the_way(tx, self._ctx, row)

        async def leave(listening: int) -> None:
            orders = await self._ctx.store.run(lambda tx: self._look(tx, listening))
            await self._orders.carry_out(orders)

        await asyncio.gather(*map(leave, await self._ctx.store.run(whose)))
        for _ in range(CLEAR_LOOKS):
            if not await self._ctx.store.run(in_the_way):
                return
            await self._ctx.clock.sleep(CLEAR_LOOK_S)

    def _look(self, tx: Tx, listening: int) -> Orders:
        held = placement.hold(tx, listening)
        if held is None:
            return self._after_the_end(tx, listening)
        seat, row = held
        return self.arrange(tx, row, seat)

    def arrange(self, tx: Tx, row: ListeningRow, seat: SeatRow) -> Orders:
        """See where the leg belongs now, and what has to be done for that; the row is held."""
        now, orders = self._ctx.clock.now(), Orders()
        where = placement.place(tx, self._ctx, row, seat)
        if where is None:
            return to_end(row)
        if row.leg is None:
            if now - row.started_at >= ANSWERS_WITHIN:
                return ended(tx, self._ctx, row, "not_answered")
            listenings.change(tx, row.id, look_at=row.started_at + ANSWERS_WITHIN)
            return orders
        stays = listening_intervals.of_leg(tx, row.leg)
        misplaced = room_occupancy.misplaced(stays, where)
        leave_by = self._leave_by(row, misplaced)
        if leave_by is not None and now >= leave_by:
            log.warning("listener_not_moved", listening=row.id)
            return ended(tx, self._ctx, row, "not_moved")
        look_at = now + LOOK
        if misplaced or not self._is_at(tx, row.leg, where):
            look_at = now + (A_MOMENT if misplaced else AGAIN)
            if row.ordered_at is None or now - row.ordered_at >= A_MOMENT:
                aloud = any(stay.mode != Mode.SILENT for stay in misplaced)
                orders.hear = ToHear(row.id, row.leg, where, must_leave=aloud)
            else:
                # It was told to ask a moment ago, and will be answered by what is so when it asks.
                # Of two such orders the network may carry out the first one last.
                look_at = row.ordered_at + A_MOMENT
        elif isinstance(where, Hear):
            heard_calls.note(tx, self._ctx, row, seat)
        if now - (row.seen_at or row.started_at) >= SEEN_WITHIN:
            orders.check = row.id, row.leg
            if stays and seat.leg:
                # A room with a listener in it does not end by itself when the phoner is gone.
                orders.after.check_room.append(seat.leg)
        ordered_at = row.ordered_at if orders.hear is None else now
        listenings.change(tx, row.id, look_at=look_at, leave_by=leave_by, ordered_at=ordered_at)
        return orders

    def _leave_by(self, row: ListeningRow, misplaced: list[Interval]) -> datetime | None:
        """By when a leg that is where it may not be must have left."""
        if not misplaced:
            return None
        aloud = any(stay.mode != Mode.SILENT for stay in misplaced)
        within = VOICE_LEAVES_WITHIN if aloud else LEAVES_WITHIN
        return row.leave_by or self._ctx.clock.now() + within

    def _after_the_end(self, tx: Tx, listening: int) -> Orders:
        """The listening has ended; its leg is hung up until it is known to be gone."""
        row = listenings.lock(tx, listening)
        if row is None or row.ended_at is None:
            return Orders()
        if row.leg is None:
            listenings.change(tx, row.id, look_at=None)
            return Orders()
        listenings.change(tx, row.id, look_at=self._ctx.clock.now() + placement.HANG_UP_AGAIN)
        return to_end(row)

    def stopped(self, tx: Tx, listener: int) -> Orders:
        """A listener listens no more."""
        held = placement.hold(tx, None, listener)
        return Orders() if held is None else ended(tx, self._ctx, held[1], "stopped")

    def follow(self, orders: Orders) -> None:
        """Send out what follows, in the background."""
        self._ctx.background.start(self._orders.carry_out(orders))
