"""Declares a restore in the log, and pauses every campaign until a person resumes it.

Whatever was recorded after the backup is gone, opt-outs among it. So nobody is dialed until a person has
entered again what is known from elsewhere (the membership system's export of opt-outs, letters, the
published log) and resumes the campaigns.
"""

from collections.abc import Iterable
from datetime import datetime

from callserver.database import accounts, audit
from callserver.domain.audit import EntryKind
from callserver.domain.signed_heads import Head
from callserver.engine.calls import campaign_pauses
from callserver.ports import Tx

REASON = "restored from a backup: enter what is missing, then resume"


def declare(
    tx: Tx,
    campaigns: Iterable[str],
    now: datetime,
    *,
    made_at: str,
    cut: Head | None,
    lost: int | None,
    kept_as: str | None,
) -> None:
    """The first entry after the cut names it. `lost`: sealed entries that the heads file shows beyond it;
    None: no heads file was found. `kept_as`: the SHA-256 of that file, which stays as evidence."""
    audit.append(
        tx,
        now,
        EntryKind.RESTORED,
        backup_of=made_at,
        size=0 if cut is None else cut.size,
        root="" if cut is None else cut.root,
        lost=lost,
        heads=kept_as,
    )
    accounts.drop_old_sessions(tx, now, now)  # some may be of colleagues who have left since
    for campaign in campaigns:
        campaign_pauses.switch(tx, campaign, REASON, now, paused=True)
