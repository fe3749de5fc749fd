"""Manual dials: a number that the phoner enters, or the last contact again.

The phoner chooses only the contact. It must be on the campaign's list, the gate decides as for every other
dial, and the dialer reserves and places the call.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TypeVar

from callserver.database import calls, contacts, exchange_states, look_ups, seats
from callserver.database.contacts import Contact
from callserver.database.seats import SeatRow
from callserver.domain import phone
from callserver.domain.call import DialPath
from callserver.domain.campaign import Campaign
from callserver.domain.contact_status import ContactStatus
from callserver.domain.permit import DialPermit, Refusal
from callserver.domain.seat import SeatState
from callserver.engine import call_slots
from callserver.engine.context import EngineContext
from callserver.engine.dialing.dialer import Dialer
from callserver.engine.gate import gate
from callserver.engine.gate.stored_facts import DialRequest
from callserver.engine.listening.room_clearing import RoomClearing
from callserver.engine.listening.room_occupancy import ListenerInRoom
from callserver.errors import Impossible, NotAllowed, NotFound
from callserver.ports import Tx

T = TypeVar("T")
Answer = DialPermit | Refusal | datetime | None
"""The gate's answer; when to ask again, for a slot that the seat has; or the campaign has no such contact."""


class DialRefused(Impossible):
    """The gate refused a requested dial."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(", ".join(reason.value for reason in refusal.reasons))
        self.refusal = refusal


class ManualDial:
    """Dials on a phoner's request, through the same gate."""

    def __init__(self, ctx: EngineContext, dialer: Dialer, clearing: RoomClearing) -> None:
        self._ctx = ctx
        self._dialer = dialer
        self._clearing = clearing

    async def dial(self, phoner: int, written: str) -> str:
        """Dial a contact of the seat's campaign by its number as typed. Returns the attempt's id.

        Raises:
            NotFound: the campaign has no contact with that number. Only contacts are called, because the
                source of other numbers is unknown. The look-up is logged.
            Impossible: it is not a number, or the seat cannot dial now.
            DialRefused: the gate refused, with its reasons.
        """
        key = phone.to_int(phone.typed(written))
        await self._check_line(phoner)
        answer = await self._dialing(partial(self._number, phoner=phoner, number=key))
        if answer is None:
            raise NotFound("the campaign has no contact with this number", key="no_such_contact")
        return self._attempt(answer)

    async def redial(self, phoner: int) -> str:
        """Dial the phoner's last contact again. Returns the attempt's id.

        Raises:
            NotFound: the phoner has not called anybody in this campaign.
            Impossible: the seat cannot dial now.
            DialRefused: the gate refused, with its reasons.
        """
        await self._check_line(phoner)
        answer = await self._dialing(partial(self._redial, phoner=phoner))
        if answer is None:
            raise NotFound("there is no last call to dial again", key="no_last_call")
        return self._attempt(answer)

    async def _check_line(self, phoner: int) -> None:
        if await self._ctx.store.run(lambda tx: self._dialer.reconnects(tx, phoner)):
            raise Impossible("your telephone rings again first; then try again", key="line_anew")

    async def _dialing(self, ask: Callable[..., Answer]) -> DialPermit | Refusal | None:
        """Ask the gate. A dial that it allows waits for a slot, as every dial does, and asks again.

        Raises:
            Impossible: too many calls are being ordered just now.
        """
        answer = await self._reserving(partial(ask, waits=True))
        if isinstance(answer, datetime):
            await call_slots.until(self._ctx, answer)
            answer = await self._reserving(partial(ask, waits=False))
        return None if isinstance(answer, datetime) else answer

    async def _reserving(self, work: Callable[[Tx], T]) -> T:
        try:
            return await self._clearing.reserving(work)
        except ListenerInRoom as error:
            raise Impossible(
                "somebody who listened has not left your call yet; try again in a moment",
                key="listener_leaves",
            ) from error

    @staticmethod
    def _attempt(answer: DialPermit | Refusal) -> str:
        if isinstance(answer, Refusal):
            raise DialRefused(answer)
        return answer.attempt

    # -- inside the transaction ---------------------------------------------------------------

    def _number(self, tx: Tx, phoner: int, number: int, *, waits: bool) -> Answer:
        row, campaign = self._seat(tx, phoner)
        known = contacts.by_number(tx, number, campaign.name)
        if not known:
            now, by = self._ctx.clock.now(), f"user:{phoner}"
            look_ups.record(tx, now, by, [], campaign=campaign.name)
            return None
        return self._ask(tx, row, campaign, known[0], DialPath.MANUAL, waits=waits)

    def _redial(self, tx: Tx, phoner: int, *, waits: bool) -> Answer:
        row, campaign = self._seat(tx, phoner)
        last = calls.last_of_phoner(tx, phoner)
        contact = None if last is None or last.contact is None else contacts.get(tx, last.contact)
        if contact is None or contact.campaign != campaign.name:
            return None
        return self._ask(tx, row, campaign, contact, DialPath.REDIAL, waits=waits)

    def _seat(self, tx: Tx, phoner: int) -> tuple[SeatRow, Campaign]:
        """The phoner's seat, locked, if it may dial now. A campaign may have come to another department during the shift."""
        row = seats.of_phoner(tx, phoner)
        if (
            row is None
            or row.state not in (SeatState.PAUSED, SeatState.WAITING)
            or row.outcome_owed
        ):
            raise Impossible(
                "a dial by hand needs a seat that is paused or waiting", key="dial_not_now"
            )
        if not row.connected or row.room_ref is None:
            raise Impossible("your telephone is not connected", key="not_connected")
        now = self._ctx.clock.now()
        if self._ctx.has_exchange and exchange_states.cannot_call(tx, row.exchange, now):
            raise Impossible("your exchange cannot make calls now", key="exchange_away")
        campaign = self._ctx.rules.campaign(row.campaign)
        if row.department not in (None, campaign.department):
            raise NotAllowed(
                f"campaign {campaign.name!r} belongs to another department", key="other_department"
            )
        return row, campaign

    def _ask(
        self,
        tx: Tx,
        row: SeatRow,
        campaign: Campaign,
        contact: Contact,
        path: DialPath,
        *,
        waits: bool,
    ) -> Answer:
        """`waits`: a slot that comes later is the seat's, and it asks again then."""
        now = self._ctx.clock.now()
        locked = contacts.get_locked(tx, contact.id)  # a list may be closing it at this moment
        if locked is None or locked.number != contact.number:
            return None
        contact = locked
        if contact.status == ContactStatus.CLAIMED:
            raise Impossible("this contact is being called right now", key="being_rung")
        slot = self._dialer.slot_by_hand(tx, row, campaign, now) if waits else None
        if slot is not None:
            request = DialRequest(contact, campaign, path, row, now)
            if gate.permits(tx, self._ctx, request):  # a refusal is told at once, and uses no slot
                self._dialer.wait_by_hand(tx, row, campaign, slot, now)
                return slot
        answer = gate.ask(tx, self._ctx, DialRequest(contact, campaign, path, row, now))
        if isinstance(answer, Refusal):
            return answer
        if _is_due(contact, now):
            contacts.take(tx, contact)
        self._dialer.reserve(tx, row, campaign, answer, now)
        return answer


def _is_due(contact: Contact, now: datetime) -> bool:
    """Whether the list would dial the contact now. Otherwise it keeps its status if nobody answers."""
    due = contact.next_at is not None and contact.next_at <= now
    return contact.status == ContactStatus.READY or (
        contact.status == ContactStatus.CALL_BACK and due
    )
