"""Seat transitions: the new state, its audit entry and follow-ups, and the scheduler's next look."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from callserver import outbox
from callserver.database import audit, exchange_states, listenings, seats
from callserver.database.seats import SeatRow
from callserver.domain import seat as machine
from callserver.domain.audit import EntryKind
from callserver.domain.line import LineKind, kind
from callserver.domain.seat import IN_CALL, Pause, Seat, SeatEvent, SeatState
from callserver.engine import clock_checks
from callserver.engine.context import EngineContext
from callserver.engine.training import standings
from callserver.outbox import DialSeat
from callserver.ports import Tx

SAFETY_NET = timedelta(seconds=5)
"""When the scheduler dials for a ready seat if the process that should do it at once has died."""

CONNECTING_LOOK = timedelta(seconds=30)
"""How often a seat whose telephone is not in the room is checked."""

LOST_LOOK = timedelta(seconds=5)
"""When a seat that lost its telephone is checked: the telephone is called if it has not come back."""


def move(
    tx: Tx,
    ctx: EngineContext,
    row: SeatRow,
    event: SeatEvent,
    now: datetime,
    *,
    reason: str = "",
    call: str | None = None,
) -> SeatRow:
    """Move the seat, log the move, and return the new state. If the seat is ready, it is dialed for.

    `call`: the attempt, with RESERVED only. A seat outside a call that owes no outcome has none.

    Raises:
        ImpossibleEvent: the event does not fit the seat.
    """
    before = row.seat
    seat = machine.move(before, event, reason)
    if seat.state is SeatState.WAITING:
        outbox.add(tx, DialSeat(row.id))
    if seat != before:
        listenings.set_due_at_seat(tx, row.id, now)
    if seat.connected != row.connected:
        training = ctx.rules.current.training
        jumped = clock_checks.jumped(ctx.clock)
        standings.moved(tx, training, row, now, inside=seat.connected, clock_jumped=jumped)
    keeps = seat.state in IN_CALL or seat.state is SeatState.WRAPPING_UP or seat.outcome_owed
    attempt = call or (row.call if keeps else None)
    until, wake_at, slot_at = row.until, row.wake_at, row.slot_at
    if seat.state is not before.state:
        until, wake_at = _look_again(ctx, row, seat.state, now)
        if seat.state is SeatState.CONNECTING and event is not SeatEvent.ON_SHIFT:
            wake_at = now + LOST_LOOK
        slot_at = row.slot_at if seat.state is SeatState.WAITING else None
        _log(tx, row, seat, now, call=attempt)
    elif (seat.connected, seat.wants, seat.reason) != (row.connected, row.wants, row.reason):
        # Shown on the floor: what the phoner wants next, whether their telephone is connected, why they
        # pause.
        wants = seat.wants.value
        _log(tx, row, seat, now, call=attempt, connected=seat.connected, wants=wants)
    if seat.state is SeatState.OFF and row.hand_at is not None:
        seats.set_line(tx, row.id, hand_at=None)
        row = row._replace(hand_at=None)
    return seats.store(
        tx, row, seat, now, call=attempt, until=until, wake_at=wake_at, slot_at=slot_at
    )


def pause(tx: Tx, row: SeatRow, now: datetime) -> None:
    """Dial nobody for the seat until its phoner is ready again. Commands use it too."""
    before = row.seat
    if before.wants is not SeatState.WAITING or before.state is SeatState.OFF:
        return
    seat = machine.move(before, SeatEvent.PAUSE, Pause.PAUSE)
    stays = seat.state is before.state
    listenings.set_due_at_seat(tx, row.id, now)
    _log(tx, row, seat, now, call=row.call, connected=seat.connected, wants=seat.wants.value)
    seats.store(
        tx,
        row,
        seat,
        now,
        call=row.call,
        until=row.until if stays else None,
        wake_at=row.wake_at if stays else None,
        slot_at=row.slot_at if stays else None,
    )


def may_change_exchange(tx: Tx, ctx: EngineContext, row: SeatRow, now: datetime) -> bool:
    """Whether the shift may go on through another exchange: the seat's does not answer while another does, no
    call is in hand or owes its outcome, and the telephone is not a SIP telephone, which is set to one exchange."""
    movable = row.state in (SeatState.WAITING, SeatState.PAUSED, SeatState.CONNECTING)
    if not movable or row.outcome_owed or kind(row.line or "") is LineKind.SIP:
        return False
    return bool(row.exchange) and exchange_states.another_answers(
        tx, row.exchange, ctx.exchanges, now
    )


def line_trouble(tx: Tx, row: SeatRow, reason: str, now: datetime) -> None:
    """Store why the telephone of a connecting seat is not in the room. The phoner's page shows it."""
    if row.state != SeatState.CONNECTING or row.reason == reason:
        return
    seats.set_line(tx, row.id, reason=reason)
    _log(tx, row, replace(row.seat, reason=reason), now)


def wait(
    tx: Tx,
    row: SeatRow,
    reason: str,
    now: datetime,
    *,
    until: datetime | None,
    wake_at: datetime,
    slot_at: datetime | None = None,
) -> None:
    """Have a ready seat wait. `reason` and `until` are shown; the scheduler checks again at `wake_at`."""
    waiting = replace(row.seat, reason=reason)
    if reason not in (row.reason, "call_rate"):  # a pause of a second is not logged
        _log(tx, row, waiting, now)
    seats.store(tx, row, waiting, now, call=None, until=until, wake_at=wake_at, slot_at=slot_at)


def dial_waiting(tx: Tx, campaign: str) -> None:
    """Dial for every seat that waits for the campaign, including seats locked by other transactions."""
    for seat in seats.ids_waiting(tx, campaign):
        outbox.add(tx, DialSeat(seat))


def _log(tx: Tx, row: SeatRow, seat: Seat, now: datetime, **more: Any) -> None:
    audit.append(
        tx,
        now,
        EntryKind.SEAT,
        seat=row.id,
        campaign=row.campaign,
        state=seat.state.value,
        reason=seat.reason,
        **more,
    )


def _look_again(
    ctx: EngineContext, row: SeatRow, state: SeatState, now: datetime
) -> tuple[datetime | None, datetime | None]:
    match state:
        case SeatState.WAITING:
            return None, now + SAFETY_NET
        case SeatState.WRAPPING_UP:
            limit = now + timedelta(seconds=ctx.rules.known(row.campaign).wrap_up_seconds)
            return limit, limit
        case SeatState.CONNECTING:
            return None, now + CONNECTING_LOOK
        case SeatState.OFF:
            return None, now if row.leg else None  # the scheduler hangs the telephone up
        case _:
            return None, None
