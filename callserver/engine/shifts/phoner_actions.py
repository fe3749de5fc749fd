"""A phoner's actions: on shift, ready, pause, hang up, raise a hand, wish, outcome, off shift.

Actions on a call can name its attempt: a page that is slightly behind must not record one person's outcome or
opt-out for the next person.
"""

from collections.abc import Callable
from typing import TypeVar

from callserver import outbox
from callserver.database import accounts, audit, calls, contacts, legs_to_end, seats
from callserver.database.accounts import User
from callserver.database.seats import SeatRow
from callserver.domain.audit import EntryKind
from callserver.domain.campaign import Campaign
from callserver.domain.line import LineProblem
from callserver.domain.seat import ImpossibleEvent, SeatEvent, SeatState
from callserver.domain.stop_reasons import PHONER_HUNG_UP, PHONER_OFF
from callserver.engine import user_lines
from callserver.engine.calls import hangups, seat_moves
from callserver.engine.context import EngineContext
from callserver.engine.outcomes.record import GivenOutcome, OutcomeRecord
from callserver.engine.outcomes.wishes import Wishes
from callserver.engine.shifts import exchange_choice
from callserver.errors import Impossible, NotAllowed, NotFound
from callserver.outbox import CheckPhonerLeg, RingPhoner
from callserver.ports import Tx

__all__ = ["GivenOutcome", "PhonerActions"]

T = TypeVar("T")

OWED = "the last call's outcome comes first"


