"""What is ordered about listeners' legs: to ask what to hear, to end, to be rung, to be asked about.

Each order is given until the provider has taken it; what does not succeed within a second is upkeep's.
"""

import asyncio
from dataclasses import dataclass, field

import structlog

from callserver.database import accounts, listening_intervals, listenings, operations, seats
from callserver.database.listenings import ListeningRow
from callserver.domain.instruction import Hear, WaitToHear
from callserver.domain.line import OwnLine
from callserver.engine import user_lines
from callserver.engine.calls.call_flow import After, CallFlow
from callserver.engine.context import EngineContext
from callserver.engine.listening import placement, room_occupancy
from callserver.engine.retried_orders import carry_out
from callserver.ports import Declined, LegState, Placed, Result, Silent, Trouble, Tx

log = structlog.get_logger(__name__)

RING_AGAIN_SECONDS = (1.0, 2.0, 4.0)
"""When a listener's telephone is rung again after the provider said "too many at once"."""


@dataclass(frozen=True, slots=True)
class ToHear:
    """A leg is to ask what to hear. `must_leave`: its voice may be where it may not be."""

    listening: int
    leg: str
    where: Hear | WaitToHear
    must_leave: bool


@dataclass(slots=True)
class Orders:
    """What is to be done on the telephone once the transaction is durable."""

    ring: tuple[int, OwnLine, str] | None = None  # listening, line, caller id
    hear: ToHear | None = None
    end: list[tuple[int, str]] = field(default_factory=list)  # listenings, their legs
    check: tuple[int, str] | None = None  # listening, its leg: is it still there?
    after: After = field(default_factory=After)


def to_end(row: ListeningRow) -> Orders:
    """Hang its leg up, if it has one."""
    return Orders(end=[] if row.leg is None else [(row.id, row.leg)])


def ended(tx: Tx, ctx: EngineContext, row: ListeningRow, why: str) -> Orders:
    """End a listening, and hang up. The row is held: a leg that has just asked is known."""
    placement.end(tx, ctx, row, why)
    return to_end(row)


def gone(tx: Tx, ctx: EngineContext, row: ListeningRow) -> Orders:
    """Its leg has ended; the row is held."""
    if row.ended_at is None:
        placement.end(tx, ctx, row, "leg_gone")
    if row.leg is not None:
        listening_intervals.end(tx, row.leg, ctx.clock.now())
    listenings.change(tx, row.id, leg=None, look_at=None)
    return Orders(after=After(dial=[row.seat]))  # its phoner may wait for just that


