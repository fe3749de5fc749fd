"""How often something may be tried: at once, then more and more slowly."""

from datetime import UTC, datetime, timedelta

from callserver.domain.attempt_limits import (
    FORGOTTEN_AFTER,
    AttemptCount,
    AttemptLimit,
    RateLimit,
    latest,
)

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LIMIT = AttemptLimit(free=3, first=MINUTE, longest=10 * MINUTE)
NOTHING = AttemptCount(0, NOW, NOW)


def test_the_waits_double_up_to_the_longest() -> None:
    now, tried, waits = NOW, NOTHING, []
    for _ in range(9):
        opens = LIMIT.opens_at(tried, now)
        waits.append((opens - now) // MINUTE)
        now = opens
        tried = tried.one_more(now)
    assert waits == [0, 0, 0, 1, 2, 4, 8, 10, 10]


def test_the_count_is_forgotten_after_a_day_without_an_attempt() -> None:
    tried = AttemptCount(50, NOW, NOW)
    later = NOW + FORGOTTEN_AFTER
    assert LIMIT.opens_at(tried, NOW) == NOW + 10 * MINUTE
    assert tried.one_more(later).count == 51
    assert tried.one_more(later + MINUTE) == AttemptCount(1, later + MINUTE, later + MINUTE)
    assert LIMIT.opens_at(AttemptCount(10**9, NOW, NOW), NOW) == NOW + 10 * MINUTE  # no overflow


def test_a_pace_opens_again_when_its_time_is_over() -> None:
    pace = RateLimit(2, 10 * MINUTE)
    assert pace.opens_at(AttemptCount(1, NOW, NOW), NOW) == NOW
    assert pace.opens_at(AttemptCount(2, NOW, NOW + MINUTE), NOW + MINUTE) == NOW + 10 * MINUTE
    over = NOW + 10 * MINUTE
    assert pace.opens_at(AttemptCount(2, NOW, NOW + MINUTE), over) == over


def test_all_of_several_must_be_open() -> None:
    assert latest([NOW, NOW - MINUTE], NOW) is None
    assert latest([], NOW) is None
    assert latest([NOW, NOW + MINUTE], NOW) == NOW + MINUTE
