"""How often something may be tried: a few times at once, then ever more slowly; or so often an hour."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

FORGOTTEN_AFTER = timedelta(hours=24)
"""Failed attempts count until none was made for this long; longer than any wait."""

_MOST_DOUBLINGS = 20


@dataclass(frozen=True, slots=True)
class AttemptCount:
    """What was counted so far. `since` is the first attempt's instant, `last` the latest one's."""

    count: int
    since: datetime
    last: datetime

    def one_more(self, now: datetime) -> "AttemptCount":
        """The count after an attempt now."""
        if self.count == 0 or now - self.last > FORGOTTEN_AFTER:
            return AttemptCount(1, now, now)
        return AttemptCount(self.count + 1, self.since, now)


@dataclass(frozen=True, slots=True)
class AttemptLimit:
    """`free` attempts at once; then a wait that doubles from `first` to `longest`."""

    free: int
    first: timedelta
    longest: timedelta

    def opens_at(self, tried: AttemptCount, now: datetime) -> datetime:
        """When the next attempt may be made; not after `now` when it may be made now."""
        beyond = tried.count - self.free
        if beyond < 0 or now - tried.last > FORGOTTEN_AFTER:
            return now
        wait = self.first * int(2 ** min(beyond, _MOST_DOUBLINGS))
        return tried.last + min(wait, self.longest)

    def tripped(self, count: int) -> bool:
        """Whether this many attempts make the next one wait."""
        return count >= self.free


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most so many within so long."""

    most: int
    within: timedelta

    def opens_at(self, tried: AttemptCount, now: datetime) -> datetime:
        """When the next one may be done; not after `now` when it may be done now."""
        if self._over(tried, now) or tried.count < self.most:
            return now
        return tried.since + self.within

    def one_more(self, tried: AttemptCount, now: datetime) -> "AttemptCount":
        """The count after one more now; it begins anew when its time is over."""
        if self._over(tried, now) or tried.count == 0:
            return AttemptCount(1, now, now)
        return AttemptCount(tried.count + 1, tried.since, now)

    def _over(self, tried: AttemptCount, now: datetime) -> bool:
        return now - tried.since >= self.within


def latest(opens: Sequence[datetime], now: datetime) -> datetime | None:
    """The instant at which all of them are open; None when they are open now."""
    last = max(opens, default=now)
    return last if last > now else None
