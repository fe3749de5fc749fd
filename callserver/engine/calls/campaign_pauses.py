"""Pauses and resumes campaigns, and notifies the seats that wait for them at once.

Every pause comes through here, whether by a user on the floor or because of the carrier's refusals.
"""

from datetime import datetime, timedelta
from typing import Any

from callserver.database import audit, campaign_states, seats
from callserver.domain.audit import EntryKind
from callserver.domain.reason import Reason
from callserver.engine.calls import seat_moves
from callserver.errors import Impossible
from callserver.ports import Tx

LOOK_AGAIN = timedelta(seconds=30)
"""How often a waiting seat is checked, whatever it waits for: lists and rules may change."""


def switch(
    tx: Tx, campaign: str, reason: str, now: datetime, *, paused: bool, by: str | None = None
) -> None:
    """Pause or resume, with the audit entry. Seats that another transaction has locked are dialed for after
    the commit, and find out then."""
    campaign_states.put(tx, campaign, paused, reason, now)
    source: dict[str, Any] = {"by": by} if by is not None else {"reason": reason}
    audit.append(tx, now, EntryKind.BREAKER, campaign=campaign, paused=paused, **source)
    for row in seats.waiting(tx, campaign):
        if paused:
            again = now + LOOK_AGAIN
            seat_moves.wait(tx, row, Reason.CAMP_PAUSED.value, now, until=None, wake_at=again)
        else:
            seats.set_line(tx, row.id, wake_at=now)
    seat_moves.dial_waiting(tx, campaign)


def resume(tx: Tx, campaign: str, since: datetime | None, now: datetime, by: str) -> None:
    """End the pause that began at `since`; None: whichever there is.

    Raises:
        Impossible: another pause has begun meanwhile, perhaps for a reason that the user has not seen.
    """
    present = campaign_states.paused_since(tx, campaign)
    if since is not None and present is None:
        return
    if since not in (None, present):
        raise Impossible("the campaign has been paused again: look why", key="paused_again")
    switch(tx, campaign, "", now, paused=False, by=by)


def wake_all(tx: Tx, now: datetime) -> None:
    """Have the scheduler check every waiting seat now, because the rules have changed."""
    for row in seats.waiting(tx, None):
        seats.set_line(tx, row.id, wake_at=now)
