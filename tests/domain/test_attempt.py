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


def test_the_first_attempts_are_free_and_the_next_one_waits() -> None:
    assert [LIMIT.tripped(count) for count in range(6)] == [False] * 3 + [True] * 3
    for count, wait in ((2, 0), (3, 1), (4, 2)):
        assert LIMIT.opens_at(AttemptCount(count, NOW, NOW), NOW) == NOW + wait * MINUTE


def test_what_is_forgotten_waits_no_longer() -> None:
    tried = AttemptCount(3, NOW, NOW)
    long = AttemptLimit(free=3, first=40 * FORGOTTEN_AFTER, longest=40 * FORGOTTEN_AFTER)
    assert timedelta(hours=24) == FORGOTTEN_AFTER
    at = NOW + FORGOTTEN_AFTER
    assert long.opens_at(tried, at) == NOW + 40 * FORGOTTEN_AFTER
    assert long.opens_at(tried, at + MINUTE) == at + MINUTE
    assert long.opens_at(AttemptCount(0, NOW, NOW), NOW) == NOW


def test_a_first_attempt_begins_the_count_a_second_goes_on() -> None:
    later = NOW + MINUTE
    assert AttemptCount(0, NOW, NOW).one_more(later) == AttemptCount(1, later, later)
    assert AttemptCount(1, NOW, NOW).one_more(later) == AttemptCount(2, NOW, later)


def test_a_pace_counts_within_its_period_and_begins_again_after_it() -> None:
    pace, later, over = RateLimit(2, 10 * MINUTE), NOW + MINUTE, NOW + 10 * MINUTE
    assert pace.one_more(AttemptCount(0, NOW, NOW), later) == AttemptCount(1, later, later)
    assert pace.one_more(AttemptCount(1, NOW, NOW), later) == AttemptCount(2, NOW, later)
    assert pace.one_more(AttemptCount(1, NOW, NOW), over) == AttemptCount(1, over, over)
    full = AttemptCount(3, NOW, later)  # two at the same instant may pass the limit
    assert pace.opens_at(full, over - MINUTE) == over
    assert pace.opens_at(full, over) == over
    assert pace.opens_at(full, over + MINUTE) == over + MINUTE
    assert latest([NOW - MINUTE], NOW) is None
