"""Everything on this machine in real time: server, network, people, robots, and seats for visitors.

Used by the demonstration and by the browser tests. Nobody real is called.
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
from callserver.cli.invented_data import (
    VisitorAccounts,
    add_supervisors,
    add_visitor_accounts,
    populate,
)
from callserver.cli.invented_team import add_notices, add_survey
from callserver.ports import Clock
from callserver.settings import Settings, instant, proxies
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
"""How long open requests may take when the server stops; streams are ended before."""


@dataclass(frozen=True, slots=True)
class StackPlan:
    """What is run."""

    folder: Path
    config: Path = Path("config")
    phoners: int = 12  # robots; 0: no robot supervisors either
    contacts: int = 600
    faults: Faults = NONE
    rates: BehaviourRates = HABITS
    visitor_calls: Sequence[Behaviour] = ()  # how visitors' calls end (simulator/visitors.py)
    port: int = 0  # 0: a free one
    first_week: bool = False  # the visitors' phoner is new
    # The settings that differ from the demonstration's.
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Stack:
    """A running server."""

    server: Server
    clock: ShiftedClock
    url: str
    network: str  # a description
    staff: VisitorAccounts


@dataclass(slots=True)
class SimulatedStack(Stack):
    """A running server with a simulated network."""

    world: World
    supervisors: list[Supervisor] = field(default_factory=list)
    people: SimulatedPeople | None = None
    _open: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)

    async def open(self, listener: socket.socket) -> None:
        """Start the server; the network and its people exist already."""
        has_twilio_key = self.server.settings.api_key  # then Twilio's softphone is used
        app = create(self.server, played=None if has_twilio_key else self.world.visitors)
        await self._open.enter_async_context(serving(app, listener, proxies(self.server.settings)))

    async def close(self) -> None:
        """Stop the server as a process does; the network goes on."""
        self.server.feed.stop()  # open streams would delay the stop
        await self._open.aclose()

    async def reopen(self) -> None:
        """Start a new server on the same database, at the same address."""
        self.server = build(self.server.settings, clock=self.clock)
        await self.open(listening(int(self.url.rpartition(":")[2])))


@contextlib.asynccontextmanager
async def started(
    plan: StackPlan, clock: ShiftedClock | None = None
) -> AsyncIterator[SimulatedStack]:
    """A server that runs until the block ends; its database can be read until then.

    `clock`: the server's; by default one that starts on a weekday afternoon.
    """
    clock = clock or ShiftedClock(instant("start", START))
    listeners = [listening(plan.port), listening()]
    url, network_url = map(address, listeners)
    world = network(clock, url, CALLS_PER_SECOND, plan.faults, plan.rates)
    server = build(settings(plan, url, network_url), clock=clock)
    rules, now, store = server.ctx.rules, clock.now(), server.store
    robots = await store.run(lambda tx: populate(tx, rules, SEED, now, plan.phoners, plan.contacts))
    supervisors = await store.run(lambda tx: add_supervisors(tx, rules, now)) if robots else []
    staff = await store.run(
        lambda tx: add_visitor_accounts(
            tx, rules, server.authentication, now, first_week=plan.first_week
        )
    )
    await store.run(lambda tx: add_notices(tx, server))
    await add_survey(server, SEED)
    description = f"simulated network at {network_url}"
    stack = SimulatedStack(server, clock, url, description, staff, world, supervisors)
    async with running(world, listeners[1]):
        await stack.open(listeners[0])
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
async def running(world: World, listener: socket.socket) -> AsyncIterator[None]:
    """The network runs on an open socket until the block ends."""
    async with serving(world.rest, listener):
        agenda = asyncio.ensure_future(world.agenda.run())
        try:
            yield
        finally:
            agenda.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await agenda
    await world.close()


def address(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def settings(plan: StackPlan, url: str, network_url: str) -> Settings:
    """The settings of a server whose files are in the plan's folder."""
    return Settings(
        database=f"sqlite:///{plan.folder}/{DATABASE}",
        config=plan.config,
        public_url=url,
        key="a demonstration: nobody is called",
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
    """An open socket on a port of this machine; 0: a free one."""
    # With the protocol named, asyncio switches Nagle's algorithm off for every connection.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    # Allows a port that was just closed.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        listener.close()
        raise
    return listener


@contextlib.asynccontextmanager
async def serving(
    app: Starlette, listener: socket.socket, trusted: Sequence[str] = ()
) -> AsyncIterator[None]:
    """Serve an app on an open socket until the block ends. `trusted`: proxies that name the client."""
    config = uvicorn.Config(
        app,
        proxy_headers=bool(trusted),
        forwarded_allow_ips=list(trusted),
        log_config=None,
        access_log=False,
        lifespan="auto",
        timeout_graceful_shutdown=GRACE_S,
    )
    server = _Quiet(config)
    task = asyncio.ensure_future(server.serve([listener]))
    while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.02)
    try:
        yield
    finally:
        server.should_exit = True
        await task


class _Quiet(uvicorn.Server):
    """Leaves signals to the program."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]  # noqa: ANN202
        yield
