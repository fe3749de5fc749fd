"""The two legs of a role-play call: calling them, putting them into their room, and ending them.

Both are softphones that exist for this call only. A leg that is lost before both are in the room may be
called again, in another room; afterwards the loss of either leg ends the call.
"""

from datetime import datetime, timedelta
from functools import partial

import structlog

from callserver import outbox
from callserver.database import audit, legs_to_end, role_plays
from callserver.database.role_plays import RolePlayRow
from callserver.domain import line, role_play
from callserver.domain.audit import EntryKind
from callserver.domain.instruction import HangUp, Instruction, JoinRolePlay
from callserver.domain.role_play import End, Player
from callserver.engine import call_slots
from callserver.engine.applicants import role_plays as calls
from callserver.engine.context import EngineContext
from callserver.engine.retried_orders import HANG_UP_AGAIN, RING_AGAIN_SECONDS, carry_out
from callserver.errors import Impossible
from callserver.outbox import CheckRolePlayLeg, EndRolePlayLegs
from callserver.ports import Declined, LegState, Placed, Result, Trouble, Tx

log = structlog.get_logger(__name__)

ANSWERS_WITHIN = timedelta(seconds=45)
"""The provider is asked about a leg that has not asked for instructions by then."""


class RolePlayLegs:
    """Calls both softphones, answers their legs, and makes sure that they end."""

    def __init__(self, ctx: EngineContext) -> None:
        self._ctx = ctx

    async def ring(self, key: int, player: Player) -> None:
        """Call a player's softphone, which has just signed in.

        Raises:
            Impossible: it cannot be reached now, or too many calls are being ordered.
            TooMany: it was called too often.
        """
        now = self._ctx.clock.now()
        await self._ctx.store.run(lambda tx: calls.count_connection(tx, key, player, now))
        prepare = partial(self._prepared, key=key, player=player)
        answer: object = None
        for wait in (*RING_AGAIN_SECONDS, None):
            slot = await self._ctx.store.run(prepare)
            if slot is None:
                return
            await call_slots.until(self._ctx, slot)
            answer = await self._ctx.telephony.ring_role_play(
                line.of_role_play(key, player), key, player
            )
            if not isinstance(answer, Declined) or answer.trouble is not Trouble.LATER:
                break
            if wait is not None:
                await self._ctx.clock.sleep(wait)
        match answer:
            case Placed(leg):
                await self._ctx.store.run(lambda tx: self._rung(tx, key, player, leg))
            case Declined(code=code):
                log.warning("role_play_not_rung", role_play=key, player=player.value, code=code)
                raise Impossible("the softphone cannot be reached", key="role_play_not_rung")

    def _prepared(self, tx: Tx, key: int, player: Player) -> datetime | None:
        """When the softphone may be called; None: not at all. Ends the player's older leg first.

        Raises:
            Impossible: too many calls are being ordered just now.
        """
        row = role_plays.lock(tx, key)
        if row is None or row.ended_at is not None or row.started_at is not None:
            return None
        self._replace(tx, row, player)
        return call_slots.reserve(tx, self._ctx, self._ctx.budgets.shared)

    def _replace(self, tx: Tx, row: RolePlayRow, player: Player) -> None:
        """End the player's older leg. If it is alone in the room, the room is not used again."""
        leg = row.leg(player)
        if leg is None:
            return
        legs_to_end.end(tx, leg, self._ctx.clock.now())
        role_plays.change_leg(tx, row.id, player, None)
        if row.is_in(player):
            fresh = role_play.room(row.id, self._ctx.token())
            role_plays.change(tx, row.id, room=fresh)

    def _rung(self, tx: Tx, key: int, player: Player, leg: str) -> None:
        row = role_plays.lock(tx, key)
        if row is not None and row.ended_at is None and row.leg(player) in (None, leg):
            if row.leg(player) is None:
                role_plays.change_leg(tx, key, player, leg)
                role_plays.change(tx, key, look_at=self._ctx.clock.now() + ANSWERS_WITHIN)
            return
        # The call ended meanwhile, or another leg came first.
        legs_to_end.end(tx, leg, self._ctx.clock.now())

    async def role_play_asks(self, key: int, player: Player, leg: str) -> Instruction:
        """Instruct a softphone that answered: join the room, or hang up if the call is over."""

        def join(tx: Tx) -> Instruction:
            now = self._ctx.clock.now()
            row = role_plays.lock(tx, key)
            if row is None or row.ended_at is not None:
                return HangUp()
            known = row.leg(player)
            if known not in (None, leg):
                if row.started_at is not None:
                    return HangUp()  # the call continues with its first two legs
                self._replace(tx, row, player)
                row = role_plays.lock(tx, key) or row
            role_plays.change_leg(tx, key, player, leg, now)
            role_plays.change(tx, key, look_at=now + calls.LOOK)
            row = role_plays.lock(tx, key) or row
            if row.started_at is None and all(row.is_in(player) for player in Player):
                self._start(tx, row, now)
            return JoinRolePlay(row.room, key, player)

        return await self._ctx.store.run(join)

    def _start(self, tx: Tx, row: RolePlayRow, now: datetime) -> None:
        role_plays.change(tx, row.id, started_at=now)
        audit.append(
            tx,
            now,
            EntryKind.ROLE_PLAY_STARTED,
            role_play=row.id,
            applicant=row.applicant,
            department=row.department,
            by=f"user:{row.interviewer}",
        )

    async def role_play_leg_ended(self, key: int, player: Player, leg: str) -> None:
        """A leg has ended. If both had been in the room, the call is over."""
        await self._ctx.store.run(lambda tx: self._ended(tx, key, player, leg))

    def _ended(self, tx: Tx, key: int, player: Player, leg: str) -> None:
        row = role_plays.lock(tx, key)
        if row is None or row.leg(player) != leg:
            return
        role_plays.change_leg(tx, key, player, None)
        row = role_plays.lock(tx, key) or row
        now = self._ctx.clock.now()
        if row.ended_at is None and row.started_at is not None:
            calls.end(tx, row, End.LEG_GONE, now)
        elif row.ended_at is not None and not row.legs:
            role_plays.change(tx, key, look_at=None)

    # -- for the scheduler ---------------------------------------------------------------------

    async def look(self, key: int) -> None:
        """Check whether a role-play call may go on and whether its legs are still up."""

        def work(tx: Tx) -> None:
            now = self._ctx.clock.now()
            row = role_plays.lock(tx, key)
            if row is None:
                return
            if row.ended_at is not None:
                again = now + HANG_UP_AGAIN if row.legs else None
                role_plays.change(tx, key, look_at=again)
                if row.legs:
                    outbox.add(tx, EndRolePlayLegs(key))
                return
            why = calls.due_end(tx, row, now)
            if why is not None:
                calls.end(tx, row, why, now)
                return
            role_plays.change(tx, key, look_at=now + calls.LOOK)
            for player, leg in row.legs:
                outbox.add(tx, CheckRolePlayLeg(key, player, leg))

        await self._ctx.store.run(work)

    async def check_all(self) -> None:
        """Check every role-play call, after a start or an outage."""
        now = self._ctx.clock.now()
        await self._ctx.store.run(lambda tx: role_plays.set_all_due(tx, now))

    async def check(self, order: CheckRolePlayLeg) -> None:
        """Ask the provider whether a leg is still there."""
        answer = await self._ctx.telephony.leg(order.leg)
        if answer.state not in (LegState.ENDED, LegState.UNKNOWN_LEG):
            return

        def gone(tx: Tx) -> None:
            self._ended(tx, order.role_play, order.player, order.leg)
            # If the answer is wrong, the leg is in the room.
            legs_to_end.end(tx, order.leg, self._ctx.clock.now())

        await self._ctx.store.run(gone)

    async def end_legs(self, key: int) -> None:
        """Hang up the remaining legs of a role-play call. The scheduler repeats what fails."""
        row = await self._ctx.store.read(lambda tx: role_plays.get(tx, key))
        if row is None or row.ended_at is None:
            return
        for player, leg in row.legs:
            result = await carry_out(self._ctx, partial(self._ctx.telephony.hang_up, leg))
            if result is Result.UNKNOWN:
                now = self._ctx.clock.now()
                await self._ctx.store.run(partial(legs_to_end.end, leg=leg, now=now))
            if result.settled or result is Result.UNKNOWN:
                await self.role_play_leg_ended(key, player, leg)
            else:
                log.warning("role_play_not_hung_up", role_play=key, result=result.value)
