"""Sends alarms by mail and webhook: when they are raised, while they last, and when they end.

One process does this, under the scheduler's lease. A notice that may not have arrived is sent again, to whom it
has not reached: the others do not get it a second time.
"""

from collections.abc import Sequence
from datetime import datetime

from callserver.database import alarm_notices
from callserver.domain import alarm_notices as rules
from callserver.domain.alarm import Alarm
from callserver.domain.alarm_notices import AlarmKey, KnownAlarm, Notice, NoticeKind
from callserver.engine.context import EngineContext
from callserver.engine.reporting import floor_figures
from callserver.engine.reporting.notice_delivery import NoticeDelivery
from callserver.ports import AlarmChannel, Tx


class AlarmNotices:
    """One per process. After a restart a notice that not every channel took is sent to all of them once more."""

    def __init__(self, ctx: EngineContext, channels: Sequence[AlarmChannel]) -> None:
        self._ctx = ctx
        self._delivery = NoticeDelivery(channels)
        self._under_way: set[AlarmKey] = set()

    async def look(self, now: datetime) -> None:
        """Send notices of alarms that are new, that last, and that have ended."""
        if not self._delivery:
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
            if await self._delivery.arrived(notice, now):
                await self._ctx.store.run(lambda tx: self._note(tx, notice, now))
        finally:
            self._under_way.discard(notice.key)

    def _note(self, tx: Tx, notice: Notice, now: datetime) -> None:
        if notice.kind is NoticeKind.OVER:
            alarm_notices.forget(tx, [notice.key])
        else:
            alarm_notices.told(tx, notice.key, now)
