"""A whole server beside a real Asterisk: real time, real SIP, real sound, an API to act through."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Engine, create_engine, select
from starlette.applications import Starlette

from callserver.adapters.asterisk.client import Lost
from callserver.adapters.clock import ShiftedClock
from callserver.adapters.config_folder import load
from callserver.app import create
from callserver.assemble import Server, build
from callserver.database.engines import make_engine, reading
from callserver.database.tables import seats
from callserver.domain.role import Role
from callserver.engine.context import Rules
from callserver.exchange import Exchange as OwnExchange
from callserver.ports import Tx
from callserver.simulator import asgi
from callserver.simulator.asgi import document
from tests.harness.databases import sqlite_file
from tests.harness.exchange.proxy import Proxy
from tests.harness.exchange.real import ROOT, Called, Exchange
from tests.harness.exchange.sip import Telephone
from tests.harness.protocol import CallingSystem
from tests.harness.waiting import PATIENCE_S

SUPERVISOR = 21

AFTERNOON = datetime.fromisoformat("2026-05-12T16:30:00+02:00").astimezone(UTC)


def people(*endings: str) -> str:
    """A list: one contact for each pair of digits, which say what their telephone does."""
    rows = [
        f"K{n};Person {n};3220{n + 1:02}{ending};1980-01-01;gade"
        for n, ending in enumerate(endings)
    ]
    return "\n".join(["ref;navn;telefon;født;kilde", *rows, ""])


class ExchangeSystem(CallingSystem):
    """One server process in the test's own loop. `until` waits for a condition."""

    def __init__(self, folder: Path, exchange: Exchange, called: Called) -> None:
        self.folder = folder
        self.exchange = exchange
        self.called = called
        self.clock: ShiftedClock = ShiftedClock(AFTERNOON)
        self._rang_before = len(called.invited())
        self.telephones: list[Telephone] = []
        self.proxy = Proxy(exchange.settings.asterisk_url)
        self.database = sqlite_file(folder / "system.db")
        self._reading: Engine | None = None
        self.serving: contextlib.AsyncExitStack | None = None

    def _build(self) -> Server:
        settings = self.exchange.settings.model_copy(
            update={
                "database": self.database,
                "asterisk_url": self.proxy.url,
                "config": ROOT / "config",
                "key": "test",
                "seal_key": self.folder / "seal.key",
                "seals": self.folder / "seals.jsonl",
                "calls_per_second": 50,
            }
        )
        return build(settings, clock=self.clock, durable=False)

    def close(self) -> None:
        if self._reading is not None:
            self._reading.dispose()
            self._reading = None

    @property
    def own(self) -> OwnExchange:
        """The only exchange, as the server knows it."""
        assert self.server.exchanges is not None
        return self.server.exchanges.each[""]

    @property
    def events(self) -> Any:
        return self.app.state.events[""]

    async def start(self) -> None:
        await self.open()
        await self.owns_all()

    async def open(self) -> None:
        """Another process may have the exchanges' events."""
        self.server: Server = self._build()
        self.app: Starlette = create(self.server)
        self.serving = contextlib.AsyncExitStack()
        await self.serving.enter_async_context(self.app.router.lifespan_context(self.app))

    async def owns_all(self) -> None:
        """This process receives the events of every exchange."""
        await asyncio.wait_for(self.events.owns.wait(), PATIENCE_S)

    async def stop(self) -> None:
        if self.serving is not None:
            await self.serving.aclose()
            self.serving = None

    async def restart(self) -> None:
        """A new server process, as far as anybody can tell from outside."""
        await self.stop()
        await self.start()

    def fill(self, content: str, phoners: int = 1) -> None:
        self.place_list(Rules(load(ROOT / "config")), content, phoners, registers=True)

    def read(self, work: Callable[[Tx], Any]) -> Any:
        """Beside the server's own connection, which is busy with transactions of its own."""
        if self._reading is None:
            self._reading = create_engine(self.database)
        with reading(self._reading) as tx:
            return work(tx)

    def write(self, work: Callable[[Tx], Any]) -> Any:
        """The same, to change something."""
        writing = make_engine(self.database)
        try:
            with writing.begin() as tx:
                return work(tx)
        finally:
            writing.dispose()

    async def api(
        self, method: str, path: str, body: Any = None, *, phoner: int = 1
    ) -> tuple[int, Any]:
        sent = b"" if body is None else json.dumps(body).encode()
        headers = [(b"authorization", f"Bearer t{phoner}".encode())]
        url = f"{self.server.settings.public_url}/api/v1{path}"
        status, reply = await asgi.call(self.app, method, url, headers, sent)
        return status, document(reply)

    def rang(self) -> list[str]:
        return self.called.invited()[self._rang_before :]

    async def telephone(self, phoner: int = 1, **more: Any) -> Telephone:
        """A SIP telephone at the phoner's desk, signed in."""
        name = f"telephone_{phoner}"
        credentials = await self.own.softphones.hand_out(name, phoner)
        telephone = await Telephone(name, self.exchange.sip, **more).open()
        self.telephones.append(telephone)
        assert await telephone.register(credentials.password) == 200
        return telephone

    def employ(self, user: int = SUPERVISOR) -> None:
        """Add a supervisor of the campaign's department, with a SIP telephone."""
        line = f"sip:telephone_{user}"
        self.write(
            lambda tx: self.add_token_user(tx, user, f"u{user}", Role.SUPERVISOR, "nord", line=line)
        )

    async def listened(self) -> Telephone:
        """A supervisor listens silently by telephone."""
        self.employ()
        telephone = await self.telephone(SUPERVISOR)
        await self.listen("silent")
        await self.wait_for(lambda: telephone.talk is not None and telephone.talk.answered)
        return telephone

    async def listen(self, mode: str = "silent", user: int = SUPERVISOR, phoner: int = 1) -> None:
        body = {"seat": self.seat_row(phoner).id, "mode": mode, "why": "quality"}
        await self.do("POST", "/listenings", body, phoner=user)

    async def stop_listening(self, user: int = SUPERVISOR) -> None:
        await self.do("POST", "/listenings/stop", {}, phoner=user)

    async def on_shift(self, phoner: int = 1) -> Telephone:
        """The phoner is on shift, their telephone in their room."""
        telephone = await self.telephone(phoner)
        body = {"campaign": "kanvas", "line": f"sip:telephone_{phoner}"}
        await self.do("POST", "/shift", body, phoner=phoner)
        # A telephone that seems to be away, on a busy machine, is called again after a minute.
        await self.wait_for(lambda: self.seat_row(phoner).connected, 2 * PATIENCE_S)
        return telephone

    def seat_row(self, phoner: int = 1) -> Any:
        query = select(seats).where(seats.c.phoner == phoner)
        return self.read(lambda tx: tx.execute(query).one())

    async def wait_for(self, what: Callable[[], Any], seconds: float = PATIENCE_S) -> float:
        """Wait for a condition; how long it took."""
        began = time.monotonic()
        while not what():
            if time.monotonic() - began > seconds:
                raise AssertionError(
                    f"not within {seconds} s; seat {self.seat_row()}, calls {self.calls()}"
                )
            await asyncio.sleep(0.02)
        return time.monotonic() - began


H = TypeVar("H", bound=ExchangeSystem)


@contextlib.asynccontextmanager
async def opened(
    folder: Path, exchange: Exchange, called: Called, list_: str = "", phoners: int = 1
) -> AsyncIterator[ExchangeSystem]:
    """A system that runs until the block ends."""
    async with living(ExchangeSystem(folder, exchange, called), list_, phoners) as system:
        yield system


@contextlib.asynccontextmanager
async def living(system: H, list_: str, phoners: int = 1) -> AsyncIterator[H]:
    """Run a system until the block ends; what it began on the exchange is ended too."""
    await system.proxy.start()
    if list_:
        system.fill(list_, phoners)
    await system.start()
    try:
        yield system
    finally:
        if system.serving is not None:
            with contextlib.suppress(Lost):
                for channel in (await system.own.ari.get("channels")).body or ():
                    await system.own.ari.delete("channels", channel["id"])
        for telephone in system.telephones:
            telephone.die()
        await system.stop()
        await system.proxy.stop()
        system.close()
