"""Retention in one transaction, for tests that hold one open."""

from datetime import datetime

from callserver.domain.retention import RetentionClass, RetentionPolicy
from callserver.engine import retention
from callserver.ports import Tx


def drop_some(
    tx: Tx, policy: RetentionPolicy, kind: RetentionClass, now: datetime, by: str
) -> bool:
    """Drop a batch of a class. Returns whether there may be more."""
    return retention.drop(tx, policy, kind, retention.old_keys(tx, policy, kind, now), now, by)
