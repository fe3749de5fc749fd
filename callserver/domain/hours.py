"""May this place be called at this instant, and when next? Windows are half-open, in local time.

A place is a country (for its holidays) and one or several zones (all must be open). A holiday or closed
day is looked up by the local date and takes precedence over all other time rules.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from callserver.domain import calendars, phone
from callserver.domain.policy import WEEKDAYS, Policy, Window
from callserver.domain.reason import Reason

LOOK_AHEAD_DAYS = 400
DAY = timedelta(days=1)

SET_UP_SECONDS = 10
"""The time from the permit to the first ring, plus the carrier's extra ring time, rounded up.

A permit is valid for 2 s (permit.LIFETIME), a carrier needs 0.7 to 1.5 s until the telephone rings, and
Twilio rings a conference participant 5 s longer than ordered.
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a telephone rings. No zones: the place is unknown and may not be called."""

    country: str | None
    zones: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.country or '-'} {','.join(self.zones)}"

    @staticmethod
    def parse(text: str) -> "Place":
        """The inverse of str()."""
        country, _, zones = text.partition(" ")
        return Place(None if country == "-" else country, tuple(zones.split(",")) if zones else ())


def place_of(number: str, own_zone: str | None) -> Place:
    """The number's place; a person's own zone overrides the number's.

    Several zones, with commas between them, must all be known: the rows of a list may contradict each other.
    """
    zones = own_zone.split(",") if own_zone else phone.zones(number)
    place = place_in(phone.country(number), zones)
    if own_zone and len(place.zones) < len(zones):
        return Place(place.country, ())
    return place


def with_others(place: Place, zones: Iterable[str]) -> Place:
    """The place where these zones must be open as well. A place that is unknown stays so."""
    if not place.zones:
        return place
    return place_in(place.country, dict.fromkeys((*place.zones, *zones)))


def place_in(country: str | None, zones: Iterable[str]) -> Place:
    """The place with those of the zones that are known."""
    return Place(country, tuple(zone for zone in zones if _zone(zone) is not None))


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder of zones, "Europe"
        return None


def _is_holiday(policy: Policy, country: str | None, day: date) -> bool:
    return (
        country is not None
        and country in policy.hours.calendars
        and day in calendars.public_holidays(country, day.year)
    )


def _is_closed(policy: Policy, day: date) -> bool:
    closed = policy.hours.closed_days
    return bool(closed) and (day.strftime("%m-%d") in closed or day.isoformat() in closed)


@lru_cache(maxsize=4096)
def _day(hours_key: "_Hours", country: str | None, day: date) -> tuple[Window, ...] | Reason:
    """The day's windows, or the reason why it has none."""
    policy = hours_key.policy
    if _is_holiday(policy, country, day):
        return Reason.TIME_HOLIDAY
    if day in policy.hours.dates:
        return policy.hours.dates[day] or Reason.TIME_CLOSED_DAY
    if _is_closed(policy, day):
        return Reason.TIME_CLOSED_DAY
    windows = policy.hours.windows.get(WEEKDAYS[day.weekday()], ())  # type: ignore[call-overload]
    before = policy.hours.before_holiday
    if before is not None and day.weekday() < 5 and _is_holiday(policy, country, day + DAY):
        windows = before
    return windows or Reason.TIME_WEEKDAY


class _Hours:
    """A policy as a cache key: compared by identity, which is safe because a policy is frozen."""

    __slots__ = ("policy",)

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    def __hash__(self) -> int:
        return id(self.policy)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Hours) and other.policy is self.policy


def guarded(policy: Policy, ring_seconds: int) -> Policy:
    """The policy with a close guard of at least the ring time and the set-up time, so that a call dialed
    within the hours has stopped ringing when they end. A stricter guard of the policy stays."""
    return _guarded(_Hours(policy), ring_seconds + SET_UP_SECONDS)


@lru_cache(maxsize=256)
def _guarded(key: _Hours, least: int) -> Policy:
    """Cached, because `_day` uses the policy's identity as a cache key."""
    policy = key.policy
    if policy.hours.close_guard_seconds >= least:
        return policy
    strict = policy.hours.model_copy(update={"close_guard_seconds": least})
    return policy.model_copy(update={"hours": strict})


