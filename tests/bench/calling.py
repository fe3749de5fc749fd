"""What a whole call costs the server: from Ready to the outcome, with six callbacks, with and without pages.

The unit is the server's processor time for one request to an empty form endpoint in the same run, so that
figures of different machines compare: in a closed loop, which the aim refers to, and by the clock, as many a
second as the calls make, with as many connections. The carrier and the phoners, and the pages, are processes
of their own.

A request that comes alone costs more than one of many, whatever it does. So a call is measured twice: at the
rate of a house, and as many a second as nearly fill the server, as its requests fill it in a closed loop.
"""

import asyncio
import tempfile
import time
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.routing import Route

from callserver.adapters.clock import ShiftedClock
from callserver.app import create
from callserver.assemble import build
from callserver.cli.simulated_stack import listening
from callserver.settings import Settings
from tests.bench import serving
from tests.bench.filling import FLOOR_PAGES, fill
from tests.bench.measuring import Figure
from tests.bench.playing import LINES, REQUESTS, Cost, Evening, Load
from tests.bench.streaming import FLOOR_PAGE, PHONE_PAGE, Page, following
from tests.harness.databases import postgres_database, postgres_server
from tests.harness.processes import processor_seconds
from tests.harness.simulated import ROOT, TUESDAY

HOUSE = Load(100)
BUSY = tuple(Load(400, every_s, warm_s=5, seconds=12) for every_s in (10, 6, 5, 4, 3.5, 3))
"""40 to 133 calls a second: the busiest load that loses nothing counts."""

UNITS = 60
"""The aim for a call."""

EMPTY_REQUESTS = 4000
SPARSE_S = 15.0
"""How long empty requests by the clock are measured, before the calls and after them."""


class Unit(NamedTuple):
    """Processor seconds of one request to an empty form endpoint."""

    closed: float  # in a closed loop
    sparse: float  # by the clock, as many a second as the calls make

    def __str__(self) -> str:
        return f"{self.closed * 1e6:.0f} µs, at the calls' rate {self.sparse * 1e6:.0f} µs"


def calling() -> list[Figure]:
    """Cost per call on SQLite."""
    with tempfile.TemporaryDirectory() as folder:
        plain, paged, unit = _measure(f"sqlite:///{folder}/c.db", Path(folder), 1)
    return [*_figures(f"{HOUSE.phoners} phoners, SQLite", plain, paged, unit), _busy()]


def calling_on_postgres(counts: Sequence[int] = (1, 2, 4)) -> list[Figure]:
    """The same on PostgreSQL, with so many servers."""
    figures = []
    for servers in counts:
        with (
            tempfile.TemporaryDirectory() as folder,
            postgres_server(Path(folder)) as url,
            empty_database(url) as database,
        ):
            plain, paged, unit = _measure(database, Path(folder), servers)
        what = f"{HOUSE.phoners} phoners, PostgreSQL, {servers} servers"
        figures += _figures(what, plain, paged, unit)
    return figures


@contextmanager
def empty_database(url: str) -> Iterator[str]:
    """A database of its own on that server."""
    with postgres_database(url) as database:
        yield database.render_as_string(hide_password=False)


def _busy() -> Figure:
    """Cost per call on SQLite while calls nearly fill the server."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        started, evening = _begin(stack, f"sqlite:///{folder}/c.db", Path(folder), 1, BUSY[0])
        bare = _bare(stack)
        held = None
        for load in BUSY:
            evening.load = load
            before = _unit(bare, load.rate * REQUESTS)
            cost = evening.measure([started[0].process])
            if cost.lost:
                break
            held = load, cost, _mean(before, _unit(bare, load.rate * REQUESTS))
    if held is None:
        return Figure(
            "a call, busy server, SQLite",
            "-",
            "-",
            f"{cost.lost} calls lost",
            f"≤ {UNITS} units",
            False,
        )
    load, cost, unit = held
    return _plain(
        f"{load.rate:.0f} calls a second ({cost.busy[0]:.0%} of a core), SQLite", cost, unit
    )


def _figures(what: str, plain: Cost, paged: Cost, unit: Unit) -> list[Figure]:
    ratio = paged.per_call / plain.per_call
    return [
        _plain(f"{what}, no pages", plain, unit),
        Figure(
            f"with a page per phoner and {FLOOR_PAGES} floors",
            f"{ratio:.2f}× ({paged.per_call / unit.closed:.0f} units; webhook p99 {paged.p99:.0f} ms)",
            "without pages 1×",
            f"{paged.calls} calls",
            "≤ 1.3×",
            ratio <= 1.3,
        ),
    ]


def _plain(what: str, cost: Cost, unit: Unit) -> Figure:
    shares = ", ".join(f"{share:.0%}" for share in cost.shares)
    return Figure(
        f"a call, {what}",
        f"{cost.per_call / unit.closed:.0f} units ({cost.per_call * 1000:.1f} ms; webhook p99 "
        f"{cost.p99:.0f} ms); {cost.per_call / unit.sparse:.0f} of those at the calls' rate",
        f"empty form request {unit}",
        f"{cost.calls} calls; servers {shares}",
        f"≤ {UNITS} units",
        cost.per_call / unit.closed <= UNITS,
    )


def _measure(database: str, folder: Path, servers: int) -> tuple[Cost, Cost, Unit]:
    with ExitStack() as stack:
        started, evening = _begin(stack, database, folder, servers, HOUSE)
        bare = _bare(stack)
        before = _unit(bare, HOUSE.rate * REQUESTS)
        processes = [server.process for server in started]
        plain = evening.measure(processes)
        with _pages(evening.ports, HOUSE.phoners):
            paged = evening.measure(processes)
        after = _unit(bare, HOUSE.rate * REQUESTS)
    return plain, paged, _mean(before, after)


def _bare(stack: ExitStack) -> "serving.Started":
    """A server with the empty endpoint only."""
    app = lambda: Starlette(routes=[Route("/", serving.empty, methods=["POST"])])  # noqa: E731
    bare = stack.enter_context(serving.serving_process(app))
    asyncio.run(serving.is_up(bare.port))
    return bare


def _mean(before: Unit, after: Unit) -> Unit:
    return Unit((before.closed + after.closed) / 2, (before.sparse + after.sparse) / 2)


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
