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
    found = [start + timedelta(seconds=dice.randrange(span)) for _ in range(count)]
    for one in found[: count // 2]:
        edge = one.replace(hour=dice.choice((7, 8, 19, 20)), minute=0, second=0)
        found.append(edge + timedelta(seconds=dice.choice((-1, 0, 1))))
    return found


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


@pytest.mark.parametrize("policy", [DK, FR, RK, POLICIES["it"]], ids=lambda one: one.name)
def test_next_open_is_the_first_open_instant(policy: Policy) -> None:
    place = {
        "fr": Place("FR", ("Europe/Paris",)),
        "it": Place("IT", ("Europe/Rome",)),
        "dk_rk": Place("GL", ("America/Nuuk", "America/Scoresbysund", "America/Thule")),
    }.get(policy.name, COPENHAGEN)
    for at in instants(60):
        found = hours.next_open(policy, place, at)
        assert found is not None
        assert found >= at
        assert hours.is_open(policy, place, found)
        step = at
        while step < found:  # by quarters of an hour: windows begin and end on them
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
