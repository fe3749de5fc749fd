"""Which campaigns are paused, and why."""

from datetime import datetime

from sqlalchemy import bindparam, select

from callserver.database.prepared_statements import Prepared
from callserver.database.tables import campaign_states
from callserver.database.upserts import INSERTS
from callserver.ports import Tx

_state = Prepared(
    select(campaign_states.c.paused, campaign_states.c.reason).where(
        campaign_states.c.campaign == bindparam("campaign")
    )
)
_since = Prepared(
    select(campaign_states.c.since)
    .where(campaign_states.c.campaign == bindparam("campaign"), campaign_states.c.paused)
    .with_for_update()
)


def get(tx: Tx, campaign: str) -> tuple[bool, str]:
    """Whether the campaign is paused, and why."""
    row = _state(tx, {"campaign": campaign}).one_or_none()
    return (False, "") if row is None else (row[0], row[1])


def paused_since(tx: Tx, campaign: str) -> datetime | None:
    """When the campaign's present pause began, locked; None: it is not paused."""
    row = _since(tx, {"campaign": campaign}).one_or_none()
    return None if row is None else row[0]


def put(tx: Tx, campaign: str, paused: bool, reason: str, now: datetime) -> None:
    values = {"campaign": campaign, "paused": paused, "reason": reason, "since": now}
    tx.execute(
        INSERTS[tx.dialect.name](campaign_states)
        .values(values)
        .on_conflict_do_update(
            index_elements=["campaign"],
            set_={"paused": paused, "reason": reason, "since": now},
        )
    )
