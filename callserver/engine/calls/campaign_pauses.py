"""A campaign is paused or resumed, and whoever waits for it is told at once.

Whatever pauses a campaign comes through here: a person on the floor, the carrier's refusals.
"""

from datetime import datetime, timedelta
from typing import Any

from callserver.database import audit, operations, seats
from callserver.domain.audit import Kind
from callserver.domain.reason import Reason
from callserver.engine.calls import seat_moves
from callserver.ports import Tx

LOOK_AGAIN = timedelta(seconds=30)
"""A waiting seat is looked at this often, whatever it was told: lists and rules may change."""


def switch(
    tx: Tx, campaign: str, reason: str, now: datetime, *, paused: bool, by: str | None = None
) -> list[int]:
    """Pause or resume, with the audit entry. The seats that wait for the campaign: the caller has them
    dialed for once this is durable, and so reaches those that another transaction holds just now."""
    operations.set_campaign_state(tx, campaign, paused, reason, now)
    said: dict[str, Any] = {"by": by} if by is not None else {"reason": reason}
    audit.append(tx, now, Kind.BREAKER, campaign=campaign, paused=paused, **said)
    for row in seats.waiting(tx, campaign):
        if paused:
            again = now + LOOK_AGAIN
            seat_moves.wait(tx, row, Reason.CAMP_PAUSED.value, now, until=None, wake_at=again)
        else:
            seats.set_line(tx, row.id, wake_at=now)
    return seats.ids_waiting(tx, campaign)


def wake_all(tx: Tx, now: datetime) -> None:
    """The rules have changed: whoever waits is looked at now."""
    for row in seats.waiting(tx, None):
        seats.set_line(tx, row.id, wake_at=now)
