"""`callserver demo`: everything at once on this machine, with a network and people that are invented."""

import asyncio
import contextlib
import shutil
import signal
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from callserver import log
from callserver.cli import asterisk_stack
from callserver.cli.init import EXAMPLE
from callserver.cli.simulated_stack import (
    DATABASE,
    Plan,
    SimulatedStack,
    Stack,
    listening,
    started,
)
from callserver.database import figures
from callserver.domain.role import NEEDS_CODE
from callserver.errors import ConfigurationProblem
from callserver.ports import Tx
from callserver.simulator.faults import ALL, NONE
from callserver.simulator.invariants import Rows, judge, judge_listening, without_permit
from callserver.simulator.robots import Acknowledged
from callserver.simulator.visitors import FIRST_HOUR

HOME = ZoneInfo("Europe/Copenhagen")
CONFIG = Path("config")
SLACK = timedelta(seconds=4)
"""In real time a leg is moved within seconds, not at once."""


def register(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    minutes: Annotated[float, typer.Option(help="end by itself after so long; 0: Ctrl-C ends")] = 0,
    headless: Annotated[bool, typer.Option(help="plain lines, for machines")] = False,
    phoners: Annotated[int, typer.Option(min=1, max=100)] = 12,
    contacts: Annotated[int, typer.Option(min=10, help="in all campaigns")] = 10_000,
    faults: Annotated[str, typer.Option(help="none or all")] = "none",
    asterisk: Annotated[
        bool, typer.Option("--asterisk", help="a real exchange instead of the simulated network")
    ] = False,
    port: Annotated[int, typer.Option(min=1, max=65535, help="another when it is taken")] = 8000,
    config: Annotated[
        Path | None, typer.Option(help="the configuration folder; config, else the example")
    ] = None,
    folder: Annotated[
        Path, typer.Option(help="database, key and heads; a demo before is removed")
    ] = Path("var/demo"),
) -> None:
    """Run everything at once: server, simulated network, invented people, robots.

    The clock is set to a weekday afternoon, so that the demo runs at any hour. Nobody real is called.

    Example: callserver demo --minutes 1 --headless
    """
    if asterisk and (missing := asterisk_stack.missing()):
        typer.echo(f"--asterisk: missing here: {missing}", err=True)
        raise typer.Exit(2)
    print(
        f"callserver demo: making {contacts} invented contacts and {phoners} robots …", flush=True
    )
    log.set_up("error")
    emptied(folder)
    plan = Plan(
        folder,
        config or (CONFIG if CONFIG.is_dir() else EXAMPLE),
        phoners,
        contacts,
        ALL if faults == "all" else NONE,
        visitor_calls=FIRST_HOUR,
        port=free(port),
    )
    played = _on_an_exchange if asterisk else _demo
    clean = asyncio.run(played(plan, minutes, headless=headless))
    if not clean:
        raise typer.Exit(1)


def emptied(folder: Path) -> None:
    """Make the folder, without what an earlier demo left there.

    Raises:
        ConfigurationProblem: it holds something else.
    """
    if folder.is_dir() and any(folder.iterdir()) and not (folder / DATABASE).exists():
        raise ConfigurationProblem(f"{folder} holds something that is no demo: choose another")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def free(port: int) -> int:
    """This port, or 0 for any when another program has it."""
    try:
        listening(port).close()
    except OSError:
        print(f"port {port} is taken; another one follows", flush=True)
        return 0
    return port


def _ended() -> asyncio.Event:
    """Set by Ctrl-C."""
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    return ended


async def _on_an_exchange(plan: Plan, minutes: float, *, headless: bool) -> bool:
    console, ended = Console(soft_wrap=True), _ended()
    async with asterisk_stack.started(plan) as stack:
        _welcome(console, stack)
        await _show(stack, console, minutes * 60, ended, headless=headless)
        summary = await stack.server.store.run(_summary)
        rows = await stack.server.store.run(lambda tx: Rows(*figures.for_invariants(tx)))
        rung = list(stack.telephones.called_numbers().values())
    _say(console, summary)
    without = without_permit(rung, rows)
    console.print(f"  telephones that rang, by the trunk's own record: {len(rung)}")
    console.print(f"  of them with neither a permit nor a confirmed line: {without.total()}")
    return not without


