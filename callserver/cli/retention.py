"""`callserver retention`: how long personal data is kept, and what is old enough to be dropped."""

from datetime import datetime

import typer
from rich.console import Console
from rich.table import Column, Table

from callserver.cli import resources
from callserver.cli.acting_user import BY_COMMAND, InWords
from callserver.cli.counting import counted
from callserver.database import vacuum
from callserver.database.engines import Engine, reading
from callserver.database.side_connection import one_part
from callserver.domain.retention import RetentionClass, RetentionPolicy
from callserver.engine import retention, table_rewrites
from callserver.errors import Impossible

MOST_COUNTED = 10_000
"""Counting half a million takes seconds, and says no more."""


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help="How long personal data is kept, and what is old enough to be dropped.",
        no_args_is_help=True,
    )
    group.command("show")(show)
    group.command("run")(run)
    group.command("vacuum")(rewrite)
    app.add_typer(group, name="retention")


def show() -> None:
    """Show each class with its period and reason, and how much of it would be dropped now.

    The periods are set in config/house.yaml, under `retention`. The scheduler drops every hour what is
    old enough. Nothing that protects a person has a period.

    Example: callserver retention show
    """
    settings = resources.settings()
    heads = ("days", "to be dropped now", "reason", "source")
    # A class is written in house.yaml as here, and a source is looked up: neither is cut on a narrow terminal.
    table = Table(Column("class", no_wrap=True), *(Column(head, overflow="fold") for head in heads))
    with resources.database(settings) as engine:
        policy = resources.rules(engine, settings).current.organisation.retention
        with reading(engine) as connection:
            now = resources.now(connection)
            due = retention.due(connection, policy, now, MOST_COUNTED + 1)
    for kind in RetentionClass:
        period = policy.period(kind)
        count = str(due[kind]) if kind in due else "files"
        if due.get(kind, 0) > MOST_COUNTED:
            count = f"more than {MOST_COUNTED}"
        table.add_row(kind.value, str(period.days), count, period.reason, period.source)
    Console().print(table)


def run(
    by: InWords = BY_COMMAND,
) -> None:
    """Drop now what is old enough, instead of within the hour; each part is logged.

    Uploaded files are dropped by the server only.

    Example: callserver retention run
    """
    settings = resources.settings()
    with resources.database(settings) as engine:
        policy = resources.rules(engine, settings).current.organisation.retention
        with reading(engine) as connection:
            now = resources.now(connection)
            due = retention.due(connection, policy, now)
        for kind in due:
            while _drop_some(engine, policy, kind, now, by):
                pass
    for kind, count in due.items():
        print(f"{kind.value}: {count}")


def _drop_some(
    engine: Engine, policy: RetentionPolicy, kind: RetentionClass, now: datetime, by: str
) -> int:
    """Look, and drop what was found. Returns how many rows were dropped."""
    with reading(engine) as connection:
        parts = retention.parts_of(connection, policy, kind, now)
    dropped = 0
    for part in parts:
        with one_part(engine) as tx:
            dropped += retention.drop(tx, policy, kind, part, now, by)
    return dropped


def rewrite() -> None:
    """PostgreSQL: rewrite the tables now, so that the bytes of what was deleted leave their files.

    The scheduler does it once a day, and after an erasure, while nobody is on shift. Each table is locked
    meanwhile: run it when nobody dials. SQLite overwrites what it deletes.

    Example: callserver retention vacuum
    """
    with resources.database() as engine:
        with reading(engine) as connection:
            began = resources.now(connection)
        result = vacuum.rewrite(engine)
        if not result.tables and not result.left:
            print("SQLite: nothing to do")
            return
        with engine.begin() as tx:
            table_rewrites.record(tx, result, "command", began, resources.now(tx))
    print(f"rewritten: {counted(result.tables, 'table')}")
    if result.left:
        raise Impossible(f"in use, and not rewritten: {', '.join(result.left)}")
