"""Retention: the scheduler deletes hourly what is older than its class's configured period.

Classes, periods and reasons: domain/retention.py. Data that is only valid for a time is deleted as
well:

sessions            14 hours after sign-in, or 2 hours idle (accounts/authentication.py)
tokens              the period of sign-ins after they ended
words about a new   the period of forms after the conversation
phoner
attempt counters    24 hours after the last attempt (domain/attempt_limits.py)
softphone sign-ins  until they end
processed events    7 days (database/processed_events.py)
sent requests       1 day (database/sent_requests.py)
legs to end         a day, or when they have ended

Entries of the audit log are not dropped: they hold ids only, which name nobody once the contact is gone.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from callserver.database import (
    accounts,
    attempt_counters,
    audit,
    legs_to_end,
    processed_events,
    retention,
    sent_requests,
    softphones,
    worked_shifts,
)
from callserver.domain.audit import EntryKind
from callserver.domain.retention import RetentionClass, RetentionPolicy
from callserver.engine.accounts.authentication import IDLE, LASTS
from callserver.engine.context import EngineContext
from callserver.engine.suppressions import erasure
from callserver.ports import Tx

PART = 1_000
"""Rows of one transaction: a server that dials waits for one of them at most."""

DropFiles = Callable[[datetime], Awaitable[int]]
"""Removes files older than an instant and returns how many."""


def due(
    tx: Tx, policy: RetentionPolicy, now: datetime, most: int | None = None
) -> Mapping[RetentionClass, int]:
    """How many rows of each class would be dropped now; `most`: counting a class ends there."""
    rows = {kind: _everywhere(policy, kind, now) for kind in RetentionClass}
    return {
        kind: sum(retention.count(tx, stored, most) for stored in some)
        for kind, some in rows.items()
        if some
    }


class Part(NamedTuple):
    """Some old rows of one of the places in which a class is stored."""

    place: int
    keys: Sequence[Any]


def parts_of(tx: Tx, policy: RetentionPolicy, kind: RetentionClass, now: datetime) -> list[Part]:
    """The keys of some old rows, in the parts in which they are dropped. There may be more old rows."""
    return [
        Part(place, keys[at : at + PART])
        for place, rows in enumerate(_everywhere(policy, kind, now))
        for keys in [retention.old_keys(tx, rows)]
        for at in range(0, len(keys), PART)
    ]


def drop(
    tx: Tx,
    policy: RetentionPolicy,
    kind: RetentionClass,
    part: Part,
    now: datetime,
    by: str,
) -> int:
    """Drop those of these rows that are still old, and log it. Returns how many."""
    rows = _everywhere(policy, kind, now)[part.place]
    dropped = retention.drop(tx, rows, part.keys, now)
    if dropped:
        days = policy.period(kind).days
        audit.append(tx, now, EntryKind.RETENTION, what=kind.value, count=dropped, days=days, by=by)
    return dropped


def _everywhere(
    policy: RetentionPolicy, kind: RetentionClass, now: datetime
) -> list[retention.Stored]:
    return retention.everywhere(kind, policy.before(kind, now), now)


class Retention:
    """The scheduler's hourly chore."""

    def __init__(self, ctx: EngineContext, drop_files: Mapping[RetentionClass, DropFiles]) -> None:
        self._ctx = ctx
        self._drop_files = drop_files

    async def run(self, now: datetime) -> None:
        """Drop data past its period, one part per transaction."""
        policy = self._ctx.rules.current.organisation.retention
        for kind, drop_older in self._drop_files.items():
            await drop_older(policy.before(kind, now))
        secret = self._ctx.secret
        await self._ctx.store.run(lambda tx: _drop_ended(tx, policy, now))
        await self._ctx.store.run(lambda tx: erasure.finish(tx, secret, now))
        for kind in RetentionClass:
            while await self._drop_some(policy, kind, now) >= retention.CHUNK:
                pass
        await self._ctx.store.checkpoint()

    async def _drop_some(self, policy: RetentionPolicy, kind: RetentionClass, now: datetime) -> int:
        """Look, and drop what was found. No dial waits while tables are read. Returns how many rows were dropped."""
        parts = await self._ctx.store.read(lambda tx: parts_of(tx, policy, kind, now))
        dropped = 0
        for part in parts:
            dropped += await self._ctx.store.run(
                partial(drop, policy=policy, kind=kind, part=part, now=now, by="scheduler")
            )
        return dropped


def _drop_ended(tx: Tx, policy: RetentionPolicy, now: datetime) -> None:
    accounts.drop_old_sessions(tx, now - LASTS, now - IDLE)
    accounts.drop_expired_tokens(tx, policy.before(RetentionClass.SIGN_INS, now))
    worked_shifts.forget_words(tx, policy.before(RetentionClass.FORMS, now))
    attempt_counters.forget_old(tx, now)
    softphones.forget_ended(tx, now)
    processed_events.forget_old(tx, now)
    sent_requests.forget_old(tx, now)
    legs_to_end.forget_old(tx, now)
