"""What a report does: one way in for every provider.

A report moves the call, and with it the seat and the contact, in one transaction with the audit
entry. Orders to the network that follow from it go out after the commit.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from callserver.database import audit, calls, marks, operations, seats
from callserver.database.calls import CallRow
from callserver.database.seats import SeatRow
from callserver.domain import call as machine
from callserver.domain import subject
from callserver.domain.audit import Kind
from callserver.domain.call import Cause, Report
from callserver.domain.call import State as CallState
from callserver.domain.line import CONFIRMATION
from callserver.domain.seat import Event, State
from callserver.engine.calls import carrier_refusals, heard_calls, retries, seat_moves
from callserver.engine.calls.hangups import PHONER_LOST, Hangups
from callserver.engine.context import EngineContext
from callserver.ports import Declined, LegState, Tx

log = structlog.get_logger(__name__)

ASK_AGAIN = timedelta(seconds=10)
"""A silent order is asked about this often until it is settled."""

QUEUE_SLACK = timedelta(seconds=60)
"""Beyond the ring time: the provider's own queue, and late callbacks."""

TALK_CHECK = timedelta(seconds=25)
"""A talk is asked about this often: if its end is never told, the phoner is free within a minute.

A hundred phoners in talks cost four requests a second; an open question costs the provider nothing.
"""

TALK_CHECK_AFTER_OUTCOME = timedelta(seconds=5)
"""The outcome is given, so the talk is about to end: asked about at once, and then this often."""


CHECK_AGAIN_SECONDS = (0.5, 2, 5)
"""When a phoner's leg is asked about again at an answer, should the provider not say."""

HEARD_WITHIN = timedelta(seconds=2)
"""A phoner who is lost within this time of the answer was not there for it (FTC, Ofcom)."""


@dataclass(slots=True)
class After:
    """What is to be done once the transaction is durable."""

    dial: list[int] = field(default_factory=list)  # seats that became ready
    check_room: list[str] = field(default_factory=list)  # phoners' legs
    hang_up: list[str] = field(default_factory=list)  # legs that belong to no call of ours
    silence: bool = False  # some call has stop_wanted


