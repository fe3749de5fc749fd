"""Provider events that were processed: an event that is reported again changes nothing."""

from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete

from callserver.database.prepared_statements import Prepared
from callserver.database.tables import processed_events
from callserver.database.upserts import PerDialect
from callserver.domain.call import Receipt
from callserver.ports import Tx

KEPT_FOR = timedelta(days=7)
"""Longer than any provider repeats an event: Twilio gives up within a day."""


_insert = Prepared(
    PerDialect(
        lambda insert: (
            insert(processed_events)
            .values({column: bindparam(column) for column in ("kind", "sid", "sequence", "at")})
            .on_conflict_do_nothing()
        )
    )
)


def first_time(tx: Tx, receipt: Receipt | None, now: datetime) -> bool:
    """Whether this report is new. A report without a sequence number is always new."""
    if receipt is None:
        return True
    values = {
        "kind": receipt.kind,
        "sid": receipt.sid,
        "sequence": receipt.sequence,
        "at": now,
    }
    return _insert(tx, values).rowcount == 1


def forget_old(tx: Tx, now: datetime) -> int:
    """Drop the events that are too old to be repeated. Returns how many."""
    old = delete(processed_events).where(processed_events.c.at < now - KEPT_FOR)
    return tx.execute(old).rowcount
