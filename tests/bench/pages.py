"""Every address that is read, of every role, and searches of the log, on a database of years: the worst five."""

import asyncio
import re
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx

from callserver.cli import simulate
from callserver.domain.role import Role
from tests.bench import large
from tests.bench.large import Size
from tests.bench.measuring import Figure
from tests.console.test_no_ranking import IN_PATH
from tests.harness.staffed import Client, StaffedSystem

MOST_S = 0.5
WORST = 5

Send = Callable[[], Awaitable[httpx.Response]]
Request = tuple[str, str, Mapping[str, Any] | None]


def pages(size: Size) -> list[Figure]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        large.build(folder, size)
        times = asyncio.run(_measure(folder))
    worst = sorted(times, key=times.__getitem__, reverse=True)[:WORST]
    rows = f"{size.contacts:,} contacts, {size.calls:,} calls"
    return [
        Figure(
            f"{what}, {rows}",
            f"{times[what] * 1000:.0f} ms",
            f"the median of {len(times)}: {sorted(times.values())[len(times) // 2] * 1000:.0f} ms",
            "-",
            f"≤ {MOST_S * 1000:.0f} ms",
            times[what] <= MOST_S,
        )
        for what in worst
    ]


async def _measure(folder: Path) -> dict[str, float]:
    """Processor seconds of each request, the better of two."""
    database = f"sqlite:///{folder}/evening.db"  # it holds its lists and phoners
    system = StaffedSystem(
        folder,
        phoners=0,
        people="",
        registers=False,
        start=large.STARTED,
        database=database,
        key=simulate.KEY,
    )
    await system.server.rules_in_force.start()
    for role in Role:
        system.add_user(f"bench-{role}", role, "nord" if role is Role.SUPERVISOR else None)
    document = (await Client(system).request("GET", "/api/v1/openapi.json")).json()
    requests = [*_addresses(document), *_searches(system)]
    times: dict[str, float] = {}
    for role in Role:
        client = await system.client(f"bench-{role}")
        for method, path, body in requests:
            for _ in range(2):
                began = time.process_time()
                reply = await client.api(method, path, body)
                took = time.process_time() - began
                what = f"{role} {method} {path}{'' if body is None else f' {body}'}"
                if reply.status_code == httpx.codes.OK:
                    times[what] = min(took, times.get(what, took))
    system.close()
    return times


def _addresses(document: Mapping[str, Any]) -> Iterator[Request]:
    for path, operations in document["paths"].items():
        short = path.removeprefix("/api/v1")
        if "get" in operations and short != "/events":  # a stream
            yield "GET", re.sub(r"{(\w+)}", lambda part: IN_PATH[part[1]], short), None
    first, last = (large.STARTED - 92 * large.DAY).date(), large.STARTED.date()
    yield "GET", f"/reports?first={first}&last={last}", None
    yield "GET", f"/reports.csv?first={first}&last={last}", None


def _searches(system: StaffedSystem) -> Iterator[Request]:
    query = "SELECT number, contact, attempt FROM calls LIMIT 1 OFFSET 500"
    key, contact, call = system.read(lambda tx: tx.exec_driver_sql(query).one())
    number = f"+{key}"
    for wanted in (
        {"kinds": ["configuration"]},
        {"kinds": ["seat", "configuration"]},
        {"kinds": ["lifted"]},
        {"contact": contact, "kinds": ["outcome"]},
        {"call": call},
        {"kinds": ["outcome"], "since": "2026-03-01T00:00:00Z", "until": "2026-03-02T00:00:00Z"},
    ):
        yield "POST", "/log", wanted
    yield "POST", "/who-called", {"number": number}
    yield "POST", "/person/search", {"text": number}
    yield "POST", "/person", {"contact": contact, "why": "asked"}
    yield "POST", "/suppressions/search", {"number": number}
