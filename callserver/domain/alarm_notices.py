"""Which alarms are sent by mail and webhook, and when.

An alarm is sent when it is raised, again every few hours while it lasts, and once more when it ends. It ends
when it has been absent for some minutes, so an alarm that comes and goes counts as one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from callserver.domain.alarm import Alarm, AlarmKind

AGAIN_AFTER = timedelta(hours=4)
OVER_AFTER = timedelta(minutes=5)

AlarmKey = tuple[str, str]
"""Kind, and what the alarm is about (Alarm.about)."""


OF_CAMPAIGNS = frozenset(
    {
        AlarmKind.CAMPAIGN_STOPPED,
        AlarmKind.NUMBERS_REFUSED,
        AlarmKind.OUTCOMES_MISSING,
        AlarmKind.ABANDON_RATE,
        AlarmKind.ABANDONED,
    }
)


class NoticeKind(StrEnum):
    RAISED = "raised"
    LASTS = "lasts"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class KnownAlarm:
    """An alarm that was raised. `told_at` None: it has not been sent yet."""

    raised_at: datetime
    seen_at: datetime
    told_at: datetime | None


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice to send. `values` fill in the alarm's text: counts, ids and names of campaigns."""

    kind: NoticeKind
    key: AlarmKey
    raised_at: datetime
    values: Mapping[str, str | int]


def key_of(alarm: Alarm) -> AlarmKey:
    return alarm.kind.value, alarm.about


def due(
    known: Mapping[AlarmKey, KnownAlarm], raised: Sequence[Alarm], now: datetime
) -> list[Notice]:
    """The notices to send now; sending one twice does no harm."""
    current = {key_of(alarm): alarm for alarm in raised}
    notices = []
    for key, alarm in current.items():
        before = known.get(key)
        if before is None or before.told_at is None:
            since = now if before is None else before.raised_at
            notices.append(Notice(NoticeKind.RAISED, key, since, alarm.values))
        elif not timedelta() <= now - before.told_at < AGAIN_AFTER:
            notices.append(Notice(NoticeKind.LASTS, key, before.raised_at, alarm.values))
    for key, before in known.items():
        if key not in current and not timedelta() <= now - before.seen_at < OVER_AFTER:
            notices.append(Notice(NoticeKind.OVER, key, before.raised_at, {}))
    return notices
