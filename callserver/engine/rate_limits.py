"""Rate limits per user: look-ups, manually typed numbers, live pages."""

from datetime import datetime, timedelta
from enum import StrEnum

from callserver.database import attempt_counters, audit
from callserver.domain.attempt_limits import RateLimit
from callserver.domain.audit import EntryKind
from callserver.engine.context import EngineContext
from callserver.errors import TooMany
from callserver.ports import Tx


class RateLimited(StrEnum):
    """What is limited."""

    LOOK_UP = "look_up"  # who called a number; opt-outs of a number; a person (config/house.yaml)
    DIAL = "dial"  # a number typed by hand
    STREAM = "stream"  # pages that stay live


DIALS = RateLimit(20, timedelta(minutes=15))
MOST_STREAMS = 12
"""Live pages of one person, in one process."""

TOLD_EVERY = RateLimit(1, timedelta(minutes=15))
"""How often a user's continued attempts after a refusal are logged."""


class RateLimits:
    """Counts in the database, for all processes together."""

    def __init__(self, ctx: EngineContext) -> None:
        self._ctx = ctx

    async def step(self, what: RateLimited, user: int) -> None:
        """Count one more action.

        Raises:
            TooMany: the limit is reached; this is logged.
        """
        now, pace = self._ctx.clock.now(), self.limit(what)

        def work(tx: Tx) -> datetime:
            return _count(tx, f"pace:{what.value}:{user}", pace, now)

        opens = await self._ctx.store.run(work)
        if opens > now:
            await self.refuse(what, user, (opens - now).total_seconds())

    def limit(self, what: RateLimited) -> RateLimit:
        """The limit of an action that is counted in the database."""
        if what is RateLimited.DIAL:
            return DIALS
        look_ups = self._ctx.rules.current.organisation.look_ups
        return RateLimit(look_ups.most, timedelta(minutes=look_ups.within_minutes))

    async def refuse(self, what: RateLimited, user: int, wait_s: float) -> None:
        """Refuse the action and log it.

        Raises:
            TooMany: always.
        """
        now = self._ctx.clock.now()

        def tell(tx: Tx) -> None:
            if _count(tx, f"paced:{what.value}:{user}", TOLD_EVERY, now) <= now:
                audit.append(tx, now, EntryKind.PACE, by=f"user:{user}", what=what.value)

        await self._ctx.store.run(tell)
        raise TooMany("too many in a short time", wait_s, key="pace")


def _count(tx: Tx, key: str, pace: RateLimit, now: datetime) -> datetime:
    """Count one more if the pace allows it; when it is allowed: not after `now`, or later."""
    tried = attempt_counters.locked(tx, key, now)
    opens = pace.opens_at(tried, now)
    if opens <= now:
        attempt_counters.store(tx, key, pace.one_more(tried, now))
    return opens
