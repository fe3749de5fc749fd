"""What a whole call costs the server: from Ready to the outcome, with six callbacks, with and without pages.

The unit is the server's processor time for one request to an empty form endpoint in the same run, so that
figures of different machines compare: in a closed loop, which the aim refers to, and by the clock, as many a
second as the calls make, with as many connections. The carrier and the phoners, and the pages, are processes
of their own; calls begin by the clock, whether or not earlier ones are over.
"""

import asyncio
import contextlib
import itertools
import json
import math
import multiprocessing
import os
import random
import re
import tempfile
import time
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlencode

from starlette.applications import Starlette
from starlette.routing import Route

from callserver.adapters.clock import ShiftedClock
from callserver.adapters.config_folder import load
from callserver.app import create
from callserver.assemble import build
from callserver.cli import invented_data
from callserver.cli.simulated_stack import listening
from callserver.database import accounts, migrate
from callserver.database.engines import make_engine
from callserver.database.tables import seats
from callserver.engine.accounts.authentication import hash_of
from callserver.engine.context import Rules
from callserver.engine.lists.importer import import_list
from callserver.settings import Settings
from callserver.simulator.callbacks import sign
from tests.bench import serving
from tests.bench.measuring import Figure, percentile
from tests.bench.serving import Line
from tests.bench.storing import people
from tests.bench.streaming import FLOOR_PAGE, PHONE_PAGE, Page, following
from tests.harness.databases import postgres_database, postgres_server
from tests.harness.processes import processor_seconds
from tests.harness.simulated import ROOT, TUESDAY

PHONERS = 100
FLOOR_PAGES = 10
EVERY_S = 25.0
"""A phoner begins a call this often: three times as often as in life, so that a measurement is short."""

TALK_S = 1.0
WARM_S, SECONDS = 6.0, 36.0
EMPTY_REQUESTS = 4000
REQUESTS = 8
"""That a call makes: two of the phoner, six callbacks."""

LINES = 32
SPARSE_S = 15.0
"""How long empty requests by the clock are measured, before the calls and after them."""

CAMPAIGN = "kanvas"


@dataclass(frozen=True, slots=True)
class Load:
    """So many phoners who each begin a call every so many seconds; how long it is measured."""

    phoners: int
    every_s: float = EVERY_S
    warm_s: float = WARM_S
    seconds: float = SECONDS


class Unit(NamedTuple):
    """Processor seconds of one request to an empty form endpoint."""

    closed: float  # in a closed loop
    sparse: float  # by the clock, as many a second as the calls make

    def __str__(self) -> str:
        return f"{self.closed * 1e6:.0f} µs, at the calls' rate {self.sparse * 1e6:.0f} µs"


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one measurement: processor seconds of the servers per call, and how long webhooks took."""

    per_call: float
    calls: int
    p99: float  # milliseconds
    shares: tuple[float, ...]  # of each server
    busy: tuple[float, ...]  # of a core, of each server
    lost: int  # calls that were due and did not get their outcome


def calling(sizes: Sequence[int] = (PHONERS,)) -> list[Figure]:
    """Cost per call on SQLite."""
    figures = []
    for phoners in sizes:
        with tempfile.TemporaryDirectory() as folder:
            plain, paged, unit = _measure(f"sqlite:///{folder}/c.db", Path(folder), phoners, 1)
        figures += _figures(f"{phoners} phoners, SQLite", plain, paged, unit)
    return figures


def calling_on_postgres(counts: Sequence[int] = (1, 2, 4)) -> list[Figure]:
    """The same on PostgreSQL, with so many servers."""
    figures = []
    for servers in counts:
        with (
            tempfile.TemporaryDirectory() as folder,
            postgres_server(Path(folder)) as url,
            empty_database(url) as database,
        ):
            plain, paged, unit = _measure(database, Path(folder), PHONERS, servers)
        figures += _figures(f"{PHONERS} phoners, PostgreSQL, {servers} servers", plain, paged, unit)
    return figures


@contextmanager
def empty_database(url: str) -> Iterator[str]:
    """A database of its own on that server."""
    with postgres_database(url) as database:
        yield database.render_as_string(hide_password=False)


def _figures(what: str, plain: Cost, paged: Cost, unit: Unit) -> list[Figure]:
    units, ratio = plain.per_call / unit.closed, paged.per_call / plain.per_call
    shares = ", ".join(f"{share:.0%}" for share in plain.shares)
    return [
        Figure(
            f"a call, {what}, no pages",
            f"{units:.0f} units ({plain.per_call * 1000:.1f} ms; webhook p99 {plain.p99:.0f} ms); "
            f"{plain.per_call / unit.sparse:.0f} of those at the calls' rate",
            f"empty form request {unit}",
            f"{plain.calls} calls; servers {shares}",
            "≤ 60 units",
            units <= 60,
        ),
        Figure(
            f"with a page per phoner and {FLOOR_PAGES} floors",
            f"{ratio:.2f}× ({paged.per_call / unit.closed:.0f} units; webhook p99 {paged.p99:.0f} ms)",
            "without pages 1×",
            f"{paged.calls} calls",
            "≤ 1.3×",
            ratio <= 1.3,
        ),
    ]


def _measure(database: str, folder: Path, phoners: int, servers: int) -> tuple[Cost, Cost, Unit]:
    load = Load(phoners)
    with ExitStack() as stack:
        started, evening = _begin(stack, database, folder, servers, load)
        bare = stack.enter_context(
            serving.serving_process(
                lambda: Starlette(routes=[Route("/", serving.empty, methods=["POST"])])
            )
        )
        asyncio.run(serving.is_up(bare.port))
        rate = REQUESTS * phoners / load.every_s
        before = _unit(bare, rate)
        processes = [server.process for server in started]
        plain = evening.measure(processes)
        with _pages(evening.ports, phoners):
            paged = evening.measure(processes)
        after = _unit(bare, rate)
    return plain, paged, Unit(*(sum(pair) / 2 for pair in zip(before, after, strict=True)))


def measure_load(database: str, folder: Path, servers: int, load: Load) -> Cost:
    """What a load costs the servers, with a page per phoner and the floor's pages."""
    with ExitStack() as stack:
        started, evening = _begin(stack, database, folder, servers, load)
        with _pages(evening.ports, load.phoners):
            return evening.measure([server.process for server in started])