class CallFlow:
    """Takes reports in. `dial` is handed over once the dialer exists."""

    def __init__(self, ctx: EngineContext) -> None:
        self._ctx = ctx
        self.stopping = Hangups(ctx)

    async def receive(
        self,
        attempt: str,
        report: Report,
        at: datetime | None,
        *,
        ref: str | None = None,
        receipt: machine.Receipt | None = None,
        why: str = "",
        code: int | None = None,
    ) -> None:
        """Take one report in; twice, late or out of order is all the same.

        `at` is the provider's own time of the event; None: now. Clocks differ: nothing happens
        before its permit, later than now, or after its end.
        """
        after = await self._ctx.store.run(
            lambda tx: self.apply(
                tx, attempt, report, at, ref=ref, receipt=receipt, why=why, code=code
            )
        )
        self.follow(after)

    async def declined(
        self,
        attempt: str,
        answer: Declined,
        *,
        at: datetime | None = None,
        ref: str | None = None,
        receipt: machine.Receipt | None = None,
    ) -> None:
        """The carrier's certain no: what it means, and the end of the call, in one transaction."""

        def work(tx: Tx) -> After:
            waiting = carrier_refusals.note(tx, self._ctx, attempt, answer)
            code = answer.code if answer.trouble in carrier_refusals.BY_THE_CARRIER else None
            after = self.apply(
                tx, attempt, Report.DECLINED, at, ref=ref, receipt=receipt, code=code
            )
            after.dial += waiting
            return after

        self.follow(await self._ctx.store.run(work))

    def apply(
        self,
        tx: Tx,
        attempt: str,
        report: Report,
        at: datetime | None,
        *,
        ref: str | None = None,
        receipt: machine.Receipt | None = None,
        why: str = "",
        code: int | None = None,
    ) -> After:
        """The report's transaction."""
        now = self._ctx.clock.now()
        after = After()
        if not operations.first_time(tx, receipt, now):
            return after
        row = seats.of_call(tx, attempt)
        before = calls.lock(tx, attempt)
        if before is None or (row is None and before.path != CONFIRMATION):
            log.warning("report_for_unknown_attempt", report=report.value)
            return after
        if before.ref and ref and ref != before.ref and report is not Report.TAKEN:
            # A second leg for one attempt: the provider took an order twice. Silence the newcomer.
            log.error("second_leg", attempt=attempt)
            after.hang_up.append(ref)
            return after
        was = before.call
        late = was.cause is Cause.DECLINED and was.ref is not None  # late news of a leg that ended
        if ref and report in _LIVING and was.cause in _NOTHING_RANG and not late:
            # Settled as never placed, and rings after all: nobody expects this leg any more.
            log.error("rings_after_all", attempt=attempt)
            after.hang_up.append(ref)
        happened = min(max(at or now, before.permit_at), before.ended_at or now)
        call = machine.advance(was, report, happened, ref, code)
        if call == was and report is not Report.NO_REPLY:
            return after
        if ref and report is Report.MACHINE and was.cause is None:
            after.hang_up.append(ref)
        calls.store(tx, was, call, self._deadline(before, call, now))
        self._record(tx, before, call, report, now, why)
        if row is not None:
            self._effects(tx, row, before, call, now, after)
        elif call.ref is not None and before.stop_wanted and not before.stopped:
            after.silence = True
        return after

    def follow(self, after: After) -> None:
        """Send out what follows, in the background."""
        background = self._ctx.background
        for ref in after.hang_up:
            background.start(self.stopping.end(ref))
        if after.silence:
            background.start(self.stopping.silence())
        for leg in after.check_room:
            background.start(self._check_room(leg))
        for seat in after.dial:
            background.start(self.dial(seat))

    async def dial(self, seat: int) -> None:
        """Replaced by the dialer's own when the server is assembled (they need each other)."""
        raise NotImplementedError

    # -- inside the transaction ---------------------------------------------------------------

    def _record(
        self, tx: Tx, before: CallRow, call: machine.Call, report: Report, now: datetime, why: str
    ) -> None:
        if call.state == before.state and report is not Report.NO_REPLY:
            return
        details: dict[str, str | int] = {"report": report.value, "state": call.state.value}
        if call.cause is not None:
            details["cause"] = call.cause.value
        if call.code is not None:
            details["code"] = call.code
        kind = Kind.REPORTED
        if report is Report.TAKEN:
            kind = Kind.PLACED
        elif report is Report.NO_REPLY:
            kind, details["why"] = Kind.SILENT, why
        audit.append(tx, now, kind, contact=before.contact, call=call.attempt, **details)

    def _deadline(self, before: CallRow, call: machine.Call, now: datetime) -> datetime | None:
        ring = timedelta(seconds=self._ctx.rules.known(before.campaign).ring_seconds)
        match call.state:
            case CallState.ENDED:
                return None
            case CallState.SILENT | CallState.PLACING:
                return now + ASK_AGAIN
            case CallState.DIALING | CallState.RINGING:
                return now + ring + QUEUE_SLACK
            case CallState.TALKING:
                return now + TALK_CHECK

    def _effects(
        self,
        tx: Tx,
        row: SeatRow,
        before: CallRow,
        call: machine.Call,
        now: datetime,
        after: After,
    ) -> None:
        """What the call's move does to seat, contact and figures."""
        mine, was = row.call == call.attempt, before.call
        if _answered(call) and not _answered(was):
            operations.count(tx, before.campaign, "answered", now)
            if call.state is CallState.TALKING:
                row = self._answered(tx, row, before, now, after, mine=mine)
        if was.state is not CallState.ENDED and call.state is CallState.ENDED:
            self._ended(tx, row, before, call, now, after, mine=mine)
        elif mine and call.state is CallState.RINGING and row.state == State.RESERVED:
            seat_moves.move(tx, self._ctx, row, Event.RANG, now)
        if call.ref is not None and before.stop_wanted and not before.stopped:
            after.silence = True

    def _answered(
        self,
        tx: Tx,
        row: SeatRow,
        before: CallRow,
        now: datetime,
        after: After,
        *,
        mine: bool,
    ) -> SeatRow:
        if mine and row.connected and row.room == before.room:
            if row.leg:
                after.check_room.append(row.leg)
            row = seat_moves.move(tx, self._ctx, row, Event.ANSWERED, now)
            heard_calls.note_answered(tx, self._ctx, row)
            return row
        self.abandoned(tx, before, now)
        self.stopping.want(tx, before, PHONER_LOST, now)
        after.silence = True
        return row

    def abandoned(self, tx: Tx, call: CallRow, now: datetime) -> None:
        """Count a call that met nobody; the policy's rest follows from the mark."""
        if call.abandoned:
            return
        calls.change(tx, call.attempt, abandoned=True)
        operations.count(tx, call.campaign, "abandoned", now)
        marks.mark(tx, subject.of_number(call.number), "abandoned", now)

    def _ended(
        self,
        tx: Tx,
        row: SeatRow,
        before: CallRow,
        call: machine.Call,
        now: datetime,
        after: After,
        *,
        mine: bool,
    ) -> None:
        there = mine and (row.connected or row.state == State.TALKING)
        met = there and _answered(call) and not before.abandoned
        if mine:
            event = Event.ENDED if met else Event.ENDED_UNANSWERED
            moved = seat_moves.move(tx, self._ctx, row, event, now)
            if moved.state == State.WAITING:
                after.dial.append(moved.id)
        if not met:
            retries.after_unreached(tx, self._ctx, before, call, now)

    # -- after an answer ----------------------------------------------------------------------

    async def _check_room(self, leg: str) -> None:
        """Trust, but verify: is the phoner's leg really up? Her loss may have gone untold."""
        found = await self._ctx.telephony.leg(leg)
        for wait in CHECK_AGAIN_SECONDS:
            if found.state is not LegState.NO_ANSWER:
                break
            await self._ctx.clock.sleep(wait)
            found = await self._ctx.telephony.leg(leg)
        if found.state in (LegState.ENDED, LegState.UNKNOWN_LEG):
            self.follow(await self._ctx.store.run(lambda tx: self.leg_lost(tx, leg)))

    def leg_lost(self, tx: Tx, leg: str, reason: str = "") -> After:
        """A phoner's leg is gone: silence what rings for her, apologise to who is on the line.

        `reason`: what her seat says while she is rung again, where that is not the loss itself.
        """
        now = self._ctx.clock.now()
        after = After()
        row = seats.by_leg(tx, leg)
        if row is None:
            return after
        seats.set_line(tx, row.id, leg=None, room_ref=None, room="")  # a leg has its own room
        if not row.connected:
            return after
        seat_moves.move(tx, self._ctx, row, Event.LEG_LOST, now, reason=reason)
        call = None if row.call is None else calls.lock(tx, row.call)
        if call is None or call.ended_at is not None:
            return after
        heard = row.state == State.TALKING and now - (call.answered_at or now) > HEARD_WITHIN
        if call.call.state is CallState.TALKING and not heard:
            self.abandoned(tx, call, now)
        self.stopping.want(tx, call, PHONER_LOST, now)
        after.silence = True
        return after


_LIVING = frozenset({Report.TAKEN, Report.RANG, Report.ANSWERED})
_NOTHING_RANG = frozenset({Cause.NEVER_PLACED, Cause.DECLINED})


def _answered(call: machine.Call) -> bool:
    return call.answered_at is not None or call.cause is Cause.COMPLETED
