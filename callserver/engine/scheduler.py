"""Time-driven work: what is due is done, and when the next thing will be due is said.

One process does this at a time, under a lease. Nothing here is the only way forward: Ready dials at
once and reports are taken in by whichever process got them; upkeep is what goes on when nobody comes.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from callserver.database import calls, listenings, operations, seats
from callserver.database.calls import CallRow
from callserver.database.seats import SeatRow
from callserver.database.store import UNAVAILABLE
from callserver.domain.seat import Event, State
from callserver.engine import clock_checks
from callserver.engine.accounts.offboarding import Offboarding
from callserver.engine.calls import seat_moves
from callserver.engine.calls.call_flow import ASK_AGAIN, CallFlow
from callserver.engine.calls.phoner_legs import PhonerLegs
from callserver.engine.calls.reconciliation import Reconciliation
from callserver.engine.context import EngineContext
from callserver.engine.dialing.dialer import Dialer
from callserver.engine.listening.legs import ListenerLegs
from callserver.engine.retried_orders import carry_out
from callserver.ports import LegState, Tx

log = structlog.get_logger(__name__)

GIVE_UP_CONNECTING = timedelta(minutes=5)
"""A seat whose telephone was not reached for this long is taken off the shift."""

STOP_AGAIN = timedelta(seconds=1)
TIDY_EVERY = timedelta(hours=1)

Chore = Callable[[datetime], Awaitable[None]]
"""Something that is done now and then: forgetting what may be kept for some days only."""


@dataclass(frozen=True, slots=True)
class Due:
    """What one look found."""

    seats: list[SeatRow]
    left: list[int]  # seats whose phoner has left the house
    calls: list[CallRow]
    listenings: list[int]
    stopping: bool


class Scheduler:
    """Does what is due."""

    def __init__(
        self,
        ctx: EngineContext,
        dialer: Dialer,
        call_flow: CallFlow,
        settling: Reconciliation,
        rooms: PhonerLegs,
        leaving: Offboarding,
        listener_legs: ListenerLegs,
        seal: Callable[[], Awaitable[datetime | None]],
        owner: str,
        chores: Sequence[Chore] = (),
    ) -> None:
        self._ctx = ctx
        self._dialer = dialer
        self._call_flow = call_flow
        self._settling = settling
        self._rooms = rooms
        self._leaving = leaving
        self._listener_legs = listener_legs
        self._seal = seal
        self._owner = owner
        self._chores = chores
        self._tidied: datetime | None = None
        self._missed = False
        self._jumped = False
        self._accepted_ms = 0  # by the clock, and not in the log yet

    def missed(self) -> None:
        """The database was out of reach: reports may be missing, and everything is asked about."""
        self._missed = True

    async def make_up(self) -> None:
        """After an outage, or a step of the clock: look at everything, as after a start."""
        self._accepted_ms += self._ctx.clock.accepted_ms()
        jumped, accepted = clock_checks.jumped(self._ctx.clock), self._accepted_ms
        if accepted or (self._jumped and not jumped):
            await self._ctx.store.run(lambda tx: clock_checks.goes_right(tx, self._ctx, accepted))
            self._accepted_ms -= accepted
            self._missed = True
        self._jumped = jumped
        if self._missed:
            await self.start()
            self._missed = False
            log.info("looked_after_outage")

    async def start(self) -> None:
        """After a start nothing is taken for granted: every open call and leg is asked about,
        and every seat that waits for something is looked at."""
        now = self._ctx.clock.now()

        def look(tx: Tx) -> list[SeatRow]:
            for call in calls.every_open(tx):
                calls.change(tx, call.attempt, deadline=now)
            found = seats.every(tx)
            for row in found:
                if row.state in (State.WAITING, State.CONNECTING):
                    seats.set_line(tx, row.id, wake_at=now)
            return found

        for row in await self._ctx.store.run(look):
            if row.connected and row.leg:
                self._ctx.background.start(self._check_leg(row.leg))
        await self._listener_legs.check_all()

    async def tick(self) -> datetime | None:
        """Do everything that is due; the instant of the next thing, None when nothing is known."""
        try:
            await self.make_up()
            return await self._do_what_is_due()
        except UNAVAILABLE:
            self.missed()
            raise

    async def _do_what_is_due(self) -> datetime | None:
        now = self._ctx.clock.now()
        work = await self._ctx.store.run(lambda tx: self._due(tx, now))
        if work is None:
            return now + operations.LEASE
        for seat in work.left:
            await self._leaving.dismiss(seat)
        for row in work.seats:
            if row.id not in work.left:
                await self._seat_due(row, now)
        for call in work.calls:
            self._ctx.background.start(self._settling.settle(call))
        for listening in work.listenings:
            self._ctx.background.start(self._listener_legs.look(listening))
        if work.stopping:
            self._ctx.background.start(self._call_flow.stopping.silence())
        await self._tidy(now)
        due = [await self._seal(), await self._ctx.store.run(operations.next_due)]
        if work.stopping:
            due.append(now + STOP_AGAIN)
        return min((at for at in due if at is not None), default=None)

    def _due(self, tx: Tx, now: datetime) -> Due | None:
        if not operations.lease(tx, "upkeep", self._owner, now):
            return None
        clock_checks.keep(tx, self._ctx.clock)
        quiet = calls.due(tx, now)
        for call in quiet:  # however long the provider takes to answer, it is asked once
            calls.change(tx, call.attempt, deadline=now + ASK_AGAIN)
        return Due(
            seats.due(tx, now),
            seats.of_the_left(tx),
            quiet,
            listenings.due(tx, now),
            stopping=bool(calls.to_stop(tx)),
        )

    async def _tidy(self, now: datetime) -> None:
        if self._tidied is None or not timedelta() <= now - self._tidied < TIDY_EVERY:
            self._tidied = now
            for chore in self._chores:
                await chore(now)

    async def release(self) -> None:
        """Let another process take over at once."""
        now = self._ctx.clock.now()
        await self._ctx.store.run(
            lambda tx: operations.release_lease(tx, "upkeep", self._owner, now)
        )

    async def _seat_due(self, row: SeatRow, now: datetime) -> None:
        match row.seat.state:
            case State.WAITING:
                await self._look_again(row, now + seat_moves.SAFETY_NET)
                self._ctx.background.start(self._dialer.dial(row.id))
            case State.WRAPPING_UP:
                await self._ctx.store.run(lambda tx: self._over(tx, row.id, now))
            case State.CONNECTING:
                await self._look_again(row, now + seat_moves.CONNECTING_LOOK)
                self._ctx.background.start(self._connecting(row, now))
            case State.OFF if row.leg is not None:
                await self._look_again(row, now + seat_moves.SAFETY_NET)
                self._ctx.background.start(self._release(row, row.leg))
            case _:
                await self._look_again(row, None)

    async def _look_again(self, row: SeatRow, at: datetime | None) -> None:
        """So that one wake-up starts one piece of work, and a lost one is made up for.

        The work itself waits for the provider, which this round must not: others are due as well.
        """
        await self._ctx.store.run(lambda tx: seats.set_line(tx, row.id, wake_at=at))

    async def _release(self, row: SeatRow, leg: str) -> None:
        """She is off shift: her telephone is hung up, if need be again and again."""
        result = await carry_out(self._ctx, lambda: self._ctx.telephony.hang_up(leg))
        if not result.settled:
            return  # its next look does it again

        def gone(tx: Tx) -> None:
            seat = seats.lock(tx, row.id)
            if seat is not None and seat.state == State.OFF and seat.leg == leg:
                seats.set_line(tx, seat.id, leg=None, room_ref=None, wake_at=None)

        await self._ctx.store.run(gone)

    def _over(self, tx: Tx, seat: int, now: datetime) -> None:
        row = seats.lock(tx, seat)
        if row is not None and row.state == State.WRAPPING_UP:
            seat_moves.move(tx, self._ctx, row, Event.WRAP_UP_OVER, now)

    async def _connecting(self, row: SeatRow, now: datetime) -> None:
        if row.leg:
            found = await self._ctx.telephony.leg(row.leg)
            if found.state in (LegState.ENDED, LegState.UNKNOWN_LEG):
                self._call_flow.follow(
                    await self._ctx.store.run(
                        lambda tx: self._call_flow.leg_lost(tx, row.leg or "")
                    )
                )
            elif room_ref := await self._ctx.telephony.find_room(row.room):
                # She sits there: only the news of it was lost.
                await self._rooms.found(row.id, row.leg, room_ref)
                return

        def again(tx: Tx) -> bool:
            seat = seats.lock(tx, row.id)
            if seat is None or seat.state != State.CONNECTING:
                return False
            if now - seat.since > GIVE_UP_CONNECTING:
                seat_moves.move(tx, self._ctx, seat, Event.OFF_SHIFT, now)
                return False
            return seat.leg is None

        if await self._ctx.store.run(again):
            self._ctx.background.start(self._rooms.ring_in(row.id))

    async def _check_leg(self, leg: str) -> None:
        found = await self._ctx.telephony.leg(leg)
        if found.state in (LegState.ENDED, LegState.UNKNOWN_LEG):
            self._call_flow.follow(
                await self._ctx.store.run(lambda tx: self._call_flow.leg_lost(tx, leg))
            )
