"""Asks the provider about calls without recent reports, and applies the answer as a report.

A number is not dialed again before its call is settled (I7), no call rings for ever, and none stays in the
provider's queue after the calling hours.
"""

from datetime import datetime, timedelta

import structlog

from callserver.database import audit, calls, legs_to_end, seats
from callserver.database.calls import CallRow
from callserver.domain import phone
from callserver.domain.audit import EntryKind
from callserver.domain.call import CallState, Cause, Report
from callserver.domain.stop_reasons import HOURS_OVER, ONLY_RINGING
from callserver.engine.calls import hangups, lost_phoners, ring_end
from callserver.engine.calls.call_flow import (
    ASK_AGAIN,
    ASK_SOON,
    TALK_CHECK_AFTER_OUTCOME,
    CallFlow,
    talk_check,
)
from callserver.engine.context import EngineContext
from callserver.ports import Leg, LegState, Room, Tx
from callserver.provider_events import CallReport

log = structlog.get_logger(__name__)

NEVER_PLACED = timedelta(seconds=20)
"""An order that got no reply and that the provider does not know after this time never arrived: twice the
time-out for a reply, and asked about repeatedly. If it rings after all, it is ended at its first report and counts
as an attempt, so that the person is not called again because of it."""

TOO_LONG = timedelta(seconds=180)
"""A call that rings or is queued this long after its permit is ended, whatever the reason."""

ASK_UNSURE = timedelta(seconds=0.5)
"""How often the provider is asked about a call that must be ended while it does not say which leg that is, or whether
somebody has answered it: they would hear silence. Each time that it does not answer, the wait is twice as long."""

ASK_UNSURE_LONGEST = timedelta(seconds=4)

MOST_REMEMBERED = 1_000
"""Calls whose questions without an answer are counted, at most."""

_REPORTS = {
    Cause.COMPLETED: Report.HUNG_UP,
    Cause.NO_ANSWER: Report.NOT_ANSWERED,
    Cause.BUSY: Report.BUSY,
    Cause.UNREACHABLE: Report.FAILED,
    Cause.CANCELLED: Report.CANCELLED,
}


