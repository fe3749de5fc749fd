"""What a carrier's definite refusal means for the number, the campaign and the seat.

One refused number does not stop a campaign: it is set aside until a supervisor releases it. Several different
numbers refused in a row, without a call in between that reached a telephone, stop the campaign: the cause is
then on the organisation's side.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from callserver.database import (
    audit,
    call_budget,
    calls,
    campaign_states,
    contacts,
    refused_numbers,
    seats,
)
from callserver.database.calls import CallRow
from callserver.database.refused_numbers import RefusedNumber
from callserver.domain import sip, subject
from callserver.domain.alarm import BREAKER
from callserver.domain.audit import EntryKind
from callserver.domain.call import Call, Cause
from callserver.domain.contact_status import ContactStatus
from callserver.domain.marks import MarkKind
from callserver.domain.reason import Reason
from callserver.domain.seat import SeatEvent
from callserver.engine.calls import campaign_pauses, seat_moves
from callserver.engine.context import EngineContext
from callserver.engine.suppressions import marking
from callserver.ports import Declined, Trouble, Tx

log = structlog.get_logger(__name__)

PART = 500
"""Refusals that are released in one transaction: a server that dials waits for one at most."""

BACK_OFF = timedelta(seconds=2)
"""No call is ordered for this long after the carrier said "too many at once"."""

BY_THE_CARRIER = frozenset({Trouble.BAD_NUMBER, Trouble.REFUSED, Trouble.STOP})
"""Refusals whose code comes from the carrier and is kept with the attempt."""

DIFFERENT_NUMBERS = 3
"""This many different numbers refused in a row stop the campaign."""

NOT_EXISTING = 10
"""This many different numbers in a row that do not exist, according to the carrier, stop the campaign: the
cause is the format in which numbers are sent, not the list."""


def record(tx: Tx, ctx: EngineContext, attempt: str, answer: Declined) -> None:
    """Record the refusal and what follows from it; the report DECLINED ends the call afterwards.

    Calls that have ended or have rung are not changed.
    """
    now = ctx.clock.now()
    row = seats.of_call(tx, attempt)
    call = calls.lock(tx, attempt)
    if row is None or call is None or call.ended_at is not None or call.rang_at is not None:
        return
    audit.append(
        tx,
        now,
        EntryKind.DECLINED,
        contact=call.contact,
        call=attempt,
        trouble=answer.trouble.value,
        code=answer.code,
    )
    match answer.trouble:
        case Trouble.BAD_NUMBER:
            about = subject.of_number(call.number)
            fields = marking.mark(tx, about, MarkKind.BAD_NUMBER, now, now)
            audit.append(tx, now, EntryKind.MARKED, contact=call.contact, call=attempt, **fields)
        case Trouble.REFUSED:
            _set_aside(tx, call, answer.code, now)
            if refused_numbers.in_a_row(tx, call.campaign) >= DIFFERENT_NUMBERS:
                _stop(tx, call.campaign, answer.code, now)
        case Trouble.STOP | Trouble.BUG:
            _stop(tx, call.campaign, answer.code, now)
        case Trouble.ROOM_GONE:
            seat_moves.move(tx, ctx, row, SeatEvent.LEG_LOST, now)
        case Trouble.LATER:
            call_budget.take_slot(tx, now + BACK_OFF, ctx.budgets.of(call.caller_id))


def _set_aside(tx: Tx, call: CallRow, code: int, now: datetime) -> None:
    """Set the number aside on every list (the gate refuses it), and close the call's contact."""
    refused_numbers.add(tx, call.number, call.contact, call.campaign, code, now)
    contact = None if call.contact is None else contacts.get_locked(tx, call.contact)
    if contact is not None and contact.status == ContactStatus.CLAIMED:
        contacts.set_status(tx, contact.id, ContactStatus.CLOSED, reason=Reason.NUM_REFUSED.value)
    log.warning("number_refused", contact=call.contact, campaign=call.campaign, code=code)


def after_end(tx: Tx, campaign: str, call: Call, now: datetime) -> None:
    """Stop the campaign when the carrier knows none of its numbers."""
    if call.rang_at is not None or call.code is None:
        return
    unknown = call.cause is Cause.UNREACHABLE and call.code in sip.NO_SUCH_NUMBER
    if not unknown and call.cause is not Cause.DECLINED:
        return
    if refused_numbers.not_existing_in_a_row(tx, campaign, sip.NO_SUCH_NUMBER) >= NOT_EXISTING:
        _stop(tx, campaign, call.code, now)


def parts_of(tx: Tx, campaign: str | None, contact: int | None = None) -> list[list[RefusedNumber]]:
    """The refused numbers of a campaign, a contact or everybody, in the parts in which they are released."""
    rows = [
        row for row in refused_numbers.not_released(tx, campaign) if contact in (None, row.contact)
    ]
    return [rows[at : at + PART] for at in range(0, len(rows), PART)]


def release(tx: Tx, part: Sequence[RefusedNumber], by: str, now: datetime) -> list[int]:
    """Release numbers after a supervisor has checked them. Returns the contacts that are dialed again."""
    released = refused_numbers.release(tx, part, by, now)
    rows = [row for row in part if row.id in released]
    for row in rows:
        audit.append(
            tx, now, EntryKind.NUMBER_RELEASED, contact=row.contact, campaign=row.campaign, by=by
        )
    return refused_numbers.reopen_contacts(tx, rows)


def _stop(tx: Tx, campaign: str, code: int, now: datetime) -> None:
    paused, why = campaign_states.get(tx, campaign)
    if paused and why.startswith(BREAKER):
        return  # already stopped; this order was in progress
    reason = f"{BREAKER}{code}"
    log.error("campaign_stopped", campaign=campaign, code=code)
    campaign_pauses.switch(tx, campaign, reason, now, paused=True)
