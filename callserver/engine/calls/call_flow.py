"""Applies call reports: one entry point for every provider.

A report moves the call, and with it the seat and the contact, in one transaction with the audit entry.
"""

from datetime import datetime, timedelta

import structlog

from callserver import outbox
from callserver.database import audit, calls, daily_counts, legs_to_end, processed_events, seats
from callserver.database.calls import CallRow
from callserver.database.seats import SeatRow
from callserver.domain import call as machine
from callserver.domain.audit import EntryKind, stamp
from callserver.domain.call import Call, CallState, Cause, DialPath, Report
from callserver.domain.line import LineKind, kind
from callserver.domain.permit import DialPermit
from callserver.domain.seat import SeatEvent, SeatState
from callserver.engine.calls import (
    carrier_refusals,
    hangups,
    heard_calls,
    lost_phoners,
    retries,
    ring_end,
    seat_moves,
)
from callserver.engine.context import EngineContext
from callserver.engine.outcomes import missing_outcomes
from callserver.outbox import CheckPhonerLeg, EndCalls
from callserver.ports import Declined, Placed, Silent, Tx
from callserver.provider_events import CallReport

log = structlog.get_logger(__name__)

ASK_AGAIN = timedelta(seconds=10)
"""How often the provider is asked about a call that should have ended, or is in its queue, until it is settled."""

ASK_SOON = timedelta(seconds=1)
"""When it is first asked about an order without an answer. Meanwhile the phoner waits."""

QUEUE_SLACK = timedelta(seconds=60)
"""Added to the ring time for the provider's queue and late callbacks."""

TALK_CHECK = timedelta(seconds=25)
"""How often the provider is asked about a talk: if its end is never reported, the phoner is free within a
minute.

A hundred phoners in talks cause eight requests per second: the phoner's leg is asked about too.
"""

TALK_CHECK_TELEPHONE = timedelta(seconds=8)
"""The same for a phoner on an ordinary telephone: no browser reports that it was cut off, and the person would hear
silence. Few phoners are, and each causes one request in four seconds."""

TALK_CHECK_AFTER_OUTCOME = timedelta(seconds=5)
"""After the outcome is given the talk is about to end: the provider is asked at once, and then this often."""

SECOND_LEG = "second_leg"
GOES_ON = "goes_on_after_its_end"

_LIVING = frozenset({Report.TAKEN, Report.RANG, Report.ANSWERED})
_NOTHING_RANG = frozenset({Cause.NEVER_PLACED, Cause.DECLINED})


