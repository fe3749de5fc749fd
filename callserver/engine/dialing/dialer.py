"""A seat is ready: claim, gate, permit, place.

`dial` is called at once by whatever made the seat ready, in that process; upkeep calls it again when
the time has come that a waiting seat was told. Everything up to the permit is one transaction.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from callserver.database import contacts, listenings, operations, seats
from callserver.database.contacts import Contact
from callserver.database.seats import SeatRow
from callserver.domain import call as machine
from callserver.domain import permit
from callserver.domain.campaign import Campaign
from callserver.domain.permit import DialPermit, PermitVoid, Refusal
from callserver.domain.reason import Reason
from callserver.domain.seat import Event, State
from callserver.engine import clock_checks
from callserver.engine.calls import seat_moves
from callserver.engine.calls.call_flow import After, CallFlow
from callserver.engine.calls.campaign_pauses import LOOK_AGAIN
from callserver.engine.calls.carrier_refusals import BACK_OFF
from callserver.engine.context import EngineContext
from callserver.engine.gate import availability, gate
from callserver.engine.gate.gate import Question
from callserver.engine.listening import room_occupancy
from callserver.engine.listening.legs import ListenerLegs
from callserver.engine.listening.room_clearing import RoomClearing
from callserver.engine.listening.room_occupancy import LISTENER_LEAVES, ListenerInRoom
from callserver.ports import Declined, Placed, Room, Silent, Trouble, Tx

log = structlog.get_logger(__name__)

REFUSALS_AT_ONCE = 20
"""Contacts that may be refused in one transaction before others get their turn."""

HOUSEHOLD_BUSY = timedelta(minutes=10)
"""A contact whose household is on the telephone just now is put off this long."""

CLEAR_AGAIN = timedelta(seconds=1)
"""A seat whose room a listener has not left is looked at this often."""

ROOM_CLEAR_WITHIN = timedelta(seconds=10)
"""A room that a listener has not left by then is given up: the phoner's telephone is rung anew."""

OLD_BEFORE_END = timedelta(minutes=30)
"""So long before the provider would end it, a phoner's leg is made anew: few talks last longer."""

SPREAD = 30
"""Minutes over which the legs of one evening are made anew: their phoners came together."""

SLOT_KEPT = timedelta(seconds=2)
"""A calls-per-second slot not used within this time is lost."""


@dataclass(frozen=True, slots=True)
class Order:
    """A permit, and the room to ring it into."""

    permit: DialPermit
    room: Room
    heard: str | None = None  # the phoner's leg, when somebody listens to her


