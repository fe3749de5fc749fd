"""Retention in one transaction, for tests that hold one open."""

from datetime import datetime

from callserver.domain.retention import RetentionClass, RetentionPolicy
from callserver.engine import retention
from callserver.ports import Tx


def drop_some(
    tx: Tx, policy: RetentionPolicy, kind: RetentionClass, now: datetime, by: str
) -> bool:
    """Drop a batch of a class. Returns whether there may be more."""
    parts = retention.parts_of(tx, policy, kind, now)
    return sum(retention.drop(tx, policy, kind, part, now, by) for part in parts) > 0
