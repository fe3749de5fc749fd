"""The phoner's leg: the system calls it or it calls in; it joins its own room, and may be lost.

Each leg gets a room with a new name, so that late reports about an old room cannot touch the new one. The
provider's own name for the room arrives with the report that the phoner has joined.
"""

import asyncio
import re
from datetime import datetime

import structlog

from callserver.database import accounts, call_budget, calls, legs_to_end, processed_events, seats
from callserver.database.seats import SeatRow
from callserver.domain.call import Receipt
from callserver.domain.exchange_names import at as at_exchange
from callserver.domain.exchange_names import exchange_of
from callserver.domain.instruction import HangUp, Instruction, JoinRoom
from callserver.domain.line import LineProblem, OwnLine
from callserver.domain.seat import IN_CALL, ImpossibleEvent, SeatEvent, SeatState
from callserver.engine import user_lines
from callserver.engine.calls import lost_phoners, seat_moves
from callserver.engine.calls.hangups import STOP_CHECK
from callserver.engine.context import EngineContext
from callserver.ports import Declined, Leg, LegState, Placed, Room, Trouble, Tx
from callserver.provider_events import RoomChange, RoomEvent

log = structlog.get_logger(__name__)

CHECK_AGAIN_SECONDS = (0.5, 2, 5)
"""Waits, in seconds, between questions about a phoner's leg while the provider does not answer."""

ASKED_WITHIN_S = 1.0
"""How long a leg that asks what to do waits while the provider is asked about another leg. It hears
nothing meanwhile, and Twilio waits for 15 s at most."""

IDENTITY = re.compile("phoner_([0-9]{1,18})")
"""How a browser's softphone signs in with the provider: by the phoner's id."""


