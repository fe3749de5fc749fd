"""A whole server beside a simulated network, under the test's own hand: virtual time, real HTTP."""

import json
import shutil
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from callserver.adapters.config_folder import load
from callserver.app import create
from callserver.assemble import Server, build
from callserver.database import accounts
from callserver.database.due_work import next_due
from callserver.database.engines import make_engine, reading
from callserver.engine.accounts.offboarding import off_board
from callserver.engine.context import Rules
from callserver.ports import Silent, Tx
from callserver.settings import Settings
from callserver.simulator import asgi
from callserver.simulator.asgi import document
from callserver.simulator.evening import Evening, Plan
from callserver.simulator.faults import NONE, Faults
from callserver.simulator.legs import Behaviour, Conference, Leg
from callserver.simulator.orders import InProcessOrders
from callserver.simulator.virtual_time import VirtualClock
from tests.harness.databases import scratch_folder, sqlite_file
from tests.harness.protocol import CallingSystem, Filling

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "config"
TUESDAY = datetime.fromisoformat("2026-05-12T17:00:00+02:00")
PEOPLE = "ref;navn;telefon;født;kilde\n" + "".join(
    f"K{n};Person {n};322000{n:02};1980-01-01;gade\n" for n in range(40)
)


class People:
    """Everybody answers after two seconds and says nothing, unless the test tells otherwise."""

    def __init__(self) -> None:
        self.does: dict[str, Behaviour] = {}
        self.phoners_answer = True
        self.keys: dict[str, str] = {}
        self.default = Behaviour(answers_after=2)

    def rings(self, leg: Leg) -> Behaviour:
        if leg.to.startswith("client:"):
            return Behaviour(answers_after=1 if self.phoners_answer else None)
        return self.does.get(leg.to, self.default)

    def answered(self, leg: Leg) -> None: ...
    def joined(self, room: Conference, leg: Leg) -> None: ...
    def left(self, room: Conference, leg: Leg) -> None: ...
    def missed(self, leg: Leg) -> None: ...

    def key(self, leg: Leg) -> str:
        return self.keys.get(leg.caller, "")


@cache
def _filled(filling: Filling) -> Path:
    """A database with this filling, from which the tests' are copied."""
    file = scratch_folder() / f"filled-{uuid.uuid4().hex}.db"
    engine = make_engine(sqlite_file(file), durable=False)
    with engine.begin() as tx:
        filling.write(tx, Rules(load(CONFIG)))
    engine.dispose()
    return file


