"""A supervisor's actions on a seat: answer a raised hand, end a shift, change its exchange."""

from datetime import datetime

from callserver import outbox
from callserver.database import accounts, audit, legs_to_end, seats
from callserver.database.accounts import User
from callserver.database.seats import SeatRow
from callserver.domain.audit import EntryKind
from callserver.domain.seat import SeatEvent, SeatState
from callserver.engine.calls import seat_moves
from callserver.engine.context import EngineContext
from callserver.engine.shifts import exchange_choice
from callserver.errors import Impossible, NotFound
from callserver.outbox import RingPhoner
from callserver.ports import Tx


class SupervisorActions:
    """One method for each action. A seat of another department raises NotFound."""

    def __init__(self, ctx: EngineContext) -> None:
        self._ctx = ctx

    async def answer_hand(self, user: User, seat: int) -> None:
        """The supervisor has seen the raised hand: lower it."""

        def work(tx: Tx) -> None:
            row = self._seat(tx, user, seat)
            if row.hand_at is None:
                return
            seats.set_line(tx, seat, hand_at=None)
            by, now = f"user:{user.id}", self._ctx.clock.now()
            audit.append(tx, now, EntryKind.HAND, seat=seat, up=False, answered=True, by=by)

        await self._ctx.store.run(work)

    async def be_present(self, user: User, now: datetime) -> None:
        """Record that a supervisor is on the floor, which a phoner's second shift requires."""
        await self._ctx.store.run(lambda tx: accounts.seen(tx, user.id, now))

    async def end_shift(self, user: User, seat: int) -> None:
        """End a shift: the seat goes off after the call in hand and its outcome.

        The scheduler hangs up the phoner's telephone, as for every seat that goes off.

        Raises:
            Impossible: the phoner is not on shift.
        """

        def work(tx: Tx) -> None:
            row = self._seat(tx, user, seat)
            if row.state == SeatState.OFF:
                raise Impossible("the phoner is not on shift", key="phoner_not_on_shift")
            now = self._ctx.clock.now()
            by = f"user:{user.id}"
            audit.append(tx, now, EntryKind.SHIFT_ENDED, seat=seat, phoner=row.phoner, by=by)
            seat_moves.move(tx, self._ctx, row, SeatEvent.OFF_SHIFT, now)

        await self._ctx.store.run(work)

    async def change_exchange(self, user: User, seat: int) -> None:
        """Let a shift go on through another exchange: it ends, and another begins there, in a pause.

        The phoner's page sees it and signs its telephone in there. The phoner presses Ready: nobody is called
        for a phoner who may be away.

        Raises:
            Impossible: the seat's exchange answers, or no other does; or the seat must stay there now.
        """

        def work(tx: Tx) -> None:
            row, now = self._seat(tx, user, seat), self._ctx.clock.now()
            if not seat_moves.may_change_exchange(tx, self._ctx, row, now):
                raise Impossible("the seat stays at its exchange", key="exchange_stays")
            by = f"user:{user.id}"
            audit.append(tx, now, EntryKind.EXCHANGE_CHANGED, seat=seat, phoner=row.phoner, by=by)
            row = seat_moves.move(tx, self._ctx, row, SeatEvent.OFF_SHIFT, now)
            if row.leg is not None:
                legs_to_end.end(tx, row.leg, now)  # once its exchange answers
                seats.forget_leg(tx, seat)
            exchange_choice.choose(tx, self._ctx.exchanges, row, row.line, now)
            seat_moves.move(tx, self._ctx, self._seat(tx, user, seat), SeatEvent.ON_SHIFT, now)
            outbox.add(tx, RingPhoner(seat))

        await self._ctx.store.run(work)

    @staticmethod
    def _seat(tx: Tx, user: User, seat: int) -> SeatRow:
        row = seats.lock(tx, seat)
        if row is None or user.department not in (None, row.department):
            raise NotFound("there is no such seat", key="not_found")
        return row