def _begin(
    stack: ExitStack, database: str, folder: Path, servers: int, load: Load
) -> tuple[list["serving.Started"], "Evening"]:
    """Servers on a filled database, and the carrier and the phoners that will use them."""
    carrier = listening()
    settings = Settings(
        database=database,
        config=ROOT / "config",
        public_url=serving.PUBLIC,
        key="k",
        seal_key=folder / "k",
        seals=folder / "s",
        account_sid=serving.ACCOUNT,
        auth_token="token",
        api_url=f"http://127.0.0.1:{carrier.getsockname()[1]}",
        calls_per_second=1000,
    )
    fill(settings, load.phoners)
    app = lambda: create(build(settings, clock=ShiftedClock(TUESDAY)))  # noqa: E731
    started = [stack.enter_context(serving.serving_process(app)) for _ in range(servers)]
    for server in started:
        asyncio.run(serving.is_up(server.port))
    return started, Evening([server.port for server in started], carrier, load)


@contextmanager
def _pages(ports: Sequence[int], phoners: int) -> Iterator[None]:
    """A page for each phoner, and the floor's, spread over the servers."""
    pages = [Page(f"s{n}", PHONE_PAGE) for n in range(1, phoners + 1)]
    pages += [Page(f"s{n}", FLOOR_PAGE) for n in range(phoners + 1, phoners + FLOOR_PAGES + 1)]
    with ExitStack() as stack:
        seen = [
            stack.enter_context(following(port, pages[at :: len(ports)]))
            for at, port in enumerate(ports)
        ]
        while sum(page.open.value for page in seen) < len(pages):
            time.sleep(0.1)
        yield


def _unit(bare: "serving.Started", rate: float) -> Unit:
    body = serving.request("/", urlencode({f"F{n}": "x" * 12 for n in range(24)}).encode())

    def per_request(work: Coroutine[Any, Any, float], requests: int) -> float:
        before = processor_seconds(bare.process)
        asyncio.run(work)
        return (processor_seconds(bare.process) - before) / requests

    asyncio.run(serving.closed_loop(bare.port, lambda: body, 500))
    closed = serving.closed_loop(bare.port, lambda: body, EMPTY_REQUESTS, LINES)
    sparse = serving.open_loop(bare.port, lambda: body, rate, SPARSE_S, LINES)
    return Unit(per_request(closed, EMPTY_REQUESTS), per_request(sparse, int(rate * SPARSE_S)))


