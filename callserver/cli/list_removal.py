"""`callserver list`: earlier imports, and contacts that leave a list again."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from callserver.cli import resources
from callserver.cli.acting_user import BY_COMMAND, InWords, Why
from callserver.database import imports
from callserver.database.engines import reading
from callserver.database.side_connection import one_part
from callserver.engine.lists import removal
from callserver.engine.lists.removal import RolledBack


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help="Earlier imports, and contacts that leave a list again.", no_args_is_help=True
    )
    group.command("imports")(listing)
    group.command("roll-back")(roll_back)
    group.command("remove")(remove)
    app.add_typer(group, name="list")


def listing() -> None:
    """List the latest imports with their numbers.

    Example: callserver list imports
    """
    table = Table("import", "campaign", "at", "by", "taken", "changed", "rolled back")
    with resources.database() as engine, reading(engine) as connection:
        for row in imports.history(connection):
            counts = [str(row.counts.get(key, 0)) for key in ("taken", "changed", "rolled_back")]
            table.add_row(str(row.id), row.campaign, row.at.isoformat(), row.by or "", *counts)
    Console().print(table)


def roll_back(
    number: Annotated[int, typer.Argument(help="the import's number: callserver list imports")],
    by: InWords = BY_COMMAND,
) -> None:
    """Remove those contacts of an import whom nobody has called.

    Opt-outs of the file stay, and so do changes to people who were on a list before. What breaks off is
    finished by the same command again.

    Example: callserver list roll-back 12
    """
    with resources.database() as engine:
        with reading(engine) as connection:
            parts = removal.parts_of(connection, number)
        result = RolledBack()
        for part in parts:
            with one_part(engine) as tx:
                result += removal.roll_back(tx, number, part, by, resources.now(tx))
    print(f"removed: {result.removed}; kept, because they were called: {result.kept}")


def remove(
    contact: Annotated[
        int, typer.Argument(help="the contact's id, as `callserver explain` prints it")
    ],
    why: Why,
    by: InWords = BY_COMMAND,
) -> None:
    """Remove one person from one list, if nobody called them from it.

    Example: callserver list remove 4711 --why 'imported into the wrong campaign'
    """
    with resources.database() as engine, engine.begin() as tx:
        removal.remove(tx, contact, why, by, resources.now(tx))
    print("removed")
