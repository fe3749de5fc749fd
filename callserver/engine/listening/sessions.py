"""A user starts, changes or stops listening to a seat. The row in `listenings` is the intended state.

The leg's place follows from the row and the seat (placement.py); legs.py keeps the leg there.
"""

from collections.abc import Set as AbstractSet

from callserver import outbox
from callserver.database import listenings, seats
from callserver.database.accounts import User
from callserver.database.listenings import ListeningRow
from callserver.database.seats import SeatRow
from callserver.domain import exchange_names
from callserver.domain import listening as rules
from callserver.domain.audit import EntryKind
from callserver.domain.line import LineProblem, listening_browser
from callserver.domain.listening import Denial, Mode
from callserver.domain.role import Action
from callserver.domain.seat import SeatState
from callserver.engine import user_lines
from callserver.engine.context import EngineContext
from callserver.engine.listening import leg_orders, placement
from callserver.engine.listening.legs import ListenerLegs
from callserver.engine.listening.placement import Placement
from callserver.errors import CallserverError, Impossible, NotFound
from callserver.outbox import RingListener
from callserver.ports import Tx


class Denied(CallserverError):  # noqa: N818 - a refusal, with its reasons
    """A user may not listen. The denial is logged."""

    def __init__(self, reasons: tuple[Denial, ...]) -> None:
        super().__init__(", ".join(reasons))
        self.reasons = reasons


class ListeningSessions:
    """Starts, changes and stops listenings."""

    def __init__(self, ctx: EngineContext, legs: ListenerLegs) -> None:
        self._ctx = ctx
        self._legs = legs

    async def start(self, user: User, rights: AbstractSet[Action], wanted: Placement) -> int:
        """Start listening to a seat, or change mode or seat. Returns the listening's id.

        The leg stays up after a change: the listener's telephone is called only the first time.

        Raises:
            NotFound: there is no such seat.
            Denied: the user may not listen, with every reason.
            LineRefused: the listener's telephone may not be called now.
            Impossible: nobody is on the line to join.
        """
        answer = await self._ctx.store.run(lambda tx: self.start_in(tx, user, rights, wanted))
        if isinstance(answer, LineProblem):
            raise user_lines.LineRefused(answer)
        if not isinstance(answer, int):
            raise Denied(answer)
        return answer

    def start_in(
        self, tx: Tx, user: User, rights: AbstractSet[Action], wanted: Placement
    ) -> int | LineProblem | tuple[Denial, ...]:
        ctx = self._ctx
        seat = seats.lock(tx, wanted.seat)
        if seat is None:
            raise NotFound("there is no such seat", key="not_found")
        against = rules.denials(placement.facts(tx, ctx, user, rights, seat, wanted.mode))
        if against:
            reasons = list(against)
            placement.log_entry(
                tx, ctx, EntryKind.LISTEN_DENIED, seat, wanted, user.id, reasons=reasons
            )
            return against
        if wanted.mode is Mode.JOIN and seat.state != SeatState.TALKING:
            raise Impossible("nobody is on the line", key="nobody_on_the_line")
        # Locked, because the leg may be asking just now, and its answer is written into the row.
        known = listenings.of_listener(tx, user.id)
        before = None if known is None else listenings.lock(tx, known.id)
        before = None if before is None or before.ended_at is not None else before
        if before is not None and self._is_elsewhere(before, seat):
            leg_orders.end(tx, ctx, before, "moved")
            before = None
        if before is not None and before.seat == seat.id:
            row = self._changed(tx, before, seat, wanted)
        else:
            rings = not wanted.browser and (before is None or before.leg is None)
            campaign = ctx.rules.campaign(seat.campaign) if rings else None
            if campaign is not None:
                now, address = ctx.clock.now(), _line(user)
                decided = user_lines.decide(tx, ctx.terms, user, address, campaign, now)
                if isinstance(decided, LineProblem):
                    user_lines.refused(tx, user, address, decided, now, seat=seat.id)
                    return decided
            row = self._new(tx, user, seat, wanted, before)
            if campaign is not None:
                outbox.add(tx, RingListener(row.id, campaign.caller_id, seat.exchange))
        self._legs.arrange(tx, listenings.lock(tx, row.id) or row, seat)
        return row.id

    @staticmethod
    def _is_elsewhere(before: ListeningRow, seat: SeatRow) -> bool:
        """Whether the listener's leg is at another exchange than the seat: it cannot hear the seat."""
        return before.leg is not None and exchange_names.exchange_of(before.leg) != seat.exchange

    def _changed(self, tx: Tx, row: ListeningRow, seat: SeatRow, wanted: Placement) -> ListeningRow:
        if (wanted.mode, wanted.why) == (row.mode, row.why):
            return row
        listenings.change(tx, row.id, mode=wanted.mode.value, why=wanted.why.value)
        kind = EntryKind.LISTENING_CHANGED
        placement.log_entry(
            tx, self._ctx, kind, seat, wanted, row.listener, row.id, before=row.mode
        )
        return row

    def _new(
        self, tx: Tx, user: User, seat: SeatRow, wanted: Placement, before: ListeningRow | None
    ) -> ListeningRow:
        """A new listening, which takes over the leg of the previous one."""
        if before is not None:
            placement.end(tx, before, "moved", self._ctx.clock.now())
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
        """Stop listening."""

        await self._ctx.store.run(lambda tx: self.stop_in(tx, user.id))

    def stop_in(self, tx: Tx, listener: int) -> None:
        locked = placement.lock_open(tx, None, listener)
        if locked is not None:
            leg_orders.end(tx, self._ctx, locked[1], "stopped")


def _line(user: User) -> str:
    """The account's line, or the user's browser as a listener; never a number typed here."""
    if user.line is None or user.line.startswith("client:"):
        return listening_browser(user.id)
    return user.line
