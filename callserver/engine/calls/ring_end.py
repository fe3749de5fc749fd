"""No telephone rings after the calling hours, however long a call waits in the provider's queue.

The close guard leaves time for set-up and ringing. A call that takes longer has its deadline at the end of
the hours, when it is cancelled unless it was answered.
"""

from datetime import datetime, timedelta

from callserver.database import contacts
from callserver.database.calls import CallRow
from callserver.domain import hours, phone
from callserver.domain.call import DialPath
from callserver.domain.hours import Place
from callserver.domain.permit import DialPermit
from callserver.engine.context import EngineContext
from callserver.engine.gate import stored_facts
from callserver.engine.identity import people_in_reach
from callserver.ports import Tx

BEFORE_CLOSING = timedelta(seconds=2)
"""Time for the order to cancel."""


def of(
    tx: Tx, ctx: EngineContext, call: CallRow, permit: DialPermit | None = None
) -> datetime | None:
    """When the call must have stopped ringing; None: it was agreed for a time outside the hours.

    `permit`: the call's. While the rules are those that gave it, the person's places are not looked up again.
    """
    policy = ctx.rules.policy_of(ctx.rules.known(call.campaign))
    if policy is None:
        return None
    if permit is not None and permit.revision == ctx.rules.current.revision:
        closes = permit.closes_at
    else:
        closes = hours.closes_at(policy, _place(tx, call), call.permit_at)
    if closes is None:
        # Any other call was permitted within hours that have been shortened since.
        return None if call.path == DialPath.CALL_BACK else call.permit_at
    return closes - BEFORE_CLOSING


def at_the_latest(
    tx: Tx,
    ctx: EngineContext,
    call: CallRow,
    now: datetime,
    deadline: datetime,
    permit: DialPermit | None = None,
) -> datetime:
    """The deadline of a call that is not answered, not later than the end of the hours."""
    end = of(tx, ctx, call, permit)
    return deadline if end is None or end <= now else min(deadline, end)


def _place(tx: Tx, call: CallRow) -> Place:
    """The place of the contact; without one (a line confirmation, a removed contact) that of the number."""
    known = None if call.contact is None else contacts.get(tx, call.contact)
    if known is None:
        return hours.place_of(phone.from_int(call.number), None)
    return stored_facts.place_of(known, people_in_reach.of(tx, known))
