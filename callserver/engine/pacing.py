"""How much of one thing one person may do: looking numbers up, typing numbers, keeping pages open."""

from datetime import datetime, timedelta
from enum import StrEnum

from callserver.database import attempts, audit
from callserver.domain.attempt import Pace
from callserver.domain.audit import Kind
from callserver.engine.house import House
from callserver.errors import TooMany
from callserver.ports import Tx


class Paced(StrEnum):
    """What is limited."""

    LOOK_UP = "look_up"  # who called a number; opt-outs of a number
    DIAL = "dial"  # a number typed by hand
    STREAM = "stream"  # pages that stay live


PACES = {
    Paced.LOOK_UP: Pace(40, timedelta(minutes=10)),
    Paced.DIAL: Pace(20, timedelta(minutes=15)),
}
MOST_STREAMS = 12
"""Live pages of one person, in one process."""

TOLD_EVERY = Pace(1, timedelta(minutes=15))
"""How often the log is told that somebody goes on after being refused."""


class Pacing:
    """Counts in the database, for all processes together."""

    def __init__(self, ours: House) -> None:
        self._ours = ours

    async def step(self, what: Paced, user: int) -> None:
        """One more.

        Raises:
            TooMany: it is one too many; the log is told.
        """
        now, pace = self._ours.clock.now(), PACES[what]

        def work(tx: Tx) -> datetime:
            return _count(tx, f"pace:{what.value}:{user}", pace, now)

        opens = await self._ours.store.run(work)
        if opens > now:
            await self.refuse(what, user, (opens - now).total_seconds())

    async def refuse(self, what: Paced, user: int, wait_s: float) -> None:
        """Too many: the log is told.

        Raises:
            TooMany: always.
        """
        now = self._ours.clock.now()

        def tell(tx: Tx) -> None:
            if _count(tx, f"paced:{what.value}:{user}", TOLD_EVERY, now) <= now:
                audit.append(tx, now, Kind.PACE, by=f"user:{user}", what=what.value)

        await self._ours.store.run(tell)
        raise TooMany("too many in a short time", wait_s, key="pace")


def _count(tx: Tx, key: str, pace: Pace, now: datetime) -> datetime:
    """Count one more if the pace allows it; when it is allowed: not after `now`, or later."""
    tried = attempts.locked(tx, key, now)
    opens = pace.opens_at(tried, now)
    if opens <= now:
        attempts.store(tx, key, pace.one_more(tried, now))
    return opens
