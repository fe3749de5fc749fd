"""Compares two blocks of calling hours day by day: where would calls be allowed that were not before?"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from callserver.domain.policy import WEEKDAYS, Hours, Window

Span = tuple[int, int]
"""Seconds of the local day, half-open."""

Change = tuple[str, Any, Any]
"""A key, its old value and its new value."""

WORKING_DAYS = WEEKDAYS[:5]
"""Only these have other windows on the day before a holiday (hours.py)."""


def looser(was: Hours, would: Hours) -> Iterator[Change]:
    """Every change by which the new hours are open when the old ones were not.

    The guard and the calendars are compared separately (loosening_tables.py); here the stricter one of the two
    guards applies to the new hours.
    """
    guard = max(was.close_guard_seconds, would.close_guard_seconds)

    def within(new: Sequence[Window], old: Sequence[Window]) -> bool:
        return _within(_spans(new, guard), _spans(old, was.close_guard_seconds))

    for day in WEEKDAYS:
        old, new = _week(was, day), _week(would, day)
        if not within(new, old):
            yield f"hours.windows.{day}", _written(old), _written(new)
    # Without windows of their own the days before a holiday are as open as the weekdays above.
    has_own = was.before_holiday is not None or would.before_holiday is not None
    if has_own and any(
        not within(_eve(would, day), old) for day in WORKING_DAYS for old in _eves(was, would, day)
    ):
        yield "hours.before_holiday", _written(was.before_holiday), _written(would.before_holiday)
    for on in sorted({*was.dates, *would.dates}):
        if any(not within(new, old) for new in _on(would, on) for old in _on(was, on)):
            yield f"hours.dates.{on}", _written(was.dates.get(on)), _written(would.dates.get(on))
    closed = set(would.closed_days)
    for text in was.closed_days:
        if not closed & {text, text[-5:]}:  # 12-24 every year covers 2026-12-24
            yield "hours.closed_days", text, None


def _week(hours: Hours, day: str) -> Sequence[Window]:
    return hours.windows.get(day, ())  # type: ignore[call-overload,no-any-return]


def _eve(hours: Hours, day: str) -> Sequence[Window]:
    """The windows of a weekday before a holiday."""
    return _week(hours, day) if hours.before_holiday is None else hours.before_holiday


def _eves(was: Hours, would: Hours, day: str) -> Iterator[Sequence[Window]]:
    """The old windows of such a day; with added calendars it may have been an ordinary weekday."""
    yield _eve(was, day)
    if set(would.calendars) - set(was.calendars):
        yield _week(was, day)


def _on(hours: Hours, on: date) -> list[Sequence[Window]]:
    """The windows that may apply on a date that is not a holiday."""
    if on in hours.dates:
        return [hours.dates[on]]
    if {on.isoformat(), on.strftime("%m-%d")} & set(hours.closed_days):
        return [()]
    day = WEEKDAYS[on.weekday()]
    return [_week(hours, day), *([_eve(hours, day)] if day in WORKING_DAYS else [])]


def _spans(windows: Sequence[Window], guard: int) -> list[Span]:
    """The open seconds in order; adjoining spans are merged."""
    spans: list[Span] = []
    for opens, closes in windows:
        start, end = opens * 60, closes * 60 - guard
        if start >= end:
            continue
        if spans and spans[-1][1] == start:
            start = spans.pop()[0]
        spans.append((start, end))
    return spans


def _within(new: list[Span], old: list[Span]) -> bool:
    return all(any(a <= start and end <= b for a, b in old) for start, end in new)


def _written(windows: Sequence[Window] | None) -> list[str] | None:
    """The windows as configuration files write them."""
    if windows is None:
        return None
    return ["-".join(f"{at // 60:02}:{at % 60:02}" for at in window) for window in windows]
