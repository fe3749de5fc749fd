"""A listener's leg: what it is told when it asks, where it is moved, and that it ends.

Whatever moves a seat stirs its listenings (engine/seating.py), and upkeep looks at what was stirred:
so a leg follows the seat over calls, lost legs and restarts, and none is left behind.
"""

from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from callserver.database import house, listenings
from callserver.database.listenings import ListeningRow
from callserver.domain.instruction import HangUp, Hear, Instruction, WaitToHear
from callserver.domain.listening import Mode
from callserver.engine import hearing
from callserver.engine.call_flow import After, CallFlow
from callserver.engine.house import House
from callserver.ports import Declined, LegState, Placed, Tx

log = structlog.get_logger(__name__)

LOOK = timedelta(seconds=30)
"""The safety net: every open listening is looked at this often, moved or not."""

SEEN_WITHIN = timedelta(seconds=60)
"""A leg that gave no sign of life for so long is asked about."""

AGAIN = timedelta(seconds=5)
"""An order to a leg that has not shown any effect by then is given again."""

ANSWERS_WITHIN = timedelta(seconds=45)
"""A listener whose telephone was not answered by then does not listen."""

A_MOMENT = timedelta(seconds=1)


@dataclass(slots=True)
class Orders:
    """What is to be done on the telephone once the transaction is durable."""

    ring: tuple[int, str, str] | None = None  # listening, line, caller id
    hear: tuple[str, Hear | WaitToHear] | None = None
    check: tuple[int, str] | None = None  # listening, its leg: is it still there?
    after: After = field(default_factory=After)


