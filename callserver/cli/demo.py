"""`callserver demo`: everything at once on this machine, with a simulated network and invented people."""

import asyncio
import contextlib
import shutil
import signal
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from callserver import log
from callserver.cli import asterisk_stack
from callserver.cli.init import EXAMPLE
from callserver.cli.simulated_stack import (
    DATABASE,
    SimulatedStack,
    Stack,
    StackPlan,
    listening,
    started,
)
from callserver.database import figures
from callserver.domain.home import HOME
from callserver.domain.role import NEEDS_CODE
from callserver.errors import ConfigurationProblem
from callserver.ports import Tx
from callserver.simulator.faults import ALL, NONE
from callserver.simulator.invariants import (
    Rows,
    judge,
    judge_listening,
    judge_role_plays,
    without_permit,
)
from callserver.simulator.robots import Acknowledged
from callserver.simulator.visitors import FIRST_HOUR

CONFIG = Path("config")
SLACK = timedelta(seconds=4)
"""In real time a leg is moved within seconds."""


def register(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    minutes: Annotated[float, typer.Option(help="how long it runs; 0: until Ctrl-C")] = 0,
    headless: Annotated[bool, typer.Option(help="plain lines, for machines")] = False,
    phoners: Annotated[int, typer.Option(help="robots on shift", min=1, max=100)] = 12,
    contacts: Annotated[int, typer.Option(min=10, help="in all campaigns")] = 10_000,
    faults: Annotated[str, typer.Option(help="none or all")] = "none",
    asterisk: Annotated[
        bool, typer.Option("--asterisk", help="a real exchange instead of the simulated network")
    ] = False,
    first_week: Annotated[
        bool, typer.Option("--first-week", help="maja is new: documents, a mentor, no calls yet")
    ] = False,
    port: Annotated[int, typer.Option(min=1, max=65535, help="another one if it is in use")] = 8000,
    config: Annotated[
        Path | None, typer.Option(help="the configuration folder; config, else the example")
    ] = None,
    folder: Annotated[
        Path, typer.Option(help="database, key and heads; an earlier demo is removed")
    ] = Path("var/demo"),
) -> None:
    """Run everything at once: server, simulated network, invented people, robots.

    The clock is set to a weekday afternoon, so that the demo works at any hour. Nobody real is called.
    It has settings of its own: those in the environment and in .env do not count.

    Example: callserver demo --minutes 1 --headless
    """
    if asterisk and (missing := asterisk_stack.missing()):
        typer.echo(f"--asterisk: missing here: {missing}", err=True)
        raise typer.Exit(2)
    print(
        f"callserver demo: making {contacts} invented contacts and {phoners} robots …", flush=True
    )
    log.set_up("error")
    empty(folder)
    plan = StackPlan(
        folder,
        config or (CONFIG if CONFIG.is_dir() else EXAMPLE),
        phoners,
        contacts,
        ALL if faults == "all" else NONE,
        visitor_calls=FIRST_HOUR,
        port=free_port(port),
        first_week=first_week,
    )
    run = _on_an_exchange if asterisk else _demo
    clean = asyncio.run(run(plan, minutes, headless=headless))
    if not clean:
        raise typer.Exit(1)


def empty(folder: Path) -> None:
    """Create the folder, without the files of an earlier demo.

    Raises:
        ConfigurationProblem: it holds other files.
    """
    if folder.is_dir() and any(folder.iterdir()) and not (folder / DATABASE).exists():
        raise ConfigurationProblem(
            f"{folder} holds files that are not a demo's: choose another folder"
        )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def free_port(port: int) -> int:
    """This port, or 0 (any free port) if another program uses it."""
    try:
        listening(port).close()
    except OSError:
        print(f"port {port} is in use; another one is used", flush=True)
        return 0
    return port


def _ended() -> asyncio.Event:
    """Set by Ctrl-C."""
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    return ended


