"""The system's clock, and one with another start. The only datetime.now()."""

import asyncio
import threading
import time
from datetime import UTC, datetime, timedelta

from callserver.database import known_time
from callserver.ports import Tx
from callserver.settings import instant


class SystemClock:
    """The wall clock, compared with the monotonic clock, which nobody can set."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._offset = time.time() - time.monotonic()
        # The offset after a jump, and since when it is steady.
        self._step: tuple[float, float] | None = None
        self._accepted_ms = 0
        # The offset when the carrier was heard, and how far the clock was ahead of it then.
        self._heard: tuple[float, int] | None = None

    def now(self) -> datetime:
        return datetime.now(UTC)

    def device_time(self) -> datetime:
        return datetime.now(UTC)

    def skew_ms(self) -> int:
        """How far the wall clock has jumped; slow corrections are accepted at once.

        A jump that lasts is a correction, or the machine was paused: its time is accepted when the
        clock has been steady for `STEADY_S`.
        """
        with self._lock:
            now = time.monotonic()
            offset = time.time() - now
            jump = offset - self._offset
            if abs(jump) < SLEW_S:
                self._offset, self._step = offset, None
                return round(jump * 1000)
            since = now if self._step is None else self._step[1]
            if self._step is not None and abs(offset - self._step[0]) >= SLEW_S:
                since = now  # it has jumped again
            self._step = (offset, since)
            if now - since < STEADY_S:
                return round(jump * 1000)
            self._accepted_ms += round(jump * 1000)
            self._offset, self._step = offset, None
            return 0

    def accepted_ms(self) -> int:
        """The jump that was accepted since the last call; 0 when there was none."""
        self.skew_ms()
        with self._lock:
            accepted, self._accepted_ms = self._accepted_ms, 0
        return accepted

    def behind_ms(self, known: datetime) -> int:
        """How far the clock is behind an instant that is in the past."""
        return max(0, round((known - self.now()) / MILLISECOND))

    def apart_ms(self, elsewhere: datetime | None) -> int:
        apart = 0 if elsewhere is None else round((self.now() - elsewhere) / MILLISECOND)
        if abs(apart) <= MOST_APART_MS:
            apart = self._ahead_of_carrier_ms()
        return apart if abs(apart) > MOST_APART_MS else 0

    def _ahead_of_carrier_ms(self) -> int:
        """What the carrier said, and how far the clock has jumped since."""
        if self._heard is None:
            return 0
        offset, apart_ms = self._heard
        return apart_ms + round((time.time() - time.monotonic() - offset) * 1000)

    def must_hear(self) -> bool:
        return self._heard is None or abs(self._ahead_of_carrier_ms()) > MOST_APART_MS

    def heard(self, said: datetime, asked_at: datetime) -> None:
        ahead = round((asked_at - said) / MILLISECOND)
        behind = round((said - self.now()) / MILLISECOND)
        # Right is every time between the request and its answer, however late that came.
        apart_ms = ahead if ahead > 0 else -max(0, behind)
        self._heard = (time.time() - time.monotonic(), apart_ms)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


MILLISECOND = timedelta(milliseconds=1)

MOST_APART_MS = 60_000
"""How far another machine's clock may be apart: it may be that one which is off, and by less nobody is called
at night."""

SLEW_S = 0.1
"""A smaller correction between two checks is the time service's ordinary work."""

STEADY_S = 60.0
"""How long a clock must be steady after a jump before its time is accepted."""


class ShiftedClock(SystemClock):
    """Runs like the system's clock, from another instant: demonstrations at any hour."""

    def __init__(self, start: datetime) -> None:
        super().__init__()
        self._shift: timedelta = start - datetime.now(UTC)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._shift

    def behind_ms(self, known: datetime) -> int:
        """Unknown: each process starts such a clock at the same instant, but at another moment."""
        del known
        return 0

    def apart_ms(self, elsewhere: datetime | None) -> int:
        """Its time is no other machine's."""
        del elsewhere
        return 0

    def must_hear(self) -> bool:
        return False


def clock_from(start: str, tx: Tx) -> SystemClock:
    """The system's clock; or, from an instant (ISO 8601), one that starts there.

    It never starts before an instant in the database: otherwise an opt-out of a minute ago would be in
    the future for a restarted server, or for a command beside a server.

    Raises:
        ConfigurationProblem: the text is not an instant.
    """
    if not start:
        return SystemClock()
    begins = instant("CALLSERVER_CLOCK", start)
    return ShiftedClock(max(begins, known_time.last_recorded(tx) or begins))
