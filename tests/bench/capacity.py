"""How many phoners two cores carry, load generators included: more and more of them until something breaks.

Each phoner begins a call every 75 seconds by the clock, whether or not earlier ones are over, and has a page
open; ten supervisors have the floor open. It holds while webhooks take less than 100 ms (p99) and every
call that was begun is ordered, reported and has its outcome.
"""

import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from tests.bench import calling
from tests.bench.measuring import Figure
from tests.bench.playing import Cost, Load
from tests.harness.databases import postgres_server

EVERY_S = 75.0
P99_MS = 100
WARM_S, SECONDS = 15.0, 40.0
STEPS = (
    200,
    300,
    400,
    500,
    600,
    700,
    800,
    1000,
    1500,
    2000,
    3000,
    4000,
    6000,
    8000,
    12_000,
    16_000,
)


def on_sqlite(steps: Sequence[int] = STEPS) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        return [
            _largest(
                "SQLite, 1 server",
                lambda n: nullcontext(f"sqlite:///{folder}/{n}.db"),
                1,
                400,
                steps,
            )
        ]


def on_postgres(servers: int = 2, steps: Sequence[int] = STEPS) -> list[Figure]:
    what = f"PostgreSQL, {servers} server{'s' * (servers > 1)}"
    with tempfile.TemporaryDirectory() as folder, postgres_server(Path(folder)) as url:
        return [_largest(what, lambda _: calling.empty_database(url), servers, 300, steps)]


def _largest(
    what: str,
    database: Callable[[int], AbstractContextManager[str]],
    servers: int,
    aim: int,
    steps: Sequence[int],
) -> Figure:
    held, last, broke = 0, None, "nothing broke"
    for phoners in steps:
        with tempfile.TemporaryDirectory() as folder, database(phoners) as url:
            cost = calling.measure_load(
                url, Path(folder), servers, Load(phoners, EVERY_S, WARM_S, SECONDS)
            )
        if cost.p99 >= P99_MS or cost.lost:
            broke = f"at {phoners}: {_state(cost)}"
            break
        held, last = phoners, cost
    return Figure(
        f"phoners with a call every {EVERY_S:.0f} s and a page each, {what}",
        f"{held} ({'-' if last is None else _state(last)})",
        "-",
        broke,
        f"≥ {aim}",
        held >= aim,
    )


def _state(cost: Cost) -> str:
    busy = "+".join(f"{share:.0%}" for share in cost.busy)
    return f"webhook p99 {cost.p99:.0f} ms, {cost.lost} calls lost, servers {busy} of a core"
