"""Everything on this machine in real time: server, network, people, robots, and seats for visitors.

What the demonstration plays, and the tests in a real browser. Nobody real is called.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette

from callserver.adapters.clock import ShiftedClock
from callserver.app import create
from callserver.assemble import Server, build
from callserver.cli.invented_data import Staff, populate, supervise, welcome
from callserver.ports import Clock
from callserver.settings import Settings, instant
from callserver.simulator.faults import NONE, Faults
from callserver.simulator.legs import Behaviour
from callserver.simulator.population import BehaviourRates
from callserver.simulator.robots import SimulatedPeople
from callserver.simulator.supervisors import Supervisor
from callserver.simulator.world import World

START = "2026-05-12T16:30:00+02:00"
DATABASE = "demo.db"
ACCOUNT = "AC" + "d" * 32
TOKEN = "demo"  # noqa: S105 - an invented account's
SEED = 7
CALLS_PER_SECOND = 5
HABITS = BehaviourRates(talk_seconds=25, returns_missed=0.05, wraps_up=(3, 10))
GRACE_S = 2
"""How long requests in hand may take when the server stops; live pages are let go before."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is played."""

    folder: Path
    config: Path = Path("config")
    phoners: int = 12  # robots; with none there are no robot supervisors either
    contacts: int = 600
    faults: Faults = NONE
    rates: BehaviourRates = HABITS
    visitor_calls: Sequence[Behaviour] = ()  # how visitors' calls end (simulator/visitors.py)
    port: int = 0  # 0: a free one
    settings: Mapping[str, Any] = field(default_factory=dict)  # others than a demonstration has


@dataclass(slots=True)
class Stack:
    """A running server, whatever its network is."""

    server: Server
    clock: ShiftedClock
    url: str
    network: str  # in words: where it is, or what it is
    staff: Staff


@dataclass(slots=True)
class SimulatedStack(Stack):
    """The same before a simulated network."""

    world: World
    supervisors: list[Supervisor] = field(default_factory=list)
    people: SimulatedPeople | None = None
    _open: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)

    async def open(self, door: socket.socket) -> None:
        """Let the server serve; the network and its people are there already."""
        own = self.server.settings.api_key  # a softphone of Twilio's own is not played
        app = create(self.server, played=None if own else self.world.visitors)
        await self._open.enter_async_context(serving(app, door))

    async def close(self) -> None:
        """Stop the server, as its process would stop; the network goes on."""
        self.server.feed.stop()  # live pages would hold the server up
        await self._open.aclose()

    async def reopen(self) -> None:
        """A new server on the same database, at the same address."""
        self.server = build(self.server.settings, clock=self.clock)
        await self.open(listening(int(self.url.rpartition(":")[2])))


@contextlib.asynccontextmanager
async def started(plan: Plan, clock: ShiftedClock | None = None) -> AsyncIterator[SimulatedStack]:
    """A server that runs until the block ends; its database can be read until then.

    `clock`: the server's; by default one that starts on a weekday afternoon.
    """
    clock = clock or ShiftedClock(instant("start", START))
    doors = [listening(plan.port), listening()]
    url, network_url = map(address, doors)
    world = network(clock, url, CALLS_PER_SECOND, plan.faults, plan.rates)
    server = build(settings(plan, url, network_url), clock=clock)
    rules, now, store = server.ctx.rules, clock.now(), server.store
    robots = await store.run(lambda tx: populate(tx, rules, SEED, now, plan.phoners, plan.contacts))
    supervisors = await store.run(lambda tx: supervise(tx, rules, now)) if robots else []
    staff = await store.run(lambda tx: welcome(tx, rules, server.authentication))
    described = f"simulated network at {network_url}"
    stack = SimulatedStack(server, clock, url, described, staff, world, supervisors)
    async with running(world, doors[1]):
        await stack.open(doors[0])
        stack.people = world.start_shifts(
            robots, 24, supervisors, visitors=staff.lines, visitor_calls=plan.visitor_calls
        )
        try:
            yield stack
        finally:
            world.visitors.stop()
            await stack.close()


def network(
    clock: Clock,
    url: str,
    calls_per_second: float,
    faults: Faults = NONE,
    rates: BehaviourRates = HABITS,
) -> World:
    """A simulated network whose webhooks go to `url`."""
    return World(
        clock,
        public_url=url,
        account=ACCOUNT,
        token=TOKEN,
        seed=SEED,
        faults=faults,
        calls_per_second=calls_per_second,
        rates=rates,
    )


@contextlib.asynccontextmanager
async def running(world: World, door: socket.socket) -> AsyncIterator[None]:
    """The network is there, at an open socket, until the block ends."""
    async with serving(world.rest, door):
        agenda = asyncio.ensure_future(world.agenda.run())
        try:
            yield
        finally:
            agenda.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await agenda
    await world.close()


def address(door: socket.socket) -> str:
    return f"http://127.0.0.1:{door.getsockname()[1]}"


def settings(plan: Plan, url: str, network_url: str) -> Settings:
    """Of a server whose files are in the plan's folder."""
    return Settings(
        database=f"sqlite:///{plan.folder}/{DATABASE}",
        config=plan.config,
        public_url=url,
        key="demo",
        seal_key=plan.folder / "seal.key",
        seals=plan.folder / "seals.jsonl",
        uploads=plan.folder / "uploads",
        messages=plan.folder / "messages",
        calls_per_second=CALLS_PER_SECOND,
        account_sid=ACCOUNT,
        auth_token=TOKEN,
        api_url=network_url,
        **plan.settings,
    )


def listening(port: int = 0) -> socket.socket:
    """A port of this machine; 0: a free one."""
    # The protocol is named, or asyncio would leave Nagle's delay on for every connection.
    door = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    door.setsockopt(
        socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
    )  # a port that was closed a moment ago
    try:
        door.bind(("127.0.0.1", port))
    except OSError:
        door.close()
        raise
    return door


@contextlib.asynccontextmanager
async def serving(app: Starlette, door: socket.socket) -> AsyncIterator[None]:
    """Serve an app on an open socket until the block ends."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="auto",
        timeout_graceful_shutdown=GRACE_S,
    )
    server = _Quiet(config)
    task = asyncio.ensure_future(server.serve([door]))
    while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.02)
    try:
        yield
    finally:
        server.should_exit = True
        await task


class _Quiet(uvicorn.Server):
    """Leaves the signals to the program that runs it."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]  # noqa: ANN202
        yield
