"""A call went quiet: ask the provider what became of it, and take its answer in as a report.

Nothing is dialed again before it is settled (I7), no call rings for ever, and none stays in the
provider's queue until after closing time.
"""

from datetime import timedelta

import structlog

from callserver.database import audit, calls
from callserver.database.calls import CallRow
from callserver.domain import phone
from callserver.domain.audit import Kind
from callserver.domain.call import Cause, Report, State
from callserver.engine.calls.call_flow import (
    ASK_AGAIN,
    TALK_CHECK,
    TALK_CHECK_AFTER_OUTCOME,
    CallFlow,
)
from callserver.engine.context import EngineContext
from callserver.ports import Leg, LegState, Room, Tx

log = structlog.get_logger(__name__)

NEVER_PLACED = timedelta(seconds=60)
"""An order whose reply was lost, and that the provider still does not know then, never arrived."""

TOO_LONG = timedelta(seconds=180)
"""Ringing or queued this long after the permit, whatever the reason: silenced."""

_REPORTS = {
    Cause.COMPLETED: Report.HUNG_UP,
    Cause.NO_ANSWER: Report.NOT_ANSWERED,
    Cause.BUSY: Report.BUSY,
    Cause.UNREACHABLE: Report.FAILED,
    Cause.CANCELLED: Report.CANCELLED,
}


class Reconciliation:
    """Asks about quiet calls."""

    def __init__(self, ctx: EngineContext, call_flow: CallFlow) -> None:
        self._ctx = ctx
        self._call_flow = call_flow

    async def settle(self, call: CallRow) -> None:
        """Ask about one call; its deadline moves on, or it ends."""
        leg = await self._ctx.telephony.look_up(
            call.attempt,
            call.ref,
            Room(call.room, call.room_ref),
            phone.from_int(call.number),
            call.permit_at,
        )
        if call.state == State.TALKING and (leg.state, leg.ref) == (LegState.TALKING, call.ref):
            await self._ctx.store.run(lambda tx: self._goes_on(tx, call))
            return  # that a talk goes on is no news
        report = self._report(call, leg)
        await self._ctx.store.run(lambda tx: self._note(tx, call, leg, report))
        if report is not None:
            await self._call_flow.receive(call.attempt, report, None, ref=leg.ref)
        if call.stopped and leg.ref is not None and report in (Report.TAKEN, Report.RANG):
            # The provider took our order to stop it, and it rings on: then with all force.
            await self._call_flow.stopping.end(leg.ref)
        if report in (None, Report.TAKEN, Report.RANG):
            await self._stop_what_lasts(call)

    def _report(self, call: CallRow, leg: Leg) -> Report | None:
        waited = self._ctx.clock.now() - call.permit_at
        match leg.state:
            case LegState.NO_ANSWER:
                return None
            case LegState.UNKNOWN_LEG if call.ref is None and waited < NEVER_PLACED:
                return None
            case LegState.UNKNOWN_LEG:
                return Report.NEVER_PLACED if call.ref is None else Report.FAILED
            case LegState.QUEUED:
                return Report.TAKEN
            case LegState.RINGING:
                return Report.RANG
            case LegState.TALKING:
                return Report.ANSWERED
            case LegState.ENDED:
                return _REPORTS.get(Cause(leg.cause or Cause.UNREACHABLE), Report.FAILED)

    def _goes_on(self, tx: Tx, asked: CallRow) -> None:
        """When to ask again. The phoner may have given the outcome while the provider was asked."""
        call = calls.get(tx, asked.attempt)
        if call is None or call.ended_at is not None:
            return
        if call.stop_wanted is not None:
            lasting = ASK_AGAIN
        elif call.outcome is None:
            lasting = TALK_CHECK
        elif asked.outcome is None:
            return  # it is to be asked about now, which was written meanwhile
        else:
            lasting = TALK_CHECK_AFTER_OUTCOME
        calls.change(tx, call.attempt, deadline=self._ctx.clock.now() + lasting)

    def _note(self, tx: Tx, call: CallRow, leg: Leg, report: Report | None) -> None:
        now = self._ctx.clock.now()
        calls.change(tx, call.attempt, deadline=now + ASK_AGAIN)
        if report is not None:
            audit.append(tx, now, Kind.SETTLED, call=call.attempt, found=leg.state.value)

    async def _stop_what_lasts(self, call: CallRow) -> None:
        now = self._ctx.clock.now()
        if now - call.permit_at < TOO_LONG:
            return

        def stop(tx: Tx) -> bool:
            row = calls.lock(tx, call.attempt)
            if row is None or row.ended_at is not None or row.answered_at is not None:
                return False
            # The provider took our hang-up once already, and still has the leg? Then again.
            self._call_flow.stopping.want(tx, row, "lasted_too_long", now)
            return True

        if await self._ctx.store.run(stop):
            await self._call_flow.stopping.silence()