class CallFlow:
    """Applies reports about calls."""

    def __init__(self, ctx: EngineContext) -> None:
        self._ctx = ctx

    async def ordered(self, permit: DialPermit, answer: Placed | Declined | Silent) -> None:
        """Apply the provider's answer to the order that spent the permit."""
        attempt = permit.attempt
        match answer:
            case Placed(leg):
                report = CallReport(attempt, Report.TAKEN, leg=leg, permit=permit)
            case Silent(why):
                report = CallReport(attempt, Report.NO_REPLY, why=why, permit=permit)
            case Declined():
                report = CallReport(attempt, Report.DECLINED, declined=answer)
        await self.receive(report)

    async def receive(self, report: CallReport) -> None:
        """Apply one report. Repeated, late and out-of-order reports lead to the same final state."""
        await self._ctx.store.run(lambda tx: self._apply(tx, report))

    # -- inside the transaction ---------------------------------------------------------------

    def _apply(self, tx: Tx, news: CallReport) -> None:
        now = self._ctx.clock.now()
        seat = seats.of_call(tx, news.attempt)
        row = calls.lock(tx, news.attempt)
        if row is None or (seat is None and row.path != DialPath.CONFIRMATION):
            self._unknown(tx, news, now, is_recorded=row is not None)
            return
        # Clocks differ: limit the instant to the time from the permit until now, or until the call's end.
        happened = min(max(news.at or now, row.permit_at), row.ended_at or now)
        before = row.call
        call = machine.advance(before, news.report, happened, news.leg, _code(news))
        unexpected = _why_unexpected(before, news)
        changes = call != before or news.report is Report.NO_REPLY
        if not (changes or unexpected or news.declined):
            return  # nothing is written: a repetition would not change anything either
        if not processed_events.first_time(tx, news.receipt, now):
            return
        if news.declined is not None:
            carrier_refusals.record(tx, self._ctx, news.attempt, news.declined)
            seat = seats.of_call(tx, news.attempt)  # the refusal may have moved it
        if unexpected is not None:
            self._end_leg(tx, row, news, unexpected)
        if unexpected == SECOND_LEG or not changes:
            return
        if news.leg and news.report is Report.MACHINE and before.cause is None:
            legs_to_end.end(tx, news.leg, now)
        calls.store(tx, before, call, self._deadline(tx, row, call, seat, news.permit))
        self._log(tx, row, before, call, news, now)
        if seat is not None:
            self._move_seat_and_contact(tx, seat, row, before, call, now)
        if call.ref is not None and row.stop_wanted and not row.stopped:
            outbox.add(tx, EndCalls())

    @staticmethod
    def _unknown(tx: Tx, news: CallReport, now: datetime, *, is_recorded: bool) -> None:
        """End the leg of an attempt that is not recorded, for example after an older copy of the database was restored:
        a person who answered would meet no phoner."""
        log.warning("report_for_unknown_attempt", report=news.report.value)
        if news.leg and news.report in _LIVING and not is_recorded:
            legs_to_end.end(tx, news.leg, now)

    def _end_leg(self, tx: Tx, row: CallRow, news: CallReport, reason: str) -> None:
        """End a leg that nobody expects. If a person has answered it, they hear an apology."""
        now, leg = self._ctx.clock.now(), news.leg or ""
        # If the carrier's clock is ahead, a late report seems to be later than the end, although the leg is over.
        was_over = reason == GOES_ON and row.cause == Cause.COMPLETED
        if reason == GOES_ON:
            log.warning(reason, attempt=row.attempt)
        else:
            log.error(reason, attempt=row.attempt)
            audit.append(tx, now, EntryKind.STOPPED, call=row.attempt, reason=reason)
        answered = news.report is Report.ANSWERED and row.path != DialPath.CONFIRMATION
        if answered and not was_over:
            legs_to_end.apologise(tx, leg, row.attempt, now)
        else:
            legs_to_end.end(tx, leg, now)

    @staticmethod
    def _log(
        tx: Tx, row: CallRow, before: Call, call: Call, news: CallReport, now: datetime
    ) -> None:
        # A late cause or code says whether anything rang: whether the call counts as an attempt.
        has_news = (call.state, call.cause, call.code) != (before.state, before.cause, before.code)
        if not has_news and news.report is not Report.NO_REPLY:
            return
        details: dict[str, str | int] = {"report": news.report.value, "state": call.state.value}
        if call.cause is not None:
            details["cause"] = call.cause.value
        if call.code is not None:
            details["code"] = call.code
        entry = EntryKind.REPORTED
        if news.report is Report.TAKEN:
            entry = EntryKind.PLACED
        elif news.report is Report.NO_REPLY:
            entry, details["why"] = EntryKind.SILENT, news.why
        if news.permit is not None and news.permit.spent_at is not None:
            details["ordered_at"] = stamp(news.permit.spent_at)
        audit.append(tx, now, entry, contact=row.contact, call=call.attempt, **details)

    def _deadline(
        self, tx: Tx, row: CallRow, call: Call, seat: SeatRow | None, permit: DialPermit | None
    ) -> datetime | None:
        """When to ask the provider about the call if nothing is reported before."""
        now = self._ctx.clock.now()
        ring = timedelta(seconds=self._ctx.rules.known(row.campaign).ring_seconds)
        match call.state:
            case CallState.ENDED:
                return None
            case CallState.SILENT | CallState.PLACING:
                which_leg = row.stop_wanted is not None and call.ref is None
                wait = ASK_SOON if call.state is CallState.SILENT else ASK_AGAIN
                soon = now if which_leg else now + wait
                return ring_end.at_the_latest(tx, self._ctx, row, now, soon, permit)
            case CallState.RINGING if row.state == CallState.DIALING:
                return row.deadline  # set when the order was taken, for queue and ringing together
            case CallState.DIALING | CallState.RINGING:
                latest = now + ring + QUEUE_SLACK
                return ring_end.at_the_latest(tx, self._ctx, row, now, latest, permit)
            case CallState.TALKING:
                return now + talk_check(seat)

    def _move_seat_and_contact(
        self, tx: Tx, seat: SeatRow, row: CallRow, before: Call, call: Call, now: datetime
    ) -> None:
        """Apply the call's transition to the seat, the contact and the figures."""
        in_hand = seat.call == call.attempt
        if _was_answered(call) and not _was_answered(before):
            daily_counts.count(tx, row.campaign, "answered", now)
            if call.state is CallState.TALKING:
                seat = self._talk_begins(tx, seat, row, now, in_hand=in_hand)
            elif before.state is CallState.ENDED:
                self._answered_after_all(tx, row, before, call, now)
        if (_was_answered(before), before.answered_at) != (_was_answered(call), call.answered_at):
            heard_calls.note_talk(tx, self._ctx, row, call, in_hand=in_hand)
        if before.state is not CallState.ENDED and call.state is CallState.ENDED:
            self._call_is_over(tx, seat, row, call, now, in_hand=in_hand)
        elif in_hand and call.state is CallState.RINGING and seat.state == SeatState.RESERVED:
            seat_moves.move(tx, self._ctx, seat, SeatEvent.RANG, now)

    def _talk_begins(
        self, tx: Tx, seat: SeatRow, row: CallRow, now: datetime, *, in_hand: bool
    ) -> SeatRow:
        # For example after an opt-out: they answered before the ringing stopped.
        if hangups.must_not_begin(row):
            lost_phoners.count_abandoned(tx, row, now)
            hangups.want_ended(tx, row, row.stop_wanted or "", now)
            return seat
        if not (in_hand and seat.connected and seat.room == row.room):
            lost_phoners.answered_without_phoner(tx, row, now)
            return seat
        if seat.leg:
            outbox.add(tx, CheckPhonerLeg(seat.leg))  # its loss may not have been reported
        return seat_moves.move(tx, self._ctx, seat, SeatEvent.ANSWERED, now)

    @staticmethod
    def _answered_after_all(tx: Tx, row: CallRow, before: Call, call: Call, now: datetime) -> None:
        """An answer is reported after the end. The seat has gone on, so nobody owes an outcome: if the phoner may
        have been with the person, a supervisor enters it; if not, the person met nobody."""
        if call.cause is Cause.MACHINE:
            return
        if before.cause in _NOTHING_RANG or hangups.must_not_begin(row):
            lost_phoners.count_abandoned(tx, row, now)
        else:
            missing_outcomes.note(tx, row, now)

    def _call_is_over(
        self, tx: Tx, seat: SeatRow, row: CallRow, call: Call, now: datetime, *, in_hand: bool
    ) -> None:
        phoner_there = in_hand and (seat.connected or seat.state == SeatState.TALKING)
        met = phoner_there and _was_answered(call) and not row.abandoned
        if in_hand:
            event = SeatEvent.ENDED if met else SeatEvent.ENDED_UNANSWERED
            seat_moves.move(tx, self._ctx, seat, event, now)
        if not met and _was_answered(call):
            lost_phoners.count_abandoned(tx, row, now)
        carrier_refusals.after_end(tx, row.campaign, call, now)
        if not met:
            retries.after_unreached(tx, self._ctx, row, call, now)


