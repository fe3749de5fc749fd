"""Sends the alarms that no transaction can raise: the database takes no writes, or this process's rounds fail.

Everything is kept in memory. Each process that may run the scheduler does this for itself.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from callserver.domain import alarm_notices as rules
from callserver.domain.alarm import Alarm, AlarmKind
from callserver.domain.alarm_notices import AlarmKey, KnownAlarm, NoticeKind
from callserver.engine.context import EngineContext
from callserver.engine.reporting.notice_delivery import NoticeDelivery
from callserver.engine.write_probe import WriteProbe

LASTS_S = 60.0
"""A shorter outage is over before anybody could look."""

WRITTEN_WITHIN_S = 10.0


class OutageNotices:
    """One per process. `stalled_for`: seconds since this process finished a round of the scheduler."""

    def __init__(
        self, ctx: EngineContext, delivery: NoticeDelivery, stalled_for: Callable[[], float]
    ) -> None:
        self._ctx = ctx
        self._delivery = delivery
        self._stalled_for = stalled_for
        self._probe = WriteProbe(ctx)
        self._down_since: float | None = None
        self._known: dict[AlarmKey, KnownAlarm] = {}

    async def look(self) -> None:
        """Send notices of outages that are new, that last, and that are over."""
        raised = await self._raised()
        now = self._ctx.clock.now()
        notices = rules.due(self._known, raised, now)
        for key in map(rules.key_of, raised):
            before = self._known.get(key, KnownAlarm(now, now, None))
            self._known[key] = replace(before, seen_at=now)
        for notice in notices:
            if not await self._delivery.arrived(notice, now):
                continue
            if notice.kind is NoticeKind.OVER:
                del self._known[notice.key]
            else:
                self._known[notice.key] = replace(self._known[notice.key], told_at=now)

    async def _raised(self) -> list[Alarm]:
        if await self._probe.takes_writes(WRITTEN_WITHIN_S):
            self._down_since = None
            stalled = round(self._stalled_for())
            values = {"seconds": stalled}
            return [Alarm(AlarmKind.SCHEDULER_STALLED, values=values)] if stalled > LASTS_S else []
        now = asyncio.get_running_loop().time()
        if self._down_since is None:
            self._down_since = now - WRITTEN_WITHIN_S
        lasts = now - self._down_since >= LASTS_S
        return [Alarm(AlarmKind.DATABASE_DOWN)] if lasts else []
