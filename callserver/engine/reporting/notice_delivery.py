"""Hands notices of alarms to the ways out of the house, to each of them once."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import structlog

from callserver.domain.alarm_notices import AGAIN_AFTER, AlarmKey, Notice, NoticeKind
from callserver.ports import AlarmChannel

log = structlog.get_logger(__name__)


class _Taken(NamedTuple):
    """The last notice of an alarm that a channel took."""

    kind: NoticeKind
    raised_at: datetime
    at: datetime


class NoticeDelivery:
    """Remembers who has which notice: one that a channel did not take is given to that channel again."""

    def __init__(self, channels: Sequence[AlarmChannel]) -> None:
        self._channels = channels
        self._taken: dict[tuple[AlarmChannel, AlarmKey], _Taken] = {}

    def __bool__(self) -> bool:
        return bool(self._channels)

    async def arrived(self, notice: Notice, now: datetime) -> bool:
        """Give the notice to every channel that lacks it. Whether all have it."""
        given = (self._tell(channel, notice, now) for channel in self._channels)
        return all(await asyncio.gather(*given))

    async def _tell(self, channel: AlarmChannel, notice: Notice, now: datetime) -> bool:
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