class LegOrders:
    """Sends orders out, and takes in what came of them."""

    def __init__(self, ctx: EngineContext, call_flow: CallFlow) -> None:
        self._ctx = ctx
        self._call_flow = call_flow

    def follow(self, orders: Orders) -> None:
        """Send out what follows, in the background."""
        self._ctx.background.start(self.carry_out(orders))

    async def carry_out(self, orders: Orders) -> None:
        """Send out what follows; return when legs have been told to move or end."""
        background = self._ctx.background
        self._call_flow.follow(orders.after)
        if orders.ring is not None:
            background.start(self._ring(*orders.ring))
        if orders.check is not None:
            background.start(self.check(*orders.check))
        moves = [] if orders.hear is None else [self._hear(orders.hear)]
        await asyncio.gather(*moves, *(self._end(*one) for one in orders.end))

    async def _hear(self, order: ToHear) -> None:
        """Have a leg ask. A voice that must leave and cannot be moved is hung up."""
        telephony = self._ctx.telephony
        result = await carry_out(self._ctx, lambda: telephony.hear(order.leg, order.where))
        if result is Result.GONE:
            await self.check(order.listening, order.leg)
        elif result is not Result.DONE:
            log.warning("listener_not_moved", listening=order.listening, result=result.value)
            await self.carry_out(await self._ctx.store.run(lambda tx: self._failed(tx, order)))

    def _failed(self, tx: Tx, order: ToHear) -> Orders:
        held = placement.hold(tx, order.listening)
        if held is None or held[1].leg != order.leg:
            return Orders()
        if order.must_leave:
            where = placement.place(tx, self._ctx, held[1], held[0])
            stays = listening_intervals.of_leg(tx, order.leg)
            if where is None or room_occupancy.misplaced(stays, where):
                return ended(tx, self._ctx, held[1], "not_moved") if where else to_end(held[1])
        listenings.change(tx, order.listening, ordered_at=None)
        return Orders()

    async def _end(self, listening: int, leg: str) -> None:
        """Hang up, and remember that the leg is gone; if it was not done, upkeep comes back."""
        result = await carry_out(self._ctx, lambda: self._ctx.telephony.hang_up(leg))
        if not result.settled:
            log.warning("listener_not_hung_up", listening=listening, result=result.value)
            return

        def note(tx: Tx) -> Orders:
            row = listenings.lock(tx, listening)
            return gone(tx, self._ctx, row) if row is not None and row.leg == leg else Orders()

        self.follow(await self._ctx.store.run(note))

    async def _ring(self, listening: int, line: OwnLine, caller_id: str) -> None:
        answer = await self._rung(listening, line, caller_id)
        for wait in RING_AGAIN_SECONDS:
            if not isinstance(answer, Declined) or answer.trouble is not Trouble.LATER:
                break
            await self._ctx.clock.sleep(wait)
            again = await self._ctx.store.run(lambda tx: self._again(tx, listening))
            if again is None:
                return
            answer = await self._rung(listening, again, caller_id)

        def note(tx: Tx) -> Orders:
            row = listenings.lock(tx, listening)
            lasts = row is not None and row.ended_at is None
            match answer:
                case Placed(ref) if listenings.by_leg(tx, ref) is not None:
                    pass  # it asked before this answer came, and may have gone along to another seat
                case Placed(ref) if not lasts:  # stopped in the meantime
                    listenings.change(tx, listening, leg=ref, look_at=self._ctx.clock.now())
                case Placed(ref) if row is not None and row.leg is None:
                    listenings.change(tx, listening, leg=ref)
                case Declined(code=code) if row is not None and lasts:
                    user_lines.not_rung(tx, row.listener, row.line)
                    log.warning("listener_not_rung", listening=listening, code=code)
                    return ended(tx, self._ctx, row, "not_rung")
            return Orders()

        self.follow(await self._ctx.store.run(note))

    async def _rung(
        self, listening: int, line: OwnLine, caller_id: str
    ) -> Placed | Declined | Silent:
        def slot(tx: Tx) -> None:
            at = operations.next_slot(tx, self._ctx.clock.now())
            operations.take_slot(tx, at, self._ctx.calls_per_second)

        await self._ctx.store.run(slot)
        return await self._ctx.telephony.ring_listener(line, listening, caller_id)

    def _again(self, tx: Tx, listening: int) -> OwnLine | None:
        """The line once more, if the listening lasts and the line may still be rung."""
        row = listenings.get(tx, listening)
        seat = None if row is None else seats.lock(tx, row.seat)
        if row is None or row.ended_at is not None or row.line is None or seat is None:
            return None
        user_lines.not_rung(tx, row.listener, row.line)
        user, campaign = accounts.user(tx, row.listener), self._ctx.rules.known(seat.campaign)
        found = user_lines.to_ring(tx, self._ctx, user, row.line, campaign, seat=seat.id)
        return found if isinstance(found, OwnLine) else None

    async def check(self, listening: int, leg: str) -> None:
        found = await self._ctx.telephony.leg(leg)

        def note(tx: Tx) -> Orders:
            row = listenings.lock(tx, listening)
            if row is None or row.leg != leg:
                return Orders()
            if found.state in (LegState.ENDED, LegState.UNKNOWN_LEG):
                return gone(tx, self._ctx, row)
            if found.state is not LegState.NO_ANSWER:
                listenings.change(tx, listening, seen_at=self._ctx.clock.now())
            return Orders()

        self.follow(await self._ctx.store.run(note))
