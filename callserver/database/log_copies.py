"""Who has a copy of the published log: the folder, the operator's command, the witnesses."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, insert, select

from callserver.database.tables import log_copies
from callserver.ports import Tx


class LogCopyRow(NamedTuple):
    target: str
    size: int
    at: datetime | None
    failing_since: datetime | None
    reason: str
    signature: str


_all = select(*[log_copies.c[name] for name in LogCopyRow._fields])


def every(tx: Tx) -> list[LogCopyRow]:
    rows = tx.execute(_all.order_by(log_copies.c.target))
    return [LogCopyRow._make(row) for row in rows]


def succeeded(tx: Tx, target: str, size: int, now: datetime, signature: str = "") -> None:
    """Store that a target now has this many entries."""
    _put(tx, LogCopyRow(target, size, now, None, "", signature))


def failed(tx: Tx, target: str, reason: str, now: datetime) -> None:
    """Store that a target did not get the newest entries. Its earlier size stays."""
    known = {row.target: row for row in every(tx)}.get(target)
    row = known or LogCopyRow(target, 0, None, None, "", "")
    _put(tx, row._replace(failing_since=row.failing_since or now, reason=reason))


def is_failing(tx: Tx, target: str) -> bool:
    query = select(1).where(log_copies.c.target == target, log_copies.c.failing_since.is_not(None))
    return tx.execute(query).first() is not None


def keep(tx: Tx, targets: Collection[str]) -> None:
    """Forget all other targets: the settings name them no longer."""
    tx.execute(delete(log_copies).where(log_copies.c.target.not_in(targets)))


def _put(tx: Tx, row: LogCopyRow) -> None:
    tx.execute(delete(log_copies).where(log_copies.c.target == row.target))
    tx.execute(insert(log_copies).values(row._asdict()))
