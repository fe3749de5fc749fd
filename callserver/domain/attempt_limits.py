"""How often an action may be attempted: a few times, then with growing waits; or a number per period."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

FORGOTTEN_AFTER = timedelta(hours=24)
"""Attempts are forgotten when none was made for this long. It is longer than any wait."""

_MOST_DOUBLINGS = 20


@dataclass(frozen=True, slots=True)
class AttemptCount:
    """The attempts so far. `since` is the instant of the first one, `last` of the latest one."""

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
    """`free` attempts without a wait; then a wait that doubles from `first` to `longest`."""

    free: int
    first: timedelta
    longest: timedelta

    def opens_at(self, tried: AttemptCount, now: datetime) -> datetime:
        """When the next attempt may be made; `now` or earlier: it may be made now."""
        excess = tried.count - self.free
        if excess < 0 or now - tried.last > FORGOTTEN_AFTER:
            return now
        wait = self.first * int(2 ** min(excess, _MOST_DOUBLINGS))
        return tried.last + min(wait, self.longest)

    def tripped(self, count: int) -> bool:
        """Whether this many attempts make the next one wait."""
        return count >= self.free


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most `most` actions within `within`."""

    most: int
    within: timedelta

    def opens_at(self, tried: AttemptCount, now: datetime) -> datetime:
        """When the next action is allowed; `now` or earlier: it is allowed now."""
        if self._over(tried, now) or tried.count < self.most:
            return now
        return tried.since + self.within

    def one_more(self, tried: AttemptCount, now: datetime) -> "AttemptCount":
        """The count after one more action now; it restarts when its period is over."""
        if self._over(tried, now) or tried.count == 0:
            return AttemptCount(1, now, now)
        return AttemptCount(tried.count + 1, tried.since, now)

    def _over(self, tried: AttemptCount, now: datetime) -> bool:
        return now - tried.since >= self.within


def latest(opens: Sequence[datetime], now: datetime) -> datetime | None:
    """The instant from which all limits allow an attempt; None: they allow it now."""
    last = max(opens, default=now)
    return last if last > now else None