async def _on_an_exchange(plan: StackPlan, minutes: float, *, headless: bool) -> bool:
    console, ended = Console(soft_wrap=True), _ended()
    async with asterisk_stack.started(plan) as stack:
        _welcome(console, stack, first_week=plan.first_week)
        await _show(stack, console, minutes * 60, ended, headless=headless)
        summary = await stack.server.store.run(_summary)
        rows = await stack.server.store.run(lambda tx: Rows(*figures.for_invariants(tx)))
        called = list(stack.telephones.called_numbers().values())
    _say(console, summary)
    without = without_permit(called, rows)
    console.print(f"  telephones that rang, as recorded at the trunk: {len(called)}")
    console.print(f"  of them with neither a permit nor a confirmed line: {without.total()}")
    return not without


async def _demo(plan: StackPlan, minutes: float, *, headless: bool) -> bool:
    console, ended = Console(soft_wrap=True), _ended()
    async with started(plan) as stack:
        _welcome(console, stack, first_week=plan.first_week)
        await _show(stack, console, minutes * 60, ended, headless=headless)
        summary = await stack.server.store.run(_summary)
        rows = await stack.server.store.run(lambda tx: Rows(*figures.for_invariants(tx)))
    return _judged(console, stack, summary, rows)


FIRST_WEEK = """maja is new: on Training they read and sign; start a shift and listen to the mentor, a robot
the first shift makes no calls; asger credits shifts with a reason (Training)
the second shift makes calls while sigrid has the floor open"""


def _welcome(console: Console, stack: Stack, *, first_week: bool) -> None:
    """Print the addresses and accounts."""
    time = stack.clock.now().astimezone(HOME).strftime("%A %Y-%m-%d %H:%M")
    beside = stack.url.replace("127.0.0.1", "localhost")
    console.print(f"callserver at {stack.url}, {stack.network}")
    console.print(f"the demo's clock shows {time} (Copenhagen); nobody real is called")
    table = Table("sign in as", "role", "one-time code", title_justify="left")
    for role, handle in stack.staff.handles:
        table.add_row(handle, role.value.replace("_", " "), "yes" if role in NEEDS_CODE else "")
    console.print(table)
    console.print(f"password of all: {stack.staff.password}")
    console.print(f"{_code(stack)}; each is valid once; there is a new one every half minute")
    console.print(f"two people at once: maja at {stack.url}, sigrid at {beside} in a second window")
    console.print(
        FIRST_WEEK
        if first_week
        else "maja's seat is free: start a shift in the browser and press Ready; sigrid listens"
    )


def _code(stack: Stack) -> str:
    return f"one-time code now: {stack.staff.code(stack.clock.device_time())}"


def _judged(
    console: Console, stack: SimulatedStack, summary: dict[str, dict[str, int]], rows: Rows
) -> bool:
    """Compare the evening with the network's record; True: nothing is wrong."""
    now, world = stack.clock.now(), stack.world
    rings = [ring for ring in world.network.record if (now - ring.rang_at).total_seconds() > 5]
    acknowledged = Acknowledged() if stack.people is None else stack.people.acknowledged
    verdict = judge([ring for ring in rings if ring.ended_at], rows, acknowledged, now)
    # Only the robots' listenings are checked: visitors' rights are not recorded.
    listening_stays = [
        stay for stay in world.network.listening_record.stays if stay.line not in stack.staff.lines
    ]
    judge_listening(verdict, listening_stays, stack.supervisors, rows, now, SLACK)
    judge_role_plays(verdict, world.network.listening_record.role_plays.stays)
    _say(console, summary)
    wrong = {kind: len(cases) for kind, cases in verdict.cases.items() if cases}
    console.print(f"  compared with the network's record: {wrong or 'nothing wrong'}")
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
    """Show the figures until the end."""
    until = asyncio.get_running_loop().time() + seconds if seconds else None
    plain = headless or not console.is_terminal  # in a pipe or a file
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