def talk_check(seat: SeatRow | None) -> timedelta:
    """How often the provider is asked about a talk at this seat."""
    at_telephone = seat is not None and seat.line and kind(seat.line) is LineKind.TELEPHONE
    return TALK_CHECK_TELEPHONE if at_telephone else TALK_CHECK


def _code(news: CallReport) -> int | None:
    """The response to store with the call; of a refusal, only the carrier's."""
    if news.declined is None:
        return news.code
    by_carrier = news.declined.trouble in carrier_refusals.BY_THE_CARRIER
    return news.declined.code if by_carrier else None


def _why_unexpected(call: Call, news: CallReport) -> str | None:
    """Why nobody expects the leg that the report is about; it is ended. None: it is expected.

    A call that was settled as never placed but rings after all is ended too, and recorded.
    """
    if news.leg is None:
        return None
    if call.ref and news.leg != call.ref and news.report is not Report.TAKEN:
        return SECOND_LEG  # the provider accepted an order twice
    # A report about a leg that has ended.
    late = call.cause is Cause.DECLINED and call.ref is not None
    if news.report in _LIVING and call.cause in _NOTHING_RANG and not late:
        return "rings_after_all"
    return GOES_ON if _goes_on(call, news) else None


def _goes_on(call: Call, news: CallReport) -> bool:
    """Whether the leg lives, although its end was reported: it rings or is answered later than that."""
    if call.ended_at is None or news.report not in (Report.RANG, Report.ANSWERED):
        return False
    unanswered = call.cause not in (Cause.COMPLETED, Cause.MACHINE)
    is_later = news.at is not None and news.at > call.ended_at
    return is_later or (news.report is Report.ANSWERED and unanswered)


def _was_answered(call: Call) -> bool:
    return call.answered_at is not None or call.cause is Cause.COMPLETED
