"""`callserver refused`: contacts whose number the carrier refused to call."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from callserver.cli import resources
from callserver.cli.acting_user import BY_COMMAND, InWords
from callserver.database import refused_numbers
from callserver.database.engines import reading
from callserver.database.side_connection import one_part
from callserver.domain import phone
from callserver.engine.calls import carrier_refusals
from callserver.errors import NotFound


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Numbers that the carrier refused to call.", no_args_is_help=True)
    group.command("list")(listing)
    group.command("release")(release)
    app.add_typer(group, name="refused")


def listing(
    plain: Annotated[bool, typer.Option("--plain", help="show whole numbers")] = False,
) -> None:
    """List contacts whose number the carrier refused.

    Example: callserver refused list
    """
    table = Table("contact", "campaign", "number", "code", "at")
    with resources.database() as engine, reading(engine) as connection:
        for row in refused_numbers.not_released(connection):
            number = phone.from_int(row.number)
            shown = number if plain else phone.masked(number)
            contact = "" if row.contact is None else str(row.contact)
            table.add_row(contact, row.campaign, shown, str(row.code), row.at.isoformat())
    Console().print(table)


def release(
    campaign: Annotated[str | None, typer.Option(help="all of this campaign")] = None,
    contact: Annotated[int | None, typer.Option(help="only this contact")] = None,
    by: InWords = BY_COMMAND,
) -> None:
    """Release these numbers to be called again; without an option all that the carrier refused.

    Example: callserver refused release --contact 17
    """
    with resources.database() as engine:
        with reading(engine) as connection:
            parts = carrier_refusals.parts_of(connection, campaign, contact)
        if not parts:
            raise NotFound("no refused number matches")
        released = 0
        for part in parts:
            with one_part(engine) as tx:
                released += len(carrier_refusals.release(tx, part, by, resources.now(tx)))
    print(f"{sum(map(len, parts))} released; contacts that are dialed again: {released}")