class PhonerActions:
    """One method for each action. All raise Impossible if the seat's state does not allow it."""

    def __init__(self, ctx: EngineContext, wishes: Wishes) -> None:
        self._ctx = ctx
        self._wishes = wishes
        self._recording = OutcomeRecord(ctx, wishes)

    async def on_shift(self, user: User, campaign: str, line: str | None) -> int:
        """Begin a shift for a campaign: the telephone is called. Returns the seat's id.

        Raises:
            NotFound: no such campaign.
            NotAllowed: it belongs to another department; the account has changed meanwhile; or the line may not be
                called, or not now.
        """
        chosen = self._ctx.rules.campaign(campaign)
        seat = await self._ctx.store.run(lambda tx: self._on_shift(tx, user, chosen, line))
        if isinstance(seat, LineProblem):
            raise user_lines.LineRefused(seat)
        return seat

    def _on_shift(
        self, tx: Tx, asking: User, campaign: Campaign, asked: str | None
    ) -> int | LineProblem:
        now = self._ctx.clock.now()
        accounts.lock(tx, asking.id)  # an administrator moves nobody who is on shift
        user = accounts.user(tx, asking.id)
        if user is None or user.left_at is not None or user.role != asking.role:
            raise NotAllowed("the account has changed", key="not_allowed")
        if user.department not in (None, campaign.department):
            raise NotAllowed(
                f"campaign {campaign.name!r} belongs to another department", key="other_department"
            )
        row = seats.open_for(tx, user.id, user.department, now)
        if (
            row.state not in (SeatState.OFF, SeatState.CONNECTING, SeatState.PAUSED)
            or row.outcome_owed
        ):
            raise Impossible(
                "you are on shift already; finish the call in hand first", key="on_shift"
            )
        if row.state == SeatState.PAUSED:
            seats.set_line(tx, row.id, campaign=campaign.name)
            return row.id
        line = user_lines.choose(tx, self._ctx, user, campaign, asked)
        if isinstance(line, LineProblem):
            return line
        if row.leg is not None and (row.state == SeatState.OFF or row.line != line):
            legs_to_end.end(tx, row.leg, now)  # of the last shift, or of another telephone
            seats.forget_leg(tx, row.id)
        exchange_choice.choose(tx, self._ctx.exchanges, row, line, now)
        if row.campaign != campaign.name:  # it may go through another trunk
            seats.set_line(tx, row.id, slot_at=None)
        seats.set_line(tx, row.id, campaign=campaign.name, line=line, department=user.department)
        seat_moves.move(tx, self._ctx, self._seat(tx, row.id), SeatEvent.ON_SHIFT, now)
        outbox.add(tx, RingPhoner(row.id))
        return row.id

    async def ready(self, user: User, then: Callable[[Tx], T]) -> T:
        """Ready for the next call: it is dialed at once. Returns what `then` reads in the transaction."""
        row, read = await self._move(user, SeatEvent.READY, then)
        if row.outcome_owed:
            raise Impossible(OWED, key="outcome_owed")
        return read

    async def pause(self, user: User, reason: str, then: Callable[[Tx], T]) -> T:
        """No further call after this one. Returns what `then` reads in the transaction."""
        return (await self._move(user, SeatEvent.PAUSE, then, reason))[1]

    async def off_shift(self, user: User) -> None:
        """End the shift. A ringing call is ended; a missing outcome must be given first."""
        row, _ = await self._move(user, SeatEvent.OFF_SHIFT, lambda _: None)
        if row.outcome_owed:
            raise Impossible(OWED, key="outcome_owed")
        if row.state in (SeatState.RESERVED, SeatState.RINGING):
            await self._stop(row, PHONER_OFF)

    async def hang_up(self, user: User, attempt: str | None = None) -> None:
        """End the call in hand.

        `attempt`: the call that is meant. If it is not in hand any more, nothing is left to do.

        Raises:
            Impossible: there is no call.
        """
        row = await self._ctx.store.run(lambda tx: self._seat_of(tx, user))
        if attempt is not None and attempt != row.call:
            return
        if not await self._stop(row, PHONER_HUNG_UP):
            raise Impossible("there is no call to hang up", key="no_call")

    async def hand(self, user: User, *, up: bool) -> None:
        """Raise or lower the hand for the supervisor. A raised hand keeps its time."""

        def work(tx: Tx) -> None:
            row = self._seat_of(tx, user)
            if row.state == SeatState.OFF:
                raise Impossible("you are not on shift", key="not_on_shift")
            if up == (row.hand_at is not None):
                return
            now = self._ctx.clock.now()
            seats.set_line(tx, row.id, hand_at=now if up else None)
            audit.append(tx, now, EntryKind.HAND, seat=row.id, up=up, by=f"user:{user.id}")

        await self._ctx.store.run(work)

    async def outcome(
        self,
        user: User,
        given: GivenOutcome,
        wants: str,
        attempt: str | None,
        then: Callable[[Tx], T],
    ) -> T:
        """Record the outcome of the call in hand; `wants` is ready or pause.

        `attempt`: the call it belongs to. Sending the same outcome again is not an error: the reply may have
        been lost. Returns what `then` reads in the transaction.

        Raises:
            NotFound: the campaign has no such outcome.
            Impossible: there is no call, or another one, or a detail that the outcome requires is missing.
        """

        def work(tx: Tx) -> T:
            self._outcome(tx, user, given, wants, attempt)
            return then(tx)

        return await self._ctx.store.run(work)

    def _outcome(
        self, tx: Tx, user: User, given: GivenOutcome, wants: str, attempt: str | None
    ) -> None:
        now = self._ctx.clock.now()
        row = self._seat_of(tx, user)
        if attempt is not None and attempt != row.call:
            earlier = calls.get(tx, attempt)
            if earlier is not None and earlier.phoner == user.id and given.is_recorded_for(earlier):
                return
            raise Impossible("this call is not in hand any more; correct it", key="other_call")
        call = None if row.call is None else calls.lock(tx, row.call)
        if call is None or (row.state != SeatState.TALKING and not row.outcome_owed):
            raise Impossible("there is no call whose outcome is missing", key="no_outcome_owed")
        campaign = self._ctx.rules.known(call.campaign)
        if not given.is_recorded_for(call):
            self._recording.record(tx, call, campaign, given, user)
        wanted = SeatEvent.READY if wants == "ready" else SeatEvent.PAUSE
        if row.seat.wants is not SeatState.OFF:
            reason = row.reason if row.reason not in ("", "outcome_owed") else "pause"
            row = seat_moves.move(tx, self._ctx, row, wanted, now, reason=reason)
        moved = seat_moves.move(tx, self._ctx, row, SeatEvent.OUTCOME, now)
        if moved.state == SeatState.TALKING:  # its end may not have been reported: ask at once
            calls.change(tx, call.attempt, deadline=now)

    async def correct(self, user: User, attempt: str, given: GivenOutcome) -> None:
        """Replace an outcome given earlier, or enter a missing one (OutcomeRecord.correct)."""
        await self._ctx.store.run(lambda tx: self._recording.correct(tx, user, attempt, given))

    async def wish(self, user: User, wish: str, attempt: str | None = None) -> None:
        """Record a wish of the person on the line, effective during the call (wishes.NO).

        `attempt`: the call of the wish, which is accepted also if that call has just ended.

        Raises:
            Impossible: nobody is on the line.
        """

        def work(tx: Tx) -> None:
            row = self._seat_of(tx, user)
            key = attempt or row.call
            call = None if key is None else calls.lock(tx, key)
            if call is None or call.phoner != user.id or call.answered_at is None:
                raise Impossible("nobody is on the line", key="nobody_on_the_line")
            contact = None if call.contact is None else contacts.get_locked(tx, call.contact)
            if contact is None:
                raise Impossible("the call has no contact", key="nobody_on_the_line")
            self._wishes.hear(tx, contact, wish, by=f"user:{user.id}", call=call)

        await self._ctx.store.run(work)

    async def line_over(self, user: User) -> None:
        """The phoner's browser says that its leg is over: the provider is asked at once, before it reports it."""

        def work(tx: Tx) -> None:
            row = self._seat_of(tx, user)
            if row.connected and row.leg is not None:
                outbox.add(tx, CheckPhonerLeg(row.leg))

        await self._ctx.store.run(work)

    async def _stop(self, row: SeatRow, reason: str) -> bool:
        """End the call in hand, ringing or talking; False when there is none."""

        def work(tx: Tx) -> bool:
            call = None if row.call is None else calls.lock(tx, row.call)
            if call is None or call.ended_at is not None:
                return False
            hangups.want_ended(tx, call, reason, self._ctx.clock.now())
            return True

        return await self._ctx.store.run(work)

    async def _move(
        self, user: User, event: SeatEvent, then: Callable[[Tx], T], reason: str = ""
    ) -> tuple[SeatRow, T]:
        def work(tx: Tx) -> tuple[SeatRow, T]:
            row = self._seat_of(tx, user)
            now = self._ctx.clock.now()
            try:
                moved = seat_moves.move(tx, self._ctx, row, event, now, reason=reason)
            except ImpossibleEvent as error:
                raise Impossible(str(error), key="does_not_fit") from error
            return moved, then(tx)

        return await self._ctx.store.run(work)

    def _seat_of(self, tx: Tx, user: User) -> SeatRow:
        row = seats.of_phoner(tx, user.id)
        if row is None:
            raise Impossible("you are not on shift", key="not_on_shift")
        return row

    def _seat(self, tx: Tx, seat: int) -> SeatRow:
        row = seats.lock(tx, seat)
        if row is None:
            raise NotFound(f"seat {seat} is gone", key="not_found")
        return row
