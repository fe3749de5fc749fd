"""Time-driven work: does what is due, and returns when the next work will be due.

One process at a time does this, under a lease. Follow-ups run after each commit in the process that made it;
the scheduler handles what becomes due by time, and what was lost when a process died.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from callserver import outbox
from callserver.database import (
    calls,
    due_work,
    known_time,
    leases,
    legs_to_end,
    listenings,
    role_plays,
    seats,
)
from callserver.database.calls import CallRow
from callserver.database.due_work import Outlook, is_over
from callserver.database.seats import SeatRow
from callserver.database.unavailable import UNAVAILABLE
from callserver.domain.seat import SeatEvent, SeatState
from callserver.engine import clock_checks
from callserver.engine.accounts.offboarding import Offboarding
from callserver.engine.applicants.role_play_legs import RolePlayLegs
from callserver.engine.calls import lost_phoners, seat_moves
from callserver.engine.calls.call_flow import ASK_AGAIN
from callserver.engine.calls.phoner_legs import PhonerLegs
from callserver.engine.calls.reconciliation import Reconciliation
from callserver.engine.chores import Chore, Chores
from callserver.engine.collected_failures import Failures
from callserver.engine.context import EngineContext
from callserver.engine.listening import room_occupancy
from callserver.engine.listening.legs import ListenerLegs
from callserver.engine.retried_orders import carry_out
from callserver.engine.training import standings
from callserver.outbox import CheckPhonerLeg, DialSeat, EndCalls, RingPhoner, SendMessages
from callserver.ports import LegState, Result, Tx

log = structlog.get_logger(__name__)

GIVE_UP_CONNECTING = timedelta(minutes=5)
"""A seat whose telephone has not connected for this long is taken off the shift."""

STOP_AGAIN = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class DueWork:
    """What is due at one look."""

    seats: list[SeatRow]
    left: list[int]  # seats whose phoner has left the organisation
    calls: list[CallRow]
    listenings: list[int]
    role_plays: list[int]
    stopping: bool


class Scheduler:
    """Does the work that is due."""

    def __init__(
        self,
        ctx: EngineContext,
        reconciliation: Reconciliation,
        phoner_legs: PhonerLegs,
        offboarding: Offboarding,
        listener_legs: ListenerLegs,
        role_play_legs: RolePlayLegs,
        seal: Callable[[], Awaitable[datetime | None]],
        owner: str,
        chores: Sequence[Chore] = (),
    ) -> None:
        self._ctx = ctx
        self._reconciliation = reconciliation
        self._phoner_legs = phoner_legs
        self._offboarding = offboarding
        self._listener_legs = listener_legs
        self._role_play_legs = role_play_legs
        self._seal = seal
        self.owner = owner
        self.chores = Chores(ctx.background, chores)
        self._gap = False
        self._jumped = False
        self._accepted_ms = 0  # a jump accepted by the clock and not yet logged

    def note_gap(self) -> None:
        """The database was unavailable, so reports may be missing: ask about everything at the next tick."""
        self._gap = True

    async def recover(self) -> None:
        """After an outage or a jump of the clock, check everything, as after a start."""
        self._accepted_ms += self._ctx.clock.accepted_ms()
        jumped, accepted = clock_checks.jumped(self._ctx.clock), self._accepted_ms
        if accepted or (self._jumped and not jumped):

            def correct(tx: Tx) -> None:
                self._nobody_looked(tx)
                clock_checks.correct_times(tx, self._ctx, accepted)

            await self._ctx.store.run(correct)
            self._accepted_ms -= accepted
            self._gap = True
        self._jumped = jumped
        if self._gap:
            await self.start()
            self._gap = False
            log.info("looked_after_outage")

    async def start(self) -> None:
        """After a start nothing is assumed: ask about every open call and leg, and check every seat that
        waits for something."""
        now = self._ctx.clock.now()
        for call in await self._ctx.store.run(self._to_silence):
            self._ctx.background.start(self._reconciliation.settle(call))

        def look(tx: Tx) -> None:
            self._nobody_looked(tx)
            for call in calls.every_open(tx):
                calls.change(tx, call.attempt, deadline=now)
            for row in seats.every(tx):
                if row.state in (SeatState.WAITING, SeatState.CONNECTING):
                    seats.set_line(tx, row.id, wake_at=now)
                if row.connected and row.leg:
                    outbox.add(tx, CheckPhonerLeg(row.leg))

        await self._ctx.store.run(look)
        await self._listener_legs.check_all()
        await self._role_play_legs.check_all()

    def _to_silence(self, tx: Tx) -> list[CallRow]:
        """First of all, and without the lease: end what must not ring. Returns the calls whose leg is unknown."""
        outbox.add(tx, EndCalls())
        legs_to_end.order_all(tx, self._ctx.clock.now())
        return [call for call in calls.every_open(tx) if call.stop_wanted and call.ref is None]

    def _nobody_looked(self, tx: Tx) -> None:
        """Note that the time since the latest recorded instant is unknown, such as for training shifts."""
        now = self._ctx.clock.now()
        until = known_time.recorded(tx) or now
        standings.nobody_looked(tx, self._ctx.rules.current.training, until, now)
        room_occupancy.nobody_looked(tx, until, now)

    async def tick(self) -> datetime | None:
        """Do everything that is due. Returns when the next work is due; None: nothing is known."""
        failures = Failures()
        try:
            with failures:
                await self.recover()
            due = await self._do_what_is_due(failures)
        except UNAVAILABLE:
            self.note_gap()
            raise
        failures.raise_first()
        return due

    async def _do_what_is_due(self, failures: Failures) -> datetime | None:
        now = self._ctx.clock.now()
        work = await self._ctx.store.run(lambda tx: self._due(tx, now))
        if work is None:
            return None
        if isinstance(work, Outlook):
            due = [work.at.earliest]
        else:
            await self._do(work, now, failures)
            due = [await self._ctx.store.peek(due_work.next_due)]
            if work.stopping:
                due.append(now + STOP_AGAIN)
        self.chores.start_due(now)
        with failures:
            due.append(await self._seal())
        return min((at for at in due if at is not None), default=None)

    async def _do(self, work: DueWork, now: datetime, failures: Failures) -> None:
        for seat in work.left:
            with failures:
                await self._offboarding.dismiss(seat)
        for row in work.seats:
            if row.id not in work.left:
                with failures:
                    await self._seat_due(row, now)
        for call in work.calls:
            self._ctx.background.start(self._reconciliation.settle(call))
        for listening in work.listenings:
            self._ctx.background.start(self._listener_legs.look(listening))
        for role_play in work.role_plays:
            self._ctx.background.start(self._role_play_legs.look(role_play))

    def _due(self, tx: Tx, now: datetime) -> DueWork | Outlook | None:
        """What is due; an Outlook: nothing is. None: another process has the lease.

        A telephone is silenced without the lease too: the process that has it may have been killed.
        """
        if not leases.acquire(tx, leases.SCHEDULER, self.owner, now):
            if calls.to_stop(tx):
                outbox.add(tx, EndCalls())
            return None
        clock_checks.record_time(tx, self._ctx.clock)
        outlook = due_work.outlook(tx)
        if not outlook.is_due(now):
            return outlook
        at = outlook.at
        quiet = calls.due(tx, now) if is_over(at.call, now) else []
        for call in quiet:  # asked once, however long the provider takes to answer
            calls.change(tx, call.attempt, deadline=now + ASK_AGAIN)
        if is_over(at.leg, now):
            legs_to_end.order_again(tx, now)
        if is_over(at.message, now):
            outbox.add(tx, SendMessages())
        if outlook.stopping:
            outbox.add(tx, EndCalls())
        return DueWork(
            seats.due(tx, now) if is_over(at.seat, now) else [],
            seats.of_the_left(tx) if outlook.left else [],
            quiet,
            listenings.due(tx, now) if is_over(at.listening, now) else [],
            role_plays.due(tx, now) if is_over(at.role_play, now) else [],
            outlook.stopping,
        )

    async def release(self) -> None:
        """Let another process take over at once."""
        now = self._ctx.clock.now()
        await self._ctx.store.run(lambda tx: leases.release(tx, leases.SCHEDULER, self.owner, now))

    async def _seat_due(self, row: SeatRow, now: datetime) -> None:
        match row.seat.state:
            case SeatState.WAITING:
                await self._ctx.store.run(lambda tx: self._dial_again(tx, row.id, now))
            case SeatState.WRAPPING_UP:
                await self._ctx.store.run(lambda tx: self._end_wrap_up(tx, row.id, now))
            case SeatState.CONNECTING:
                await self._look_again(row, now + seat_moves.CONNECTING_LOOK)
                self._ctx.background.start(self._connecting(row, now))
            case SeatState.OFF if row.leg is not None:
                await self._look_again(row, now + seat_moves.SAFETY_NET)
                self._ctx.background.start(self._release(row, row.leg))
            case _:
                await self._look_again(row, None)

    async def _look_again(self, row: SeatRow, at: datetime | None) -> None:
        """Set the next check, so that one wake-up starts one piece of work and lost work is started again.

        The work waits for the provider; this round must not, because other work is due.
        """
        await self._ctx.store.run(lambda tx: seats.set_line(tx, row.id, wake_at=at))

    @staticmethod
    def _dial_again(tx: Tx, seat: int, now: datetime) -> None:
        seats.set_line(tx, seat, wake_at=now + seat_moves.SAFETY_NET)
        outbox.add(tx, DialSeat(seat))

    async def _release(self, row: SeatRow, leg: str) -> None:
        """Hang up the telephone of a seat that is off, repeatedly if necessary."""
        result = await carry_out(self._ctx, lambda: self._ctx.telephony.hang_up(leg))
        if not result.settled and result is not Result.UNKNOWN:
            return  # the next check repeats it

        def gone(tx: Tx) -> None:
            if result is Result.UNKNOWN:
                legs_to_end.end(tx, leg, self._ctx.clock.now())
            seat = seats.lock(tx, row.id)
            if seat is not None and seat.state == SeatState.OFF and seat.leg == leg:
                seats.forget_leg(tx, seat.id)
                seats.set_line(tx, seat.id, wake_at=None)

        await self._ctx.store.run(gone)

    def _end_wrap_up(self, tx: Tx, seat: int, now: datetime) -> None:
        row = seats.lock(tx, seat)
        if row is not None and row.state == SeatState.WRAPPING_UP:
            seat_moves.move(tx, self._ctx, row, SeatEvent.WRAP_UP_OVER, now)

    async def _connecting(self, row: SeatRow, now: datetime) -> None:
        if row.leg:
            leg = row.leg
            answer = await self._ctx.telephony.leg(leg)
            if answer.state in (LegState.ENDED, LegState.UNKNOWN_LEG):
                await self._ctx.store.run(lambda tx: lost_phoners.found_ended(tx, self._ctx, leg))
            elif room_ref := await self._ctx.telephony.find_room(row.room):
                # The phoner is there: only the report of it was lost.
                await self._phoner_legs.found_in_room(row.id, leg, room_ref)
                return

        def again(tx: Tx) -> None:
            seat = seats.lock(tx, row.id)
            if seat is None or seat.state != SeatState.CONNECTING:
                return
            if now - seat.since > GIVE_UP_CONNECTING:
                seat_moves.move(tx, self._ctx, seat, SeatEvent.OFF_SHIFT, now)
            elif seat.leg is None:
                outbox.add(tx, RingPhoner(row.id))

        await self._ctx.store.run(again)
