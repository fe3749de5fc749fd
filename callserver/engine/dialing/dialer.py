"""Dials for ready seats: claim a contact, ask the gate, reserve the seat, place the call.

`dial` runs directly after the commit that made the seat ready (DialSeat), and again by the scheduler when a
waiting seat is due. Everything up to the permit is one transaction; the call is placed after its commit.
"""

from datetime import datetime, timedelta

import structlog

from callserver import outbox
from callserver.database import (
    call_budget,
    campaign_states,
    contacts,
    counting_alone,
    daily_counts,
    exchange_states,
    legs_to_end,
    listenings,
    seats,
)
from callserver.database.contacts import Contact
from callserver.database.seats import SeatRow
from callserver.domain import permit
from callserver.domain.call import DialPath
from callserver.domain.campaign import Campaign
from callserver.domain.contact_status import ContactStatus
from callserver.domain.line import LineKind, kind
from callserver.domain.permit import DialPermit, Refusal
from callserver.domain.reason import Reason
from callserver.domain.seat import PLANNED, SeatEvent, SeatState
from callserver.engine import call_slots, clock_checks
from callserver.engine.calls import lost_phoners, seat_moves
from callserver.engine.calls.call_flow import CallFlow
from callserver.engine.calls.campaign_pauses import LOOK_AGAIN
from callserver.engine.calls.carrier_refusals import BACK_OFF
from callserver.engine.context import EngineContext
from callserver.engine.dialing.placing import answer_to
from callserver.engine.gate import availability, gate
from callserver.engine.gate.stored_facts import DialRequest
from callserver.engine.listening import room_occupancy
from callserver.engine.listening.room_clearing import RoomClearing
from callserver.engine.listening.room_occupancy import LISTENER_LEAVES, ListenerInRoom
from callserver.outbox import PlaceCall
from callserver.ports import Declined, Placed, Room, Silent, Tx

log = structlog.get_logger(__name__)

REFUSALS_AT_ONCE = 20
"""The most contacts refused in one transaction, so that other transactions get their turn."""

HOUSEHOLD_BUSY = timedelta(minutes=10)
"""How long a contact is postponed if its household has an open call."""

AFTER_ERROR = timedelta(minutes=15)
"""How long a contact about whom the gate failed is postponed: what is wrong may be the contact's own, and others follow."""

CLEAR_AGAIN = timedelta(seconds=1)
"""How often a seat is checked while a listener has not left its room."""

ROOM_CLEAR_WITHIN = timedelta(seconds=10)
"""If a listener has not left a room by then, the phoner's telephone is called into another room."""

OLD_BEFORE_END = timedelta(minutes=30)
"""How long before the provider would end a phoner's leg it is reconnected: few talks last longer."""

SPREAD = 30
"""Minutes over which reconnections are spread: phoners begin their shifts at the same time."""

SLOT_KEPT = timedelta(seconds=2)
"""A calls-per-second slot not used within this time is lost."""


