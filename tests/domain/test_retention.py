"""How long each class is kept, and what counts as keeping longer."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from callserver.adapters.config_folder import load
from callserver.domain.retention import (
    ATTEMPTS_COUNT_FOR,
    RetentionClass,
    RetentionPolicy,
    keeps_longer,
)

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
DEFAULTS = RetentionPolicy()
SHIPPED = load(Path(__file__).parents[2] / "config").organisation.retention


def with_days(kind: RetentionClass, days: int) -> RetentionPolicy:
    period = {"days": days, "reason": "r", "source": "s"}
    return RetentionPolicy.model_validate({kind.value: period})


@pytest.mark.parametrize("kind", RetentionClass)
def test_without_a_configuration_nothing_is_kept_longer_than_the_shipped_one_says(
    kind: RetentionClass,
) -> None:
    assert DEFAULTS.period(kind).days == SHIPPED.period(kind).days
    assert DEFAULTS.before(kind, NOW) == NOW - timedelta(days=SHIPPED.period(kind).days)


@pytest.mark.parametrize("kind", RetentionClass)
def test_one_class_that_is_kept_longer_is_named(kind: RetentionClass) -> None:
    days = DEFAULTS.period(kind).days
    assert keeps_longer(DEFAULTS, with_days(kind, days + 1))
    assert not keeps_longer(DEFAULTS, with_days(kind, days))
    assert not keeps_longer(with_days(kind, days + 1), DEFAULTS)


def test_calls_are_kept_as_long_as_they_count_in_caps_and_rests() -> None:
    assert timedelta(days=370) == ATTEMPTS_COUNT_FOR
    least = with_days(RetentionClass.CALLS, ATTEMPTS_COUNT_FOR.days)
    assert least.before(RetentionClass.CALLS, NOW) == NOW - ATTEMPTS_COUNT_FOR


@pytest.mark.parametrize(
    ("kind", "days"),
    [
        (RetentionClass.CALLS, 369),
        (RetentionClass.CALLS, 3651),
        (RetentionClass.NOTES, 0),
        (RetentionClass.NOTES, 3651),
    ],
)
def test_a_period_that_makes_no_sense_is_refused(kind: RetentionClass, days: Any) -> None:
    with pytest.raises(ValidationError):
        with_days(kind, days)


def test_the_longest_and_the_shortest_period() -> None:
    for kind, days in (
        (RetentionClass.CALLS, 3650),
        (RetentionClass.NOTES, 3650),
        (RetentionClass.NOTES, 1),
    ):
        assert with_days(kind, days).period(kind).days == days