def _zone_problem(
    policy: Policy, country: str | None, zone: ZoneInfo, now: datetime
) -> Reason | None:
    local = now.astimezone(zone)
    windows = _day(_Hours(policy), country, local.date())
    if isinstance(windows, Reason):
        return windows
    second = local.hour * 3600 + local.minute * 60 + local.second
    guard = policy.hours.close_guard_seconds
    if second < windows[0][0] * 60:
        return Reason.TIME_BEFORE
    for opens, closes in windows:
        if opens * 60 <= second < closes * 60 - guard:
            return None
    if second >= windows[-1][1] * 60 - guard:
        return Reason.TIME_AFTER
    return Reason.TIME_PAUSE


def problems(policy: Policy, place: Place, now: datetime) -> tuple[Reason, ...]:
    """Every reason why the place is closed at this instant; empty: it is open."""
    if not place.zones:
        return (Reason.TIME_TZ_UNKNOWN,)
    reasons = set()
    for name in place.zones:
        zone = _zone(name)
        if zone is None:
            return (Reason.TIME_TZ_UNKNOWN,)
        problem = _zone_problem(policy, place.country, zone, now)
        if problem is not None:
            reasons.add(problem)
    return tuple(reasons)


def is_open(policy: Policy, place: Place, now: datetime) -> bool:
    """Whether the place may be called at this instant."""
    return not problems(policy, place, now)


def closes_at(policy: Policy, place: Place, at: datetime) -> datetime | None:
    """When the window that is open at this instant ends, whatever the close guard; None: none is open."""
    ends: list[datetime] = []
    for zone in zones_of(place):
        day = at.astimezone(zone).date()
        windows = _day(_Hours(policy), place.country, day)
        if isinstance(windows, Reason):
            return None
        around = [
            instant(day, closes, zone)
            for opens, closes in windows
            if instant(day, opens, zone) <= at < instant(day, closes, zone)
        ]
        if not around:
            return None
        ends += around
    return min(ends, default=None)


def next_open(policy: Policy, place: Place, after: datetime) -> datetime | None:
    """The first instant from `after` on at which every zone is open; None: none within 400 days."""
    if is_open(policy, place, after):
        return after
    if not place.zones or any(_zone(name) is None for name in place.zones):
        return None
    zones = zones_of(place)
    # An intersection of half-open windows begins when one of them opens.
    for ahead in range(LOOK_AHEAD_DAYS):
        openings: list[datetime] = []
        for zone in zones:
            day = after.astimezone(zone).date() + timedelta(days=ahead)
            windows = _day(_Hours(policy), place.country, day)
            if not isinstance(windows, Reason):
                openings += [instant(day, opens, zone) for opens, _ in windows]
        for opening in sorted(openings):
            if opening >= after and is_open(policy, place, opening):
                return opening
    return None


@lru_cache(maxsize=4096)
def instant(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """The instant of this local time, 24:00 included; for a time in a skipped hour, the first instant after it."""
    local = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(minutes=minutes)
    at = local.astimezone(UTC)
    shown = at.astimezone(zone)
    if (shown.hour, shown.minute) != (local.hour, local.minute):  # skipped by a clock change
        at = local.replace(fold=1).astimezone(UTC)
        while at.astimezone(zone).replace(tzinfo=None) < local.replace(tzinfo=None):
            at += timedelta(minutes=1)
    return at


def local_dates(place: Place, now: datetime) -> tuple[date, ...]:
    """Today in each of the place's zones; in UTC when no zone is known (no call is permitted then)."""
    return tuple({now.astimezone(zone).date() for zone in zones_of(place)})


def zones_of(place: Place) -> tuple[ZoneInfo, ...]:
    """The place's zones; UTC when none is known (no call is permitted then)."""
    zones = tuple(zone for name in place.zones if (zone := _zone(name)) is not None)
    return zones or (ZoneInfo("UTC"),)
