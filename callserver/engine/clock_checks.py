"""Compares the clock with the log and with other machines. While it has jumped, is behind or apart, nobody is dialed.

A running process sees a jump itself (adapters/clock.py). A clock that was set back before a start is
behind the latest time in the log. One that was ahead at the start is seen by others alone: by the database's
server, and by the carrier's answers.
"""

from datetime import timedelta

import structlog

from callserver.database import audit, call_budget, known_time, seats
from callserver.domain.audit import EntryKind
from callserver.domain.permit import MOST_CLOCK_SKEW_MS
from callserver.domain.seat import SeatState
from callserver.engine.context import EngineContext
from callserver.ports import Clock, Tx

log = structlog.get_logger(__name__)

MOST_BEHIND_MS = 2000
"""Tolerance: the clocks of several servers differ, and any of them may have written the latest entry."""


def compared(tx: Tx, clock: Clock) -> tuple[int, int]:
    """How many milliseconds the clock is behind the log, and ahead of another machine; 0 within the tolerances."""
    known, elsewhere = known_time.compared(tx)
    behind = 0 if known is None else clock.behind_ms(known)
    return behind if behind > MOST_BEHIND_MS else 0, clock.apart_ms(elsewhere)


def skew_ms(tx: Tx, clock: Clock) -> int:
    """How many milliseconds the clock is off, according to the clock itself, the log or another machine."""
    skew = clock.skew_ms()
    if abs(skew) > MOST_CLOCK_SKEW_MS:
        return skew
    behind, apart = compared(tx, clock)
    return -behind or apart or skew


def in_doubt(tx: Tx, clock: Clock) -> bool:
    """Whether the gate would refuse every dial because of the clock."""
    return abs(skew_ms(tx, clock)) > MOST_CLOCK_SKEW_MS


def jumped(clock: Clock) -> bool:
    """Whether the clock has jumped and is not trusted yet."""
    return abs(clock.skew_ms()) > MOST_CLOCK_SKEW_MS


def record_time(tx: Tx, clock: Clock) -> None:
    """Record that the server runs now, unless the clock is in doubt."""
    if not jumped(clock):
        known_time.record(tx, clock.now())


def correct_times(tx: Tx, ctx: EngineContext, accepted_ms: int) -> None:
    """The clock is trusted again: correct times that were written meanwhile and are too late.

    `accepted_ms`: the size of the jump that was accepted; 0: the clock returned to its earlier time.
    """
    now = ctx.clock.now()
    if accepted_ms:
        audit.append(tx, now, EntryKind.CLOCK, ms=accepted_ms)
        known_time.record(tx, now, back=accepted_ms < 0)
        log.warning("clock_accepted", ms=accepted_ms)
    call_budget.start_over(tx, now)
    for row in seats.every(tx):
        if row.state == SeatState.WRAPPING_UP and row.until is not None:
            longest = timedelta(seconds=ctx.rules.known(row.campaign).wrap_up_seconds)
            until = min(row.until, now + longest)
            seats.set_line(tx, row.id, until=until, wake_at=until)
