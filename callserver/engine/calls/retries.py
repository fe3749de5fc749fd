"""The contact after an unanswered call: the campaign's retry rule for the cause."""

from datetime import datetime
from typing import Any

from callserver.database import contacts
from callserver.database.calls import CallRow
from callserver.domain import call as machine
from callserver.domain import outcome
from callserver.domain.call import Cause
from callserver.domain.contact_status import ContactStatus
from callserver.engine.context import EngineContext
from callserver.ports import Tx

_LIKE_NO_ANSWER = frozenset({Cause.CANCELLED, Cause.NEVER_PLACED, Cause.COMPLETED})
"""Causes that use the retry rule for "no answer": the person was not reached."""


def after_unreached(
    tx: Tx, ctx: EngineContext, before: CallRow, call: machine.Call, now: datetime
) -> None:
    """The contact waits for its next try, or is closed."""
    contact = None if before.contact is None else contacts.get_locked(tx, before.contact)
    if contact is None or contact.status != ContactStatus.CLAIMED:
        return
    if call.cause is Cause.DECLINED:  # nothing rang: restore its earlier status
        back = ContactStatus.CALL_BACK if contact.callback_for else ContactStatus.READY
        contacts.set_status(tx, contact.id, back, next_at=contact.callback_for)
        return
    if call.cause is None:
        return
    cause = Cause.NO_ANSWER if call.cause in _LIKE_NO_ANSWER else call.cause
    counted = outcome.counted(contact.tries_by_outcome, cause, 1)
    campaign = ctx.rules.known(before.campaign)
    tries = contact.tries + 1
    if cause is Cause.UNREACHABLE and call.code is None:  # no response says why
        follows = outcome.after_unclear(campaign, counted, tries, now)
    else:
        follows = outcome.after_cause(campaign, cause, counted, tries, now)
    more: dict[str, Any] = {"tries": tries, "tries_by_outcome": counted}
    if contact.callback_for is not None:
        more |= contacts.NO_CALL_BACK
    match follows:
        case outcome.Again(at=at):
            contacts.set_status(tx, contact.id, ContactStatus.WAITING, next_at=at, **more)
        case outcome.Finish(reason=reason):
            contacts.set_status(tx, contact.id, ContactStatus.CLOSED, reason=reason, **more)
