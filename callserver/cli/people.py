"""`callserver people`: who may be one person, and a user's decision about it."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from callserver.cli import resources
from callserver.cli.acting_user import By, Why, acting
from callserver.database import contacts
from callserver.database.engines import reading
from callserver.domain import phone
from callserver.domain.role import Action
from callserver.engine.identity import unsure
from callserver.ports import Tx

One = Annotated[int, typer.Argument(help="a contact's id")]
Other = Annotated[int, typer.Argument(help="the other contact's id")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help="People who may be one person, and decisions about them.", no_args_is_help=True
    )
    group.command("unsure")(list_unsure)
    group.command("merge")(merge)
    group.command("split")(split)
    group.command("undo")(undo)
    app.add_typer(group, name="people")


def list_unsure(
    most: Annotated[int, typer.Option(help="at most this many pairs")] = 100,
    plain: Annotated[bool, typer.Option("--plain", help="show whole numbers")] = False,
) -> None:
    """List pairs of contacts that may be one person; until they are decided, the strictest reading applies.

    Example: callserver people unsure
    """
    table = Table("contact", "name", "number", "other", "name", "number", "they share")
    shown, cursor = 0, unsure.FIRST
    with resources.database() as engine, reading(engine) as tx:
        while shown < most:
            page = unsure.page(tx, cursor)
            for pair in page.pairs[: most - shown]:
                rows = contacts.by_ids(tx, [pair.contact, pair.other])
                cells: list[str] = []
                for key in (pair.contact, pair.other):
                    number = phone.from_int(rows[key].number)
                    number = number if plain else phone.masked(number)
                    cells += [str(key), rows[key].name or "", number]
                table.add_row(*cells, pair.shared)
                shown += 1
            if page.following is None:
                break
            cursor = page.following
    Console().print(table)


def merge(one: One, other: Other, by: By, why: Why) -> None:
    """Decide that two contacts are one person.

    Example: callserver people merge 12 57 --by mads --why 'same date of birth'
    """
    from callserver.engine.identity import decisions  # here and below: `unsure` needs nothing of it

    with resources.database() as engine, engine.begin() as tx:
        user, words = acting(tx, by, Action.DECIDE_IDENTITY), _why(tx, why, one, other)
        decisions.merge(tx, one, other, by=f"user:{user.id}", why=words, now=resources.now(tx))
    print("decided: one person")


def split(one: One, other: Other, by: By, why: Why) -> None:
    """Decide that two contacts are two people.

    Example: callserver people split 12 57 --by mads --why 'mother and daughter'
    """
    from callserver.engine.identity import decisions  # here and below: `unsure` needs nothing of it

    with resources.database() as engine, engine.begin() as tx:
        user, words = acting(tx, by, Action.DECIDE_IDENTITY), _why(tx, why, one, other)
        decisions.split(tx, one, other, by=f"user:{user.id}", why=words, now=resources.now(tx))
    print("decided: two people")


def undo(one: One, other: Other, by: By, why: Why) -> None:
    """Take the decision about two contacts back.

    Example: callserver people undo 12 57 --by mads --why 'mistake'
    """
    from callserver.engine.identity import decisions  # here and below: `unsure` needs nothing of it

    with resources.database() as engine, engine.begin() as tx:
        user, words = acting(tx, by, Action.DECIDE_IDENTITY), _why(tx, why, one, other)
        decisions.undo(tx, one, other, by=f"user:{user.id}", why=words, now=resources.now(tx))
    print("undecided again")


def _why(tx: Tx, why: str, *ids: int) -> str:
    from callserver.engine.suppressions.opt_outs import check_why

    return check_why(why, list(contacts.by_ids(tx, ids).values()))
