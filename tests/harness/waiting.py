"""Waiting for conditions in real time. A limit is reached only when a test fails, so it is generous."""

import asyncio
import time
from collections.abc import Callable

PATIENCE_S = 60.0
"""Longer than anything takes on a machine that has ten times as much to do as it can."""


def until(condition: Callable[[], object], seconds: float = PATIENCE_S) -> None:
    """Wait in a test without an event loop."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.02)


async def eventually(condition: Callable[[], object], seconds: float = PATIENCE_S) -> None:
    """Wait in a test's event loop."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s"
        await asyncio.sleep(0.02)
