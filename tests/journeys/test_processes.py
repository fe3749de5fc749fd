"""Real processes, real HTTP, real databases: killed without warning, and several at once."""

import asyncio
import contextlib
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from callserver.adapters.clock import ShiftedClock
from callserver.adapters.config_folder import load
from callserver.cli.free_ports import free_port
from callserver.cli.invented_data import add_supervisors, populate
from callserver.cli.simulated_stack import listening, serving
from callserver.database import figures
from callserver.database.engines import make_engine
from callserver.database.tables import listenings
from callserver.engine.context import Rules
from callserver.simulator.asgi import Reply
from callserver.simulator.faults import NONE
from callserver.simulator.invariants import Rows, judge, judge_listening
from callserver.simulator.population import BehaviourRates
from callserver.simulator.robots import Acknowledged
from callserver.simulator.world import World
from tests.harness.databases import sqlite_file
from tests.harness.delays import Delays, Place
from tests.harness.processes import Command, processor_seconds
from tests.harness.waiting import PATIENCE_S

ROOT = Path(__file__).parents[2]
START = datetime.fromisoformat("2026-05-12T16:30:00+02:00").astimezone(UTC)
ACCOUNT = "AC" + "e" * 32
QUICK = BehaviourRates(
    talk_seconds=3,
    answers=0.9,
    returns_missed=0,
    rings_for=(0.5, 2),
    shortest_talk=1,
    looks_every=3,
    wraps_up=(0.2, 1),
)


