"""`/healthz` in one process: what it says, and that it never waits."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from callserver.console import health
from callserver.simulator import asgi
from callserver.simulator.robots import document
from tests.harness.simulated import SimulatedSystem


async def asked(system: SimulatedSystem) -> tuple[int, dict[str, Any]]:
    status, body = await asgi.call(system.app, "GET", f"{system.plan.public_url}/healthz", [])
    return status, document(body)


async def test_well(tmp_path: Path) -> None:
    system = SimulatedSystem(tmp_path)
    await system.pass_time(5)
    status, body = await asked(system)
    assert (status, body["status"], body["scheduler"]) == (200, "ok", "ok")
    assert body["revision"]


async def test_nobody_does_what_is_due(tmp_path: Path) -> None:
    """Whichever process has the lease: it was renewed too long ago, or let go and not taken."""
    system = SimulatedSystem(tmp_path)
    await system.pass_time(5)
    system.clock.set(system.clock.now() + timedelta(seconds=30))
    status, body = await asked(system)
    assert (status, body["status"], body["scheduler"]) == (503, "failing", "stalled")
    await system.pass_time(1)
    assert (await asked(system))[0] == 200
    await system.server.scheduler.release()
    system.clock.set(system.clock.now() + timedelta(seconds=30))
    assert (await asked(system))[0] == 503


@pytest.mark.parametrize("way", ["silent", "gone"])
async def test_the_database_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(health, "MOST_WAIT_S", 0.05)
    system = SimulatedSystem(tmp_path)

    async def read(_: Callable[..., Any]) -> Any:
        if way == "silent":
            await asyncio.Event().wait()
        raise OperationalError("select", None, Exception("gone"))

    monkeypatch.setattr(system.server.store, "read", read)
    status, body = await asked(system)
    assert (status, body["database"]) == (503, "unreachable")