class PhonerLegs:
    """Calls phoners, answers their legs, and detects that they are lost."""

    def __init__(self, ctx: EngineContext) -> None:
        self._ctx = ctx

    async def ring(self, seat: int) -> None:
        """Call the phoner's telephone, in the browser or on the desk, so that it joins a room."""

        def prepare(tx: Tx) -> tuple[OwnLine, str, str] | None:
            row = seats.lock(tx, seat)
            if (
                row is None
                or row.state != SeatState.CONNECTING
                or not row.line
                or row.leg is not None
            ):
                return None  # a known leg is ringing already
            if not self._slot(tx, row):
                return None
            campaign = self._ctx.rules.known(row.campaign)
            user = accounts.user(tx, row.phoner)
            line = user_lines.to_ring(tx, self._ctx, user, row.line, campaign, seat=seat)
            if isinstance(line, LineProblem):
                log.warning("phoner_line_refused", seat=seat, reason=line.value)
                seats.set_line(tx, seat, reason=line.value, slot_at=None)
                return None
            room = self._fresh_room(row)
            reason = "arrived" if row.reason in set(LineProblem) else row.reason
            seats.set_line(tx, seat, room=room, room_ref=None, slot_at=None, reason=reason)
            return line, room, campaign.caller_id

        prepared = await self._ctx.store.run(prepare)
        if prepared is None:
            return
        line, room, caller_id = prepared
        answer = await self._ctx.telephony.ring_phoner(line, seat, Room(room), caller_id)
        match answer:
            case Declined():
                log.warning("phoner_not_rung", seat=seat, code=answer.code)
                await self._ctx.store.run(lambda tx: self._not_rung(tx, seat, answer))
            case Placed(ref):
                await self._ctx.store.run(lambda tx: self._rung(tx, seat, room, ref))

    def _slot(self, tx: Tx, row: SeatRow) -> bool:
        """Whether the phoner may be called now.

        If not, the seat gets a slot, and the scheduler calls then.
        """
        now = self._ctx.clock.now()
        budget = self._ctx.budgets.of(self._ctx.rules.known(row.campaign).caller_id)
        slot = row.slot_at or call_budget.reserve_slot(tx, now, budget)
        if slot > now:
            seats.set_line(tx, row.id, slot_at=slot, wake_at=slot)
        return slot <= now

    def _not_rung(self, tx: Tx, seat: int, answer: Declined) -> None:
        row = seats.lock(tx, seat)
        if row is None or row.state != SeatState.CONNECTING:
            return
        user_lines.not_rung(tx, row.phoner, row.line)
        now = self._ctx.clock.now()
        if answer.trouble in (Trouble.LATER, Trouble.AWAY):
            seats.set_line(tx, seat, wake_at=now + seat_moves.LOST_LOOK)
        if answer.trouble is Trouble.AWAY:
            seat_moves.line_trouble(tx, row, "line_away", now)
        elif answer.trouble is not Trouble.LATER:
            seat_moves.line_trouble(tx, row, "line_declined", now)

    def _rung(self, tx: Tx, seat: int, room: str, leg: str) -> None:
        """Store the ringing leg, so that it is not called twice and can be hung up after the shift."""
        row = seats.lock(tx, seat)
        if row is not None and row.room == room and row.leg in (None, leg):
            refused = user_lines.is_refused(tx, self._ctx.terms, row.line)
            if row.state == SeatState.CONNECTING and refused:
                legs_to_end.end(tx, leg, self._ctx.clock.now())
                return
            if row.state == SeatState.CONNECTING:
                seats.set_line(tx, seat, leg=leg, leg_at=self._ctx.clock.now())
                return
            if row.state != SeatState.OFF:
                return  # the phoner has answered, and the shift goes on
        legs_to_end.end(tx, leg, self._ctx.clock.now())  # the phoner left or called in

    async def phoner_asks(self, seat: int | None, identity: str | None, leg: str) -> Instruction:
        """Instruct a phoner's leg: join the seat's room, or hang up if the leg is not expected.

        `identity` (`phoner_<id>`) names a browser's leg; `seat` names a leg that the server called.
        """
        if await self._in_a_call(seat, identity, leg):
            log.info("second_dial_refused")
            return HangUp()

        def join(tx: Tx) -> Instruction:
            now = self._ctx.clock.now()
            row = None
            if seat is not None:
                row = seats.lock(tx, seat)
            elif identity is not None and (named := IDENTITY.fullmatch(identity)):
                row = seats.of_phoner(tx, int(named.group(1)))
                user = accounts.user(tx, int(named.group(1)))
                if user is None or user.left_at is not None:
                    return HangUp()  # the softphone's sign-in may outlast the account for a moment
            # A telephone may have called in at another exchange than its seat's; a number may have become known
            # after it was called, and answered before it fell silent.
            if (
                row is None
                or row.state == SeatState.OFF
                or exchange_of(leg) != row.exchange
                or (seat is not None and user_lines.is_refused(tx, self._ctx.terms, row.line))
            ):
                return HangUp()
            if seat is not None:
                user_lines.answered(tx, row.phoner, row.line)
            if row.leg == leg:  # the leg that the server called, or a repeated request
                return JoinRoom(row.room, row.id)
            if row.leg is not None:
                # A reloaded page calls in while its old leg is still up: the newest leg is the phoner's.
                legs_to_end.end(tx, row.leg, now)
                lost_phoners.leg_lost(tx, self._ctx, row.leg)
            room = row.room if row.leg is None and row.room else self._fresh_room(row)
            seats.set_line(tx, row.id, leg=leg, leg_at=now, room=room, room_ref=None)
            return JoinRoom(room, row.id)

        return await self._ctx.store.run(join)

    async def _in_a_call(self, seat: int | None, identity: str | None, leg: str) -> bool:
        """Whether another leg of the user is, or may be, in a call, which must not be disturbed.

        A browser that is refused calls in again after some seconds. A telephone may ring twice if the reply to an
        order was lost.
        """

        def of_leg(tx: Tx) -> SeatRow | None:
            named = IDENTITY.fullmatch(identity or "")
            if seat is not None:
                return seats.lock(tx, seat)
            return seats.of_phoner(tx, int(named.group(1))) if named else None

        row = await self._ctx.store.read(of_leg)
        if row is None or row.leg in (None, leg) or row.state not in IN_CALL:
            return False
        try:
            async with asyncio.timeout(ASKED_WITHIN_S):
                found = await self._ctx.telephony.leg(row.leg or "")
        except TimeoutError:
            found = Leg(LegState.NO_ANSWER)
        if found.state is LegState.NO_ANSWER:
            # If it is gone, the next dial is let in.
            self._ctx.background.start(self.check(row.leg or ""))
        return found.state in (LegState.TALKING, LegState.NO_ANSWER)

    async def phoner_left_room(self, seat: int, leg: str, room: str) -> Instruction:
        """The phoner's leg left its room: it counts as lost for a call in hand, and joins a new room."""

        def left(tx: Tx) -> Instruction:
            row = seats.lock(tx, seat)
            if row is not None and row.leg == leg and row.room != room:
                return JoinRoom(row.room, seat)  # a repeated report about an older room
            lost_phoners.leg_lost(tx, self._ctx, leg)
            row = seats.lock(tx, seat)
            if (
                row is None
                or row.state == SeatState.OFF
                or (row.leg is not None and row.leg != leg)
            ):
                return HangUp()
            fresh = self._fresh_room(row)
            seats.set_line(tx, seat, leg=leg, room=fresh, room_ref=None)
            return JoinRoom(fresh, seat)

        return await self._ctx.store.run(left)

    async def phoner_leg_ended(
        self, seat: int, leg: str, receipt: Receipt | None, reason: str = ""
    ) -> None:
        """The phoner's leg has ended. `reason`: what was wrong with the telephone, if known."""

        def note(tx: Tx) -> None:
            now = self._ctx.clock.now()
            if not processed_events.first_time(tx, receipt, now):
                return
            before = seats.lock(tx, seat)
            lost_phoners.leg_lost(tx, self._ctx, leg, reason)
            row = seats.lock(tx, seat)
            if row is not None and reason and before is not None and before.leg == leg:
                seat_moves.line_trouble(tx, row, reason, now)

        await self._ctx.store.run(note)

    def room_changed(self, tx: Tx, event: RoomEvent, now: datetime) -> None:
        """The phoner's or the contact's leg joined or left the room, or the room ended."""
        row = seats.by_room(tx, event.room)
        if row is None:
            joins = event.of_phoner and event.change is RoomChange.JOINED
            if joins and seats.by_leg(tx, event.leg) is None:
                legs_to_end.end(tx, event.leg, now)  # a room that was given up has begun again
            return
        if self._is_of_contact(tx, row, event, now):
            return  # not recorded: repeated, it has the provider asked once more
        if not processed_events.first_time(tx, event.receipt, now):
            return
        own_leg = event.leg == row.leg
        ended = event.change is RoomChange.ENDED and row.room_ref == event.room_ref
        if event.change is RoomChange.JOINED and own_leg and not row.connected:
            self._joined(tx, row, event.room_ref, now)
        elif row.leg is not None and (ended or (event.change is RoomChange.LEFT and own_leg)):
            lost_phoners.leg_lost(tx, self._ctx, row.leg)

    @staticmethod
    def _is_of_contact(tx: Tx, row: SeatRow, event: RoomEvent, now: datetime) -> bool:
        """Whether the contact's leg joined or left the room. The provider is asked about the call then, unless a
        report comes soon.

        Joining does not mean answered: a leg may be in the room while it still rings.
        """
        if row.call is None or event.change not in (RoomChange.JOINED, RoomChange.LEFT):
            return False
        call = calls.lock(tx, row.call)
        if call is None or call.ref != event.leg:
            return False
        if call.ended_at is None and (event.change is RoomChange.LEFT or call.answered_at is None):
            calls.change(tx, call.attempt, deadline=now + STOP_CHECK)
        return True

    async def found_in_room(self, seat: int, leg: str, room_ref: str) -> None:
        """The provider says that the phoner is in the room, although this was never reported."""

        def note(tx: Tx) -> None:
            row = seats.lock(tx, seat)
            if row is not None and row.leg == leg and not row.connected:
                self._joined(tx, row, room_ref, self._ctx.clock.now())

        await self._ctx.store.run(note)

    def _joined(self, tx: Tx, row: SeatRow, room_ref: str, now: datetime) -> None:
        seats.set_line(tx, row.id, room_ref=room_ref)
        try:
            seat_moves.move(tx, self._ctx, row, SeatEvent.JOINED, now)
        except ImpossibleEvent:
            if row.leg:
                legs_to_end.end(tx, row.leg, now)

    async def check(self, leg: str) -> None:
        """Ask whether a phoner's leg is still up: its loss may not have been reported."""
        answer = await self._ctx.telephony.leg(leg)
        for wait in CHECK_AGAIN_SECONDS:
            if answer.state is not LegState.NO_ANSWER:
                break
            await self._ctx.clock.sleep(wait)
            answer = await self._ctx.telephony.leg(leg)
        if answer.state in (LegState.ENDED, LegState.UNKNOWN_LEG):
            await self._ctx.store.run(lambda tx: lost_phoners.found_ended(tx, self._ctx, leg))

    def _fresh_room(self, row: SeatRow) -> str:
        return at_exchange(row.exchange, f"seat-{row.id}-{self._ctx.token()}")
