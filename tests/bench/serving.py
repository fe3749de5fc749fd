"""The whole status webhook on a real server, against an endpoint that only reads its form."""

import asyncio
import contextlib
import itertools
import multiprocessing
import random
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

import uvicorn
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from callserver.adapters.clock import ShiftedClock
from callserver.app import create
from callserver.assemble import build
from callserver.cli.simulated_stack import listening
from callserver.database import migrate
from callserver.database.engines import make_engine
from callserver.database.tables import calls, seats
from callserver.engine.lists.importer import no_collector
from callserver.settings import Settings
from callserver.simulator.callbacks import sign
from tests.bench.measuring import Figure, percentile
from tests.bench.storing import fsyncs
from tests.harness.simulated import ROOT, TUESDAY

ACCOUNT = "AC" + "b" * 32
CALLS = 4000
STATUSES = ("initiated", "ringing", "in-progress", "completed")


async def empty(request: Request) -> Response:
    await request.form()
    return Response("<Response/>", media_type="text/xml")


def _serve(app: Callable[[], Starlette], door: socket.socket) -> None:
    uvicorn.Server(uvicorn.Config(app, factory=True, log_config=None, access_log=False)).run([door])


class Started(NamedTuple):
    """A server in a process of its own."""

    port: int
    process: int


@contextlib.contextmanager
def serving(app: Callable[[], Starlette]) -> Iterator[int]:
    """A server in a process of its own, as in life; its client has the other core."""
    with serving_process(app) as started:
        yield started.port


@contextlib.contextmanager
def serving_process(app: Callable[[], Starlette]) -> Iterator[Started]:
    """The same, with the process."""
    door = listening()
    process = multiprocessing.get_context("fork").Process(target=_serve, args=(app, door))
    process.start()
    try:
        yield Started(door.getsockname()[1], process.pid or 0)
    finally:
        process.terminate()
        process.join()


