"""Records which calls a listener heard, and in which mode, for the people concerned."""

from callserver.database import audit, calls, listening_intervals, listenings
from callserver.database.calls import CallRow
from callserver.database.listenings import ListeningRow
from callserver.database.seats import SeatRow
from callserver.domain.audit import EntryKind
from callserver.engine.context import EngineContext
from callserver.ports import Tx


def note(tx: Tx, ctx: EngineContext, row: ListeningRow, seat: SeatRow) -> None:
    """Log that a listener hears a talk, once for each mode."""
    call = None if seat.call is None else calls.get(tx, seat.call)
    if call is not None and call.answered_at is not None and call.ended_at is None:
        _note(tx, ctx, row, seat, call)


def _note(tx: Tx, ctx: EngineContext, row: ListeningRow, seat: SeatRow, call: CallRow) -> None:
    for stay in listening_intervals.of_leg(tx, row.leg):
        if stay.room != seat.room or stay.call == call.attempt:
            continue
        listenings.note_heard(tx, row.id, call.attempt)
        if listening_intervals.note_call(tx, stay, call.attempt):
            audit.append(
                tx,
                ctx.clock.now(),
                EntryKind.HEARD,
                contact=call.contact,
                call=call.attempt,
                listening=row.id,
                listener=row.listener,
                mode=stay.mode,
            )


def note_answered(tx: Tx, ctx: EngineContext, seat: SeatRow) -> None:
    """A talk begins: log it for every listener in its room, however short it is."""
    for row in listenings.open_at(tx, seat.id):
        note(tx, ctx, row, seat)


def note_ended(tx: Tx, ctx: EngineContext, seat: SeatRow, attempt: str) -> None:
    """The network reports a talk only when it is over: log it for every listener who is in its room."""
    call = calls.get(tx, attempt)
    if call is None:
        return
    for row in listenings.open_at(tx, seat.id):
        _note(tx, ctx, row, seat, call)
