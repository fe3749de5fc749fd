"""The same system, its server in a process of its own that may be killed without warning."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx

from callserver.adapters.asterisk import softphones
from callserver.cli.free_ports import free_port
from callserver.database import softphones as kept
from callserver.database.softphones import Softphone
from callserver.ports import Tx
from tests.harness.exchange.real import ROOT, Called, Exchange
from tests.harness.exchange.sip import Telephone
from tests.harness.exchange.system import ExchangeSystem
from tests.harness.waiting import PATIENCE_S
from tests.journeys.test_processes import Process, is_up


class ProcessSystem(ExchangeSystem):
    """`kill` it, `begin` it again; everything that lasts is in the database and on the exchange."""

    log_level = "debug"

    def __init__(
        self, folder: Path, exchange: Exchange, called: Called, database: str = ""
    ) -> None:
        super().__init__(folder, exchange, called)
        self.database = database or self.database
        self.processes: list[Process] = []
        self.urls: list[str] = []

    def begin(self) -> None:
        """One more server."""
        port = free_port()
        environment = {
            **self.exchange.environment,
            "CALLSERVER_DATABASE": self.database,
            "CALLSERVER_CONFIG": str(ROOT / "config"),
            "CALLSERVER_PORT": str(port),
            "CALLSERVER_KEY": "a key for the tests alone",
            "CALLSERVER_SEAL_KEY": str(self.folder / "seal.key"),
            "CALLSERVER_SEALS": str(self.folder / "seals.jsonl"),
            "CALLSERVER_CALLS_PER_SECOND": "50",
            "CALLSERVER_LOG_LEVEL": self.log_level,
        }
        self.processes.append(Process("serve", environment, self.clock))
        self.urls.append(f"http://127.0.0.1:{port}")

    def kill(self, which: int = 0) -> None:
        self.processes.pop(which).kill()
        self.urls.pop(which)

    async def up(self) -> None:
        for url in self.urls:
            await is_up(url)

    async def api(
        self, method: str, path: str, body: Any = None, *, phoner: int = 1
    ) -> tuple[int, Any]:
        async with httpx.AsyncClient() as http:
            headers = {"Authorization": f"Bearer t{phoner}"}
            url = f"{self.urls[-1]}/api/v1{path}"
            reply = await http.request(method, url, json=body, headers=headers)
        return reply.status_code, reply.json()

    async def telephone(self, phoner: int = 1, **more: Any) -> Telephone:
        """Signed in as soon as the server has told the exchange about it."""
        name, password = f"telephone_{phoner}", secrets.token_urlsafe(16)
        made = Softphone(name, phoner, softphones.digest(name, password), None)

        def add(tx: Tx) -> None:
            kept.store(tx, made)

        self.write(add)
        telephone = await Telephone(name, self.exchange.sip, **more).open()
        self.telephones.append(telephone)
        end = time.monotonic() + PATIENCE_S
        while await telephone.register(password) != 200:
            assert time.monotonic() < end, "the telephone could not sign in"
            await asyncio.sleep(0.1)
        return telephone


@contextlib.asynccontextmanager
async def started(
    folder: Path,
    exchange: Exchange,
    called: Called,
    list_: str,
    *,
    phoners: int = 1,
    database: str = "",
    servers: int = 1,
) -> AsyncIterator[ProcessSystem]:
    """A system with its servers running; all of them are ended at the end."""
    system = ProcessSystem(folder, exchange, called, database)
    system.fill(list_, phoners)
    for _ in range(servers):
        system.begin()
    try:
        await system.up()
        yield system
    finally:
        while system.processes:
            system.kill()
        async with httpx.AsyncClient() as http:
            ari = exchange.ari(http)
            for channel in (await ari.get("channels")).body or ():
                await ari.delete("channels", channel["id"])
        for telephone in system.telephones:
            telephone.die()
        system.close()