class Line:
    """One kept-alive connection, at the level of bytes: the client must cost little."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def open(self) -> None:
        self._read, self._write = await asyncio.open_connection("127.0.0.1", self._port)

    async def send(self, request: bytes) -> None:
        self._write.write(request)
        head = await self._read.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        if length and int(length):
            await self._read.readexactly(int(length))
        assert head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 204")), head[:60]

    def close(self) -> None:
        self._write.close()


def status_requests(public: str) -> Callable[[], bytes]:
    """Signed reports of many calls, each new: four a call, in their order, a hundred at a time."""
    stream = (
        (first + call, event)
        for first in range(0, CALLS, 100)
        for event in range(4)
        for call in range(100)
    )

    def build_one() -> bytes:
        call, event = next(stream)
        path = f"/twilio/status/call?attempt=b{call}"
        form = {
            "AccountSid": ACCOUNT,
            "ApiVersion": "2010-04-01",
            "CallSid": f"CA{call:032}",
            "CallStatus": STATUSES[event],
            "SequenceNumber": str(event),
            "Timestamp": "Tue, 12 May 2026 15:00:10 +0000",
            "From": "+4532123400",
            "To": "+4532200000",
            "Direction": "outbound-api",
            "CallbackSource": "call-progress-events",
        }
        signed = sign("token", public + path, form)
        return request(path, urlencode(form).encode(), signed)

    return build_one


def request(path: str, body: bytes, signed: str = "") -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nhost: h\r\ncontent-type: application/x-www-form-urlencoded\r\n"
        f"content-length: {len(body)}\r\nx-twilio-signature: {signed}\r\n\r\n"
    )
    return head.encode() + body


async def closed_loop(port: int, make: Callable[[], bytes], count: int, lines: int = 32) -> float:
    """Requests per second with so many connections that each wait for their answer."""
    left = itertools.count()
    requests = [make() for _ in range(count)]
    connections = [Line(port) for _ in range(lines)]
    for connection in connections:
        await connection.open()

    async def work(line: Line) -> None:
        while (number := next(left)) < count:
            await line.send(requests[number])

    began = time.perf_counter()
    await asyncio.gather(*(work(connection) for connection in connections))
    took = time.perf_counter() - began
    for connection in connections:
        connection.close()
    return count / took


async def open_loop(
    port: int, make: Callable[[], bytes], rate: float, seconds: float, connections: int = 64
) -> float:
    """p99 in milliseconds, from the instant each request was due (Poisson arrivals)."""
    dice, lines, times = random.Random(1), asyncio.Queue[Line](), list[float]()
    for _ in range(connections):
        line = Line(port)
        await line.open()
        lines.put_nowait(line)
    requests = [make() for _ in range(int(rate * seconds))]

    async def one(due: float, sent: bytes) -> None:
        line = await lines.get()
        await line.send(sent)
        times.append(time.perf_counter() - due)
        lines.put_nowait(line)

    due, tasks = time.perf_counter(), []
    with no_collector():  # a garbage collection stops this client for a tenth of a second
        for sent in requests:
            due += dice.expovariate(rate)
            wait = due - time.perf_counter()
            if wait > 0.0005:
                await asyncio.sleep(wait)
            tasks.append(asyncio.ensure_future(one(due, sent)))
        await asyncio.gather(*tasks)
    while not lines.empty():
        lines.get_nowait().close()
    return percentile(times, 0.99) * 1000


PUBLIC = "http://calls.test"


def settings(folder: Path) -> Settings:
    return Settings(
        database=f"sqlite:///{folder}/w.db",
        config=ROOT / "config",
        public_url=PUBLIC,
        key="k",
        seal_key=folder / "k",
        seals=folder / "s",
        account_sid=ACCOUNT,
        auth_token="token",
    )


def fill(folder: Path) -> None:
    """So many calls that were just placed, each with its seat."""
    engine = make_engine(settings(folder).database)
    migrate.upgrade(engine)
    with engine.begin() as tx:
        tx.execute(
            seats.insert(),
            [
                {"id": n, "phoner": n, "state": "reserved", "wants": "waiting", "since": TUESDAY}
                | {"campaign": "kanvas", "connected": True, "room": f"r{n}", "call": f"b{n}"}
                for n in range(CALLS)
            ],
        )
        tx.execute(
            calls.insert(),
            [
                {"attempt": f"b{n}", "campaign": "kanvas", "path": "list", "number": n}
                | {"person": n, "household": n, "seat": n, "phoner": n, "caller_id": "+45"}
                | {"room": f"r{n}", "revision": "r", "permit_at": TUESDAY, "state": "dialing"}
                for n in range(CALLS)
            ],
        )
        tx.execute(text("ANALYZE"))
    engine.dispose()


async def _measure(ctx: int, bare: int) -> tuple[float, float, float]:
    make = status_requests(PUBLIC)
    body = request("/", urlencode({f"F{n}": "x" * 12 for n in range(24)}).encode())
    for port in (ctx, bare):
        await is_up(port)
    await closed_loop(ctx, make, 500)
    rates = [
        (await closed_loop(ctx, make, 2000), await closed_loop(bare, lambda: body, 6000))
        for _ in range(3)
    ]
    p99 = await open_loop(ctx, make, 1000, 4)
    return sorted(rate for rate, _ in rates)[1], sorted(rate for _, rate in rates)[1], p99


async def is_up(port: int) -> None:
    """A server listens once its app has started."""
    for _ in range(200):
        try:
            line = Line(port)
            await line.open()
        except ConnectionRefusedError:
            await asyncio.sleep(0.05)
        else:
            line.close()
            return
    raise RuntimeError("the server did not start")


def webhook() -> list[Figure]:
    """Each in a process of its own, the client in a third: the ratio is what counts."""
    with tempfile.TemporaryDirectory() as folder:
        limit = fsyncs(Path(folder))
        serving_settings = settings(Path(folder))
        fill(Path(folder))
        with (
            serving(
                lambda: create(build(serving_settings, clock=ShiftedClock(TUESDAY)), ticking=False)
            ) as ctx,
            serving(lambda: Starlette(routes=[Route("/", empty, methods=["POST"])])) as bare,
        ):
            mine, peer, p99 = asyncio.run(_measure(ctx, bare))
    ratio = mine / peer
    return [
        Figure(
            "status webhook, whole and durable",
            f"{ratio:.2f}× ({mine:,.0f}/s)",
            f"empty form endpoint {peer:,.0f}/s",
            f"fdatasync {limit:,.0f}/s",
            "≥ 0.4×",
            ratio >= 0.4,
        ),
        Figure(
            "the same, p99 at 1,000/s (open loop)", f"{p99:.1f} ms", "-", "-", "≤ 10 ms", p99 <= 10
        ),
    ]