class Dialer:
    """Turns ready seats into calls."""

    def __init__(self, ctx: EngineContext, call_flow: CallFlow, legs: ListenerLegs) -> None:
        self._ctx = ctx
        self._call_flow = call_flow
        self._clearing = RoomClearing(ctx, legs)
        self.reserving = self._clearing.reserving

    async def dial(self, seat: int) -> None:
        """Dial the next contact for the seat, or tell the seat why not and until when."""
        while True:
            try:
                found = await self.reserving(lambda tx: self._next(tx, seat))
            except ListenerInRoom:
                self._call_flow.follow(
                    await self._ctx.store.run(lambda tx: self._wait_for_room(tx, seat))
                )
                return
            if isinstance(found, Order):
                await self.place(seat, found)
                return
            if isinstance(found, After):
                self._call_flow.follow(found)
                return
            if found is None:
                return

    async def line_is_made_anew(self, phoner: int) -> bool:
        """Whether her line is too old for a dial by hand; then it is made anew, and she asks again."""

        def work(tx: Tx) -> After | None:
            now = self._ctx.clock.now()
            row = seats.of_phoner(tx, phoner)
            if row is None or row.state not in (State.PAUSED, State.WAITING) or row.outcome_owed:
                return None
            return self._line_first(tx, row, now) if self._is_old(row, now) else None

        after = await self._ctx.store.run(work)
        if after is not None:
            self._call_flow.follow(after)
        return after is not None

    # -- inside the transaction ---------------------------------------------------------------

    def _next(self, tx: Tx, seat: int) -> Order | After | bool | None:
        """An order, or what comes first; True: ask me again at once; None: the seat waits, or dials
        no more."""
        now = self._ctx.clock.now()
        row = seats.lock(tx, seat)
        if row is None or row.state != State.WAITING:
            return None
        if not row.connected or row.room_ref is None or self._is_old(row, now):
            return self._line_first(tx, row, now)
        campaign = self._goes_on(tx, row, now)
        if campaign is None:
            return None
        open_places, closed = availability.places(tx, self._ctx.rules, campaign, now)
        for _ in range(REFUSALS_AT_ONCE):
            claimed = contacts.claim(tx, campaign.name, open_places, row.phoner, now)
            if claimed is None:
                if contacts.promote(tx, campaign.name, now):
                    continue
                rules = self._ctx.rules
                why = availability.why_nothing(tx, rules, campaign, row.phoner, closed, now)
                self._wait(tx, row, why.reason, now, why.until)
                return None
            contact, path = claimed
            answer = gate.ask(tx, self._ctx, Question(contact, campaign, path, row, now))
            if isinstance(answer, DialPermit):
                return self.reserve(tx, row, campaign, answer, now)
            if self._put_off(tx, contact, path, answer, now):
                self._wait(tx, row, answer.reasons[0].value, now)
                return None
        return True

    def _goes_on(self, tx: Tx, row: SeatRow, now: datetime) -> Campaign | None:
        """The seat's campaign when a call may be ordered for it now; else the seat waits."""
        campaign = self._ctx.rules.current.campaigns.get(row.campaign or "")
        if campaign is None:
            self._wait(tx, row, "campaign_gone", now)
            return None
        if operations.campaign_state(tx, campaign.name)[0]:
            self._wait(tx, row, Reason.CAMP_PAUSED.value, now)
            return None
        return campaign if self._slot(tx, row, now) else None

    def _is_old(self, row: SeatRow, now: datetime) -> bool:
        """Whether the provider might end the phoner's leg in the middle of the next talk."""
        longest = self._ctx.telephony.longest_leg
        if longest is None or row.leg_at is None:
            return False
        return now - row.leg_at >= longest - OLD_BEFORE_END - timedelta(minutes=row.id % SPREAD)

    def _line_first(self, tx: Tx, row: SeatRow, now: datetime) -> After:
        """Her telephone is not in its room, or it is hung up now: upkeep rings it in a moment."""
        if not row.connected or row.room_ref is None or row.leg is None:
            seat_moves.move(tx, self._ctx, row, Event.LEG_LOST, now)
            return After()
        after = self._call_flow.leg_lost(tx, row.leg, reason="leg_old")
        after.hang_up.append(row.leg)
        return after

    def _slot(self, tx: Tx, row: SeatRow, now: datetime) -> bool:
        """Whether a call may be ordered now; else the seat has its turn, and waits for it."""
        if row.slot_at is not None and row.slot_at <= now:
            if now - row.slot_at <= SLOT_KEPT:
                return True
        elif row.slot_at is not None:
            return clock_checks.in_doubt(tx, self._ctx.clock)  # the gate refuses, and says why
        slot = operations.next_slot(tx, now)
        if slot <= now or clock_checks.in_doubt(tx, self._ctx.clock):
            return True
        operations.take_slot(tx, slot, self._ctx.calls_per_second)
        seat_moves.wait(tx, row, "call_rate", now, until=slot, wake_at=slot, slot_at=slot)
        return False

    def reserve(
        self, tx: Tx, row: SeatRow, campaign: Campaign, answer: DialPermit, now: datetime
    ) -> Order:
        """Within the permit's transaction: the seat is in a call from now on; what is to be placed.

        Raises:
            ListenerInRoom: somebody who listened may still be in the room, and may not be.
        """
        if room_occupancy.in_the_way(tx, self._ctx, row):
            raise ListenerInRoom(row.id)
        if row.slot_at is None or now - row.slot_at > SLOT_KEPT:
            operations.take_slot(tx, now, self._ctx.calls_per_second)
        operations.count(tx, campaign.name, "dials", now)
        seat_moves.move(tx, self._ctx, row, Event.RESERVED, now, call=answer.attempt)
        heard = row.leg if listenings.open_at(tx, row.id) else None
        return Order(answer, Room(row.room, row.room_ref), heard)

    def _wait_for_room(self, tx: Tx, seat: int) -> After:
        """A listener's leg is still in the seat's room: the seat waits and says so. If it cannot be
        had out in time, the phoner's telephone is rung anew, and has another room."""
        now = self._ctx.clock.now()
        row = seats.lock(tx, seat)
        if row is None or row.state != State.WAITING:
            return After()
        waits_already = row.reason == LISTENER_LEAVES and row.until is not None
        until = row.until if waits_already else now + ROOM_CLEAR_WITHIN
        if until is not None and until <= now:
            log.error("listener_not_out_of_room", seat=seat)
            return self._line_first(tx, row, now)
        again = now + CLEAR_AGAIN
        seat_moves.wait(tx, row, LISTENER_LEAVES, now, until=until, wake_at=again)
        return After()

    def _put_off(
        self, tx: Tx, contact: Contact, path: str, refusal: Refusal, now: datetime
    ) -> bool:
        """What a refusal makes of the contact; True when it is about us, and the seat should wait."""
        back = "call_back" if path == "call_back" else "ready"
        about_us = [reason for reason in refusal.reasons if reason in permit.TRANSIENT]
        final = [
            reason
            for reason in refusal.reasons
            if reason not in permit.TRANSIENT and reason not in permit.TIMED
        ]
        if final:
            contacts.set_status(tx, contact.id, "closed", reason=final[0].value)
            return False
        if about_us and about_us != [Reason.FREQ_ACTIVE_CALL]:
            contacts.set_status(tx, contact.id, back, next_at=contact.next_at)
            return True
        again = now + HOUSEHOLD_BUSY if about_us else (refusal.next_at or now + HOUSEHOLD_BUSY)
        waiting = "call_back" if path == "call_back" else "waiting"
        contacts.set_status(tx, contact.id, waiting, next_at=again)
        return False

    def _wait(
        self, tx: Tx, row: SeatRow, reason: str, now: datetime, until: datetime | None = None
    ) -> None:
        again = now + LOOK_AGAIN
        wake_at = again if until is None else min(max(until, now + BACK_OFF), again)
        seat_moves.wait(tx, row, reason, now, until=until, wake_at=wake_at)

    # -- the order itself ---------------------------------------------------------------------

    async def place(self, seat: int, order: Order) -> None:
        """Have it rung, and take in what the provider says to that."""
        attempt = order.permit.attempt
        try:
            answer = await self._clearing.not_now(
                seat, order.heard
            ) or await self._ctx.telephony.place(order.permit, order.room)
        except PermitVoid:
            answer = Declined(Trouble.LATER, 0, "the permit was too old")
        except Exception:
            log.exception("place_failed", attempt=attempt)
            answer = Silent("our own error")
        match answer:
            case Placed(ref):
                await self._call_flow.receive(attempt, machine.Report.TAKEN, None, ref=ref)
            case Silent(why):
                await self._call_flow.receive(attempt, machine.Report.NO_REPLY, None, why=why)
            case Declined():
                await self._call_flow.declined(attempt, answer)
