"""The owner of the exchange's events keeps them while the database is away."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import OperationalError

from callserver import exchange
from callserver.adapters.asterisk import events
from callserver.adapters.config_folder import load
from callserver.engine.context import Rules
from callserver.settings import Settings
from callserver.simulator.virtual_time import VirtualClock
from tests.harness.recording_engine import RecordingEngine
from tests.harness.simulated import ROOT
from tests.harness.waiting import PATIENCE_S

AWAY = OperationalError("x", None, Exception("database is locked"))


class Store:
    """Says what it was told to say, or is away."""

    says: bool | None = False

    async def run(self, work: Callable[..., Any]) -> Any:
        del work
        if self.says is None:
            raise AWAY
        return self.says

    async def read(self, work: Callable[..., Any]) -> Any:
        """No row can be read."""
        del work
        raise AWAY

    async def peek(self, work: Callable[..., Any]) -> Any:
        return await self.read(work)

    async def checkpoint(self) -> None: ...


CLOCK = VirtualClock(datetime(2026, 5, 12, 15, tzinfo=UTC))


async def test_the_lease_is_kept_while_nobody_can_be_asked() -> None:
    store: Any = Store()
    lease = exchange.ExchangeLease(store, CLOCK)
    assert not await lease.renew()
    store.says = None
    assert not await lease.renew()  # what was never had is not kept
    store.says = True
    assert await lease.renew()
    store.says = None
    assert await lease.renew()
    store.says = False
    assert not await lease.renew()


async def test_the_events_go_on_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    async def catch_up() -> None: ...

    store: Any = Store()
    settings = Settings(provider="asterisk", asterisk_password="word")
    own = exchange.build(settings, CLOCK, httpx.AsyncClient(), store, Rules(load(ROOT / "config")))
    assert own is not None
    stream = own.each[""].events(RecordingEngine().events, catch_up)
    store.says = True
    rounds = 0

    async def look() -> None:
        nonlocal rounds
        rounds += 1
        store.says = None if rounds < 3 else False

    monkeypatch.setattr(events, "KEEP_S", 0)
    monkeypatch.setattr(stream, "look_at_carrier", look)
    await asyncio.wait_for(stream.keep(), PATIENCE_S)
    assert rounds == 3


class Locked(Store):
    """Another program holds the database."""

    async def run(self, work: Callable[..., Any]) -> Any:
        del work
        await asyncio.Event().wait()


async def test_a_stop_waits_for_no_locked_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither for events that cannot be stored, nor for the lease."""

    async def catch_up() -> None: ...

    store: Any = Locked()
    settings = Settings(provider="asterisk", asterisk_password="word")
    own = exchange.build(settings, CLOCK, httpx.AsyncClient(), store, Rules(load(ROOT / "config")))
    assert own is not None
    stream = own.each[""].events(RecordingEngine().events, catch_up)
    received = asyncio.ensure_future(store.run(lambda _: None))
    monkeypatch.setattr(events, "STOP_S", 0.05, raising=False)
    monkeypatch.setattr(stream, "_last_tasks", {"a1": received})
    stream.start()
    await asyncio.wait_for(stream.stop(), PATIENCE_S)
    assert received.cancelled()
