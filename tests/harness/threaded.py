"""A system in real time in a thread of its own, for tests that drive a real browser."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from callserver.adapters.clock import ShiftedClock
from callserver.cli.simulated_stack import DATABASE, SimulatedStack, StackPlan, started
from callserver.ports import Tx
from tests.harness.databases import sqlite_file
from tests.harness.protocol import TestSystem


@dataclass
class BrowserSystem(TestSystem):
    """The demonstration's server and simulated network, in real time, in a thread of their own."""

    stage: SimulatedStack
    loop: asyncio.AbstractEventLoop
    # Of each account, its last code's time.
    given: dict[str, datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clock = self.stage.clock

    @property
    def url(self) -> str:
        return self.stage.url

    def code(self, handle: str) -> str:
        """A one-time code that the account has not given yet: each is valid once.

        The server takes the next code early, but not the one after: a third sign-in within a minute
        waits for its time.
        """
        last = self.given.get(handle)
        if last is not None:
            while last > self.stage.clock.device_time():
                time.sleep(0.2)
        now = self.stage.clock.device_time()
        self.given[handle] = now if last is None else max(now, last + timedelta(seconds=30))
        return self.stage.staff.code(self.given[handle])

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """The result of a coroutine in the system's loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def read(self, work: Callable[[Tx], Any]) -> Any:
        return self.run(self.stage.server.store.read(work))

    def write(self, work: Callable[[Tx], Any]) -> Any:
        return self.run(self.stage.server.store.run(work))

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """The server is stopped; after the block a new one has its database and its address."""
        self.run(self.stage.close())
        yield
        self.run(self.stage.reopen())


@contextlib.contextmanager
def open_system(plan: StackPlan, clock: ShiftedClock | None = None) -> Iterator[BrowserSystem]:
    """The system, until the block ends."""
    sqlite_file(plan.folder / DATABASE)  # faster than making the tables each time
    opened: list[BrowserSystem] = []
    failed: list[BaseException] = []
    ready, over = threading.Event(), asyncio.Event()

    async def live() -> None:
        async with started(plan, clock) as stage:
            opened.append(BrowserSystem(stage, asyncio.get_running_loop()))
            ready.set()
            await over.wait()

    def work() -> None:
        try:
            asyncio.run(live())
        except BaseException as error:
            failed.append(error)
            raise
        finally:
            ready.set()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert ready.wait(60)
    assert opened, failed
    try:
        yield opened[0]
    finally:
        opened[0].loop.call_soon_threadsafe(over.set)
        thread.join(30)
        assert not thread.is_alive(), "the system did not close"
