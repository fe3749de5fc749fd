"""A phoner rings by hand: a number of her own choosing, or the last one again.

She chooses whom, and nothing else: it is a contact of her campaign, the gate is asked as for every other
dial, and the order goes the dialer's own way.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from callserver.database import audit, calls, contacts, seats
from callserver.database.contacts import Contact
from callserver.database.seats import SeatRow
from callserver.domain import phone
from callserver.domain.audit import Kind
from callserver.domain.campaign import Campaign
from callserver.domain.permit import Refusal
from callserver.domain.phone import NumberProblem
from callserver.domain.seat import State
from callserver.engine.context import EngineContext
from callserver.engine.dialing.dialer import Dialer, Order
from callserver.engine.gate import gate
from callserver.engine.gate.gate import Question
from callserver.engine.listening.room_occupancy import ListenerInRoom
from callserver.errors import Impossible, NotFound
from callserver.ports import Tx

T = TypeVar("T")


class Refused(Impossible):
    """The gate said no to a dial that a person asked for."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(", ".join(reason.value for reason in refusal.reasons))
        self.refusal = refusal


class ManualDial:
    """Dials what a person asks for. The same gate."""

    def __init__(self, ctx: EngineContext, dialer: Dialer) -> None:
        self._ctx = ctx
        self._dialer = dialer

    async def dial(self, phoner: int, written: str) -> str:
        """Dial a contact of the seat's campaign, by the number as somebody writes it; the attempt's id.

        Raises:
            NotFound: the campaign has no contact with that number (only contacts are ever rung: of
                others nobody could say where their number comes from). The try is written down, for
                it was a look into the list.
            Impossible: it is no number, or the seat cannot dial now.
            Refused: the gate said no, and why.
        """
        parsed = phone.parse(written)
        if isinstance(parsed, NumberProblem):
            raise Impossible(
                f"this is no telephone number: {parsed.value}", key=f"number_{parsed.value}"
            )
        await self._check_line(phoner)
        key = phone.to_int(parsed)
        found = await self._reserving(lambda tx: self._number(tx, phoner, key))
        if found is None:
            raise NotFound("the campaign has no contact with this number", key="no_such_contact")
        return self._placed(found)

    async def redial(self, phoner: int) -> str:
        """Dial the phoner's last contact again; the attempt's id.

        Raises:
            NotFound: she has rung nobody of this campaign yet.
            Impossible: the seat cannot dial now.
            Refused: the gate said no, and why.
        """
        await self._check_line(phoner)
        return self._placed(await self._reserving(lambda tx: self._redial(tx, phoner)))

    async def _check_line(self, phoner: int) -> None:
        if await self._dialer.line_is_made_anew(phoner):
            raise Impossible("your telephone rings anew first; then try again", key="line_anew")

    async def _reserving(self, work: Callable[[Tx], T]) -> T:
        try:
            return await self._dialer.reserving(work)
        except ListenerInRoom as found:
            raise Impossible(
                "somebody who listened has not left your call yet; try again in a moment",
                key="listener_leaves",
            ) from found

    def _placed(self, found: tuple[int, Order] | Refusal) -> str:
        if isinstance(found, Refusal):
            raise Refused(found)
        seat, order = found
        self._ctx.background.start(self._dialer.place(seat, order))
        return order.permit.attempt

    # -- inside the transaction ---------------------------------------------------------------

    def _number(self, tx: Tx, phoner: int, number: int) -> tuple[int, Order] | Refusal | None:
        row, campaign = self._seat(tx, phoner)
        known = contacts.by_number(tx, number, campaign.name)
        if not known:
            now, by = self._ctx.clock.now(), f"user:{phoner}"
            audit.append(tx, now, Kind.LOOKED_UP, by=by, contacts=[], campaign=campaign.name)
            return None
        return self._order(tx, row, campaign, known[0], "manual")

    def _redial(self, tx: Tx, phoner: int) -> tuple[int, Order] | Refusal:
        row, campaign = self._seat(tx, phoner)
        last = calls.last_of_phoner(tx, phoner)
        found = None if last is None or last.contact is None else contacts.get(tx, last.contact)
        if found is None or found.campaign != campaign.name:
            raise NotFound("there is no last call to dial again", key="no_last_call")
        return self._order(tx, row, campaign, found, "redial")

    def _seat(self, tx: Tx, phoner: int) -> tuple[SeatRow, Campaign]:
        """Her seat, held, when it may dial now."""
        row = seats.of_phoner(tx, phoner)
        if row is None or row.state not in (State.PAUSED, State.WAITING) or row.outcome_owed:
            raise Impossible(
                "a dial by hand needs a seat that is paused or waiting", key="dial_not_now"
            )
        if not row.connected or row.room_ref is None:
            raise Impossible("your telephone is not connected", key="not_connected")
        return row, self._ctx.rules.campaign(row.campaign)

    def _order(
        self, tx: Tx, row: SeatRow, campaign: Campaign, contact: Contact, path: str
    ) -> tuple[int, Order] | Refusal:
        now = self._ctx.clock.now()
        if contact.status == "claimed":
            raise Impossible("this contact is being rung right now", key="being_rung")
        answer = gate.ask(tx, self._ctx, Question(contact, campaign, path, row, now))
        if isinstance(answer, Refusal):
            return answer
        if _list_would_ring(contact, now):
            contacts.take(tx, contact)
        return row.id, self._dialer.reserve(tx, row, campaign, answer, now)


def _list_would_ring(contact: Contact, now: datetime) -> bool:
    """Whose turn it is. Who is done with, rests or has an agreed time stays so if nobody answers."""
    due = contact.next_at is not None and contact.next_at <= now
    return contact.status == "ready" or (contact.status == "call_back" and due)
