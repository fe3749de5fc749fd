"""`/livez` and `/readyz` in one process: what they say, and that they never wait."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from callserver.adapters.ticker import Ticker
from callserver.console.operations import health
from callserver.database import audit
from callserver.domain import alarm
from callserver.domain.audit import EntryKind
from callserver.simulator import asgi
from callserver.simulator.asgi import document
from callserver.simulator.faults import NONE
from tests.harness.simulated import SimulatedSystem


async def asked(system: SimulatedSystem) -> tuple[int, dict[str, Any]]:
    status, body = await asgi.call(system.app, "GET", f"{system.plan.public_url}/readyz", [])
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


async def test_nobody_has_ever_done_what_is_due(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Servers with CALLSERVER_SCHEDULER=no, and the scheduler was never started."""
    monkeypatch.setattr(Ticker, "running_for", 30.0)
    system = SimulatedSystem(tmp_path)
    status, body = await asked(system)
    assert (status, body["scheduler"], body["scheduler_seconds"]) == (503, "stalled", 30)
    await system.pass_time(5)
    assert (await asked(system))[1]["scheduler"] == "ok"


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
    assert (await asgi.call(system.app, "GET", f"{system.plan.public_url}/livez", []))[0] == 200


async def test_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system = SimulatedSystem(tmp_path)
    await system.pass_time(5)
    monkeypatch.setattr(alarm, "LEAST_FREE_BYTES", 10**18)
    status, body = await asked(system)
    assert (status, body["disk"], body["database"]) == (503, "full", "ok")


async def test_the_log_is_not_sealed(tmp_path: Path) -> None:
    system = SimulatedSystem(tmp_path)
    await system.pass_time(5)

    system.write(
        lambda tx: audit.append(
            tx, system.clock.now() - timedelta(minutes=3), EntryKind.CLOCK, ms=1
        )
    )
    status, body = await asked(system)
    assert (status, body["sealer"]) == (503, "behind")
    await system.pass_time(10)
    assert (await asked(system))[1]["sealer"] == "ok"


async def test_the_clock_is_behind_the_log(tmp_path: Path) -> None:
    system = SimulatedSystem(tmp_path)
    await system.pass_time(5)
    system.write(
        lambda tx: audit.append(
            tx, system.clock.now() + timedelta(minutes=3), EntryKind.CLOCK, ms=1
        )
    )
    status, body = await asked(system)
    assert (status, body["clock"]) == (503, "in_doubt")


async def test_a_carrier_that_does_not_answer_is_said_and_keeps_the_server_in_service(
    tmp_path: Path,
) -> None:
    system = SimulatedSystem(tmp_path)
    await system.on_shift()
    system.network.faults = replace(NONE, order_lost=1.0)
    await system.ready()
    await system.pass_time(5)
    status, body = await asked(system)
    assert (status, body["carrier"]) == (200, "failing")


async def test_probes_do_not_write_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that takes no writes for a while is asked by one write, however often it is probed."""
    monkeypatch.setattr(health, "MOST_WAIT_S", 0.05)
    system = SimulatedSystem(tmp_path)
    await system.pass_time(5)
    run, free, waiting = system.server.store.run, asyncio.Event(), 0

    async def held(work: Callable[..., Any]) -> Any:
        nonlocal waiting
        waiting += 1
        await free.wait()
        return await run(work)

    monkeypatch.setattr(system.server.store, "run", held)
    for _ in range(5):
        status, body = await asked(system)
        assert (status, body["database"]) == (503, "no_writes")
    assert waiting == 1
    free.set()
    assert (await asked(system))[0] == 200
