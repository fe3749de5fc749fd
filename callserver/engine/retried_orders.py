"""Repeating an order to a leg until the provider has taken it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import structlog

from callserver.engine.context import EngineContext
from callserver.ports import Result

log = structlog.get_logger(__name__)

SOON_SECONDS = (0, 0.05, 0.15, 0.3)
"""Waits, in seconds, between repetitions: the first comes at once, because a telephone may ring meanwhile."""

ANSWER_S = 2.0
"""An order without an answer by then is given again: given twice it does no harm."""

HANG_UP_AGAIN = timedelta(seconds=1)
"""A leg whose end is not confirmed is hung up again after this time."""

RING_AGAIN_SECONDS = (1.0, 2.0, 4.0)
"""Waits, in seconds, before a user's telephone is called again after a 429 from the provider."""


async def carry_out(
    ctx: EngineContext,
    order: Callable[[], Awaitable[Result]],
    waits: Sequence[float] = SOON_SECONDS,
    answer_s: float | None = None,
) -> Result:
    """Give an order and repeat it after each wait until it is settled. Returns the last answer.

    `answer_s`: how long each answer is waited for, where that is not ANSWER_S.
    """
    within = ANSWER_S if answer_s is None else answer_s
    result = await _once(order, within)
    for wait in waits:
        if result.settled:
            break
        if wait:
            await ctx.clock.sleep(wait)
        result = await _once(order, within)
    return result


async def _once(order: Callable[[], Awaitable[Result]], within: float) -> Result:
    try:
        async with asyncio.timeout(within):
            return await order()
    except Exception as error:  # noqa: BLE001 - after any error the result is unknown
        log.warning("order_failed", error=type(error).__name__)
        return Result.SILENT
