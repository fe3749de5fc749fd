"""Waiting for a slot of the calls-per-second budget (database/call_budget.py) outside a transaction."""

from datetime import datetime

from callserver.database import call_budget
from callserver.domain.call_budgets import Budget
from callserver.engine.context import EngineContext


async def until(ctx: EngineContext, slot: datetime) -> None:
    """Wait for a slot that was taken."""
    seconds = (slot - ctx.clock.now()).total_seconds()
    if seconds > 0:
        await ctx.clock.sleep(seconds)


async def take(ctx: EngineContext, budget: Budget) -> None:
    """Take the next slot, and wait for it."""
    now = ctx.clock.now()
    await until(ctx, await ctx.store.run(lambda tx: call_budget.reserve_slot(tx, now, budget)))
