"""What five hundred open event streams cost the webhooks: p99 with and without them, in one run.

A whole organisation follows: phoners their own seats, supervisors the floor of all of them. The reader has a
process of its own, so that what is measured is the server and not who reads.
"""

import asyncio
import multiprocessing
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import NamedTuple

from callserver.adapters.clock import ShiftedClock
from callserver.app import create
from callserver.assemble import build
from callserver.database import accounts
from callserver.database.engines import make_engine
from callserver.engine.accounts.authentication import hash_of
from tests.bench import serving
from tests.bench.measuring import Figure
from tests.harness.simulated import TUESDAY

STREAMS = 500
SUPERVISORS = 10
RATE = 100.0
"""Webhooks a second: more than a hundred phoners make."""

SECONDS = 6.0
WARM = 400
IN_A_ROUND = int(RATE * SECONDS)
TURNS = (False, True, True, False, False, True, True, False)
"""With and without streams by turns, so that a busy minute of the machine falls on both."""


PHONE_PAGE = "seat,listened_to_me,listening,survey,training,notices,my_support,call_in_hand"  # as in phone.js
FLOOR_PAGE = "floor,floor_changes,listening,my_support,call_in_hand"  # as in floor.js


class Page(NamedTuple):
    """One open page: its user's token, and the events that it takes."""

    token: str
    takes: str


def streams() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        settings = serving.settings(Path(folder))
        serving.fill(Path(folder))
        pages = employ(settings.database)
        with serving.serving(
            lambda: create(build(settings, clock=ShiftedClock(TUESDAY)), ticking=False)
        ) as port:
            times, events = asyncio.run(_measure(port, pages))
    with_, without = (sorted(times[on])[len(times[on]) // 2] for on in (True, False))
    ratio, noise = with_ / without, max(times[False]) / min(times[False])
    return [
        Figure(
            f"status webhook's p99 at {RATE:.0f}/s beside {STREAMS} open event streams",
            f"{ratio:.2f}× ({with_:.1f} ms; {events:,.0f} events/s told)",
            f"without them {without:.1f} ms",
            f"without against without {noise:.2f}×",
            "≤ 1.5×",
            ratio <= 1.5,
        )
    ]


def employ(database: str) -> list[Page]:
    """Phoners whose calls are in the rounds with streams, supervisors; their pages."""
    engine = make_engine(database)
    calls = [call for number, on in enumerate(TURNS) if on for call in _calls(number)]
    phoners = calls[:: len(calls) // (STREAMS - SUPERVISORS)][: STREAMS - SUPERVISORS]
    leaders = range(serving.CALLS, serving.CALLS + SUPERVISORS)
    with engine.begin() as tx:
        for user in (*phoners, *leaders):
            role = "supervisor" if user in leaders else "phoner"
            accounts.add(
                tx, id=user, handle=f"u{user}", name=f"User {user}", role=role, department="nord"
            )
            accounts.add_token(tx, hash_of(f"s{user}"), user, "bench", TUESDAY)
    engine.dispose()
    return [
        *(Page(f"s{user}", PHONE_PAGE) for user in phoners),
        *(Page(f"s{user}", FLOOR_PAGE) for user in leaders),
    ]


def _calls(turn: int) -> range:
    """Whose reports come in this round: four a call."""
    first = (WARM + turn * IN_A_ROUND) // 4
    return range(first, first + IN_A_ROUND // 4)


async def _measure(port: int, pages: Sequence[Page]) -> tuple[dict[bool, list[float]], float]:
    """p99 in milliseconds of each round with streams (True) and without; events a second."""
    make = serving.status_requests(serving.PUBLIC)
    await serving.is_up(port)
    await serving.closed_loop(port, make, WARM, lines=8)
    times: dict[bool, list[float]] = {True: [], False: []}
    told = 0
    for on in TURNS:
        if not on:
            times[on].append(await serving.open_loop(port, make, RATE, SECONDS))
            continue
        with following(port, pages) as seen:
            await _all_open(seen)
            before = seen.events.value
            times[on].append(await serving.open_loop(port, make, RATE, SECONDS))
            told += seen.events.value - before
    assert told, "the streams told nothing"
    return times, told / (SECONDS * sum(TURNS))


class Seen(NamedTuple):
    """What the readers have seen, shared between the processes."""

    open: "Synchronized[int]"
    events: "Synchronized[int]"


@contextmanager
def following(port: int, pages: Sequence[Page]) -> Iterator[Seen]:
    """So many open streams, read in a process of its own."""
    context = multiprocessing.get_context("fork")
    seen = Seen(context.Value("q", 0), context.Value("q", 0))
    process = context.Process(target=_read, args=(port, pages, seen))
    process.start()
    try:
        yield seen
    finally:
        process.terminate()
        process.join()


def _read(port: int, pages: Sequence[Page], seen: Seen) -> None:
    async def one(page: Page) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
        path, signed = f"/api/v1/events?of={page.takes}", f"authorization: Bearer {page.token}"
        writer.write(f"GET {path} HTTP/1.1\r\nhost: h\r\n{signed}\r\n\r\n".encode())
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        seen.open.value += 1
        while block := await reader.read(2**18):
            seen.events.value += block.count(b"event: ")

    async def everybody() -> None:
        await asyncio.gather(*(one(page) for page in pages))

    asyncio.run(everybody())


async def _all_open(seen: Seen) -> None:
    for _ in range(300):
        if seen.open.value == STREAMS:
            await asyncio.sleep(0.5)
            return
        await asyncio.sleep(0.1)
    raise RuntimeError(f"{seen.open.value} of {STREAMS} streams opened")
