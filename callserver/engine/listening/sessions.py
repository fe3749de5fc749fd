"""Listening in: somebody wants to hear a seat, or no more.

The row in `listenings` says what should be; where the leg belongs just now follows from it and from
the seat (engine/listening/placement.py), and engine/listening/legs.py keeps the leg there.
"""

from collections.abc import Set as AbstractSet

from callserver.database import listenings, seats
from callserver.database.accounts import User
from callserver.database.listenings import ListeningRow
from callserver.database.seats import SeatRow
from callserver.domain import listening as rules
from callserver.domain.audit import Kind
from callserver.domain.line import OwnLine, Problem, listening_browser
from callserver.domain.listening import Denial, Mode
from callserver.domain.role import Action
from callserver.domain.seat import State
from callserver.engine import user_lines
from callserver.engine.context import EngineContext
from callserver.engine.listening import placement
from callserver.engine.listening.leg_orders import Orders
from callserver.engine.listening.legs import ListenerLegs
from callserver.engine.listening.placement import Placement
from callserver.errors import CallserverError, Impossible, NotFound
from callserver.ports import Tx


class Denied(CallserverError):  # noqa: N818 - a no, with its reasons
    """Somebody may not listen; written into the audit log."""

    def __init__(self, reasons: tuple[Denial, ...]) -> None:
        super().__init__(", ".join(reasons))
        self.reasons = reasons


class ListeningSessions:
    """Starts, changes and stops listenings."""

    def __init__(self, ctx: EngineContext, legs: ListenerLegs) -> None:
        self._ctx = ctx
        self._legs = legs

    async def start(self, user: User, rights: AbstractSet[Action], wanted: Placement) -> int:
        """Listen to a seat, or in another mode, or to another seat; the listening's id.

        Her leg stays on the line when she changes over: it is rung the first time only.

        Raises:
            NotFound: there is no such seat.
            Denied: she may not; every reason.
            LineRefused: the listener's telephone may not be rung, or not now.
            Impossible: to be joined, somebody must be on the line.
        """
        found, orders = await self._ctx.store.run(lambda tx: self._start(tx, user, rights, wanted))
        if isinstance(found, Problem):
            raise user_lines.LineRefused(found)
        if not isinstance(found, int):
            raise Denied(found)
        self._legs.follow(orders)
        return found

    def _start(
        self, tx: Tx, user: User, rights: AbstractSet[Action], wanted: Placement
    ) -> tuple[int | Problem | tuple[Denial, ...], Orders]:
        ctx, orders = self._ctx, Orders()
        seat = seats.lock(tx, wanted.seat)
        if seat is None:
            raise NotFound("there is no such seat", key="not_found")
        against = rules.denials(placement.facts(tx, ctx, user, rights, seat, wanted.mode))
        if against:
            reasons = list(against)
            placement.write(tx, ctx, Kind.LISTEN_DENIED, seat, wanted, user.id, reasons=reasons)
            return against, orders
        if wanted.mode is Mode.JOIN and seat.state != State.TALKING:
            raise Impossible("nobody is on the line", key="nobody_on_the_line")
        # Held: her leg may be asking just now, and what it is told is written into the row.
        found = listenings.of_listener(tx, user.id)
        before = None if found is None else listenings.lock(tx, found.id)
        before = None if before is None or before.ended_at is not None else before
        if before is not None and before.seat == seat.id:
            row = self._changed(tx, before, seat, wanted)
        else:
            line: OwnLine | None = None
            if not wanted.browser and (before is None or before.leg is None):
                campaign = ctx.rules.campaign(seat.campaign)
                decided = user_lines.to_ring(tx, ctx, user, _line(user), campaign, seat=seat.id)
                if isinstance(decided, Problem):
                    return decided, orders
                line = decided
            row = self._new(tx, user, seat, wanted, before)
            if line is not None:
                caller_id = ctx.rules.campaign(seat.campaign).caller_id
                orders.ring = row.id, line, caller_id
        held = listenings.lock(tx, row.id) or row
        ring = orders.ring
        orders = self._legs.arrange(tx, held, seat)
        orders.ring = ring
        return row.id, orders

    def _changed(self, tx: Tx, row: ListeningRow, seat: SeatRow, wanted: Placement) -> ListeningRow:
        if (wanted.mode, wanted.why) == (row.mode, row.why):
            return row
        listenings.change(tx, row.id, mode=wanted.mode.value, why=wanted.why.value)
        kind = Kind.LISTENING_CHANGED
        placement.write(tx, self._ctx, kind, seat, wanted, row.listener, row.id, before=row.mode)
        return row

    def _new(
        self, tx: Tx, user: User, seat: SeatRow, wanted: Placement, before: ListeningRow | None
    ) -> ListeningRow:
        """A listening; the leg of the one before comes along."""
        if before is not None:
            placement.end(tx, self._ctx, before, "moved")
            listenings.change(tx, before.id, leg=None, look_at=None)
        return placement.open_another(
            tx,
            self._ctx,
            user.id,
            seat,
            wanted,
            line=None if wanted.browser else _line(user),
            leg=None if before is None else before.leg,
        )

    async def stop(self, user: User) -> None:
        """Listen no more."""

        self._legs.follow(await self._ctx.store.run(lambda tx: self._legs.stopped(tx, user.id)))


def _line(user: User) -> str:
    """The account's line, or the browser as a listener; never a number typed here."""
    if user.line is None or user.line.startswith("client:"):
        return listening_browser(user.id)
    return user.line
