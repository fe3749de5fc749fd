"""The clock steps while people work: nobody is dialed in doubt, and everything goes on by itself."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from callserver import app
from callserver.adapters.clock import SystemClock
from callserver.assemble import build
from callserver.database import call_budget
from callserver.domain.call_budgets import Budget
from callserver.engine.reporting import floor_figures
from callserver.simulator.virtual_time import VirtualClock
from tests.harness.simulated import TUESDAY, SimulatedSystem
from tests.harness.waiting import eventually


class Stepping(VirtualClock):
    """A clock that is set, and knows of it as the system's does."""

    skew = 0
    accepted = 0

    def skew_ms(self) -> int:
        return self.skew

    def accepted_ms(self) -> int:
        accepted, self.accepted = self.accepted, 0
        return accepted

    def step(self, by: timedelta) -> None:
        self._now += by
        self.skew = round(by / timedelta(milliseconds=1))

    def accept(self) -> None:
        self.accepted, self.skew = self.skew, 0


def stepping(system: SimulatedSystem) -> Stepping:
    """The system with such a clock, at the same instant."""
    clock = Stepping(system.clock.now())
    system.clock = system.world.clock = system.world.agenda.clock = clock
    system.restart()
    return clock


def refused(system: SimulatedSystem) -> list[Any]:
    return [entry["reasons"] for entry in system.entries("refused")]


@pytest.mark.parametrize("by", [3, -3, -3600])
async def test_a_step_stops_dialing_until_it_is_accepted(tmp_path: Path, by: int) -> None:
    system = SimulatedSystem(tmp_path)
    clock = stepping(system)
    await system.on_shift()
    await system.pass_time(20)
    clock.step(timedelta(seconds=by))
    await system.ready()
    await system.pass_time(1)
    assert refused(system)[0] == ["SYS_CLOCK"]
    assert system.calls() == []
    clock.accept()
    await system.pass_time(1)
    assert [entry["ms"] for entry in system.entries("clock")] == [by * 1000]
    assert len(system.calls()) == 1
    system.close()


async def test_what_a_clock_ahead_put_off_is_brought_back(tmp_path: Path) -> None:
    system = SimulatedSystem(tmp_path)
    clock = stepping(system)
    await system.on_shift()
    await system.ready()
    await system.pass_time(5)
    call = system.calls()[0]
    system.network.hang_up_by_person(system.live_legs()[0])
    await system.pass_time(0.5)
    seat = (await system.seat())["until"]
    system.write(
        lambda tx: call_budget.take_slot(tx, clock.now() + timedelta(seconds=100), Budget(1))
    )
    clock.step(timedelta(hours=-1))
    clock.accept()
    await system.pass_time(1)
    assert datetime.fromisoformat((await system.seat())["until"]) < datetime.fromisoformat(seat)
    assert system.read(lambda tx: call_budget.next_slot(tx, clock.now(), Budget(1))) <= clock.now()
    assert call.attempt == system.calls()[0].attempt
    system.close()


async def test_a_clock_behind_the_log_dials_nobody(tmp_path: Path) -> None:
    """At a start, too: the step happened while nobody looked. It goes on when it has caught up."""
    system = SimulatedSystem(tmp_path)
    await system.on_shift()
    await system.pass_time(10)
    system.clock.step(-timedelta(seconds=30))
    system.restart()
    await system.ready()
    await system.pass_time(1)
    assert refused(system)[0] == ["SYS_CLOCK"]
    await system.pass_time(15)
    assert system.calls() == []  # its own refusals are the log's last entries by now
    await system.pass_time(60)
    assert len(system.calls()) == 1
    system.close()


async def test_a_clock_that_went_ahead_for_a_moment_leaves_nothing_behind(tmp_path: Path) -> None:
    system = SimulatedSystem(tmp_path)
    clock = stepping(system)
    await system.on_shift()
    clock.step(timedelta(hours=1))
    await system.ready()
    await system.pass_time(2)
    clock.step(timedelta(hours=-1))
    clock.skew = 0
    await system.pass_time(60)
    assert system.calls()
    assert clock.now() < TUESDAY + timedelta(minutes=10)
    system.close()


class Ahead(SystemClock):
    """The clock of a machine that is ahead of the database's."""

    by = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.by


async def test_a_lone_server_whose_clock_is_ahead_is_told_by_postgresql(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was ahead at the start: nothing has jumped, and the log is older."""
    machine = Ahead()
    monkeypatch.setattr(VirtualClock, "apart_ms", lambda _, elsewhere: machine.apart_ms(elsewhere))
    system = SimulatedSystem(tmp_path, database=postgres_url)
    await system.on_shift()
    machine.by = timedelta(hours=1)
    await system.ready()
    await system.pass_time(20)
    assert system.calls() == []
    assert refused(system)[0] == ["SYS_CLOCK"]
    alarms = system.read(lambda tx: floor_figures.alarms(tx, system.server.ctx))
    assert ("clock_apart", {"seconds": 3600}) in [(alarm.kind, alarm.values) for alarm in alarms]
    machine.by = timedelta(seconds=30)  # the database's own clock may be off
    await system.pass_time(60)
    assert len(system.calls()) == 1
    system.close()


async def test_a_server_asks_twilio_for_its_time_before_it_dials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that was wrong at the start is known to be before the first order is answered."""
    asked = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        said = format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True).encode()
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ndate: %s\r\n"
            b'content-length: 19\r\n\r\n{"conferences": []}' % said
        )
        writer.close()

    monkeypatch.setattr(app, "TIME_LOOK_SECONDS", 0.1)
    twilio = await asyncio.start_server(answer, "127.0.0.1", 0)
    before = SimulatedSystem(tmp_path)
    settings = before.server.settings.model_copy(
        update={"api_url": f"http://127.0.0.1:{twilio.sockets[0].getsockname()[1]}"}
    )
    before.close()
    server = build(settings)
    made = app.create(server)
    async with made.router.lifespan_context(made):
        await eventually(lambda: abs(server.clock.apart_ms(None)) > 3_500_000)
    twilio.close()
    assert b"/Conferences.json" in asked[0]
