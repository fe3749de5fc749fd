"""Repeating an order to a leg until the provider has taken it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from callserver.engine.context import EngineContext
from callserver.ports import Result

log = structlog.get_logger(__name__)

SOON_SECONDS = (0, 0.05, 0.15, 0.3)
"""Waits, in seconds, between repetitions: the first comes at once, because a telephone may ring meanwhile."""

ANSWER_S = 2.0
"""An order without an answer by then is given again: given twice it does no harm."""


async def carry_out(
    ctx: EngineContext,
    order: Callable[[], Awaitable[Result]],
    waits: Sequence[float] = SOON_SECONDS,
) -> Result:
    """Give an order and repeat it after each wait until it is settled. Returns the last answer."""
    result = await _once(order)
    for wait in waits:
        if result.settled:
            break
        if wait:
            await ctx.clock.sleep(wait)
        result = await _once(order)
    return result


async def _once(order: Callable[[], Awaitable[Result]]) -> Result:
    try:
        async with asyncio.timeout(ANSWER_S):
            return await order()
    except Exception as error:  # noqa: BLE001 - after any error the result is unknown
        log.warning("order_failed", error=type(error).__name__)
        return Result.SILENT