class Process:
    """One `callserver serve` (or scheduler) of its own."""

    def __init__(
        self,
        command: str,
        environment: Mapping[str, str],
        clock: ShiftedClock,
        delays: Delays | None = None,
    ) -> None:
        self._command = command
        self._environment = environment
        self._clock = clock
        self._delays = delays
        self.start()

    def start(self) -> None:
        environment = {**os.environ, **self._environment}
        errors = Path(environment["CALLSERVER_SEALS"]).with_name("stderr.log")
        self._process = Command(
            self._command,
            environment=environment,
            errors=errors,
            clock_shift=self._clock.now() - datetime.now(UTC),
            delays=self._delays,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def end(self) -> int:
        self._process.terminate()
        return self._process.wait(PATIENCE_S)


async def is_up(url: str) -> None:
    async with httpx.AsyncClient() as http:
        end = time.monotonic() + 2 * PATIENCE_S
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if (await http.get(f"{url}/healthz")).status_code == 200:
                    return
            assert time.monotonic() < end, "the server did not come up"
            await asyncio.sleep(0.05)  # also when it answers that it is not ready yet


def environment(folder: Path, database: str, public_url: str, network_url: str) -> dict[str, str]:
    return {
        "CALLSERVER_DATABASE": database,
        "CALLSERVER_CONFIG": str(ROOT / "config"),
        "CALLSERVER_PUBLIC_URL": public_url,
        "CALLSERVER_KEY": "a key for the tests alone",
        "CALLSERVER_SEAL_KEY": str(folder / "seal.key"),
        "CALLSERVER_SEALS": str(folder / "seals.jsonl"),
        "CALLSERVER_CALLS_PER_SECOND": "20",
        "CALLSERVER_LOG_LEVEL": "error",
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": "test",
        "TWILIO_API_URL": network_url,
    }


class SeveralDoors(World):
    """A network whose callbacks, and phoners whose requests, reach one of several servers after the other."""

    targets: tuple[str, ...] = ()
    delays = Delays("", places=())
    _turn = 0

    def _elsewhere(self, url: str) -> str:
        self._turn += 1
        return url.replace(self._public_url, self.targets[self._turn % len(self.targets)], 1)

    async def _post(self, url: str, headers: list[tuple[bytes, bytes]], body: bytes) -> Reply:
        await self.delays.wait(Place.REQUEST)
        reply = await super()._post(self._elsewhere(url), headers, body)
        await self.delays.wait(Place.REPLY)
        return reply

    def _address(self, path: str) -> str:
        return self._elsewhere(super()._address(path))


def world(kind: type[World], clock: ShiftedClock, public_url: str) -> World:
    return kind(
        clock,
        public_url=public_url,
        account=ACCOUNT,
        token="test",
        seed=3,
        faults=NONE,
        calls_per_second=20,
        rates=QUICK,
    )


def fill(database: str, clock: ShiftedClock, phoners: int) -> tuple[list[Any], list[Any]]:
    """Robot phoners, and supervisors who listen in now and then."""
    rules = Rules(load(ROOT / "config"))
    engine = make_engine(database)
    with engine.begin() as tx:
        robots = populate(tx, rules, 3, clock.now(), phoners, 400)
        supervisors = add_supervisors(tx, rules, clock.now())
    engine.dispose()
    return robots, supervisors


PLACES = [Place(name) for name in os.environ.get("CALLSERVER_DELAYS", "").split()] or list(Place)
"""CALLSERVER_DELAYS="order answer" delays these places alone: to find those that a failure needs."""

EARS = 12
"""Robot supervisors do in seconds what else takes minutes."""


async def at_least(
    seconds: float,
    database: str,
    town: World,
    acknowledged: Acknowledged,
    answered: int,
    outcomes: int,
) -> None:
    """Go on for this long, and until there is enough to judge, however slow the machine is."""
    begun = time.monotonic()

    def is_enough() -> bool:
        engine = make_engine(database)
        with engine.begin() as tx:
            opened = tx.execute(select(func.count()).select_from(listenings)).scalar_one()
            total = figures.totals(tx)["answered"]
        engine.dispose()
        listened = opened > 3 and bool(town.network.listening_record.stays)
        return listened and total > answered and len(acknowledged.outcomes) > outcomes

    while True:
        await asyncio.sleep(1)
        lasted = time.monotonic() - begun
        if lasted > 180 or (lasted >= seconds and await asyncio.to_thread(is_enough)):
            return


def check(
    database: str,
    town: World,
    told: Any,
    clock: ShiftedClock,
    supervisors: list[Any],
    slack: timedelta,
    over: datetime,
) -> dict[str, int]:
    """`over`: when the last order was given. What is carried out after that is not judged."""
    engine = make_engine(database)
    with engine.begin() as tx:
        permits, suppressed, outcomes, departments, lines = figures.for_invariants(tx)
        totals = figures.totals(tx)
        opened = tx.execute(select(func.count()).select_from(listenings)).scalar_one()
    engine.dispose()
    rows = Rows(permits, suppressed, outcomes, departments, lines)
    verdict = judge(
        [ring for ring in town.network.record if ring.ended_at], rows, told, clock.now()
    )
    assert opened > 3
    assert town.network.listening_record.stays
    judge_listening(verdict, town.network.listening_record.stays, supervisors, rows, over, slack)
    assert not town.network.listening_record.beeps
    # A telephone may ring on for as long as nobody was there to silence it: at most the ring time.
    assert {kind: cases for kind, cases in verdict.cases.items() if cases} == {}
    assert len({ring.label for ring in town.network.record}) == len(town.network.record)
    return totals


async def test_killed_again_and_again(tmp_path: Path, full: bool) -> None:
    """R1: SIGKILL at random instants while phoners work; nothing acknowledged is lost."""
    kills = 50 if full else 4
    clock = ShiftedClock(START)
    database = sqlite_file(tmp_path / "killed.db")
    dice = random.Random(1)

    longest = timedelta()
    network_door, port = listening(), free_port()
    public_url = f"http://127.0.0.1:{port}"
    town = world(World, clock, public_url)
    robots, supervisors = fill(database, clock, 6)
    network_url = f"http://127.0.0.1:{network_door.getsockname()[1]}"
    settings = environment(tmp_path, database, public_url, network_url)
    server = Process("serve", {**settings, "CALLSERVER_PORT": str(port)}, clock)
    try:
        async with serving(town.rest, network_door):
            await is_up(public_url)
            agenda = asyncio.ensure_future(town.agenda.run())
            floor = town.start_shifts(robots, 24, supervisors, EARS)
            for _ in range(kills):
                await asyncio.sleep(dice.uniform(3, 5))
                killed = clock.now()
                server.kill()
                await asyncio.sleep(dice.uniform(0, 0.5))
                server.start()
                await is_up(public_url)
                longest = max(longest, clock.now() - killed)
            await at_least(12, database, town, floor.acknowledged, 3, 0)
            over = clock.now()
            agenda.cancel()
            # In a thread: the network goes on answering what the server still orders.
            ended = await asyncio.to_thread(server.end)
            assert ended in (0, -signal.SIGTERM)  # uvicorn ends by the signal it got
    finally:
        server.kill()
        await town.close()
    down = longest + timedelta(seconds=4)  # a killed server moves nobody until it is back
    totals = check(database, town, floor.acknowledged, clock, supervisors, down, over)
    assert totals["answered"] > 3
    assert floor.acknowledged.outcomes


async def several_servers(
    folder: Path,
    database: str,
    seconds: float,
    pace: float,
    seed: int | None = None,
    servers: int = 2,
    pooler: str = "",
    meanwhile: Callable[[Acknowledged], Awaitable[timedelta]] | None = None,
) -> list[float]:
    """An evening on several servers and one scheduler. `seed`: of random delays in every process.

    `meanwhile`: done once it has begun; says for how long nobody could be served.

    Returns what each server used of the processor during the evening, in seconds.
    """
    clock = ShiftedClock(START)

    def delays(process: str) -> Delays | None:
        return None if seed is None else Delays(f"{seed}:{process}", PLACES)

    network_door, ports = listening(), [free_port() for _ in range(servers)]
    public_url = "http://calls.test"
    town = world(SeveralDoors, clock, public_url)
    assert isinstance(town, SeveralDoors)
    town.targets = tuple(f"http://127.0.0.1:{port}" for port in ports)
    robots, supervisors = fill(database, clock, 8)
    network_url = f"http://127.0.0.1:{network_door.getsockname()[1]}"
    settings = environment(folder, database, public_url, network_url)
    settings["CALLSERVER_POOLER"] = pooler
    of_server = {**settings, "CALLSERVER_SCHEDULER": "no"}
    processes = [
        Process("serve", {**of_server, "CALLSERVER_PORT": str(port)}, clock, delays(f"server {n}"))
        for n, port in enumerate(ports)
    ]
    processes.append(Process("scheduler", settings, clock, delays("scheduler")))
    soon = timedelta(seconds=4)  # on a machine that has other work
    try:
        async with serving(town.rest, network_door):
            for port in ports:
                await is_up(f"http://127.0.0.1:{port}")
            used = [processor_seconds(process.pid) for process in processes]
            town.delays = delays("network") or town.delays
            agenda = asyncio.ensure_future(town.agenda.run())
            floor = town.start_shifts(robots, 24, supervisors, pace)
            if meanwhile is not None:
                soon += await meanwhile(floor.acknowledged)
            outcomes = len(floor.acknowledged.outcomes) + 5
            await at_least(seconds, database, town, floor.acknowledged, 8, outcomes)
            over = clock.now()
            agenda.cancel()
            used = [
                processor_seconds(process.pid) - before
                for process, before in zip(processes, used, strict=True)
            ]
            ends = {await asyncio.to_thread(process.end) for process in processes}
            assert ends <= {0, -signal.SIGTERM}
    finally:
        for process in processes:
            process.kill()
        await town.close()
    totals = check(database, town, floor.acknowledged, clock, supervisors, soon, over)
    assert totals["answered"] > 8
    assert len(floor.acknowledged.outcomes) > 5
    return used[:servers]


@pytest.mark.timeout(420)
async def test_two_servers_and_one_scheduler_on_postgresql(
    tmp_path: Path, postgres_url: str
) -> None:
    """No double dial, no lost wake-up, whichever process a request or callback reaches."""
    await several_servers(tmp_path, postgres_url, seconds=30, pace=EARS)


@pytest.mark.timeout(420)
async def test_four_servers_share_the_load_evenly(tmp_path: Path, postgres_url: str) -> None:
    """No double dial here either, and no server does most of the work."""
    used = await several_servers(tmp_path, postgres_url, seconds=20, pace=EARS, servers=4)
    assert max(used) <= 2 * min(used), f"processor seconds of each server: {used}"


@pytest.mark.timeout(420)
@pytest.mark.parametrize("seed", range(100 if os.environ.get("CALLSERVER_FULL") == "1" else 2))
async def test_two_servers_with_random_delays(tmp_path: Path, postgres_url: str, seed: int) -> None:
    """The same, while transactions, orders, their answers and requests overtake each other."""
    await several_servers(tmp_path, postgres_url, seconds=8, pace=3 * EARS, seed=seed)
