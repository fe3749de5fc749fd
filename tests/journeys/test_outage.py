"""The database is away for a while: nobody waits for it on the line, and afterwards everything is asked
about at once."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from callserver import texts
from callserver.engine.calls import inbound
from callserver.simulator import asgi
from callserver.simulator.callbacks import sign
from tests.harness.simulated import SimulatedSystem, in_a_talk
from webhooks import routes


class Outage:
    """`way`: the store raises, or never answers."""

    def __init__(self, system: SimulatedSystem, way: str) -> None:
        self._system = system
        self._store = system.server.store
        self._run = self._store.run
        self._way = way

    def begin(self) -> None:
        async def run(_: Callable[..., Any]) -> Any:
            if self._way == "silent":
                await asyncio.Event().wait()
            raise OperationalError("x", None, Exception("database is locked"))

        self._store.run = run  # type: ignore[method-assign,assignment]

    def end(self) -> None:
        self._store.run = self._run  # type: ignore[method-assign]


@pytest.fixture(params=["gone", "silent"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(inbound, "PATIENCE_S", 0.02)
    monkeypatch.setattr(routes, "HOLD_S", 0.2)
    url: str = request.param
    return url


async def network_goes_on(system: SimulatedSystem, seconds: float) -> None:
    """Only the network: what it tells meets a server without a database."""
    end = system.clock.now() + timedelta(seconds=seconds)
    while (due := system.world.agenda.next_at()) is not None and due <= end:
        system.clock.set(due)
        await system.world.agenda.pop()()
    system.clock.set(end)


async def test_a_report_that_could_not_be_kept_is_made_up_for_at_once(
    tmp_path: Path, way: str
) -> None:
    system = SimulatedSystem(tmp_path)
    leg = await in_a_talk(system)
    outage = Outage(system, way)
    outage.begin()
    system.network.hang_up_by_person(leg)
    await network_goes_on(system, 15)
    assert system.network.callbacks.counts.failed == 2  # told several times, never taken
    outage.end()
    assert (await system.seat())["state"] == "talking"
    await system.pass_time(1)
    assert (await system.seat())["state"] == "wrapping_up"
    assert system.calls()[0].cause == "completed"


async def test_a_caller_hears_a_sentence_meanwhile(tmp_path: Path, way: str) -> None:
    system = SimulatedSystem(tmp_path)
    Outage(system, way).begin()
    for path, more in (("inbound", {}), ("inbound/key", {"Digits": "9"})):
        status, said = await call(system, path, **more)
        assert status == 200
        assert texts.say("da", "inbound_busy") in said
        assert "<Hangup" in said


async def call(system: SimulatedSystem, path: str, **more: str) -> tuple[int, str]:
    url = f"{system.plan.public_url}/twilio/voice/{path}"
    form = {"AccountSid": system.plan.account, "CallSid": "CA1", "From": "+4532200000", **more}
    form["To"] = "+4532123400"
    headers = [(b"x-twilio-signature", sign(system.plan.token, url, form).encode())]
    body = "&".join(f"{name}={value.replace('+', '%2B')}" for name, value in form.items())
    status, reply = await asgi.call(system.app, "POST", url, headers, body.encode())
    return status, reply.decode()


async def test_a_page_is_told_to_try_again(tmp_path: Path) -> None:
    system = SimulatedSystem(tmp_path)
    await system.on_shift()
    outage = Outage(system, "gone")
    outage.begin()
    status, body = await system.api("POST", "/ready", {})
    assert (status, body["detail"]) == (503, texts.say("da", "error.unavailable"))
    outage.end()
    await system.ready()