def fill(settings: Settings, phoners: int) -> None:
    """A list, and phoners whose telephones are in their rooms already."""
    engine = make_engine(settings.database)
    migrate.upgrade(engine)
    rules = Rules(load(settings.config))
    with engine.begin() as tx:
        campaign = rules.campaign(CAMPAIGN)
        import_list(tx, campaign, people(phoners * 40).encode(), TUESDAY)
        invented_data.import_registers(tx, rules, TUESDAY)
        for user in range(1, phoners + FLOOR_PAGES + 1):
            role = "phoner" if user <= phoners else "supervisor"
            accounts.add(
                tx,
                id=user,
                handle=f"u{user}",
                name=f"User {user}",
                role=role,
                department=campaign.department,
            )
            accounts.add_token(tx, hash_of(f"s{user}"), user, "bench", TUESDAY)
            invented_data.train(tx, rules, user, TUESDAY)
        tx.execute(seats.insert(), [_seat(user) for user in range(1, phoners + 1)])
    engine.dispose()


def _seat(user: int) -> dict[str, Any]:
    return {
        "id": user,
        "phoner": user,
        "department": "nord",
        "campaign": CAMPAIGN,
        "state": "paused",
        "wants": "paused",
        "connected": True,
        "since": TUESDAY,
        "room": f"r{user}",
        "room_ref": f"CF{user:032}",
        "leg": f"CA{user:032}",
    }


@dataclass(slots=True)
class Evening:
    """The carrier and the phoners: a process of its own for each measurement."""

    ports: Sequence[int]
    carrier: Any  # the listening socket
    load: Load
    number: Iterator[int] = field(default_factory=itertools.count)

    def measure(self, processes: Sequence[int]) -> Cost:
        """Processor seconds of the servers for each call that ended, after a warm-up."""
        context = multiprocessing.get_context("fork")
        mine, theirs = context.Pipe()
        first = next(self.number) * 10**6
        work = context.Process(target=self._run, args=(theirs, first))
        work.start()
        assert mine.recv() == "warm"
        before = [processor_seconds(process) for process in processes]
        done, p99 = mine.recv()
        used = [
            processor_seconds(process) - b for process, b in zip(processes, before, strict=True)
        ]
        lost = mine.recv()
        work.join()
        shares = tuple(seconds / sum(used) for seconds in used)
        busy = tuple(seconds / self.load.seconds for seconds in used)
        return Cost(sum(used) / max(done, 1), done, p99, shares, busy, lost)

    def _run(self, pipe: Any, first: int) -> None:
        asyncio.run(_Network(self.ports, self.carrier, self.load, first).play(pipe))


_ORDER = re.compile(rb"POST /\S+/Conferences/(?P<room>CF\d+)/Participants\.json ")


_LOOK_UP = re.compile(rb"GET /\S+/Calls/(?P<sid>CA\d+)\.json ")
_LENGTH = re.compile(rb"(?i)content-length: (\d+)")


def _answer(writer: asyncio.StreamWriter, document: Mapping[str, Any]) -> None:
    body = json.dumps(document).encode()
    head = b"HTTP/1.1 201 Created\r\ncontent-type: application/json\r\n"
    writer.write(head + f"content-length: {len(body)}\r\n\r\n".encode() + body)


