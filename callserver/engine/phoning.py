"""What a phoner does: on shift, ready, pause, hang up, outcome, off shift."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from callserver.database import audit, calls, contacts, seats, suppressions
from callserver.database.calls import CallRow
from callserver.database.house import User
from callserver.database.seats import SeatRow
from callserver.domain import outcome as outcomes
from callserver.domain import phone, subject
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
            NotAllowed: it belongs to another department; or the line is the telephone of somebody
                whom we know otherwise.
        """
        chosen = self._ours.rules.campaign(campaign)
        if user.department is not None and chosen.department != user.department:
            raise NotAllowed(f"campaign {campaign!r} belongs to another department")

        def work(tx: Tx) -> tuple[SeatRow, After]:
            if line is not None and line != user.line:
                self._check_line(tx, line)
            return self._on_shift(tx, user, chosen, line or user.line)

        row, after = await self._ours.store.run(work)
        self._call_flow.follow(after)
        if row.state == State.CONNECTING:
            self._ours.background.start(self._rooms.ring_in(row.id))
        return row.id

    def _on_shift(
        self, tx: Tx, user: User, campaign: Campaign, line: str | None
    ) -> tuple[SeatRow, After]:
        now = self._ours.clock.now()
        after = After()
        row = seats.open_for(tx, user.id, user.department, now)
        if row.state not in (State.OFF, State.CONNECTING, State.PAUSED) or row.outcome_owed:
            raise Impossible("you are on shift already; finish the call in hand first")
        if row.state == State.PAUSED:
            seats.set_line(tx, row.id, campaign=campaign.name)
            return self._seat(tx, row.id), after
        if row.leg is not None and (row.state == State.OFF or row.line != line):
            after.hang_up.append(row.leg)  # of her last shift, or of the telephone she had before
            seats.set_line(tx, row.id, leg=None)
        seats.set_line(tx, row.id, campaign=campaign.name, line=line, department=user.department)
        return seating.move(tx, self._ours, self._seat(tx, row.id), Event.ON_SHIFT, now), after

    def _check_line(self, tx: Tx, line: str) -> None:
        """A telephone that nobody registered as hers may ring nobody past the gate (I11)."""
        number = phone.parse(line.removeprefix("sip:").partition("@")[0])
        if not isinstance(number, str):
            return  # a softphone's name, not a telephone of the public network
        key = phone.to_int(number)
        about = (subject.of_number(key), subject.of_hash(key, self._ours.secret))
        said_no = any(one.lifted_at is None for one in suppressions.for_subjects(tx, about))
        if said_no or contacts.by_number(tx, key) or number in self._ours.rules.own_numbers:
            raise NotAllowed(
                "this line is not registered as yours; an administrator adds it: callserver user add"
            )

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
        if row.state in (State.RESERVED, State.RINGING):
            await self._stop(row, "phoner_off")

    async def hang_up(self, user: User) -> None:
        """End the call in hand."""
        row = await self._ours.store.run(lambda tx: self._seat_of(tx, user))
        if not await self._stop(row, "phoner_hung_up"):
            raise Impossible("there is no call to hang up")

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
        campaign = self._ours.rules.known(call.campaign)
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
        if calls.last_of_contact(tx, contact.id) != call.attempt:
            # An older call is corrected: what was said holds, but where the contact stands does not.
            follows = tuple(one for one in follows if isinstance(one, outcomes.SAID))
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
            self._record(tx, call, self._ours.rules.known(call.campaign), given, user)

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

    async def _stop(self, row: SeatRow, reason: str) -> bool:
        """Have the call in hand ended, ringing or talking; False when there is none."""

        def work(tx: Tx) -> bool:
            call = None if row.call is None else calls.lock(tx, row.call)
            if call is None or call.ended_at is not None:
                return False
            self._call_flow.stopping.want(tx, call, reason, self._ours.clock.now())
            return True

        open_call = await self._ours.store.run(work)
        self._call_flow.follow(After(silence=open_call))
        return open_call

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
