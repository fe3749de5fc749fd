"""Orders to listeners' legs (ask what to hear, end, call) and questions about them.

Each order is repeated for about a second until the provider accepts it; then the scheduler repeats it.
"""

import structlog

from callserver import outbox
from callserver.database import accounts, legs_to_end, listening_intervals, listenings, seats
from callserver.database.listenings import ListeningRow
from callserver.domain.line import LineProblem, OwnLine
from callserver.engine import call_slots, user_lines
from callserver.engine.context import EngineContext
from callserver.engine.listening import placement, room_occupancy
from callserver.engine.retried_orders import RING_AGAIN_SECONDS, carry_out
from callserver.errors import Impossible
from callserver.outbox import DialSeat, EndListenerLeg, MoveListener, RingListener
from callserver.ports import Declined, LegState, Placed, Result, Silent, Trouble, Tx

log = structlog.get_logger(__name__)


def hang_up(tx: Tx, row: ListeningRow) -> None:
    """End the listening's leg after the commit, if it has one."""
    if row.leg is not None:
        outbox.add(tx, EndListenerLeg(row.id, row.leg))


def end(tx: Tx, ctx: EngineContext, row: ListeningRow, why: str) -> None:
    """End a listening and its leg. The row is locked, so a leg that has just asked is known."""
    placement.end(tx, row, why, ctx.clock.now())
    hang_up(tx, row)


def leg_ended(tx: Tx, ctx: EngineContext, row: ListeningRow) -> None:
    """Record that the listening's leg has ended. The row is locked."""
    if row.ended_at is None:
        placement.end(tx, row, "leg_gone", ctx.clock.now())
    if row.leg is not None:
        listening_intervals.end(tx, row.leg, ctx.clock.now())
    listenings.change(tx, row.id, leg=None, look_at=None)
    outbox.add(tx, DialSeat(row.seat))  # the seat may wait for the listener to leave