class _Network:
    """Takes orders, sends the callbacks of an answered call, and plays the phoners."""

    def __init__(self, ports: Sequence[int], carrier: Any, load: Load, first: int) -> None:
        self._ports, self._carrier, self._load = ports, carrier, load
        self._sids = itertools.count(first + 10**9)
        self._sequence = itertools.count(first)
        self._lines: list[asyncio.Queue[Line]] = [asyncio.Queue() for _ in ports]
        self._turn = itertools.cycle(range(len(ports)))
        self._times: list[float] = []
        self.due = self.done = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def play(self, pipe: Any) -> None:
        for queue, port in zip(self._lines, self._ports, strict=True):
            for _ in range(LINES):
                line = Line(port)
                await line.open()
                queue.put_nowait(line)
        server = await asyncio.start_server(self._order, sock=self._carrier)
        dice = random.Random(2)
        load = self._load
        ends = time.monotonic() + load.warm_s + load.seconds
        phoners = [
            asyncio.ensure_future(self._phoner(user, dice.uniform(0, load.every_s), ends))
            for user in range(1, load.phoners + 1)
        ]
        await asyncio.sleep(load.warm_s)
        pipe.send("warm")
        before, self._times = self.done, []
        await asyncio.sleep(load.seconds)
        pipe.send((self.done - before, percentile(self._times or [math.inf], 0.99) * 1000))
        await asyncio.gather(*phoners)
        for _ in range(50):
            if self.done < self.due:
                await asyncio.sleep(0.2)
        pipe.send(self.due - self.done)
        server.close()
        os._exit(0)

    async def _phoner(self, user: int, wait: float, ends: float) -> None:
        due = time.monotonic() + wait
        while due < ends:
            await asyncio.sleep(due - time.monotonic())
            # The previous call is not over: no call begins.
            with contextlib.suppress(AssertionError):
                self.due += 1
                await self._api(user, "/api/v1/ready", {})
            due += self._load.every_s

    def _begin(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _order(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer orders on one kept connection."""
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                return
            if (leg := _LOOK_UP.match(head)) is not None:
                _answer(writer, {"sid": leg["sid"].decode(), "status": "in-progress"})
                continue
            room = _ORDER.match(head)
            length = _LENGTH.search(head)
            assert room is not None, head[:80]
            assert length is not None, head[:80]
            form = parse_qs((await reader.readexactly(int(length[1]))).decode())
            sid = f"CA{next(self._sids):032}"
            _answer(writer, _participant(sid, room["room"].decode(), form))
            self._begin(self._call(sid, int(room["room"][2:]), form))

    async def _call(self, sid: str, user: int, form: Mapping[str, list[str]]) -> None:
        """The six callbacks of a call that is answered, and the phoner's outcome."""
        attempt = form["Label"][0]
        status = f"/twilio/status/call?attempt={attempt}"
        about = {"CallSid": sid, "To": form["To"][0], "From": form["From"][0]}
        room = f"/twilio/status/conference?seat={user}"
        where = {
            "ConferenceSid": f"CF{user:032}",
            "FriendlyName": f"r{user}",
            "CallSid": sid,
            "ParticipantLabel": attempt,
        }
        for pause, path, values in (
            (0.02, status, {**about, "CallStatus": "initiated"}),
            (0.1, status, {**about, "CallStatus": "ringing"}),
            (0.5, status, {**about, "CallStatus": "in-progress"}),
            (0.01, room, {**where, "StatusCallbackEvent": "participant-join"}),
            (TALK_S, status, {**about, "CallStatus": "completed"}),
            (0.01, room, {**where, "StatusCallbackEvent": "participant-leave"}),
        ):
            await asyncio.sleep(pause)
            await self._callback(path, values)
        given = {"outcome": "no_thanks", "attempt": attempt, "next": "pause"}
        await self._api(user, "/api/v1/outcome", given)
        self.done += 1

    async def _callback(self, path: str, values: Mapping[str, str]) -> None:
        form = {
            "AccountSid": serving.ACCOUNT,
            "ApiVersion": "2010-04-01",
            "SequenceNumber": str(next(self._sequence)),
            "Direction": "outbound-api",
            "CallbackSource": "call-progress-events",
            **values,
        }
        signed = sign("token", serving.PUBLIC + path, form)
        began = time.perf_counter()
        await self._send(serving.request(path, urlencode(form).encode(), signed))
        self._times.append(time.perf_counter() - began)

    async def _api(self, user: int, path: str, body: Mapping[str, Any]) -> None:
        raw = json.dumps(body).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\n"
            f"authorization: Bearer s{user}\r\ncontent-length: {len(raw)}\r\n\r\n"
        )
        await self._send(head.encode() + raw)

    async def _send(self, request: bytes) -> None:
        lines = self._lines[next(self._turn)]
        line = await lines.get()
        try:
            await line.send(request)
        except (asyncio.IncompleteReadError, ConnectionError):  # the server closes idle connections
            await line.open()
            await line.send(request)
        finally:
            lines.put_nowait(line)


def _participant(sid: str, room: str, form: Mapping[str, list[str]]) -> dict[str, Any]:
    uri = f"/2010-04-01/Accounts/{serving.ACCOUNT}/Conferences/{room}/Participants/{sid}.json"
    return {
        "call_sid": sid,
        "label": form["Label"][0],
        "conference_sid": room,
        "account_sid": serving.ACCOUNT,
        "muted": False,
        "hold": False,
        "coaching": False,
        "call_sid_to_coach": None,
        "start_conference_on_enter": True,
        "end_conference_on_exit": False,
        "status": "queued",
        "queue_time": "0",
        "date_created": "Tue, 12 May 2026 15:00:00 +0000",
        "date_updated": "Tue, 12 May 2026 15:00:00 +0000",
        "uri": uri,
    }
