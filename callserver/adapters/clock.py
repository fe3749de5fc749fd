"""The system's clock, and one that starts elsewhere. The only datetime.now()."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

from callserver.database import house
from callserver.ports import Tx
from callserver.settings import instant


class SystemClock:
    """The wall clock, watched: it is compared with the monotonic clock, which nobody can set."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def skew_ms(self) -> int:
        """How far the wall clock has jumped since the start; slow corrections are followed."""
        offset = time.time() - time.monotonic()
        jump = offset - self._offset
        if abs(jump) < SLEW_S:
            self._offset = offset
        return round(jump * 1000)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


SLEW_S = 0.1
"""A correction smaller than this between two looks is the time service's ordinary work."""


class ShiftedClock(SystemClock):
    """Runs like the system's clock, from another instant: demonstrations at any hour."""

    def __init__(self, start: datetime) -> None:
        super().__init__()
        self._shift: timedelta = start - datetime.now(UTC)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._shift


def clock_from(start: str, tx: Tx) -> SystemClock:
    """The system's clock; or, from an instant (ISO 8601), one that starts there.

    Never before what stands in the database already: to a server that is started again, and to a
    command beside one that runs, a no that was said a minute ago would else be yet to come.

    Raises:
        ConfigurationProblem: the text is no instant.
    """
    if not start:
        return SystemClock()
    begins = instant("CALLSERVER_CLOCK", start)
    return ShiftedClock(max(begins, house.lived_until(tx) or begins))