class Reconciliation:
    """Asks the provider about calls without recent reports."""

    def __init__(self, ctx: EngineContext, call_flow: CallFlow) -> None:
        self._ctx = ctx
        self._call_flow = call_flow
        self._not_answered: dict[str, int] = {}  # questions in a row, by attempt

    async def settle(self, call: CallRow) -> None:
        """Ask about one call. Its deadline is moved, or it ends."""
        leg = await self._ctx.telephony.look_up(
            call.attempt,
            call.ref,
            Room(call.room, call.room_ref),
            phone.from_int(call.number),
            call.permit_at,
        )
        if call.state == CallState.TALKING and (leg.state, leg.ref) == (LegState.TALKING, call.ref):
            phoner = await self._ctx.store.run(lambda tx: self._goes_on(tx, call))
            if phoner is not None:
                await self._look_at_phoner(call, phoner)
            return  # a continuing talk changes nothing
        report = self._report(call, leg)
        unsure = self._ask_unsure(call.attempt, leg)
        await self._ctx.store.run(lambda tx: self._note(tx, call, leg, report, unsure))
        for found, at in _reports(call, leg, report):
            await self._call_flow.receive(CallReport(call.attempt, found, at, leg=leg.ref))
        if report in (None, Report.TAKEN, Report.RANG):
            await self._ctx.store.run(lambda tx: self._end(tx, call.attempt))

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

    async def _look_at_phoner(self, call: CallRow, leg: str) -> None:
        """The loss of the phoner's leg may not have been reported: the person would talk to nobody."""
        room = Room(call.room, call.room_ref)
        found = await self._ctx.telephony.look_up(leg, leg, room, "", call.permit_at)
        if found.state in (LegState.ENDED, LegState.UNKNOWN_LEG):
            await self._ctx.store.run(lambda tx: lost_phoners.found_ended(tx, self._ctx, leg))

    def _goes_on(self, tx: Tx, asked: CallRow) -> str | None:
        """When to ask again. The phoner may have given the outcome in the meantime. Returns the phoner's leg."""
        call = calls.get(tx, asked.attempt)
        if call is None or call.ended_at is not None:
            return None
        seat = seats.of_call(tx, call.attempt)
        if call.stop_wanted is not None:
            lasting = ASK_AGAIN
            self._end_talk(tx, call)
        elif call.outcome is None:
            lasting = talk_check(seat)
        elif asked.outcome is None:
            return None  # giving the outcome has set the deadline to now
        else:
            lasting = TALK_CHECK_AFTER_OUTCOME
        calls.change(tx, call.attempt, deadline=self._ctx.clock.now() + lasting)
        return None if seat is None or seat.call != call.attempt else seat.leg

    def _end_talk(self, tx: Tx, call: CallRow) -> None:
        """A talk that goes on, though the provider has accepted the hang-up, is hung up again. After an apology its end
        has its own time."""
        ended = call.stopped and call.stop_wanted not in ONLY_RINGING
        if ended and call.ref is not None and not hangups.is_owed_apology(call):
            legs_to_end.end(tx, call.ref, self._ctx.clock.now())

    def _ask_unsure(self, attempt: str, leg: Leg) -> timedelta:
        """The wait before the next question about a call that must be ended. A carrier that is behind with its
        answers is not kept behind by our questions."""
        before = self._not_answered.pop(attempt, 0)
        if leg.state is LegState.NO_ANSWER:
            if len(self._not_answered) >= MOST_REMEMBERED:
                self._not_answered.clear()  # of calls that have ended without another question
            self._not_answered[attempt] = before + 1
        return min(ASK_UNSURE * (1 << min(before, 10)), ASK_UNSURE_LONGEST)

    def _note(
        self, tx: Tx, call: CallRow, leg: Leg, report: Report | None, ask_unsure: timedelta
    ) -> None:
        now = self._ctx.clock.now()
        current = calls.get(tx, call.attempt) or call
        unsure = current.stop_wanted is not None and report is None
        soon = now + (ask_unsure if unsure else _next_question(current, now))
        again = ring_end.at_the_latest(tx, self._ctx, call, now, soon)
        calls.change(tx, call.attempt, deadline=again)
        if report is not None:
            audit.append(tx, now, EntryKind.SETTLED, call=call.attempt, found=leg.state.value)
        rings_on = call.stopped and report in (Report.TAKEN, Report.RANG)
        over = leg.state in (LegState.ENDED, LegState.UNKNOWN_LEG)
        if (ref := leg.ref or call.ref) is not None and (rings_on or over):
            # Cancelled but still ringing: end it in any state. Or over: the look-up may be wrong, and nothing
            # would end a leg whose call is closed.
            legs_to_end.end(tx, ref, now)

    def _end(self, tx: Tx, attempt: str) -> None:
        """End a call that still rings or is queued, once the calling hours are over or it lasts too long."""
        row, now = calls.lock(tx, attempt), self._ctx.clock.now()
        if row is None or row.ended_at is not None or row.answered_at is not None:
            return
        hours_end = ring_end.of(tx, self._ctx, row)
        # Ordered again even if the provider accepted the hang-up: the leg is still up.
        if now - row.permit_at >= TOO_LONG:
            hangups.want_ended(tx, row, "lasted_too_long", now)
        elif hours_end is not None and now >= hours_end:
            hangups.want_ended(tx, row, HOURS_OVER, now)


def _next_question(call: CallRow, now: datetime) -> timedelta:
    """About an order without an answer: soon, and less often the older it is."""
    if call.ref is not None:
        return ASK_AGAIN
    age = now - call.permit_at
    wait = min(ASK_AGAIN, max(ASK_SOON, age / 4))
    return min(wait, NEVER_PLACED - age) if age < NEVER_PLACED else wait


def _reports(
    call: CallRow, leg: Leg, report: Report | None
) -> list[tuple[Report, datetime | None]]:
    """What was found, with the provider's own times. The answer is included even if the talk is over: a listener may
    have heard the beginning."""
    answered_at = leg.answered_at
    if answered_at is not None and call.rang_at is not None:
        answered_at = max(answered_at, call.rang_at)  # it is in whole seconds
    if report is Report.ANSWERED:
        return [(report, answered_at)]
    if report is Report.HUNG_UP:
        before = call.answered_at is None and answered_at is not None
        return [(Report.ANSWERED, answered_at)] * before + [(report, leg.ended_at)]
    return [] if report is None else [(report, None)]