class ListenerLegOrders:
    """Gives the orders, and records their results."""

    def __init__(self, ctx: EngineContext) -> None:
        self._ctx = ctx

    async def move(self, order: MoveListener) -> None:
        """Have a leg ask what to hear. A leg that must leave the room and cannot be moved is ended."""
        telephony = self._ctx.telephony
        result = await carry_out(self._ctx, lambda: telephony.hear(order.leg, order.where))
        if result in (Result.GONE, Result.UNKNOWN):
            await self.check(order.listening, order.leg)
        elif result is not Result.DONE:
            log.warning("listener_not_moved", listening=order.listening, result=result.value)
            for end_leg in await self._ctx.store.run(lambda tx: self._not_moved(tx, order)):
                await self.end(end_leg)

    def _not_moved(self, tx: Tx, order: MoveListener) -> list[EndListenerLeg]:
        """The leg to end at once because it could not be moved and must not stay."""
        locked = placement.lock_open(tx, order.listening)
        if locked is None or locked[1].leg != order.leg:
            return []
        seat, row = locked
        if order.must_leave:
            where = placement.place(tx, self._ctx, row, seat)
            intervals = listening_intervals.of_leg(tx, order.leg)
            if where is None or room_occupancy.misplaced(intervals, where):
                if where is None:  # the listening has ended just now
                    hang_up(tx, row)
                else:
                    end(tx, self._ctx, row, "not_moved")
                return outbox.take(tx, EndListenerLeg)
        listenings.change(tx, order.listening, ordered_at=None)
        return []

    async def end(self, order: EndListenerLeg) -> None:
        """End a leg and record that it is gone. If that fails, the scheduler tries again."""
        listening, leg = order.listening, order.leg
        result = await carry_out(self._ctx, lambda: self._ctx.telephony.hang_up(leg))
        if result in (Result.GONE, Result.UNKNOWN):
            await self.check(listening, leg)  # the provider answers so for a live leg too
            return
        if not result.settled:
            log.warning("listener_not_hung_up", listening=listening, result=result.value)
            return

        def note(tx: Tx) -> None:
            row = listenings.lock(tx, listening)
            if row is not None and row.leg == leg:
                leg_ended(tx, self._ctx, row)

        await self._ctx.store.run(note)

    async def ring(self, order: RingListener) -> None:
        """Call a listener's telephone, and again if the provider is too busy."""
        listening = order.listening
        answer = await self._rung(order)
        for wait in RING_AGAIN_SECONDS:
            if not isinstance(answer, Declined) or answer.trouble is not Trouble.LATER:
                break
            await self._ctx.clock.sleep(wait)
            await self._ctx.store.run(lambda tx: self._not_rung(tx, listening))
            answer = await self._rung(order)

        def note(tx: Tx) -> None:
            row = listenings.lock(tx, listening)
            lasts = row is not None and row.ended_at is None
            match answer:
                case Placed(leg) if listenings.by_leg(tx, leg) is not None:
                    pass  # it asked before this answer came, and may have moved to another seat
                case Placed(leg) if not lasts:  # stopped in the meantime
                    listenings.change(tx, listening, leg=leg, look_at=self._ctx.clock.now())
                case Placed(leg) if row is not None and row.leg is None:
                    self._is_ringing(tx, row, leg)
                case None if row is not None and lasts:
                    end(tx, self._ctx, row, "line_busy")
                case LineProblem() if row is not None and lasts:
                    end(tx, self._ctx, row, "not_rung")
                case Declined(code=code) if row is not None and lasts:
                    user_lines.not_rung(tx, row.listener, row.line)
                    log.warning("listener_not_rung", listening=listening, code=code)
                    end(tx, self._ctx, row, "not_rung")

        await self._ctx.store.run(note)

    def _is_ringing(self, tx: Tx, row: ListeningRow, leg: str) -> None:
        listenings.change(tx, row.id, leg=leg)
        if user_lines.is_refused(tx, self._ctx.terms, row.line):  # since the order
            legs_to_end.end(tx, leg, self._ctx.clock.now())

    async def _rung(self, order: RingListener) -> Placed | Declined | Silent | LineProblem | None:
        """The provider's answer, or why the line may not be called any more; None: too many calls are being
        ordered, or nobody listens any more."""
        budget = self._ctx.budgets.of(order.caller_id)
        try:
            slot = await self._ctx.store.run(lambda tx: call_slots.reserve(tx, self._ctx, budget))
        except Impossible:
            return None
        await call_slots.until(self._ctx, slot)
        line = await self._ctx.store.run(lambda tx: self._line(tx, order.listening))
        if not isinstance(line, OwnLine):
            return line
        return await self._ctx.telephony.ring_listener(
            line, order.listening, order.caller_id, order.exchange
        )

    def _line(self, tx: Tx, listening: int) -> OwnLine | LineProblem | None:
        """The line to call now, once its slot has come: much may have happened since the listening began."""
        row = listenings.get(tx, listening)
        seat = None if row is None else seats.lock(tx, row.seat)
        if row is None or row.ended_at is not None or row.line is None or seat is None:
            return None
        user, campaign = accounts.user(tx, row.listener), self._ctx.rules.known(seat.campaign)
        return user_lines.to_ring(tx, self._ctx, user, row.line, campaign, seat=seat.id)

    def _not_rung(self, tx: Tx, listening: int) -> None:
        row = listenings.get(tx, listening)
        if row is not None:
            user_lines.not_rung(tx, row.listener, row.line)

    async def check(self, listening: int, leg: str) -> None:
        """Ask the provider whether a leg is still there."""
        answer = await self._ctx.telephony.leg(leg)

        def note(tx: Tx) -> None:
            now = self._ctx.clock.now()
            row = listenings.lock(tx, listening)
            if row is None or row.leg != leg:
                return
            if answer.state in (LegState.ENDED, LegState.UNKNOWN_LEG):
                leg_ended(tx, self._ctx, row)
                legs_to_end.end(tx, leg, now)  # if the answer is wrong, the leg listens on
            elif answer.state is not LegState.NO_ANSWER:
                listenings.change(tx, listening, seen_at=now)

        await self._ctx.store.run(note)
