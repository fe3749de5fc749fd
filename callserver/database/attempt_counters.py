"""Counters of attempts: one row each, locked while it is read and changed."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, func, select, update

from callserver.database.prepared_statements import Prepared
from callserver.database.tables import attempt_counters, devices
from callserver.database.upserts import PerDialect
from callserver.domain.attempt_limits import FORGOTTEN_AFTER, AttemptCount
from callserver.ports import Tx

DEVICE_KNOWN_FOR = timedelta(days=90)

_NEW_ROW: dict[str, Any] = {name: bindparam(name) for name in ("key", "count", "since", "last")}
_insert = Prepared(
    PerDialect(lambda insert: insert(attempt_counters).values(_NEW_ROW).on_conflict_do_nothing())
)


def locked(tx: Tx, key: str, now: datetime) -> AttemptCount:
    """The counter, locked until the transaction ends; a new one starts at 0."""
    _insert(tx, {"key": key, "count": 0, "since": now, "last": now})
    columns = (attempt_counters.c.count, attempt_counters.c.since, attempt_counters.c.last)
    return AttemptCount(
        *tx.execute(select(*columns).where(attempt_counters.c.key == key).with_for_update()).one()
    )


def store(tx: Tx, key: str, tried: AttemptCount) -> None:
    """Write a locked counter."""
    tx.execute(
        update(attempt_counters)
        .where(attempt_counters.c.key == key)
        .values(count=tried.count, since=tried.since, last=tried.last)
    )


def get(tx: Tx, key: str) -> AttemptCount | None:
    columns = (attempt_counters.c.count, attempt_counters.c.since, attempt_counters.c.last)
    row = tx.execute(select(*columns).where(attempt_counters.c.key == key)).one_or_none()
    return None if row is None else AttemptCount(*row)


def forget(tx: Tx, key: str) -> None:
    tx.execute(delete(attempt_counters).where(attempt_counters.c.key == key))


def take_back(tx: Tx, key: str) -> None:
    """Subtract one attempt."""
    tx.execute(
        update(attempt_counters)
        .where(attempt_counters.c.key == key, attempt_counters.c.count > 0)
        .values(count=attempt_counters.c.count - 1)
    )


def count_at_least(tx: Tx, prefix: str, least: int, since: datetime) -> int:
    """How many counters with this prefix are at `least` or more, with an attempt since `since`."""
    query = select(func.count()).where(
        attempt_counters.c.key.startswith(prefix, autoescape=True),
        attempt_counters.c.count >= least,
        attempt_counters.c.last >= since,
    )
    return int(tx.execute(query).scalar_one())


def forget_old(tx: Tx, now: datetime) -> None:
    tx.execute(delete(attempt_counters).where(attempt_counters.c.last < now - FORGOTTEN_AFTER))


# -- browsers in which a user has signed in -----------------------------------------------------


def device_known(tx: Tx, device: str, user: int, now: datetime) -> bool:
    """Whether this user has signed in before in the browser of this cookie (its hash)."""
    query = select(devices.c.seen_at).where(devices.c.device == device, devices.c.user == user)
    last_seen: datetime | None = tx.execute(query).scalar()
    return last_seen is not None and now - last_seen <= DEVICE_KNOWN_FOR


def remember_device(tx: Tx, device: str, user: int, now: datetime) -> None:
    known = (devices.c.device == device, devices.c.user == user)
    if tx.execute(update(devices).where(*known).values(seen_at=now)).rowcount == 0:
        tx.execute(devices.insert().values(device=device, user=user, seen_at=now))


def forget_devices(tx: Tx, user: int) -> None:
    tx.execute(delete(devices).where(devices.c.user == user))
