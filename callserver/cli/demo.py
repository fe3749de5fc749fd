"""`callserver demo`: everything at once on this machine, with a network and people that are invented."""

import asyncio
import contextlib
import shutil
import signal
import socket
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
import uvicorn
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from starlette.applications import Starlette

from callserver import log
from callserver.adapters.clock import ShiftedClock
from callserver.app import create
from callserver.assemble import Server, build
from callserver.cli.populating import populate, supervise
from callserver.database import figures
from callserver.ports import Tx
from callserver.settings import Settings, instant
from callserver.simulator.faults import ALL, NONE
from callserver.simulator.invariants import Rows, judge, judge_voices
from callserver.simulator.town import Habits
from callserver.simulator.world import World

START = "2026-05-12T16:30:00+02:00"
HOME = ZoneInfo("Europe/Copenhagen")
ACCOUNT = "AC" + "d" * 32
SLACK = timedelta(seconds=4)
"""In real time a leg is moved within seconds, not at once."""

HABITS = Habits(talk_seconds=25, returns_missed=0.05, wraps_up=(3, 10))


def register(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    minutes: Annotated[float, typer.Option(help="end by itself after so long; 0: Ctrl-C ends")] = 0,
    headless: Annotated[bool, typer.Option(help="plain lines, for machines")] = False,
    phoners: Annotated[int, typer.Option(min=1, max=100)] = 12,
    contacts: Annotated[int, typer.Option(min=10)] = 600,
    faults: Annotated[str, typer.Option(help="none or all")] = "none",
    config: Annotated[Path, typer.Option(help="the configuration folder")] = Path("config"),
    folder: Annotated[Path, typer.Option(help="database, key and heads; emptied first")] = Path(
        "var/demo"
    ),
) -> None:
    """Run the whole house: server, simulated network, a town to call and robot phoners.

    The clock is set to a weekday afternoon, so that it runs at any hour.
    """
    log.set_up("warning")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    clean = asyncio.run(_demo(minutes, headless, phoners, contacts, faults, config, folder))
    if not clean:
        raise typer.Exit(1)


async def _demo(
    minutes: float,
    headless: bool,
    phoners: int,
    contacts: int,
    faults: str,
    config: Path,
    folder: Path,
) -> bool:
    console = Console()
    clock = ShiftedClock(instant("start", START))
    doors = [_listening(), _listening()]
    public_url, network_url = (f"http://127.0.0.1:{door.getsockname()[1]}" for door in doors)
    world = World(
        clock,
        public_url=public_url,
        account=ACCOUNT,
        token="demo",  # noqa: S106 - an invented account's
        seed=7,
        faults=ALL if faults == "all" else NONE,
        calls_per_second=5,
        habits=HABITS,
    )
    server = build(
        Settings(
            database=f"sqlite:///{folder}/demo.db",
            config=config,
            public_url=public_url,
            key="demo",
            seal_key=folder / "seal.key",
            seals=folder / "seals.jsonl",
            calls_per_second=5,
            account_sid=ACCOUNT,
            auth_token="demo",  # noqa: S106 - an invented account's
            api_url=network_url,
        ),
        clock=clock,
    )
    robots = await server.store.run(
        lambda tx: populate(tx, server.ours.rules, 7, clock.now(), phoners, contacts)
    )
    supervisors = await server.store.run(lambda tx: supervise(tx, server.ours.rules, clock.now()))
    said = clock.now().astimezone(HOME).strftime("%A %Y-%m-%d %H:%M")
    console.print(f"callserver at {public_url}, simulated network at {network_url}")
    console.print(f"the demo's clock says {said} (Copenhagen); nobody real is called")
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with _serving(create(server), doors[0]), _serving(world.rest, doors[1]):
        agenda = asyncio.ensure_future(world.agenda.run())
        floor = world.employ(robots, 24, supervisors)
        await _show(server, clock, console, minutes * 60, ended, headless=headless)
        agenda.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await agenda
        summary = await server.store.run(_summary)
        rows = await server.store.run(lambda tx: Rows(*figures.for_judging(tx)))
    await world.close()
    now = clock.now()
    rung = [ring for ring in world.network.record if (now - ring.rang_at).total_seconds() > 5]
    verdict = judge([ring for ring in rung if ring.ended_at], rows, floor.told, now)
    judge_voices(verdict, world.network.ears.voices, supervisors, rows, now, SLACK)
    console.print("the evening's figures")
    for name, found in summary.items():
        console.print(f"  {name}: {_counts(found)}")
    wrong = {kind: len(cases) for kind, cases in verdict.cases.items() if cases}
    console.print(f"  held against the network's own record: {wrong or 'nothing wrong'}")
    return verdict.clean


def _listening() -> socket.socket:
    # The protocol is named, or asyncio would leave Nagle's delay on for every connection.
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    found.bind(("127.0.0.1", 0))
    return found


@contextlib.asynccontextmanager
async def _serving(app: Starlette, door: socket.socket):  # type: ignore[no-untyped-def]  # noqa: ANN202
    """Serve an app on an open socket until the block ends."""
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="auto")
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.ensure_future(server.serve([door]))
    while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.02)
    try:
        yield
    finally:
        server.should_exit = True
        await task


def _summary(tx: Tx) -> dict[str, dict[str, int]]:
    return {
        "totals": figures.totals(tx),
        "seats": figures.by_seat_state(tx),
        "calls": figures.by_outcome(tx),
        "refusals": figures.refusals(tx),
    }


def _counts(found: dict[str, int]) -> str:
    ordered = sorted(found.items(), key=lambda one: (-one[1], one[0]))
    return ", ".join(f"{name} {count}" for name, count in ordered) or "none"


async def _show(
    server: Server,
    clock: ShiftedClock,
    console: Console,
    seconds: float,
    ended: asyncio.Event,
    *,
    headless: bool,
) -> None:
    """Show what is happening until it is over."""
    until = asyncio.get_running_loop().time() + seconds if seconds else None
    live = None if headless else Live(console=console, refresh_per_second=4)
    with live or contextlib.nullcontext():
        while not ended.is_set():
            if until is not None and asyncio.get_running_loop().time() >= until:
                return
            summary = await server.store.run(_summary)
            if live is not None:
                live.update(_panel(summary, clock.now()))
            else:
                at = clock.now().astimezone(HOME).strftime("%H:%M:%S")
                for name in ("seats", "totals", "refusals"):
                    console.print(f"{at} {name}: {_counts(summary[name])}", soft_wrap=True)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), 5 if headless else 0.5)


def _panel(summary: dict[str, dict[str, int]], now: datetime) -> Group:
    table = Table.grid(padding=(0, 3))
    columns = []
    for name, found in summary.items():
        column = Table(name, "", expand=True, min_width=26)
        for key, count in sorted(found.items(), key=lambda one: (-one[1], one[0])):
            column.add_row(key, str(count))
        columns.append(column)
    table.add_row(*columns)
    clock = now.astimezone(HOME).strftime("%A %H:%M:%S")
    return Group(f"{clock}   Ctrl-C ends the evening", table)