class SimulatedSystem(CallingSystem):
    """One server, one network. `pass_time` lets time pass; `api` is what a phoner does."""

    def __init__(
        self,
        folder: Path,
        *,
        phoners: int = 1,
        faults: Faults = NONE,
        start: datetime = TUESDAY,
        people: str = PEOPLE,
        campaign: str = "kanvas",
        config: Path = CONFIG,
        calls_per_second: float = 10,
        seed: int = 1,
        registers: bool = True,
        **settings: Any,
    ) -> None:
        self.plan = Plan(start=start, faults=faults, seed=seed, calls_per_second=calls_per_second)
        self.world = Evening(self.plan)
        self.clock: VirtualClock = self.world.clock
        self.people = People()
        self.world.network.people = self.people
        self.network = self.world.network
        self.campaign = campaign
        self.folder = folder
        self._config = config
        self._settings = settings
        self._number = 0
        filling = Filling(campaign, people, phoners, registers, start)
        ready_made = config == CONFIG and "database" not in settings and not self._file.exists()
        if ready_made:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(_filled(filling), self._file)
        self.server = self.restart()
        if not ready_made:
            self.write(lambda tx: filling.write(tx, self.server.ctx.rules))

    @property
    def _file(self) -> Path:
        return self.folder / "system.db"

    def restart(self) -> Server:
        """A new server process on the same database; whatever the old one did is forgotten."""
        self._number += 1
        tokens = iter(range(10**9))
        number = self._number
        self.server = build(
            Settings(
                config=self._config,
                public_url=self.plan.public_url,
                seal_key=self.folder / "seal.key",
                seals=self.folder / "seals.jsonl",
                uploads=self.folder / "uploads",
                messages=self.folder / "messages",
                calls_per_second=self.plan.calls_per_second,
                account_sid=self.plan.account,
                auth_token=self.plan.token,
                api_url="http://network.test",
                **{"database": sqlite_file(self._file), "key": "test", **self._settings},
            ),
            clock=self.clock,
            http=httpx.AsyncClient(transport=httpx.ASGITransport(self.world.rest)),
            orders=InProcessOrders(self.world.rest),
            inline=True,
            durable=False,
            token=lambda: f"a{number}x{next(tokens):06}",
        )
        self.app = create(self.server, ticking=False)
        self.world.app = self.app
        return self.server

    def read(self, work: Callable[[Tx], Any]) -> Any:
        engine = self.server.store.engine
        with reading(engine) as tx:
            if engine.dialect.name == "postgresql":
                return work(tx)
            tx.exec_driver_sql("PRAGMA query_only = ON")
            try:
                return work(tx)
            finally:
                tx.exec_driver_sql("PRAGMA query_only = OFF")

    def write(self, work: Callable[[Tx], Any]) -> Any:
        with self.server.store.engine.begin() as tx:
            return work(tx)

    async def api(
        self, method: str, path: str, body: Any = None, *, phoner: int = 1
    ) -> tuple[int, dict[str, Any]]:
        sent = b"" if body is None else json.dumps(body).encode()
        headers = [(b"authorization", f"Bearer t{phoner}".encode())]
        url = f"{self.plan.public_url}/api/v1{path}"
        status, reply = await asgi.call(self.app, method, url, headers, sent)
        await self.server.ctx.background.idle()
        return status, document(reply)

    async def pass_time(self, seconds: float) -> None:
        """Let so much time pass, everything in its order."""
        end = self.clock.now() + timedelta(seconds=seconds)
        await self.server.ctx.background.idle()
        wake: datetime | None = self.clock.now()
        for _ in range(20_000):
            due = self.world.agenda.next_at()
            at = min((instant for instant in (due, wake) if instant is not None), default=end)
            if at > end:
                break
            self.clock.set(at)
            if due is not None and due <= at:
                await self.world.agenda.pop()()
                await self.server.ctx.background.idle()
            if wake is not None and wake <= self.clock.now():
                wake = await self.server.scheduler.tick()
                await self.server.ctx.background.idle()
                if wake is not None:
                    wake = max(wake, self.clock.now() + timedelta(milliseconds=50))
            with reading(self.server.store.engine) as tx:
                due_next = next_due(tx)
            if due_next is not None:
                soonest = max(due_next, self.clock.now() + timedelta(milliseconds=50))
                wake = soonest if wake is None else min(wake, soonest)
        self.clock.set(end)

    async def jump(self, seconds: float) -> None:
        """Let a long time pass in which only the scheduler and the agenda's next minute happen."""
        self.clock.set(self.clock.now() + timedelta(seconds=seconds))
        await self.pass_time(60)

    async def on_shift(self, phoner: int = 1) -> None:
        body = {"campaign": self.campaign, "line": f"client:phoner_{phoner}"}
        await self.do("POST", "/shift", body, phoner=phoner)
        await self.pass_time(4)

    async def seat(self, phoner: int = 1) -> dict[str, Any]:
        return (await self.api("GET", "/seat", phoner=phoner))[1]

    def rang(self) -> list[str]:
        return [ring.number for ring in self.network.record]

    def live_legs(self, number: str | None = None) -> list[Leg]:
        return [
            leg
            for leg in self.network.legs.values()
            if leg.live and leg.to.startswith("+") and number in (None, leg.to)
        ]

    def phoner_leg(self) -> Leg:
        return next(
            leg
            for leg in reversed(self.network.legs.values())
            if leg.to.startswith("client:") and leg.live
        )

    def close(self) -> None:
        self.server.store.close()


def failing(system: SimulatedSystem, order: str, *, times: int = 1, only: str = "") -> list[str]:
    """The provider fails the order so many times (for one leg only); the legs that it was asked about."""
    telephony: Any = system.server.ctx.telephony
    really: Callable[..., Awaitable[Any]] = getattr(telephony, order)
    asked: list[str] = []
    left = [times]

    async def fails(ref: str, *more: Any) -> Any:
        asked.append(ref)
        if left[0] and only in ("", ref):
            left[0] -= 1
            raise OSError("the provider is away")
        return await really(ref, *more)

    setattr(telephony, order, fails)
    return asked


async def in_a_talk(system: SimulatedSystem) -> Leg:
    await system.on_shift()
    await system.ready()
    await system.pass_time(5)
    assert (await system.seat())["state"] == "talking"
    return system.live_legs()[0]


async def after_a_talk(system: SimulatedSystem) -> None:
    """The person has hung up; the outcome is owed."""
    system.network.hang_up_by_person(await in_a_talk(system))
    await system.pass_time(1)


def off_board_phoner(system: SimulatedSystem) -> None:
    """The first phoner's access ends; the scheduler ends their shift."""

    def leave(tx: Tx) -> None:
        user = accounts.user(tx, 1)
        assert user is not None
        off_board(tx, user, system.clock.now(), "test")

    system.write(leave)


async def rings(system: SimulatedSystem) -> Leg:
    await system.on_shift()
    await system.ready()
    await system.pass_time(3)
    return system.live_legs()[0]


async def rings_unheard(system: SimulatedSystem) -> Leg:
    """A telephone rings; the reply to its order and every report are lost."""
    telephony: Any = system.server.ctx.telephony
    really = telephony.place

    async def lost(*order: Any) -> Silent:
        await really(*order)
        return Silent("lost")

    telephony.place = lost
    await system.on_shift()
    dropped = replace(system.plan.faults, dropped=1.0)
    system.network.faults = system.network.callbacks.faults = dropped
    await system.ready()
    await system.pass_time(0.9)
    (leg,) = system.live_legs()
    return leg