async def _demo(plan: Plan, minutes: float, *, headless: bool) -> bool:
    console, ended = Console(soft_wrap=True), _ended()
    async with started(plan) as stack:
        _welcome(console, stack)
        await _show(stack, console, minutes * 60, ended, headless=headless)
        summary = await stack.server.store.run(_summary)
        rows = await stack.server.store.run(lambda tx: Rows(*figures.for_invariants(tx)))
    return _judged(console, stack, summary, rows)


def _welcome(console: Console, stack: Stack) -> None:
    """Where to look, and which accounts there are."""
    time = stack.clock.now().astimezone(HOME).strftime("%A %Y-%m-%d %H:%M")
    beside = stack.url.replace("127.0.0.1", "localhost")
    console.print(f"callserver at {stack.url}, {stack.network}")
    console.print(f"the demo's clock says {time} (Copenhagen); nobody real is called")
    table = Table("sign in as", "role", "one-time code", title_justify="left")
    for role, handle in stack.staff.handles:
        table.add_row(handle, role.value.replace("_", " "), "yes" if role in NEEDS_CODE else "")
    console.print(table)
    console.print(f"password of all of them: {stack.staff.password}")
    console.print(f"{_code(stack)}; each works once, and a new one comes every half minute")
    console.print(f"two people at once: maja at {stack.url}, sigrid at {beside} in a second window")
    console.print("maja's seat is free: go on shift in the browser, press Ready; sigrid listens")


def _code(stack: Stack) -> str:
    return f"one-time code now: {stack.staff.code(stack.clock.device_time())}"


def _judged(
    console: Console, stack: SimulatedStack, summary: dict[str, dict[str, int]], rows: Rows
) -> bool:
    """The evening, held against the network's own record; True: nothing was wrong."""
    now, world = stack.clock.now(), stack.world
    rung = [ring for ring in world.network.record if (now - ring.rang_at).total_seconds() > 5]
    acknowledged = Acknowledged() if stack.people is None else stack.people.acknowledged
    verdict = judge([ring for ring in rung if ring.ended_at], rows, acknowledged, now)
    # What visitors were granted nobody noted down: the robots' listenings are judged.
    voices = [
        stay for stay in world.network.listening_record.stays if stay.line not in stack.staff.lines
    ]
    judge_listening(verdict, voices, stack.supervisors, rows, now, SLACK)
    _say(console, summary)
    wrong = {kind: len(cases) for kind, cases in verdict.cases.items() if cases}
    console.print(f"  held against the network's own record: {wrong or 'nothing wrong'}")
    return verdict.clean


def _say(console: Console, summary: dict[str, dict[str, int]]) -> None:
    console.print("the evening's figures")
    for name, counts in summary.items():
        console.print(f"  {name}: {_counts(counts)}")


def _summary(tx: Tx) -> dict[str, dict[str, int]]:
    return {
        "totals": figures.totals(tx),
        "seats": figures.by_seat_state(tx),
        "calls": figures.by_outcome(tx),
        "refusals": figures.refusals(tx),
    }


def _counts(counts: dict[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{name} {count}" for name, count in ordered) or "none"


async def _show(
    stack: Stack,
    console: Console,
    seconds: float,
    ended: asyncio.Event,
    *,
    headless: bool,
) -> None:
    """Show what is happening until it is over."""
    until = asyncio.get_running_loop().time() + seconds if seconds else None
    plain = headless or not console.is_terminal  # a pipe or a file shows no picture that changes
    live = None if plain else Live(console=console, refresh_per_second=4)
    with live or contextlib.nullcontext():
        while not ended.is_set():
            if until is not None and asyncio.get_running_loop().time() >= until:
                return
            summary = await stack.server.store.run(_summary)
            if live is not None:
                live.update(_panel(summary, stack))
            else:
                at = stack.clock.now().astimezone(HOME).strftime("%H:%M:%S")
                console.print(f"{at} {_code(stack)}")
                for name in ("seats", "totals", "refusals"):
                    console.print(f"{at} {name}: {_counts(summary[name])}", soft_wrap=True)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), 5 if plain else 0.5)


def _panel(summary: dict[str, dict[str, int]], stack: Stack) -> Group:
    table = Table.grid(padding=(0, 3))
    columns = []
    for name, counts in summary.items():
        column = Table(name, "", expand=True, min_width=26)
        for key, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
            column.add_row(key, str(count))
        columns.append(column)
    table.add_row(*columns)
    clock = stack.clock.now().astimezone(HOME).strftime("%A %H:%M:%S")
    return Group(f"{clock}   {_code(stack)}   Ctrl-C ends the evening", table)
