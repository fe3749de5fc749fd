"""Slots of the calls-per-second budgets (database/call_budget.py) for people who wait at a page."""

from datetime import datetime, timedelta

from callserver.database import call_budget
from callserver.domain.call_budgets import Budget
from callserver.engine.context import EngineContext
from callserver.errors import Impossible
from callserver.ports import Tx

LONGEST_WAIT = timedelta(seconds=10)
"""How long a person waits for a slot, at most."""


async def until(ctx: EngineContext, slot: datetime) -> None:
    """Wait for a slot that was taken."""
    seconds = (slot - ctx.clock.now()).total_seconds()
    if seconds > 0:
        await ctx.clock.sleep(seconds)


def soon_enough(slot: datetime, now: datetime, within: timedelta = LONGEST_WAIT) -> datetime:
    """The slot, not taken yet.

    Raises:
        Impossible: it is too late to wait for.
    """
    if slot - now > within:
        raise Impossible("other calls are being ordered; try again in a moment", key="line_busy")
    return slot


def reserve(tx: Tx, ctx: EngineContext, budget: Budget) -> datetime:
    """Take the next slot.

    Raises:
        Impossible: it is too late to wait for; none is taken.
    """
    now = ctx.clock.now()
    slot = soon_enough(call_budget.next_slot(tx, now, budget), now)
    call_budget.take_slot(tx, slot, budget)
    return slot
