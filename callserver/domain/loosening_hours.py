"""Would a telephone be allowed to ring when it was not before? Two blocks of hours, day by day."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from callserver.domain.policy import WEEKDAYS, Hours, Window

Span = tuple[int, int]
"""Seconds of the local day, half-open."""

Change = tuple[str, Any, Any]
"""A key, what stood there, what would stand there."""

WORKING = WEEKDAYS[:5]
"""Only these have other windows before a holiday (hours.py)."""


def looser(was: Hours, would: Hours) -> Iterator[Change]:
    """Every place where the new hours are open and the old ones were not.

    The guard and the calendars are compared by themselves (loosening.py); here the stricter guard of
    the two counts for the new hours.
    """
    guard = max(was.close_guard_seconds, would.close_guard_seconds)

    def within(new: Sequence[Window], old: Sequence[Window]) -> bool:
        return _within(_spans(new, guard), _spans(old, was.close_guard_seconds))

    for day in WEEKDAYS:
        old, new = _week(was, day), _week(would, day)
        if not within(new, old):
            yield f"hours.windows.{day}", _said(old), _said(new)
    if any(not within(_eve(would, day), old) for day in WORKING for old in _eves(was, would, day)):
        yield "hours.before_holiday", _said(was.before_holiday), _said(would.before_holiday)
    for on in sorted({*was.dates, *would.dates}):
        if any(not within(new, old) for new in _on(would, on) for old in _on(was, on)):
            yield f"hours.dates.{on}", _said(was.dates.get(on)), _said(would.dates.get(on))
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
    """What held on such a day before; with more calendars, it may have been no such day."""
    yield _eve(was, day)
    if set(would.calendars) - set(was.calendars):
        yield _week(was, day)


def _on(hours: Hours, on: date) -> list[Sequence[Window]]:
    """What may hold on a date, when it is no holiday."""
    if on in hours.dates:
        return [hours.dates[on]]
    if {on.isoformat(), on.strftime("%m-%d")} & set(hours.closed_days):
        return [()]
    day = WEEKDAYS[on.weekday()]
    return [_week(hours, day), *([_eve(hours, day)] if day in WORKING else [])]


def _spans(windows: Sequence[Window], guard: int) -> list[Span]:
    """Open seconds in order, those that touch made one."""
    found: list[Span] = []
    for opens, closes in windows:
        start, end = opens * 60, closes * 60 - guard
        if start >= end:
            continue
        if found and found[-1][1] == start:
            start = found.pop()[0]
        found.append((start, end))
    return found


def _within(new: list[Span], old: list[Span]) -> bool:
    return all(any(a <= start and end <= b for a, b in old) for start, end in new)


def _said(windows: Sequence[Window] | None) -> list[str] | None:
    """As the files write them."""
    if windows is None:
        return None
    return ["-".join(f"{at // 60:02}:{at % 60:02}" for at in one) for one in windows]
