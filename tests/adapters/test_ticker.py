"""Upkeep goes on whatever the event loop has to do besides."""

import asyncio
import time
from datetime import datetime

from callserver.adapters.clock import SystemClock
from callserver.adapters.ticker import Ticker


def test_a_slow_loop_never_ends_the_ticking() -> None:
    """Each turn of the loop takes longer than the shortest wait: the next tick is due at once."""
    clock = SystemClock()
    ticked: list[float] = []

    async def tick() -> datetime:
        ticked.append(time.monotonic())
        return clock.now()

    async def busy() -> None:
        while True:
            time.sleep(0.03)  # noqa: ASYNC251 - this is what is meant
            await asyncio.sleep(0)

    async def work() -> None:
        ticker = Ticker(tick, clock)
        ticker.start()
        hindering = asyncio.ensure_future(busy())
        await asyncio.sleep(1.5)
        hindering.cancel()
        await ticker.stop()

    asyncio.run(work())
    assert len(ticked) > 5
