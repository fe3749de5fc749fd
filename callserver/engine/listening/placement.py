"""Decides where a listener's leg belongs, and logs it, in the caller's transaction.

Rights are checked each time: a listener who loses the right stops hearing at that moment.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from callserver.database import accounts, audit, calls, listenings, marks, seats
from callserver.database.accounts import User
from callserver.database.listenings import ListeningRow
from callserver.database.seats import SeatRow
from callserver.domain import listening as rules
from callserver.domain import subject
from callserver.domain.audit import EntryKind
from callserver.domain.instruction import Hear, WaitToHear
from callserver.domain.listening import Denial, ListenReason, Mode
from callserver.domain.marks import MarkKind
from callserver.domain.role import MAY, Action, Role
from callserver.domain.seat import IN_CALL, SeatState
from callserver.engine.context import EngineContext
from callserver.engine.identity import people_in_reach
from callserver.engine.retried_orders import HANG_UP_AGAIN
from callserver.engine.training import signatures
from callserver.errors import Impossible
from callserver.ports import Tx


@dataclass(frozen=True, slots=True)
class Placement:
    """A listener's request. `browser`: the listener's browser calls in instead of being called."""

    seat: int
    mode: Mode
    why: ListenReason
    browser: bool = False


def lock_open(
    tx: Tx, listening: int | None, listener: int | None = None
) -> tuple[SeatRow, ListeningRow] | None:
    """An open listening with its seat, locked in the order seat, listening; None if there is none."""
    known = None
    if listening is not None:
        known = listenings.get(tx, listening)
    elif listener is not None:
        known = listenings.of_listener(tx, listener)
    seat = None if known is None else seats.lock(tx, known.seat)
    row = None if known is None else listenings.lock(tx, known.id)
    if seat is None or row is None or row.ended_at is not None:
        return None
    return seat, row


def facts(
    tx: Tx, ctx: EngineContext, user: User, rights: AbstractSet[Action], seat: SeatRow, mode: Mode
) -> rules.ListeningFacts:
    """All facts for the rules."""
    return rules.ListeningFacts(
        today=ctx.clock.now().date(),
        policy=ctx.rules.current.organisation.listening,
        mode=mode,
        rights=rights,
        listener=user.id,
        listener_department=user.department,
        mentor=user.mentor,
        signed=signatures.allow_listening(tx, ctx.rules.current, user, ctx.clock.now()),
        phoner=seat.phoner,
        department=seat.department,
        present=seat.connected and seat.leg is not None and seat.state != SeatState.OFF,
        said_no=wants_no_listener(tx, seat),
    )


def wants_no_listener(tx: Tx, seat: SeatRow) -> bool:
    """Whether the person on the line wants no listener, said now or in an earlier call."""
    if seat.call is None or seat.state not in IN_CALL:
        return False
    call = calls.get(tx, seat.call)
    if call is None:
        return False
    people = people_in_reach.of_persons(tx, [call.person])
    of_people = marks.marks_of(tx, [subject.of_person(person) for person in sorted(people)])
    return any(mark.kind == MarkKind.NO_LISTENER for mark in of_people)


def place(tx: Tx, ctx: EngineContext, row: ListeningRow, seat: SeatRow) -> Hear | WaitToHear | None:
    """Where the leg belongs; None: the listening has just ended."""
    if seat.state == SeatState.OFF:
        end(tx, row, "shift_over", ctx.clock.now())
        return None
    user = accounts.user(tx, row.listener)
    if user is None or user.left_at is not None:
        end(tx, row, "right_gone", ctx.clock.now())
        return None
    state = SeatState(seat.state)
    mode = rules.mode_now(Mode(row.mode), state)
    known = facts(tx, ctx, user, _rights(tx, user), seat, mode)
    against = [no for no in rules.denials(known) if no not in rules.TEMPORARY]
    if against:
        end(tx, row, "right_gone", ctx.clock.now(), against)
        return None
    if mode != row.mode:
        listenings.change(tx, row.id, mode=mode.value)
        wanted = Placement(seat.id, mode, ListenReason(row.why))
        log_entry(
            tx,
            ctx,
            EntryKind.LISTENING_CHANGED,
            seat,
            wanted,
            row.listener,
            row.id,
            before=row.mode,
        )
    if seat.leg and rules.hears(mode, state, present=known.present, said_no=known.said_no):
        return Hear(seat.room, row.id, mode, seat.leg)
    return WaitToHear(row.id)


def open_another(
    tx: Tx, ctx: EngineContext, user: int, seat: SeatRow, wanted: Placement, **more: Any
) -> ListeningRow:
    """A new listening, logged.

    Raises:
        Impossible: the listener has one already.
    """
    now = ctx.clock.now()
    row = listenings.add(
        tx,
        seat=seat.id,
        phoner=seat.phoner,
        listener=user,
        department=seat.department,
        mode=wanted.mode.value,
        why=wanted.why.value,
        started_at=now,
        seen_at=now,
        **more,
    )
    if row is None:  # a double click
        raise Impossible("you are listening already", key="listening_already")
    log_entry(tx, ctx, EntryKind.LISTENING_STARTED, seat, wanted, user, row.id)
    return row


def _rights(tx: Tx, user: User) -> AbstractSet[Action]:
    """What the role allows; nothing while no second person has confirmed the account."""
    unconfirmed = accounts.secrets_of(tx, user.id).role_given_by is not None
    return frozenset() if unconfirmed else MAY[Role(user.role)]


def access_ended(tx: Tx, user: int, now: datetime) -> None:
    """The user's access has ended: end what they listen to. The scheduler hangs up the leg at once."""
    locked = lock_open(tx, None, user)
    if locked is not None:
        _, row = locked
        end(tx, row, "right_gone", now)
        listenings.change(tx, row.id, look_at=now)


def end(
    tx: Tx,
    row: ListeningRow,
    why: str,
    now: datetime,
    reasons: Sequence[Denial] | None = None,
) -> None:
    """End a listening, and log why. Its leg is watched until it is known to be gone."""
    look_at = None if row.leg is None else now + HANG_UP_AGAIN
    listenings.change(tx, row.id, ended_at=now, ended_because=why, look_at=look_at)
    more: dict[str, Any] = {} if reasons is None else {"reasons": list(reasons)}
    audit.append(
        tx,
        now,
        EntryKind.LISTENING_STOPPED,
        listening=row.id,
        listener=row.listener,
        phoner=row.phoner,
        seat=row.seat,
        mode=row.mode,
        why=why,
        **more,
    )


def log_entry(
    tx: Tx,
    ctx: EngineContext,
    kind: EntryKind,
    seat: SeatRow,
    wanted: Placement,
    listener: int,
    listening: int | None = None,
    **more: Any,
) -> None:
    """Log who listens to whom, how and why, with the call in hand if there is one.

    Role and departments are those of now, so that the log alone shows whether the listener might.
    """
    user = accounts.user(tx, listener)
    audit.append(
        tx,
        ctx.clock.now(),
        kind,
        call=seat.call,
        listening=listening,
        listener=listener,
        phoner=seat.phoner,
        seat=seat.id,
        mode=wanted.mode.value,
        why=wanted.why.value,
        role=None if user is None else user.role,
        department=None if user is None else user.department,
        seat_department=seat.department,
        is_mentor=user is not None and user.mentor == seat.phoner,
        **more,
    )
