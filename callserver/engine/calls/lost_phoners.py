"""A phoner's leg or page is lost, or a person answered without a phoner: the effect on seat and call."""

from datetime import datetime, timedelta

from callserver.database import audit, calls, daily_counts, legs_to_end, seats
from callserver.database.calls import CallRow
from callserver.domain import subject
from callserver.domain.audit import EntryKind
from callserver.domain.call import CallState
from callserver.domain.marks import MarkKind
from callserver.domain.seat import SeatEvent, SeatState
from callserver.domain.stop_reasons import PHONER_LOST, PHONER_OFF
from callserver.engine.calls import hangups, seat_moves
from callserver.engine.context import EngineContext
from callserver.engine.suppressions import marking
from callserver.ports import Tx

HEARD_WITHIN = timedelta(seconds=2)
"""A call counts as abandoned if the phoner is lost within this time after the answer (FTC, Ofcom)."""


def leg_lost(tx: Tx, ctx: EngineContext, leg: str, reason: str = "") -> None:
    """A phoner's leg is lost: end the seat's ringing call, or apologise to the person on the line.

    `reason`: shown at the seat while its telephone is called again; empty: the loss itself.
    """
    now = ctx.clock.now()
    row = seats.by_leg(tx, leg)
    if row is None:
        return
    seats.forget_leg(tx, row.id)
    if not row.connected:
        return
    seat_moves.move(tx, ctx, row, SeatEvent.LEG_LOST, now, reason=reason)
    call = None if row.call is None else calls.lock(tx, row.call)
    if call is None or call.ended_at is not None:
        return
    heard = row.state == SeatState.TALKING and now - (call.answered_at or now) > HEARD_WITHIN
    if call.call.state is CallState.TALKING and not heard:
        count_abandoned(tx, call, now)
    hangups.want_ended(tx, call, PHONER_LOST, now)


def found_ended(tx: Tx, ctx: EngineContext, leg: str) -> None:
    """A look-up calls a phoner's leg ended. It is hung up as well: look-ups may be wrong, and nothing would
    end a leg that the seat has forgotten."""
    leg_lost(tx, ctx, leg)
    legs_to_end.end(tx, leg, ctx.clock.now())


def without_page(tx: Tx, phoner: int, now: datetime) -> None:
    """A phoner is signed out: they may still have a telephone, but no page with the contact's card.

    A ringing call is ended, and nobody is dialed until they are ready again. A talk goes on.
    """
    row = seats.of_phoner(tx, phoner)
    if row is None:
        return
    call = None if row.call is None else calls.lock(tx, row.call)
    if call is not None and call.answered_at is None:
        hangups.want_ended(tx, call, PHONER_OFF, now)
    seat_moves.pause(tx, row, now)


def answered_without_phoner(tx: Tx, call: CallRow, now: datetime) -> None:
    """A person answered and the phoner is not in the room: apologise, and count the call as abandoned."""
    count_abandoned(tx, call, now)
    hangups.want_ended(tx, call, PHONER_LOST, now)


def count_abandoned(tx: Tx, call: CallRow, now: datetime) -> None:
    """Count an abandoned call, once. The mark starts the policy's rest period."""
    if call.abandoned:
        return
    calls.change(tx, call.attempt, abandoned=True)
    daily_counts.count(tx, call.campaign, "abandoned", now)
    fields = marking.mark(tx, subject.of_number(call.number), MarkKind.ABANDONED, now, now)
    audit.append(tx, now, EntryKind.MARKED, contact=call.contact, call=call.attempt, **fields)
