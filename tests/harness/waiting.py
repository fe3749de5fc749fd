"""Waiting for conditions in real time. A limit is reached only when a test fails, so it is generous."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable

PATIENCE_S = 60.0
"""Longer than anything takes on a machine that has ten times as much to do as it can."""


def until(condition: Callable[[], object], seconds: float = PATIENCE_S) -> None:
    """Wait in a test without an event loop."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.02)


async def eventually(
    condition: Callable[[], object | Awaitable[object]], seconds: float = PATIENCE_S
) -> None:
    """Wait in a test's event loop. The condition may be a coroutine function."""
    end = time.monotonic() + seconds
    while not await _value(condition()):
        assert time.monotonic() < end, f"not within {seconds} s"
        await asyncio.sleep(0.02)


async def _value(result: object | Awaitable[object]) -> object:
    return await result if inspect.isawaitable(result) else result
