"""The phoner's own leg: it is rung in or calls in, joins a room of its own, and may be lost.

A room's name is fresh for each leg, so that late news of an old room cannot touch the new one; the
provider's own name for the room arrives with the news that the phoner has joined.
"""

import re
from datetime import datetime

import structlog

from callserver.database import accounts, calls, operations, seats
from callserver.database.seats import SeatRow
from callserver.domain.call import Receipt
from callserver.domain.instruction import HangUp, Instruction, JoinRoom
from callserver.domain.line import OwnLine, Problem
from callserver.domain.seat import Event, ImpossibleEvent, State
from callserver.engine import user_lines
from callserver.engine.calls import seat_moves
from callserver.engine.calls.call_flow import After, CallFlow
from callserver.engine.calls.hangups import STOP_CHECK
from callserver.engine.context import EngineContext
from callserver.ports import Declined, LegState, Placed, Room, Trouble, Tx

log = structlog.get_logger(__name__)

_CALLS = frozenset({State.RESERVED, State.RINGING, State.TALKING})

IDENTITY = re.compile("phoner_([0-9]{1,18})")
"""How a browser's softphone signs in with the provider: by the phoner's id."""


class PhonerLegs:
    """Where phoners sit."""

    def __init__(self, ctx: EngineContext, call_flow: CallFlow) -> None:
        self._ctx = ctx
        self._call_flow = call_flow

    async def ring_in(self, seat: int) -> None:
        """Ring the phoner's telephone, in her browser or on her desk, so that it joins a room."""

        def prepare(tx: Tx) -> tuple[OwnLine, str, str] | None:
            row = seats.lock(tx, seat)
            if row is None or row.state != State.CONNECTING or not row.line or row.leg is not None:
                return None  # a leg that is known already rings, or is being looked after
            if not self._slot(tx, row):
                return None
            campaign = self._ctx.rules.known(row.campaign)
            user = accounts.user(tx, row.phoner)
            line = user_lines.to_ring(tx, self._ctx, user, row.line, campaign, seat=seat)
            if isinstance(line, Problem):
                log.warning("phoner_line_refused", seat=seat, reason=line.value)
                seats.set_line(tx, seat, reason=line.value, slot_at=None)
                return None
            room = self._fresh_room(seat)
            reason = "arrived" if row.reason in set(Problem) else row.reason
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
                after = await self._ctx.store.run(lambda tx: self._rung(tx, seat, room, ref))
                self._call_flow.follow(after)

    def _slot(self, tx: Tx, row: SeatRow) -> bool:
        """Whether she may be rung now; else the seat has its turn, and upkeep rings her then."""
        now = self._ctx.clock.now()
        slot = row.slot_at or operations.next_slot(tx, now)
        if row.slot_at is None:
            operations.take_slot(tx, slot, self._ctx.calls_per_second)
        if slot > now:
            seats.set_line(tx, row.id, slot_at=slot, wake_at=slot)
        return slot <= now

    def _not_rung(self, tx: Tx, seat: int, answer: Declined) -> None:
        row = seats.lock(tx, seat)
        if row is None or row.state != State.CONNECTING:
            return
        user_lines.not_rung(tx, row.phoner, row.line)
        now = self._ctx.clock.now()
        if answer.trouble in (Trouble.LATER, Trouble.AWAY):
            seats.set_line(tx, seat, wake_at=now + seat_moves.LOST_LOOK)
        if answer.trouble is Trouble.AWAY:
            seat_moves.line_trouble(tx, row, "line_away", now)
        elif answer.trouble is not Trouble.LATER:
            seat_moves.line_trouble(tx, row, "line_declined", now)

    def _rung(self, tx: Tx, seat: int, room: str, ref: str) -> After:
        """Her telephone rings: remembered, so that it is not rung twice and falls silent with her."""
        row = seats.lock(tx, seat)
        if row is not None and row.room == room and row.leg in (None, ref):
            if row.state == State.CONNECTING:
                seats.set_line(tx, seat, leg=ref, leg_at=self._ctx.clock.now())
                return After()
            if row.state != State.OFF:
                return After()  # she has answered, and the shift goes on
        return After(hang_up=[ref])  # she left, or came in another way meanwhile

    async def phoner_calls(self, seat: int | None, identity: str | None, leg: str) -> Instruction:
        """A phoner's leg asks what to do: join the seat's room, or hang up when nobody expects it.

        `identity` (`phoner_<id>`) names a browser's leg; `seat` a leg that we rang ourselves.
        """
        if identity is not None and await self._in_a_call(identity, leg):
            log.info("second_dial_refused")
            return HangUp()
        after = After()

        def join(tx: Tx) -> Instruction:
            row = None
            if seat is not None:
                row = seats.lock(tx, seat)
            elif identity is not None and (named := IDENTITY.fullmatch(identity)):
                row = seats.of_phoner(tx, int(named.group(1)))
                user = accounts.user(tx, int(named.group(1)))
                if user is None or user.left_at is not None:
                    return HangUp()  # its sign-in may last a little longer than its owner's job
            if row is None or row.state == State.OFF:
                return HangUp()
            if seat is not None:
                user_lines.answered(tx, row.phoner, row.line)
            if row.leg == leg:  # the leg that we ring; or a request that comes again
                return JoinRoom(row.room, row.id)
            if row.leg is not None:
                # A reloaded page calls in while its old leg lives on: the newest leg is the phoner.
                after.hang_up.append(row.leg)
                after.silence = self._call_flow.leg_lost(tx, row.leg).silence
            room = row.room if row.leg is None and row.room else self._fresh_room(row.id)
            now = self._ctx.clock.now()
            seats.set_line(tx, row.id, leg=leg, leg_at=now, room=room, room_ref=None)
            return JoinRoom(room, row.id)

        instruction = await self._ctx.store.run(join)
        self._call_flow.follow(after)
        return instruction

    async def _in_a_call(self, identity: str, leg: str) -> bool:
        """Whether the user's other leg lives and a call comes up or goes on there: it is not disturbed."""
        named = IDENTITY.fullmatch(identity)
        if named is None:
            return False
        user = int(named.group(1))
        row = await self._ctx.store.read(lambda tx: seats.of_phoner(tx, user))
        if row is None or row.leg in (None, leg) or row.state not in _CALLS:
            return False
        return (await self._ctx.telephony.leg(row.leg or "")).state is LegState.TALKING

    async def phoner_left_room(self, seat: int, leg: str, room: str) -> Instruction:
        """The phoner's leg came out of its room: lost for whoever rings, and put into a new one."""

        def left(tx: Tx) -> tuple[After, Instruction]:
            row = seats.lock(tx, seat)
            if row is not None and row.leg == leg and row.room != room:
                return After(), JoinRoom(row.room, seat)  # news of an older room, once more
            after = self._call_flow.leg_lost(tx, leg)
            row = seats.lock(tx, seat)
            if row is None or row.state == State.OFF or (row.leg is not None and row.leg != leg):
                return after, HangUp()
            fresh = self._fresh_room(seat)
            seats.set_line(tx, seat, leg=leg, room=fresh, room_ref=None)
            return after, JoinRoom(fresh, seat)

        after, instruction = await self._ctx.store.run(left)
        self._call_flow.follow(after)
        return instruction

    async def phoner_leg(
        self, seat: int, leg: str, *, ended: bool, receipt: Receipt | None, reason: str = ""
    ) -> None:
        """Status of the phoner's own leg; only its end matters. `reason`: what ailed it, if known."""

        def note(tx: Tx) -> After:
            now = self._ctx.clock.now()
            if not ended or not operations.first_time(tx, receipt, now):
                return After()
            before = seats.lock(tx, seat)
            after = self._call_flow.leg_lost(tx, leg, reason)
            row = seats.lock(tx, seat)
            if row is not None and row.leg == leg:
                seats.set_line(tx, seat, leg=None, room_ref=None)
            if row is not None and reason and before is not None and before.leg == leg:
                seat_moves.line_trouble(tx, row, reason, now)
            return after

        self._call_flow.follow(await self._ctx.store.run(note))

    async def room(
        self, room: str, room_ref: str, leg: str, event: str, receipt: Receipt | None
    ) -> None:
        """News of a room: the phoner joined, left, or the room is over."""

        def note(tx: Tx) -> After:
            now = self._ctx.clock.now()
            after = After()
            if not operations.first_time(tx, receipt, now):
                return after
            row = seats.by_room(tx, room)
            if row is None:
                return after
            if event == "join" and leg == row.leg and not row.connected:
                return self._joined(tx, row, room_ref, now)
            over = event == "end" and row.room_ref == room_ref
            if row.leg is not None and (over or (event == "leave" and leg == row.leg)):
                return self._call_flow.leg_lost(tx, row.leg)
            if event in ("join", "leave"):
                self._somebody_else(tx, row, leg, event, now)
            return after

        self._call_flow.follow(await self._ctx.store.run(note))

    def _somebody_else(self, tx: Tx, row: SeatRow, leg: str, event: str, now: datetime) -> None:
        """The contact's leg came or went: should its answer or its end not be told, we ask soon.

        Coming is no answer by itself: a leg may be in the room while it still rings.
        """
        call = None if row.call is None else calls.lock(tx, row.call)
        if call is None or call.ended_at is not None or call.ref != leg:
            return
        if event == "leave" or call.answered_at is None:
            calls.change(tx, call.attempt, deadline=now + STOP_CHECK)

    async def found(self, seat: int, leg: str, room_ref: str) -> None:
        """The provider says that the phoner sits in her room, though nobody told us."""

        def note(tx: Tx) -> After:
            row = seats.lock(tx, seat)
            if row is None or row.leg != leg or row.connected:
                return After()
            return self._joined(tx, row, room_ref, self._ctx.clock.now())

        self._call_flow.follow(await self._ctx.store.run(note))

    def _joined(self, tx: Tx, row: SeatRow, room_ref: str, now: datetime) -> After:
        after = After()
        seats.set_line(tx, row.id, room_ref=room_ref)
        try:
            moved = seat_moves.move(tx, self._ctx, row, Event.JOINED, now)
        except ImpossibleEvent:
            if row.leg:
                after.hang_up.append(row.leg)
            return after
        if moved.state == State.WAITING:
            after.dial.append(row.id)
        return after

    def _fresh_room(self, seat: int) -> str:
        return f"seat-{seat}-{self._ctx.token()}"
