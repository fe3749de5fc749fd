"""Calling hours against an oracle that was written another way, and the search for the next one."""

import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from callserver.adapters.config_folder import load
from callserver.domain import hours
from callserver.domain.hours import Place
from callserver.domain.policy import Policy
from callserver.domain.reason import Reason

POLICIES = load(Path(__file__).parents[2] / "config").policies
DK, FR, RK = POLICIES["dk"], POLICIES["fr"], POLICIES["dk_rk"]
COPENHAGEN = Place("DK", ("Europe/Copenhagen",))


def easter(year: int) -> date:
    """The anonymous Gregorian computus."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


def danish_offset(utc: datetime) -> int:
    """Hours ahead of UTC by the rule itself: last Sundays of March and October, 01:00 UTC."""

    def last_sunday(month: int) -> datetime:
        day = date(utc.year, month, 31)
        day -= timedelta(days=(day.weekday() + 1) % 7)
        return datetime(day.year, day.month, day.day, 1, tzinfo=UTC)

    return 2 if last_sunday(3) <= utc < last_sunday(10) else 1


def oracle(utc: datetime, offset: int) -> bool:
    """Denmark, open or not: no time zone library, no holiday library."""
    local = (utc + timedelta(hours=offset)).replace(tzinfo=None)
    day, sunday = local.date(), easter(local.year)
    moved = {-3, -2, 0, 1, 39, 49, 50} | ({26} if local.year < 2024 else set())
    closed = {(1, 1), (12, 25), (12, 26), (6, 5), (12, 24), (12, 31)}
    if day.weekday() > 4 or (day - sunday).days in moved or (day.month, day.day) in closed:
        return False
    return 9 * 60 <= local.hour * 60 + local.minute < 21 * 60


def instants(count: int) -> list[datetime]:
    """Random ones, and many near the edges of windows and clock changes."""
    dice = random.Random(7)
    start = datetime(2022, 1, 1, tzinfo=UTC)
    span = int(timedelta(days=365 * 11).total_seconds())
    instants = [start + timedelta(seconds=dice.randrange(span)) for _ in range(count)]
    for instant in instants[: count // 2]:
        edge = instant.replace(hour=dice.choice((7, 8, 19, 20)), minute=0, second=0)
        instants.append(edge + timedelta(seconds=dice.choice((-1, 0, 1))))
    return instants


def test_hours_agree_with_an_independent_oracle(full: bool) -> None:
    points = instants(1_000_000 if full else 12_000)
    wrong = [
        at for at in points if hours.is_open(DK, COPENHAGEN, at) != oracle(at, danish_offset(at))
    ]
    assert wrong == []


def test_the_oracle_can_disagree() -> None:
    """The negative control: a fixed offset, the classic mistake, is found at once."""
    points = instants(12_000)
    assert any(hours.is_open(DK, COPENHAGEN, at) != oracle(at, 1) for at in points)


@pytest.mark.parametrize("policy", [DK, FR, RK, POLICIES["it"]], ids=lambda policy: policy.name)
def test_next_open_is_the_first_open_instant(policy: Policy) -> None:
    place = {
        "fr": Place("FR", ("Europe/Paris",)),
        "it": Place("IT", ("Europe/Rome",)),
        "dk_rk": Place("GL", ("America/Nuuk", "America/Scoresbysund", "America/Thule")),
    }.get(policy.name, COPENHAGEN)
    for at in instants(60):
        opens = hours.next_open(policy, place, at)
        assert opens is not None
        assert opens >= at
        assert hours.is_open(policy, place, opens)
        step = at
        while step < opens:  # by quarters of an hour: windows begin and end on them
            assert not hours.is_open(policy, place, step)
            step += timedelta(minutes=15)


def test_every_zone_must_be_open() -> None:
    both = Place("DK", ("Europe/Copenhagen", "America/New_York"))
    morning = datetime(2026, 5, 12, 8, tzinfo=UTC)
    assert not hours.is_open(DK, both, morning)
    assert hours.is_open(DK, both, morning + timedelta(hours=6))


def test_nobody_is_called_where_the_clock_is_unknown() -> None:
    noon = datetime(2026, 5, 12, 11, tzinfo=UTC)
    assert not hours.is_open(DK, Place("DK", ()), noon)
    assert not hours.is_open(DK, Place("DK", ("Mars/Olympus",)), noon)
    assert hours.next_open(DK, Place("DK", ()), noon) is None


def test_a_single_date_has_its_own_window() -> None:
    changed = DK.hours.model_copy(update={"dates": {date(2026, 12, 31): ((9 * 60, 15 * 60),)}})
    policy = DK.model_copy(update={"hours": changed})
    zone = ZoneInfo("Europe/Copenhagen")
    assert hours.is_open(policy, COPENHAGEN, datetime(2026, 12, 31, 14, 59, tzinfo=zone))
    assert not hours.is_open(policy, COPENHAGEN, datetime(2026, 12, 31, 15, tzinfo=zone))


def test_a_place_survives_being_written() -> None:
    for place in (COPENHAGEN, Place(None, ()), Place("GL", ("America/Nuuk", "America/Thule"))):
        assert Place.parse(str(place)) == place


def hours_of(base: Policy = DK, **changed: object) -> Policy:
    return base.model_copy(update={"hours": base.hours.model_copy(update=changed)})


ZONE = ZoneInfo("Europe/Copenhagen")
TEN_TO_FOUR = ((10 * 60, 16 * 60),)


def local(day: date, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=ZONE)


def test_a_call_has_stopped_ringing_when_the_hours_end() -> None:
    tuesday = date(2026, 5, 12)
    guarded = hours.guarded(DK, 25)
    assert hours.is_open(guarded, COPENHAGEN, local(tuesday, 20, 59, 24))
    assert not hours.is_open(guarded, COPENHAGEN, local(tuesday, 20, 59, 25))
    stricter = hours_of(close_guard_seconds=60)
    assert not hours.is_open(hours.guarded(stricter, 25), COPENHAGEN, local(tuesday, 20, 59, 10))
    assert hours.guarded(hours_of(close_guard_seconds=35), 25).hours.close_guard_seconds == 35


def test_the_search_ends_after_four_hundred_days() -> None:
    monday = date(2026, 5, 11)
    for ahead, is_found in ((399, True), (400, False)):
        opening = monday + timedelta(days=ahead)
        policy = hours_of(windows={}, calendars=(), dates={opening: TEN_TO_FOUR})
        found = hours.next_open(policy, COPENHAGEN, local(monday, 12))
        assert found == (local(opening, 10) if is_found else None)


def test_a_week_end_before_a_holiday_keeps_its_own_windows() -> None:
    policy = hours_of(
        windows={"fri": TEN_TO_FOUR, "sat": TEN_TO_FOUR, "sun": TEN_TO_FOUR},
        before_holiday=((10 * 60, 12 * 60),),
        closed_days=(),
    )
    holy_saturday, last_sunday, last_friday = (
        date(2026, 4, 4),  # before Easter Sunday
        date(2023, 12, 31),  # before New Year's Day, a Monday
        date(2027, 12, 24),  # before Christmas Day
    )
    assert hours.is_open(policy, COPENHAGEN, local(holy_saturday, 14))
    assert hours.is_open(policy, COPENHAGEN, local(last_sunday, 14))
    assert not hours.is_open(policy, COPENHAGEN, local(last_friday, 14))


def test_between_two_windows_is_a_pause_and_after_the_last_it_is_over() -> None:
    day = date(2026, 5, 12)
    windows = {"tue": ((10 * 60, 13 * 60), (13 * 60 + 5, 13 * 60 + 10))}
    policy = hours_of(windows=windows, close_guard_seconds=60)
    for minute, second, reason in (
        (2, 0, Reason.TIME_PAUSE),
        (4, 30, Reason.TIME_PAUSE),
        (9, 0, Reason.TIME_AFTER),
        (10, 0, Reason.TIME_AFTER),
    ):
        at = local(day, 13, minute, second)
        assert hours.problems(policy, COPENHAGEN, at) == (reason,)
    assert hours.is_open(policy, COPENHAGEN, local(day, 13, 8, 59))


def test_the_hours_end_where_they_end_first() -> None:
    tuesday, saturday = date(2026, 5, 12), date(2026, 5, 16)
    guarded = hours_of(close_guard_seconds=600)
    for policy in (DK, guarded):  # the guard does not move the end
        assert hours.closes_at(policy, COPENHAGEN, local(tuesday, 20, 55)) == local(tuesday, 21)
    assert hours.closes_at(DK, COPENHAGEN, local(tuesday, 9)) == local(tuesday, 21)
    for closed in (local(tuesday, 8, 59), local(tuesday, 21), local(saturday, 12)):
        assert hours.closes_at(DK, COPENHAGEN, closed) is None
    both = Place("DK", ("America/New_York", "Europe/Copenhagen"))
    assert hours.closes_at(DK, both, local(tuesday, 16)) == local(tuesday, 21)
    assert hours.closes_at(DK, both, local(tuesday, 14)) is None  # 08:00 in New York
    pause = hours_of(windows={"tue": ((9 * 60, 12 * 60), (13 * 60, 20 * 60))})
    assert hours.closes_at(pause, COPENHAGEN, local(tuesday, 11)) == local(tuesday, 12)
    assert hours.closes_at(pause, COPENHAGEN, local(tuesday, 12, 30)) is None
    assert hours.closes_at(pause, COPENHAGEN, local(tuesday, 13)) == local(tuesday, 20)
    late = hours_of(windows={"tue": ((9 * 60, 24 * 60),)})
    wednesday = tuesday + timedelta(days=1)
    assert hours.closes_at(late, COPENHAGEN, local(tuesday, 23, 59)) == local(wednesday, 0)


def test_a_time_in_a_skipped_hour_is_the_first_instant_after_it() -> None:
    spring, autumn, ordinary = date(2026, 3, 29), date(2026, 10, 25), date(2026, 5, 12)
    half_past_two = 2 * 60 + 30
    assert hours.instant(spring, half_past_two, ZONE) == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert hours.instant(autumn, half_past_two, ZONE) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert hours.instant(ordinary, 9 * 60, ZONE) == datetime(2026, 5, 12, 7, tzinfo=UTC)
