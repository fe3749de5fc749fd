"""Records which calls a listener heard, and in which mode, for the people concerned."""

from datetime import datetime

from callserver.database import audit, calls, listening_intervals, listenings
from callserver.database.calls import CallRow
from callserver.database.listening_intervals import Interval
from callserver.database.listenings import ListeningRow
from callserver.database.seats import SeatRow
from callserver.domain.audit import EntryKind, stamp
from callserver.domain.call import Call
from callserver.engine.context import EngineContext
from callserver.ports import Tx


def note(tx: Tx, ctx: EngineContext, row: ListeningRow, seat: SeatRow) -> None:
    """Log that a listener hears a talk, once for each mode."""
    call = None if seat.call is None else calls.get(tx, seat.call)
    if call is not None and call.answered_at is not None and call.ended_at is None:
        for stay in listening_intervals.of_leg(tx, row.leg):
            if stay.room == seat.room and stay.call != call.attempt:
                _note(tx, ctx, row, stay, call)


def note_talk(tx: Tx, ctx: EngineContext, row: CallRow, talk: Call, *, in_hand: bool) -> None:
    """A talk is reported, perhaps late: log it for everybody who was in its room since it began.

    Of a talk whose beginning is never reported only the end is known. `in_hand`: no later call has been
    dialed for the seat.
    """
    began = talk.answered_at or talk.ended_at
    if began is None:
        return
    now = ctx.clock.now()
    for stay in listening_intervals.in_room_between(tx, row.room, began, talk.ended_at or now):
        listening = listenings.get(tx, stay.listening)
        if listening is not None and stay.call != row.attempt:
            over = stay.until is not None or listening.ended_at is not None
            heard_at = max(began, stay.since) if over else None
            _note(tx, ctx, listening, stay, row, heard_at, later_call=not in_hand)


def _note(
    tx: Tx,
    ctx: EngineContext,
    row: ListeningRow,
    stay: Interval,
    call: CallRow,
    heard_at: datetime | None = None,
    *,
    later_call: bool = False,
) -> None:
    """`heard_at`: when, if that is over. `later_call`: the stay may have heard one since."""
    first = listenings.note_heard(tx, row.id, call.attempt)
    if not later_call or stay.call is None:
        first = listening_intervals.note_call(tx, stay, call.attempt)
    if first:
        audit.append(
            tx,
            ctx.clock.now(),
            EntryKind.HEARD,
            contact=call.contact,
            call=call.attempt,
            listening=row.id,
            listener=row.listener,
            mode=stay.mode,
            **({} if heard_at is None else {"heard_at": stamp(heard_at)}),
        )