class ListenerLegs:
    """Answers legs, moves them, and sees that they end."""

    def __init__(self, ours: House, call_flow: CallFlow) -> None:
        self._ours = ours
        self._call_flow = call_flow

    async def leg_calls(
        self,
        listening: int | None,
        listener: int | None,
        leg: str,
        hears: tuple[Mode, str] | None = None,
    ) -> Instruction:
        """A listener's leg asks what to hear. `listener` names a browser's leg that called in.

        `hears`: mode and phoner's leg, where the provider knows what the leg hears as it asks.
        """
        instruction, after = await self._ours.store.run(
            lambda tx: self._leg_calls(tx, listening, listener, leg, hears)
        )
        self._call_flow.follow(after)
        return instruction

    def _leg_calls(
        self,
        tx: Tx,
        listening: int | None,
        listener: int | None,
        leg: str,
        hears: tuple[Mode, str] | None,
    ) -> tuple[Instruction, After]:
        now, after = self._ours.clock.now(), After()
        # It may have come along from the listening that it was rung for.
        known = listenings.by_leg(tx, leg)
        held = hearing.hold(tx, listening if known is None else known.id, listener)
        if held is None:
            return HangUp(), after
        seat, row = held
        if row.leg is not None and row.leg != leg:
            after.hang_up.append(row.leg)  # a reloaded page: the newest leg is hers
            row = row._replace(room=None, heard_as=None)
        where = hearing.place(tx, self._ours, row, seat)
        if where is None:
            return HangUp(), after
        look_at = now + LOOK
        if (
            isinstance(where, Hear)
            and hearing.sent(where) == row.sent
            and hears != (where.mode, where.phoner)
        ):
            # She came out of the room though she belongs there: it may be over, its end untold.
            after.check_room += [] if seat.leg is None else [seat.leg]
            where, look_at = WaitToHear(row.id), now + A_MOMENT
        room, heard_as = hearing.sent(where)
        listenings.change(
            tx, row.id, leg=leg, room=room, heard_as=heard_as, seen_at=now, look_at=look_at
        )
        if isinstance(where, Hear):
            hearing.note(tx, self._ours, row, seat)
        return where, after

    async def leg_came(self, leg: str, room: str) -> None:
        """The network says that a listener's leg is in a room now: is it where it belongs?

        A network may act late on what the leg was told before. What is so is written down, and
        `look` sees to the rest; a leg that has no business there any more is hung up.
        """

        def work(tx: Tx) -> int | None:
            row = listenings.by_leg(tx, leg)
            if row is None or (row.ended_at is None and row.room == room):
                return None
            listenings.change(tx, row.id, room=room, heard_as=None)
            return row.id

        listening = await self._ours.store.run(work)
        if listening is not None:
            await self.look(listening)

    async def leg_gone(self, leg: str) -> None:
        """The listener put the receiver down, or never took it up."""

        def work(tx: Tx) -> None:
            row = listenings.by_leg(tx, leg)
            if row is not None:
                self._gone(tx, row)

        await self._ours.store.run(work)

    # -- upkeep ---------------------------------------------------------------------------------

    async def look(self, listening: int) -> None:
        """See whether the listener may go on, and where her leg belongs now."""
        self.follow(await self._ours.store.run(lambda tx: self._look(tx, listening)))

    async def check_all(self) -> None:
        """After a start nothing is taken for granted: every listener's leg is asked about."""
        for row in await self._ours.store.run(listenings.every_watched):
            await self.look(row.id)
            if row.leg is not None:
                self._ours.background.start(self._check(row.id, row.leg))

    async def look_at_seat(self, seat: int) -> None:
        """The same, at once, for everybody who listens to a seat."""
        for row in await self._ours.store.run(lambda tx: listenings.open_at(tx, seat)):
            await self.look(row.id)

    def _look(self, tx: Tx, listening: int) -> Orders:
        held = hearing.hold(tx, listening)
        if held is None:
            return self._after_the_end(tx, listening)
        seat, row = held
        now, orders = self._ours.clock.now(), Orders()
        where = hearing.place(tx, self._ours, row, seat)
        if where is None:
            orders.after.hang_up += [] if row.leg is None else [row.leg]
            return orders
        look_at = now + LOOK
        if row.leg is None:
            if now - row.started_at >= ANSWERS_WITHIN:
                return self.ended(tx, row, "not_answered")
            look_at = row.started_at + ANSWERS_WITHIN
        elif hearing.sent(where) != row.sent:
            orders.hear, look_at = (row.leg, where), now + AGAIN
        elif isinstance(where, Hear):
            hearing.note(tx, self._ours, row, seat)
        if row.leg is not None and now - (row.seen_at or row.started_at) >= SEEN_WITHIN:
            orders.check = row.id, row.leg
            if row.room is not None and seat.leg:
                # A room with a listener in it does not end by itself when the phoner is gone.
                orders.after.check_room.append(seat.leg)
        listenings.change(tx, row.id, look_at=look_at)
        return orders

    def _after_the_end(self, tx: Tx, listening: int) -> Orders:
        """The listening has ended; its leg is hung up until it is known to be gone."""
        row = listenings.lock(tx, listening)
        if row is None or row.ended_at is None:
            return Orders()
        if row.leg is None:
            listenings.change(tx, row.id, look_at=None)
            return Orders()
        listenings.change(tx, row.id, look_at=self._ours.clock.now() + hearing.HANG_UP_AGAIN)
        return Orders(check=(row.id, row.leg), after=After(hang_up=[row.leg]))

    def _gone(self, tx: Tx, row: ListeningRow) -> None:
        if row.ended_at is None:
            hearing.end(tx, self._ours, row, "leg_gone")
        listenings.change(tx, row.id, leg=None, look_at=None)

    def ended(self, tx: Tx, row: ListeningRow, why: str) -> Orders:
        """End it, and hang up."""
        hearing.end(tx, self._ours, row, why)
        return Orders(after=After(hang_up=[] if row.leg is None else [row.leg]))

    # -- on the telephone -------------------------------------------------------------------------

    def follow(self, orders: Orders) -> None:
        """Send out what follows."""
        background = self._ours.background
        self._call_flow.follow(orders.after)
        if orders.ring is not None:
            background.start(self._ring(*orders.ring))
        if orders.hear is not None:
            background.start(self._ours.telephony.hear(*orders.hear))
        if orders.check is not None:
            background.start(self._check(*orders.check))

    async def _ring(self, listening: int, line: str, caller_id: str) -> None:
        def slot(tx: Tx) -> None:
            at = house.next_slot(tx, self._ours.clock.now())
            house.take_slot(tx, at, self._ours.calls_per_second)

        def note(tx: Tx) -> Orders:
            row = listenings.lock(tx, listening)
            lasts = row is not None and row.ended_at is None
            match answer:
                case Placed(ref) if listenings.by_leg(tx, ref) is not None:
                    pass  # it asked before this answer came, and may have gone along to another seat
                case Placed(ref) if not lasts:  # stopped in the meantime
                    listenings.change(tx, listening, leg=ref, look_at=self._ours.clock.now())
                case Placed(ref) if row is not None and row.leg is None:
                    listenings.change(tx, listening, leg=ref)
                case Declined(code=code) if row is not None and lasts:
                    log.warning("listener_not_rung", listening=listening, code=code)
                    return self.ended(tx, row, "not_rung")
            return Orders()

        await self._ours.store.run(slot)
        answer = await self._ours.telephony.ring_listener(line, listening, caller_id)
        self.follow(await self._ours.store.run(note))

    async def _check(self, listening: int, leg: str) -> None:
        found = await self._ours.telephony.leg(leg)

        def note(tx: Tx) -> None:
            row = listenings.lock(tx, listening)
            if row is None or row.leg != leg:
                return
            if found.state in (LegState.ENDED, LegState.UNKNOWN_LEG):
                self._gone(tx, row)
            elif found.state is not LegState.NO_ANSWER:
                listenings.change(tx, listening, seen_at=self._ours.clock.now())

        await self._ours.store.run(note)
