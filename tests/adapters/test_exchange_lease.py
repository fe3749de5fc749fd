"""Whoever hears the exchange's events hears them while the database is away, too."""

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


class Store:
    """Says what it was told to say, or is away."""

    says: bool | None = False

    async def run(self, work: Callable[..., Any]) -> Any:
        del work
        if self.says is None:
            raise OperationalError("x", None, Exception("database is locked"))
        return self.says

    read = run

    async def checkpoint(self) -> None: ...


def made(store: Store) -> events.Events:
    async def catch_up() -> None: ...

    clock = VirtualClock(datetime(2026, 5, 12, 15, tzinfo=UTC))
    settings = Settings(provider="asterisk", asterisk_password="word")
    own = exchange.build(settings, clock, httpx.AsyncClient(), store, Rules(load(ROOT / "config")))
    assert own is not None
    return own.events(RecordingEngine().events, catch_up)


async def test_the_lease_is_kept_while_nobody_can_be_asked() -> None:
    store = Store()
    found = made(store)
    assert not await found._lease()
    store.says = None
    assert not await found._lease()  # what was never had is not kept
    store.says = True
    assert await found._lease()
    store.says = None
    assert await found._lease()
    store.says = False
    assert not await found._lease()


async def test_the_events_go_on_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store()
    store.says = True
    found = made(store)
    assert await found._lease()
    store.says = None
    rounds = 0

    async def look() -> None:
        nonlocal rounds
        rounds += 1
        if rounds == 3:
            store.says = False

    monkeypatch.setattr(events, "KEEP_S", 0)
    monkeypatch.setattr(found, "_look_at_carrier", look)
    await asyncio.wait_for(found._keep(), PATIENCE_S)
    assert rounds == 3