class Dialer:
    """Turns ready seats into calls."""

    def __init__(self, ctx: EngineContext, call_flow: CallFlow, clearing: RoomClearing) -> None:
        self._ctx = ctx
        self._call_flow = call_flow
        self._clearing = clearing

    async def dial(self, seat: int) -> None:
        """Dial the next contact for the seat, or have the seat wait and store why and until when."""
        try:
            while await self._clearing.reserving(lambda tx: self.next_call(tx, seat)):
                pass
        except ListenerInRoom:
            await self._ctx.store.run(lambda tx: self._wait_for_room(tx, seat))

    # -- inside the transaction ---------------------------------------------------------------

    def reconnects(self, tx: Tx, phoner: int) -> bool:
        """Reconnect the phoner's leg before a manual dial if it is too old. Returns whether it was."""
        now = self._ctx.clock.now()
        row = seats.of_phoner(tx, phoner)
        if (
            row is None
            or row.state not in (SeatState.PAUSED, SeatState.WAITING)
            or row.outcome_owed
        ):
            return False
        if self._is_old(row, now):
            self._reconnect(tx, row, now)
            return True
        return False

    def next_call(self, tx: Tx, seat: int) -> bool:
        """Reserve the seat for a call, or have it wait.

        True: neither happened yet; call this again at once.
        """
        now = self._ctx.clock.now()
        row = seats.lock(tx, seat)
        if row is None or row.state != SeatState.WAITING:
            return False
        if not row.connected or row.room_ref is None or self._is_old(row, now):
            self._reconnect(tx, row, now)
            return False
        campaign = self._campaign(tx, row, now)
        if campaign is None or not self._has_slot(tx, row, campaign, now):
            return False
        open_places, closed = availability.places(tx, self._ctx.rules, campaign, now)
        counting_alone.begin(tx)
        for _ in range(REFUSALS_AT_ONCE):
            claimed = contacts.claim(tx, campaign.name, open_places, row.phoner, now)
            if claimed is None:
                if contacts.promote(tx, campaign.name, now):
                    continue
                rules = self._ctx.rules
                why = availability.why_nothing(tx, rules, campaign, row.phoner, closed, now)
                self._wait(tx, row, why.reason, now, why.until)
                return False
            contact, path = claimed
            answer = gate.ask(tx, self._ctx, DialRequest(contact, campaign, path, row, now))
            if isinstance(answer, DialPermit):
                self.reserve(tx, row, campaign, answer, now)
                return False
            if (about_us := self._put_off(tx, contact, path, answer, now)) is not None:
                self._wait(tx, row, about_us.value, now)
                return False
            if counting_alone.is_waited_for(tx):
                break
        return True

    def _campaign(self, tx: Tx, row: SeatRow, now: datetime) -> Campaign | None:
        """The seat's campaign; None if it is removed, paused or another department's by now, or its exchange is away, and
        the seat waits.

        The gate refuses a paused campaign too. This earlier check avoids claiming a contact unnecessarily.
        """
        campaign = self._ctx.rules.current.campaigns.get(row.campaign or "")
        if campaign is None:
            self._wait(tx, row, "campaign_gone", now)
            return None
        if row.department not in (None, campaign.department):
            self._wait(tx, row, "other_department", now)
            return None
        if campaign_states.get(tx, campaign.name)[0]:
            self._wait(tx, row, Reason.CAMP_PAUSED.value, now)
            return None
        if self._ctx.has_exchange and exchange_states.cannot_call(tx, row.exchange, now):
            # Its calls would only be refused, and take turns from the seats of other exchanges.
            again = now + seat_moves.SAFETY_NET
            moves = seat_moves.may_change_exchange(tx, self._ctx, row, now)
            why = "another_exchange" if moves else "exchange_away"
            seat_moves.wait(tx, row, why, now, until=None, wake_at=again)
            return None
        return campaign

    def _is_old(self, row: SeatRow, now: datetime) -> bool:
        """Whether the provider might end the phoner's leg during the next talk."""
        longest = self._ctx.telephony.longest_leg
        if longest is None or row.leg_at is None:
            return False
        return now - row.leg_at >= longest - OLD_BEFORE_END - timedelta(minutes=row.id % SPREAD)

    def _reconnect(self, tx: Tx, row: SeatRow, now: datetime) -> None:
        """Have the scheduler call the phoner's telephone soon. A leg that is still up is hung up.

        Reconnecting an old phoner leg reuses the leg-lost path. An ordinary telephone may be answered by a machine then,
        so its phoner must press Ready, as after a loss.
        """
        if not row.connected or row.room_ref is None or row.leg is None:
            seat_moves.move(tx, self._ctx, row, SeatEvent.LEG_LOST, now)
            return
        legs_to_end.end(tx, row.leg, now)
        rings_at_desk = row.line is not None and kind(row.line) is LineKind.TELEPHONE
        lost_phoners.leg_lost(tx, self._ctx, row.leg, reason="" if rings_at_desk else PLANNED)

    def _has_slot(self, tx: Tx, row: SeatRow, campaign: Campaign, now: datetime) -> bool:
        """Whether a call may be ordered now; otherwise the seat waits for its slot.

        While the clock is in doubt, slots do not apply: the gate refuses and gives the reason.
        """
        kept = _kept_slot(row, now)
        budget = self._ctx.budgets.of(campaign.caller_id)
        slot = kept or call_budget.next_slot(tx, now, budget)
        if slot <= now or clock_checks.in_doubt(tx, self._ctx.clock):
            return True
        if kept is None:
            call_budget.take_slot(tx, slot, budget)
            seat_moves.wait(tx, row, "call_rate", now, until=slot, wake_at=slot, slot_at=slot)
        return False

    def slot_by_hand(
        self, tx: Tx, row: SeatRow, campaign: Campaign, now: datetime
    ) -> datetime | None:
        """When the seat may dial by hand. None: now, or slots do not apply.

        Raises:
            Impossible: it is too late to wait for.
        """
        if clock_checks.in_doubt(tx, self._ctx.clock):
            return None
        budget = self._ctx.budgets.of(campaign.caller_id)
        slot = _kept_slot(row, now) or call_budget.next_slot(tx, now, budget)
        return call_slots.soon_enough(slot, now) if slot > now else None

    def wait_by_hand(
        self, tx: Tx, row: SeatRow, campaign: Campaign, slot: datetime, now: datetime
    ) -> None:
        """The slot is the seat's from now on."""
        if _kept_slot(row, now) is None:
            call_budget.take_slot(tx, slot, self._ctx.budgets.of(campaign.caller_id))
        # Until then the list dials nobody for a seat that waits.
        wake_at = None if row.wake_at is None else max(row.wake_at, slot + SLOT_KEPT)
        seats.set_line(tx, row.id, slot_at=slot, wake_at=wake_at)

    def reserve(
        self, tx: Tx, row: SeatRow, campaign: Campaign, permit: DialPermit, now: datetime
    ) -> None:
        """Reserve the seat and queue the call. Runs in the permit's transaction.

        Raises:
            ListenerInRoom: a listener's leg may still be in the room without permission.
        """
        listening_now = listenings.open_at(tx, row.id)
        if room_occupancy.in_the_way(tx, self._ctx, row, listening_now):
            raise ListenerInRoom(row.id)
        if _kept_slot(row, now) is None:
            call_budget.take_slot(tx, now, self._ctx.budgets.of(permit.caller_id))
        daily_counts.count(tx, campaign.name, "dials", now)
        seat_moves.move(tx, self._ctx, row, SeatEvent.RESERVED, now, call=permit.attempt)
        listened_to = row.leg if listening_now else None
        outbox.add(tx, PlaceCall(row.id, permit, Room(row.room, row.room_ref), listened_to))

    def _wait_for_room(self, tx: Tx, seat: int) -> None:
        """Have the seat wait while a listener's leg is still in its room. If the leg does not leave in time,
        the phoner's telephone is called into another room."""
        now = self._ctx.clock.now()
        row = seats.lock(tx, seat)
        if row is None or row.state != SeatState.WAITING:
            return
        waits_already = row.reason == LISTENER_LEAVES and row.until is not None
        until = row.until if waits_already else now + ROOM_CLEAR_WITHIN
        if until is not None and until <= now:
            log.error("listener_not_out_of_room", seat=seat)
            self._reconnect(tx, row, now)
            return
        again = now + CLEAR_AGAIN
        seat_moves.wait(tx, row, LISTENER_LEAVES, now, until=until, wake_at=again)

    def _put_off(
        self, tx: Tx, contact: Contact, path: DialPath, refusal: Refusal, now: datetime
    ) -> Reason | None:
        """Apply a refusal to the contact.

        Returns a reason that concerns the server, for which the seat waits.
        """
        is_call_back = path is DialPath.CALL_BACK
        back = ContactStatus.CALL_BACK if is_call_back else ContactStatus.READY
        waiting = ContactStatus.CALL_BACK if is_call_back else ContactStatus.WAITING
        if Reason.SYS_ERROR in refusal.reasons:
            contacts.set_status(tx, contact.id, waiting, next_at=now + AFTER_ERROR)
            return Reason.SYS_ERROR
        about_us = [reason for reason in refusal.reasons if reason in permit.TRANSIENT]
        final = [
            reason
            for reason in refusal.reasons
            if reason not in permit.TRANSIENT and reason not in permit.TIMED
        ]
        if final:
            contacts.set_status(tx, contact.id, ContactStatus.CLOSED, reason=final[0].value)
            return None
        if about_us and about_us != [Reason.FREQ_ACTIVE_CALL]:
            contacts.set_status(tx, contact.id, back, next_at=contact.next_at)
            return next(reason for reason in about_us if reason != Reason.FREQ_ACTIVE_CALL)
        again = now + HOUSEHOLD_BUSY if about_us else (refusal.next_at or now + HOUSEHOLD_BUSY)
        contacts.set_status(tx, contact.id, waiting, next_at=again)
        return None

    def _wait(
        self, tx: Tx, row: SeatRow, reason: str, now: datetime, until: datetime | None = None
    ) -> None:
        again = now + LOOK_AGAIN
        wake_at = again if until is None else min(max(until, now + BACK_OFF), again)
        seat_moves.wait(tx, row, reason, now, until=until, wake_at=wake_at)

    # -- the order itself ---------------------------------------------------------------------

    async def place(self, order: PlaceCall) -> None:
        """Spend the permit, and apply the provider's answer."""
        answer = await answer_to(self._order(order), order.permit.attempt)
        await self._call_flow.ordered(order.permit, answer)

    async def _order(self, order: PlaceCall) -> Placed | Declined | Silent:
        not_now = await self._clearing.not_now(order.seat, order.listened_to)
        return not_now or await self._ctx.telephony.place(order.permit, order.room)


def _kept_slot(row: SeatRow, now: datetime) -> datetime | None:
    """The slot that the seat has taken, if it is not lost."""
    kept = row.slot_at is not None and now - row.slot_at <= SLOT_KEPT
    return row.slot_at if kept else None
