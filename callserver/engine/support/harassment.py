"""A phoner reports that the person on the line harasses them.

In one transaction the call is ended, the phoner gets a break, the person is protected as the configured
outcome says, and the supervisors get a note. The same report again changes nothing.
"""

from datetime import datetime, timedelta

from callserver.database import calls, contacts, seats, support
from callserver.database.accounts import User
from callserver.database.calls import CallRow
from callserver.database.seats import SeatRow
from callserver.domain.campaign import Effect, Outcome
from callserver.domain.facts import Scope
from callserver.domain.seat import Pause, SeatEvent, SeatState, has_answered_call
from callserver.domain.support import MessageKind
from callserver.engine.calls import hangups, seat_moves
from callserver.engine.context import EngineContext
from callserver.engine.outcomes.record import GivenOutcome, OutcomeRecord
from callserver.engine.outcomes.wishes import Wishes
from callserver.engine.support import messages
from callserver.engine.suppressions import opt_outs
from callserver.engine.suppressions.opt_outs import Origin
from callserver.errors import Impossible
from callserver.ports import Tx

REASON = "harassment"
"""Why the call is ended."""

REPORTABLE = timedelta(hours=24)
"""How long after a call the phoner may report it."""


PROTECTING = frozenset({Effect.SUPPRESS, Effect.COMPLAINT, Effect.VULNERABLE})
"""Effects after which the person is not called; a configured outcome with another one is not used."""


class HarassmentReports:
    """Takes reports."""

    def __init__(self, ctx: EngineContext, wishes: Wishes) -> None:
        self._ctx = ctx
        self._wishes = wishes
        self._recording = OutcomeRecord(ctx, wishes)

    async def report(self, user: User, attempt: str | None, words: str) -> int:
        """Report the call in hand, or an own call of the last day; the note's id.

        Raises:
            Impossible: nobody was on the line, or it was too long ago.
        """
        return await self._ctx.store.run(lambda tx: self._report(tx, user, attempt, words))

    def _report(self, tx: Tx, user: User, attempt: str | None, words: str) -> int:
        now = self._ctx.clock.now()
        seat = seats.of_phoner(tx, user.id)
        key = attempt or (None if seat is None else seat.call)
        call = None if key is None else calls.lock(tx, key)
        if call is None or call.phoner != user.id or call.answered_at is None:
            raise Impossible("nobody is on the line", key="nobody_on_the_line")
        earlier = support.of_call(tx, call.attempt)
        if earlier is not None:
            return earlier.id
        if call.permit_at < now - REPORTABLE:
            raise Impossible("the call was too long ago", key="support_too_late")
        hangups.want_ended(tx, call, REASON, now)
        self._protect(tx, user, call, now)
        if seat is not None and seat.state != SeatState.OFF:
            self._give_break(tx, seat, call, now)
        report = support.add(
            tx,
            at=now,
            phoner=user.id,
            department=user.department,
            kind=MessageKind.HARASSMENT.value,
            call=call.attempt,
            words=words.strip(),
        )
        messages.note(
            tx, now, "harassment", user, message=report, phoner=user.id, call=call.attempt
        )
        return report

    def _protect(self, tx: Tx, user: User, call: CallRow, now: datetime) -> None:
        """Give the configured outcome and apply its consequences; if impossible, record the wish "never"."""
        by = f"user:{user.id}"
        campaign = self._ctx.rules.known(call.campaign)
        wanted = self._ctx.rules.current.organisation.support.outcome
        contact = None if call.contact is None else contacts.get_locked(tx, call.contact)
        given = campaign.outcomes.get(wanted)
        if given is not None and contact is not None and _protects(given):
            if call.outcome != wanted:
                corrected = call.outcome is not None
                self._recording.record(
                    tx, call, campaign, GivenOutcome(wanted), user, corrected=corrected
                )
        elif contact is not None:
            self._wishes.hear(tx, contact, "never", by=by, call=call)
        else:
            origin = Origin(by=by, at=now, group=call.attempt, call=call.attempt)
            opt_outs.add(tx, (Scope.NUMBER,), call.number, [], self._ctx.secret, origin)

    def _give_break(self, tx: Tx, seat: SeatRow, call: CallRow, now: datetime) -> None:
        """No further call until the phoner presses Ready; others see an ordinary pause."""
        resting = seat_moves.move(
            tx, self._ctx, seat, SeatEvent.PAUSE, now, reason=Pause.BREATHER.value
        )
        changed = calls.get(tx, call.attempt)
        in_hand = seat.call == call.attempt and has_answered_call(resting.seat)
        if in_hand and changed is not None and changed.outcome is not None:
            moved = seat_moves.move(tx, self._ctx, resting, SeatEvent.OUTCOME, now)
            if moved.state == SeatState.TALKING:  # ask about its end if it is not reported
                calls.change(tx, call.attempt, deadline=now + hangups.STOP_CHECK)


def _protects(outcome: Outcome) -> bool:
    return outcome.does in PROTECTING and not outcome.asks
