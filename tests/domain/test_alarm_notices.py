"""When an alarm is told outside: once, again while it lasts, and when it is over."""

from datetime import UTC, datetime, timedelta

from callserver.domain.alarm import Alarm, AlarmKind
from callserver.domain.alarm_notices import (
    AGAIN_AFTER,
    OVER_AFTER,
    AlarmKey,
    KnownAlarm,
    NoticeKind,
    due,
)

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
STALLED = Alarm(AlarmKind.SCHEDULER_STALLED, values={"seconds": 20})
PAUSED = Alarm(AlarmKind.CAMPAIGN_STOPPED, "kanvas", {"code": "403"})


def told(
    known: dict[AlarmKey, KnownAlarm], *raised: Alarm, at: datetime = NOW
) -> list[tuple[str, str, str]]:
    return [(notice.kind.value, *notice.key) for notice in due(known, raised, at)]


def test_a_new_alarm_is_told_of_each_campaign() -> None:
    other = Alarm(AlarmKind.CAMPAIGN_STOPPED, "leads", {"code": "403"})
    assert told({}, STALLED, PAUSED, other) == [
        ("raised", "scheduler_stalled", ""),
        ("raised", "campaign_stopped", "kanvas"),
        ("raised", "campaign_stopped", "leads"),
    ]


def test_of_several_registers_or_exchanges_each_has_its_notices() -> None:
    missing = [
        Alarm(AlarmKind.REGISTER_MISSING, values={"register": name}) for name in ("robinson", "own")
    ]
    away = Alarm(AlarmKind.EXCHANGE_AWAY, values={"exchange": "north"})
    assert told({("register_missing", "own"): KnownAlarm(NOW, NOW, NOW)}, *missing, away) == [
        ("raised", "register_missing", "robinson"),
        ("raised", "exchange_away", "north"),
    ]
    both = {("register_missing", name): KnownAlarm(NOW, NOW, NOW) for name in ("robinson", "own")}
    assert told(both, missing[0], at=NOW + OVER_AFTER) == [("over", "register_missing", "own")]


def test_one_that_was_told_is_told_again_after_hours() -> None:
    known = {("scheduler_stalled", ""): KnownAlarm(NOW, NOW, NOW)}
    just_before = NOW + AGAIN_AFTER - timedelta(seconds=1)
    assert told(known, STALLED, at=just_before) == []
    [notice] = due(known, [STALLED], NOW + AGAIN_AFTER)
    assert (notice.kind, notice.raised_at) == (NoticeKind.LASTS, NOW)


def test_one_that_nobody_was_told_of_is_still_new() -> None:
    known = {("scheduler_stalled", ""): KnownAlarm(NOW, NOW, None)}
    assert told(known, STALLED, at=NOW + timedelta(seconds=30)) == [
        ("raised", "scheduler_stalled", "")
    ]


def test_one_that_comes_and_goes_is_one_alarm() -> None:
    known = {("scheduler_stalled", ""): KnownAlarm(NOW, NOW, NOW)}
    assert told(known, at=NOW + OVER_AFTER - timedelta(seconds=1)) == []
    assert told(known, at=NOW + OVER_AFTER) == [("over", "scheduler_stalled", "")]


def test_a_clock_that_was_set_back_silences_nothing() -> None:
    known = {("scheduler_stalled", ""): KnownAlarm(NOW, NOW, NOW)}
    before = NOW - timedelta(hours=1)
    assert told(known, STALLED, at=before) == [("lasts", "scheduler_stalled", "")]
