"""Declares a restore in the log, and pauses every campaign until a person resumes it.

Everything recorded after the backup is lost, including opt-outs. So nobody is dialed until a user has entered
again what is known from other sources (the membership system's export of opt-outs, letters, the published
log) and resumes the campaigns. If another program restores an older database under a running server, the
sealer detects it and pauses the campaigns as well.
"""

from collections.abc import Iterable
from datetime import datetime

import structlog

from callserver.database import accounts, audit, campaign_states
from callserver.domain.audit import EntryKind
from callserver.domain.signed_heads import Head
from callserver.engine.calls import campaign_pauses
from callserver.ports import Tx

log = structlog.get_logger(__name__)

REASON = "restored from a backup: enter what is missing, then resume"
UNDECLARED = "the database lacks sealed entries: stop the servers, then callserver declare-restore"


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


def pause_undeclared(tx: Tx, campaigns: Iterable[str], now: datetime) -> None:
    """An older database has replaced the right one: pause every campaign that is not paused yet."""
    log.error("database_rolled_back")
    for campaign in campaigns:
        if not campaign_states.get(tx, campaign)[0]:
            campaign_pauses.switch(tx, campaign, UNDECLARED, now, paused=True)
