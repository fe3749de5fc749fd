"""Alarms that were raised, so that each is sent once."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, or_, select, update

from callserver.database.tables import alarm_notices
from callserver.database.upserts import INSERTS
from callserver.domain.alarm_notices import AlarmKey, KnownAlarm
from callserver.ports import Tx

_all = select(
    *[alarm_notices.c[n] for n in ("kind", "campaign", "raised_at", "seen_at", "told_at")]
)


def known(tx: Tx) -> Mapping[AlarmKey, KnownAlarm]:
    rows = tx.execute(_all)
    return {(kind, campaign): KnownAlarm(*times) for kind, campaign, *times in rows}


def note(tx: Tx, raised: Collection[AlarmKey], now: datetime) -> None:
    """Store the alarms that are raised now."""
    for kind, campaign in raised:
        values = {"kind": kind, "campaign": campaign, "raised_at": now, "seen_at": now}
        tx.execute(
            INSERTS[tx.dialect.name](alarm_notices)
            .values(values)
            .on_conflict_do_update(index_elements=["kind", "campaign"], set_={"seen_at": now})
        )


def told(tx: Tx, key: AlarmKey, now: datetime) -> None:
    tx.execute(update(alarm_notices).where(_is(key)).values(told_at=now))


def forget(tx: Tx, keys: Collection[AlarmKey]) -> None:
    if keys:
        tx.execute(delete(alarm_notices).where(or_(*map(_is, keys))))


def _is(key: AlarmKey) -> ColumnElement[bool]:
    return and_(alarm_notices.c.kind == key[0], alarm_notices.c.campaign == key[1])
