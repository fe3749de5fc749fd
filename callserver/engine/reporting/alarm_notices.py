"""Sends alarms by mail and webhook: when they are raised, while they last, and when they end.

One process does this, under the scheduler's lease. A notice that may not have arrived is sent again, to whom it
has not reached: the others do not get it a second time.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import structlog

from callserver.database import alarm_notices
from callserver.domain import alarm_notices as rules
from callserver.domain.alarm import Alarm
from callserver.domain.alarm_notices import (
    AGAIN_AFTER,
    AlarmKey,
    KnownAlarm,
    Notice,
    NoticeKind,
)
from callserver.engine.context import EngineContext
from callserver.engine.reporting import floor_figures
from callserver.ports import AlarmChannel, Tx

log = structlog.get_logger(__name__)


class _Taken(NamedTuple):
    """The last notice of an alarm that a channel took."""

    kind: NoticeKind
    raised_at: datetime
    at: datetime


class AlarmNotices:
    """One per process. After a restart a notice that not every channel took is sent to all of them once more."""

    def __init__(self, ctx: EngineContext, channels: Sequence[AlarmChannel]) -> None:
        self._ctx = ctx
        self._channels = channels
        self._taken: dict[tuple[AlarmChannel, AlarmKey], _Taken] = {}
        self._under_way: set[AlarmKey] = set()

    async def look(self, now: datetime) -> None:
        """Send notices of alarms that are new, that last, and that have ended."""
        if not self._channels:
            return
        raised, known = await self._ctx.store.read(self._reading)
        notices = rules.due(known, raised, now)
        current = [rules.key_of(alarm) for alarm in raised]
        await self._ctx.store.run(lambda tx: alarm_notices.note(tx, current, now))
        for notice in notices:
            if notice.key not in self._under_way:  # a slow mail server gets one at a time
                self._under_way.add(notice.key)
                self._ctx.background.start(self._tell(notice, now))

    def _reading(self, tx: Tx) -> tuple[list[Alarm], dict[AlarmKey, KnownAlarm]]:
        return floor_figures.alarms(tx, self._ctx), dict(alarm_notices.known(tx))

    async def _tell(self, notice: Notice, now: datetime) -> None:
        try:
            arrived = await asyncio.gather(
                *(self._tell_one(channel, notice, now) for channel in self._channels)
            )
            if all(arrived):
                await self._ctx.store.run(lambda tx: self._note(tx, notice, now))
        finally:
            self._under_way.discard(notice.key)

    async def _tell_one(self, channel: AlarmChannel, notice: Notice, now: datetime) -> bool:
        """Whether the channel has the notice, now or from an earlier turn."""
        before = self._taken.get((channel, notice.key))
        is_same = before is not None and before[:2] == (notice.kind, notice.raised_at)
        if before is not None and is_same and now - before.at < AGAIN_AFTER:
            return True
        try:
            if not await channel.tell(notice):
                return False
        except Exception:
            log.exception("alarm_not_told", alarm=notice.key[0])
            return False
        self._taken[channel, notice.key] = _Taken(notice.kind, notice.raised_at, now)
        return True

    def _note(self, tx: Tx, notice: Notice, now: datetime) -> None:
        if notice.kind is NoticeKind.OVER:
            alarm_notices.forget(tx, [notice.key])
        else:
            alarm_notices.told(tx, notice.key, now)
