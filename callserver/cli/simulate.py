"""`callserver simulate`: a whole evening in virtual time, and a check of what must always hold."""

import asyncio
import json
import random
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from callserver.app import create
from callserver.assemble import Server, build
from callserver.cli import resources
from callserver.cli.invented_data import add_supervisors, populate
from callserver.database import due_work, figures
from callserver.engine.context import Rules
from callserver.ports import Tx
from callserver.settings import Settings, instant
from callserver.simulator.evening import Evening, Plan, Result, ServerUnderTest
from callserver.simulator.faults import ALL, NONE
from callserver.simulator.invariants import Rows
from callserver.simulator.orders import InProcessOrders
from callserver.simulator.robots import Robot

START = "2026-05-12T16:30:00+02:00"
"""A Tuesday without a holiday near it."""

CLOSING = "2026-05-12T21:00:00+02:00"
KEY = "simulated"
AFTER_CLOSING = timedelta(minutes=20)
"""How long an evening with faults goes on after closing time: orders are under way then."""


def start_of(hours: float, *, faults: bool) -> str:
    """The start of an evening; an evening with faults includes closing time."""
    if not faults:
        return START
    lasts = timedelta(hours=hours)
    return (datetime.fromisoformat(CLOSING) + min(AFTER_CLOSING, lasts / 2) - lasts).isoformat()


def register(app: typer.Typer) -> None:
    app.command()(simulate)


def simulate(
    phoners: Annotated[int, typer.Option(help="robots on shift", min=1, max=1000)] = 100,
    contacts: Annotated[int, typer.Option(min=1, help="in all five campaigns")] = 20_000,
    hours: Annotated[float, typer.Option(min=0.05, max=24)] = 4.0,
    seed: Annotated[int, typer.Option(help="the same seed gives the same evening")] = 7,
    faults: Annotated[str, typer.Option(help="none or all")] = "none",
    start: Annotated[str | None, typer.Option(help="its start (ISO)")] = None,
    calls_per_second: Annotated[float, typer.Option(min=0.1, help="the account's limit")] = 3.0,
    as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False,
) -> None:
    """Play an evening in virtual time, then check what must always hold.

    Everything passes through the real HTTP interface. Exit code 1, with the cases, if somebody was
    called who must not be called, or answered into silence.

    Example: callserver simulate --phoners 10 --contacts 2000 --hours 1 --faults all
    """
    plan = Plan(
        start=instant("--start", start or start_of(hours, faults=faults == "all")),
        hours=hours,
        seed=seed,
        faults=ALL if faults == "all" else NONE,
        calls_per_second=calls_per_second,
    )
    with tempfile.TemporaryDirectory() as folder, Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("evening", total=hours * 3600, visible=not as_json)

        def progress(at: datetime) -> None:
            bar.update(task, completed=min((at - plan.start).total_seconds(), hours * 3600))

        config = resources.settings().config
        result = asyncio.run(evening(plan, phoners, contacts, config, Path(folder), progress))
    if as_json:
        print(json.dumps(result.document(), indent=2))
    else:
        _print(result)
    if not result.verdict.clean:
        raise typer.Exit(1)


Act = Callable[[Tx, Rules, datetime], object]
"""Something that colleagues do during an evening, in one transaction."""


async def evening(
    plan: Plan,
    phoners: int,
    contacts: int,
    config: Path,
    folder: Path,
    progress: Callable[[datetime], None] = lambda _: None,
    *,
    fill: Callable[[Tx, Rules, int, datetime, int, int], list[Robot]] = populate,
    acts: Sequence[tuple[datetime, Act]] = (),
) -> Result:
    """One evening in `folder`, whose database is made where there is none.

    `fill`: brings the lists and the phoners; `acts`: what colleagues do, and when.
    """
    world = Evening(plan)
    settings = Settings(
        database=f"sqlite:///{folder}/evening.db",
        config=config,
        public_url=plan.public_url,
        key=KEY,
        seal_key=folder / "seal.key",
        seals=folder / "seals.jsonl",
        calls_per_second=plan.calls_per_second,
        account_sid=plan.account,
        auth_token=plan.token,
        api_url="http://network.test",
    )
    dice = random.Random(f"{plan.seed}:tokens")
    server = build(
        settings,
        clock=world.clock,
        http=httpx.AsyncClient(transport=httpx.ASGITransport(world.rest)),
        orders=InProcessOrders(world.rest),
        inline=True,
        durable=False,
        token=lambda: f"{dice.getrandbits(80):020x}",
    )
    raw = _alone(server)
    robots = await server.store.run(
        lambda tx: fill(tx, server.ctx.rules, plan.seed, plan.start, phoners, contacts)
    )
    supervisors = await server.store.run(
        lambda tx: add_supervisors(tx, server.ctx.rules, plan.start)
    )
    await server.rules_in_force.start()
    for at, act in acts:
        world.agenda.at(at, _acting(server, act))
    under_test = ServerUnderTest(
        app=create(server, ticking=False),
        idle=server.ctx.background.idle,
        wake=server.scheduler.tick,
        next_wake=_watched(server, raw),
        rows=lambda: server.store.run(_rows),
        refusals=lambda: server.store.run(_refusals),
    )
    try:
        return await world.run(under_test, robots, progress, supervisors)
    finally:
        server.store.close()


def _alone(server: Server) -> Any:
    """The driver's connection. The database is nobody else's meanwhile: no locks, and no pages kept for readers."""
    with server.store.engine.connect() as connection:
        raw: Any = connection.connection.dbapi_connection
        raw.execute("PRAGMA locking_mode = EXCLUSIVE")
        raw.execute("PRAGMA journal_mode = MEMORY")
        return raw


def _acting(server: Server, act: Act) -> Callable[[], Awaitable[None]]:
    async def work() -> None:
        await server.store.run(lambda tx: act(tx, server.ctx.rules, server.clock.now()))

    return work


def _watched(server: Server, raw: Any) -> Callable[[], Awaitable[datetime | None]]:
    """When the scheduler is due; read from the database only after a change."""
    changes, due = -1, None

    async def next_wake() -> datetime | None:
        nonlocal changes, due
        if raw.total_changes != changes:
            due = await server.store.peek(due_work.next_due)
            changes = raw.total_changes
        return due

    return next_wake


def _rows(tx: Tx) -> Rows:
    return Rows(*figures.for_invariants(tx))


def _refusals(tx: Tx) -> Mapping[str, int]:
    return figures.refusals(tx)


def _print(result: Result) -> None:
    console = Console()
    table = Table("figure", "value", title="the evening")
    for name, value in result.figures.items():
        table.add_row(name, str(value))
    for name, count in sorted(result.refusals.items(), key=lambda item: -item[1]):
        table.add_row(f"refused: {name}", str(count))
    console.print(table)
    for kind, cases in result.verdict.cases.items():
        console.print(f"{kind}: {len(cases)}", style="red" if cases else "green")
        for case in cases[:5]:
            console.print(f"  {case}")
