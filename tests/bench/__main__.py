"""scripts/bench: what things cost, each figure beside its peer in the same run."""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from callserver.cli.simulate import START, evening
from callserver.simulator.evening import Plan
from tests.bench import (
    calling,
    capacity,
    exchange,
    long_log,
    pages,
    publishing,
    scheduling,
    serving,
    sizes,
    starting,
    storing,
    streaming,
)
from tests.bench.large import Size
from tests.bench.measuring import Figure, timed
from tests.harness.simulated import ROOT

PARTS = (
    "start webhook streams claim reach decision import audit publish exchange call call-postgres"
    " phoners phoners-postgres scheduler log pages bytes evening"
)


LOOP = 2_000_000


def loop() -> None:
    """A fixed piece of Python: an evening's speed is compared with its speed on this machine."""
    counts: dict[str, int] = {}
    for number in range(LOOP):
        key = f"{number % 1000}"
        counts[key] = counts.get(key, 0) + 1


def an_evening(hours: float) -> list[Figure]:
    """Its speed in processor time; also relative to the loop, which compares between machines."""
    before = timed(loop)
    with tempfile.TemporaryDirectory() as folder:
        plan = Plan(start=datetime.fromisoformat(START), hours=hours)
        began = time.process_time()
        result = asyncio.run(evening(plan, 100, 20_000, ROOT / "config", Path(folder)))
        took = time.process_time() - began
    peer = (before + timed(loop)) / 2
    factor, wall = hours * 3600 / took, result.figures["times_real_time"]
    return [
        Figure(
            "evening of 100 phoners in virtual time",
            f"{factor:.0f}× real time ({wall}× on the wall)",
            f"a loop of {LOOP:,} rounds {peer:.2f} s",
            f"{factor * peer:.0f} seconds for each of its seconds",
            "≥ 60×",
            factor >= 60,
        )
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--full", action="store_true", help="the large sizes")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"all without one: {PARTS}")
    given = parser.parse_args()
    full = given.full
    many = 1_000_000 if full else 100_000
    parts: dict[str, Callable[[], list[Figure]]] = {
        "start": starting.starting,
        "webhook": serving.webhook,
        "streams": streaming.streams,
        "claim": lambda: [storing.claims([10_000, 100_000, *([1_000_000] if full else [])])],
        "reach": lambda: storing.reach([10_000, 100_000, *([1_000_000] if full else [])]),
        "decision": lambda: storing.decisions(many),
        "import": lambda: storing.importing(many),
        "audit": lambda: [storing.verifying(1_000_000 if full else 200_000)],
        "publish": lambda: publishing.publishing(1_000_000 if full else 200_000),
        "exchange": lambda: exchange.exchange(100 if full else 50),
        "call": calling.calling,
        "call-postgres": calling.calling_on_postgres,
        "phoners": capacity.on_sqlite,
        "phoners-postgres": capacity.on_postgres,
        "scheduler": scheduling.scheduling,
        "log": lambda: long_log.searching(5_000_000 if full else 500_000),
        "pages": lambda: pages.pages(
            Size(1_000_000, 575_000, 92) if full else Size(100_000, 10_000, 92)
        ),
        "bytes": lambda: sizes.sizes(0.25),
        "evening": lambda: an_evening(4 if full else 1),
    }
    if unknown := set(given.parts) - parts.keys():
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {PARTS}")
    table = Table("what", "measured", "peer in the same run", "limit", "aim", "")
    console = Console()
    for name, measure in parts.items():
        if given.parts and name not in given.parts:
            continue
        console.print(f"{name} …", style="dim")
        for figure in measure():
            said = "[green]ok[/]" if figure.good else "[red]missed[/]"
            table.add_row(figure.what, figure.measured, figure.peer, figure.limit, figure.aim, said)
    console.print(table)


main()
