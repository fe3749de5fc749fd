"""What a phoner does: on shift, ready, pause, hang up, outcome, off shift."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from callserver.database import audit, calls, contacts, seats
from callserver.database.accounts import User
from callserver.database.calls import CallRow
from callserver.database.seats import SeatRow
from callserver.domain import outcome as outcomes
from callserver.domain.audit import Kind
from callserver.domain.campaign import Campaign, Outcome
from callserver.domain.seat import Event, ImpossibleEvent, State
from callserver.engine import seating
from callserver.engine.call_flow import After, CallFlow
from callserver.engine.house import House
from callserver.engine.rooms import Rooms
from callserver.engine.wishes import Wishes
from callserver.errors import Impossible, NotAllowed, NotFound
from callserver.ports import Tx


@dataclass(frozen=True, slots=True)
class Given:
    """An outcome as the phoner gives it."""

    outcome: str
    details: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""


class Phoning:
    """One method for each thing a phoner can do. All raise Impossible when it does not fit."""

    def __init__(self, ours: House, call_flow: CallFlow, rooms: Rooms, wishes: Wishes) -> None:
        self._ours = ours
        self._call_flow = call_flow
        self._rooms = rooms
        self._wishes = wishes

    async def on_shift(self, user: User, campaign: str, line: str | None) -> int:
        """Take the seat for a campaign; the telephone is rung. The seat's id.

        Raises:
            NotFound: no such campaign.
            NotAllowed: it belongs to another department.
        """
        chosen = self._ours.rules.campaign(campaign)
        if user.department is not None and chosen.department != user.department:
            raise NotAllowed(f"campaign {campaign!r} belongs to another department")
        row = await self._ours.store.run(
            lambda tx: self._on_shift(tx, user, chosen, line or user.line)
        )
        if row.state == State.CONNECTING:
            self._ours.background.start(self._rooms.ring_in(row.id))
        return row.id

    def _on_shift(self, tx: Tx, user: User, campaign: Campaign, line: str | None) -> SeatRow:
        now = self._ours.clock.now()
        row = seats.open_for(tx, user.id, user.department, now)
        if row.state not in (State.OFF, State.CONNECTING, State.PAUSED) or row.outcome_owed:
            raise Impossible("you are on shift already; finish the call in hand first")
        if row.state == State.PAUSED:
            seats.set_line(tx, row.id, campaign=campaign.name)
            return self._seat(tx, row.id)
        seats.set_line(tx, row.id, campaign=campaign.name, line=line, department=user.department)
        return seating.move(tx, self._ours, self._seat(tx, row.id), Event.ON_SHIFT, now)

    async def ready(self, user: User) -> None:
        """Ready for the next call: it is dialed at once."""
        row = await self._move(user, Event.READY)
        if row.outcome_owed:
            raise Impossible("the last call's outcome comes first")

    async def pause(self, user: User, reason: str) -> None:
        """No further call after this one."""
        await self._move(user, Event.PAUSE, reason)

    async def off_shift(self, user: User) -> None:
        """Leave. What rings is silenced; an outcome that is owed comes first."""
        row = await self._move(user, Event.OFF_SHIFT)
        if row.outcome_owed:
            raise Impossible("the last call's outcome comes first")
        if row.state == State.OFF:
            if row.leg:
                self._ours.background.start(self._ours.telephony.hang_up(row.leg))
            return
        if row.state in (State.RESERVED, State.RINGING):
            await self._stop(row, "phoner_off")

    async def hang_up(self, user: User) -> None:
        """End the call in hand."""
        row = await self._ours.store.run(lambda tx: self._seat_of(tx, user))
        call = (
            None
            if row.call is None
            else await self._ours.store.run(lambda tx: calls.get(tx, row.call or ""))
        )
        if call is None or call.ended_at is not None:
            raise Impossible("there is no call to hang up")
        if call.answered_at is None:
            await self._stop(row, "phoner_hung_up")
        elif call.ref:
            self._ours.background.start(self._ours.telephony.hang_up(call.ref))

    async def outcome(self, user: User, given: Given, then: str) -> None:
        """Record what came of the call in hand; `then` is ready or pause.

        Raises:
            NotFound: the campaign has no such outcome.
            Impossible: no call, or something the outcome asks for is missing; says what.
        """
        after = await self._ours.store.run(lambda tx: self._outcome(tx, user, given, then))
        self._call_flow.follow(after)

    def _outcome(self, tx: Tx, user: User, given: Given, then: str) -> After:
        now = self._ours.clock.now()
        row = self._seat_of(tx, user)
        call = None if row.call is None else calls.lock(tx, row.call)
        if call is None or (row.state != State.TALKING and not row.outcome_owed):
            raise Impossible("there is no call whose outcome is missing")
        campaign = self._ours.rules.campaign(call.campaign)
        self._record(tx, call, campaign, given, user)
        wanted = Event.READY if then == "ready" else Event.PAUSE
        wants = row
        if row.seat.wants is not State.OFF:
            wants = seating.move(tx, self._ours, row, wanted, now, reason=row.reason)
        moved = seating.move(tx, self._ours, wants, Event.OUTCOME, now)
        after = After(silence=True)
        if moved.state == State.WAITING:
            after.dial.append(moved.id)
        return after

    def _record(self, tx: Tx, call: CallRow, campaign: Campaign, given: Given, user: User) -> None:
        """The outcome, and what follows from it, in one transaction."""
        now = self._ours.clock.now()
        chosen = self._chosen(campaign, given)
        calls.change(
            tx,
            call.attempt,
            outcome=given.outcome,
            outcome_at=now,
            details=dict(given.details),
            note=given.note or None,
        )
        audit.append(
            tx,
            now,
            Kind.OUTCOME if call.outcome is None else Kind.CORRECTED,
            contact=call.contact,
            call=call.attempt,
            outcome=given.outcome,
            before=call.outcome,
            by=user.id,
        )
        contact = None if call.contact is None else contacts.get_locked(tx, call.contact)
        if contact is None:
            return
        follows = outcomes.follow(
            chosen,
            outcomes.Given(
                details=given.details,
                phoner=call.phoner,
                campaign=campaign,
                tries=contact.tries + 1,
                tries_by_outcome=contact.tries_by_outcome or {},
                key=given.outcome,
            ),
            now,
        )
        self._wishes.apply(tx, contact, campaign, follows, by=f"user:{user.id}", now=now)

    def _chosen(self, campaign: Campaign, given: Given) -> Outcome:
        if given.outcome not in campaign.outcomes:
            known = ", ".join(campaign.outcomes)
            raise NotFound(f"the campaign has no outcome {given.outcome!r}; it has {known}")
        chosen = campaign.outcomes[given.outcome]
        missing = outcomes.missing(chosen, given.details, campaign, self._ours.clock.now())
        if missing:
            raise Impossible("; ".join(missing))
        return chosen

    async def correct(self, user: User, attempt: str, given: Given) -> None:
        """Replace an outcome given earlier; both stay in the audit log.

        Raises:
            NotFound: no such call of this phoner.
            Impossible: as outcome.
        """

        def work(tx: Tx) -> None:
            call = calls.lock(tx, attempt)
            if call is None or call.outcome is None:
                raise NotFound("there is no call with an outcome to correct")
            if user.role == "phoner" and call.phoner != user.id:
                raise NotAllowed("this was another phoner's call")
            campaign = self._ours.rules.campaign(call.campaign)
            if user.department not in (None, campaign.department):
                raise NotFound("there is no call with an outcome to correct")
            self._record(tx, call, campaign, given, user)

        await self._ours.store.run(work)
        self._call_flow.follow(After(silence=True))

    async def wish(self, user: User, wish: str) -> None:
        """What the person on the line wishes, effective while still talking: an outcome's key.

        Raises:
            Impossible: nobody is on the line.
        """

        def work(tx: Tx) -> None:
            row = self._seat_of(tx, user)
            call = None if row.call is None else calls.lock(tx, row.call)
            if call is None or call.answered_at is None:
                raise Impossible("nobody is on the line")
            contact = None if call.contact is None else contacts.get_locked(tx, call.contact)
            if contact is None:
                raise Impossible("the call has no contact")
            self._wishes.say_no(tx, contact, wish, by=f"user:{user.id}", call=call.attempt)

        await self._ours.store.run(work)
        self._call_flow.follow(After(silence=True))

    async def _stop(self, row: SeatRow, reason: str) -> None:
        def work(tx: Tx) -> None:
            call = None if row.call is None else calls.lock(tx, row.call)
            if call is not None:
                self._call_flow.want_stopped(tx, call, reason, self._ours.clock.now())

        await self._ours.store.run(work)
        self._call_flow.follow(After(silence=True))

    async def _move(self, user: User, event: Event, reason: str = "") -> SeatRow:
        def work(tx: Tx) -> SeatRow:
            row = self._seat_of(tx, user)
            try:
                return seating.move(
                    tx, self._ours, row, event, self._ours.clock.now(), reason=reason
                )
            except ImpossibleEvent as error:
                raise Impossible(str(error)) from error

        moved = await self._ours.store.run(work)
        if moved.state == State.WAITING:
            self._ours.background.start(self._call_flow.dial(moved.id))
        return moved

    def _seat_of(self, tx: Tx, user: User) -> SeatRow:
        row = seats.of_phoner(tx, user.id)
        if row is None:
            raise Impossible("you are not on shift")
        return row

    def _seat(self, tx: Tx, seat: int) -> SeatRow:
        row = seats.lock(tx, seat)
        if row is None:
            raise NotFound(f"seat {seat} is gone")
        return row
