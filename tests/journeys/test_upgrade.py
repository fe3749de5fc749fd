"""Servers are replaced one after another while phoners work: by the same version, and by the next one."""

import asyncio
import io
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

from callserver.adapters.clock import ShiftedClock
from callserver.cli.free_ports import free_port
from callserver.cli.simulated_stack import listening, serving
from callserver.database import migrate
from callserver.database.engines import make_engine
from callserver.simulator.asgi import Reply
from callserver.simulator.world import World
from tests.journeys.test_processes import (
    EARS,
    ROOT,
    START,
    Process,
    at_least,
    check,
    environment,
    fill,
    is_up,
    world,
)

PUBLIC_URL = "http://calls.test"
MIGRATIONS = "callserver/database/migrations/versions"

RUN_AT = """
import sys
from datetime import UTC, datetime, timedelta
from callserver import assemble
from callserver.adapters.clock import clock_from
shift = timedelta(seconds=float(sys.argv.pop()))
assemble.clock_from = lambda _, tx: clock_from((datetime.now(UTC) + shift).isoformat(), tx)
from callserver.cli import main
main()
"""


class Upstreams(World):
    """Behind a proxy: each request goes to the next server, and on to another one that accepts it."""

    servers: tuple[str, ...] = ()
    _turn = 0

    async def _post(self, url: str, headers: list[tuple[bytes, bytes]], body: bytes) -> Reply:
        for server in self._next():
            try:
                reply = await self._http.post(
                    url.replace(PUBLIC_URL, server, 1), headers=headers, content=body
                )
            except httpx.ConnectError:
                continue
            except httpx.HTTPError as error:
                raise OSError("the connection broke off") from error
            return reply.status_code, reply.content
        raise OSError("no server is running")

    async def _api(
        self, method: str, path: str, token: str, body: Mapping[str, Any] | None
    ) -> tuple[int, dict[str, Any]]:
        for server in self._next():
            self._server = server
            try:
                await self._http.get(f"{server}/livez")
            except httpx.HTTPError:
                continue
            return await super()._api(method, path, token, body)
        return 0, {}

    def _address(self, path: str) -> str:
        return self._server + path

    def _next(self) -> list[str]:
        self._turn += 1
        first = self._turn % max(len(self.servers), 1)
        return [*self.servers[first:], *self.servers[:first]]


class EarlierProcess(Process):
    """The same of another version, whose files lie in a folder."""

    def __init__(
        self, folder: Path, command: str, environment: Mapping[str, str], clock: ShiftedClock
    ) -> None:
        self._folder = folder
        super().__init__(command, environment, clock)

    def start(self) -> None:
        errors = Path(self._environment["CALLSERVER_SEALS"]).with_name("stderr.log")
        shift = self._clock.now() - datetime.now(UTC)
        with errors.open("ab") as stream:
            self._process = subprocess.Popen(  # type: ignore[assignment]
                [sys.executable, "-c", RUN_AT, self._command, str(shift.total_seconds())],
                env={
                    **os.environ,
                    **self._environment,
                    "CALLSERVER_CONFIG": str(self._folder / "config"),
                },
                cwd=self._folder,
                stderr=stream,
            )


def git(*words: str) -> bytes:
    return subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True).stdout


@pytest.fixture(scope="session")
def version_before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source before the newest change of the tables."""
    try:
        newest = git("log", "--diff-filter=A", "--format=%H", "-1", "--", MIGRATIONS).decode()
        archive = git("archive", f"{newest.strip()}^")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no history of the source: there is no version before this one")
    folder = tmp_path_factory.mktemp("before")
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder, filter="data")
    return folder


class Shift:
    """Phoners and supervisors who work while servers come and go."""

    def __init__(self, folder: Path, database: str) -> None:
        self._clock = ShiftedClock(START)
        self._database = database
        self._robots, self._supervisors = fill(database, self._clock, 8)
        self._town = world(Upstreams, self._clock, PUBLIC_URL)
        self._door = listening()
        network_url = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        self._settings = environment(folder, database, PUBLIC_URL, network_url)
        self._servers: dict[str, Process] = {}
        self._people: Any = None

    async def __aenter__(self) -> Self:
        self._network = serving(self._town.rest, self._door)
        await self._network.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        for server in self._servers.values():
            server.kill()
        await self._network.__aexit__(None, None, None)
        await self._town.close()

    async def add(self, before: Path | None = None) -> str:
        """Start a server, and pass requests to it once it is ready."""
        port = free_port()
        settings = {**self._settings, "CALLSERVER_PORT": str(port)}
        server = (
            Process("serve", settings, self._clock)
            if before is None
            else EarlierProcess(before, "serve", settings, self._clock)
        )
        url = f"http://127.0.0.1:{port}"
        self._servers[url] = server
        await is_up(url)
        self._pass_on()
        return url

    async def drop(self, url: str) -> None:
        """Pass no more requests to a server, and end it."""
        server = self._servers.pop(url)
        self._pass_on()
        assert await asyncio.to_thread(server.end) in (0, -signal.SIGTERM)

    async def replace(self, urls: list[str]) -> list[str]:
        """Replace each server by a new one; both serve for some seconds."""
        replaced = []
        for url in urls:
            replaced.append(await self.add())
            await asyncio.sleep(3)
            await self.drop(url)
        return replaced

    def begin(self) -> None:
        self._agenda = asyncio.ensure_future(self._town.agenda.run())
        self._people = self._town.start_shifts(self._robots, 24, self._supervisors, EARS)

    async def go_on(self, answered: int, outcomes: int) -> None:
        acknowledged = self._people.acknowledged
        await at_least(5, self._database, self._town, acknowledged, answered, outcomes)

    async def end(self) -> None:
        over = self._clock.now()
        self._agenda.cancel()
        for url in list(self._servers):
            await self.drop(url)
        check(
            self._database,
            self._town,
            self._people.acknowledged,
            self._clock,
            self._supervisors,
            timedelta(seconds=4),
            over,
        )

    def _pass_on(self) -> None:
        self._town.servers = tuple(self._servers)  # type: ignore[attr-defined]


@pytest.mark.timeout(600)
async def test_the_next_version_takes_over_while_phoners_work(
    tmp_path: Path, postgres_url: str, version_before: Path
) -> None:
    async with Shift(tmp_path, postgres_url) as shift:
        engine = make_engine(postgres_url)
        migrate.downgrade(engine, "-1")
        engine.dispose()
        servers = [await shift.add(version_before), await shift.add(version_before)]
        shift.begin()
        await shift.go_on(answered=3, outcomes=2)
        await shift.replace(servers)
        await shift.go_on(answered=12, outcomes=10)
        await shift.end()


@pytest.mark.timeout(600)
async def test_servers_are_restarted_one_after_another_while_phoners_work(
    tmp_path: Path, postgres_url: str, full: bool
) -> None:
    async with Shift(tmp_path, postgres_url) as shift:
        servers = [await shift.add(), await shift.add()]
        shift.begin()
        for _ in range(5 if full else 1):
            await shift.go_on(answered=3, outcomes=2)
            servers = await shift.replace(servers)
        await shift.go_on(answered=12, outcomes=10)
        await shift.end()
