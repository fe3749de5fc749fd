"""`callserver notice`: the case of the month, talks by experts, and the questions to them."""

from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from callserver.cli import resources
from callserver.cli.acting_user import By, acting, user_named
from callserver.cli.case_answers import read_words
from callserver.database import accounts
from callserver.database.engines import reading
from callserver.domain.home import HOME
from callserver.domain.notice import Notice, NoticeKind
from callserver.domain.role import Action
from callserver.engine.notices import board

NoticeNumber = Annotated[int, typer.Argument(metavar="NOTICE", help="the notice's number")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="The case of the month, and talks by experts.", no_args_is_help=True)
    group.command("list")(listing)
    for command in (show, write, remove, questions):
        group.command(command.__name__)(command)
    app.add_typer(group, name="notice")


def listing(
    by: By,
    words: Annotated[str, typer.Argument(help="only those in which all of these occur")] = "",
) -> None:
    """List the notices that are for a user, the latest first.

    Example: callserver notice list "pakistan blasfemi" --by sigrid
    """
    table = Table("notice", "kind", "when", "department", "title")
    with resources.database() as engine, reading(engine) as connection, connection.begin():
        for row in board.search(connection, user_named(connection, by), words):
            when = f"{row.at.astimezone(HOME):%Y-%m-%d %H:%M}"
            table.add_row(str(row.id), row.kind, when, row.department or "all", row.title)
    Console().print(table)


def show(notice: NoticeNumber, by: By) -> None:
    """Show a notice.

    Example: callserver notice show 3 --by sigrid
    """
    with resources.database() as engine, reading(engine) as connection, connection.begin():
        row = board.find(connection, user_named(connection, by), notice)
    print(f"{row.title}\n\n{row.text}")


def write(
    kind: Annotated[NoticeKind, typer.Argument(help="the case of the month, or a talk")],
    title: Annotated[str, typer.Option(help="one line")],
    at: Annotated[
        datetime,
        typer.Option(
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="the day of the case; when the talk begins"
        ),
    ],
    by: By,
    department: Annotated[str | None, typer.Option(help="its key; without it, for all")] = None,
    expert: Annotated[str | None, typer.Option(help="who gives the talk")] = None,
    no_number: Annotated[
        bool, typer.Option("--no-number", help="the digits in the text are not a telephone number")
    ] = False,
) -> None:
    """Publish a notice, its text in Markdown read from standard input; prints its number.

    Example: callserver notice write case --title "…" --at 2026-05-18 --by lea < case.md
    """
    text = read_words()
    settings = resources.settings()
    given = Notice(kind, title, text, at.replace(tzinfo=HOME), department, expert)
    with resources.database(settings) as engine:
        rules = resources.rules(engine, settings)
        with engine.begin() as tx:
            user = acting(tx, by, Action.WRITE_NOTICES)
            print(board.write(tx, rules, user, given, resources.now(tx), has_no_number=no_number))


def remove(notice: NoticeNumber, by: By) -> None:
    """Remove a notice with the questions to its expert.

    Example: callserver notice remove 3 --by lea
    """
    with resources.database() as engine, engine.begin() as tx:
        user = acting(tx, by, Action.WRITE_NOTICES)
        board.remove(tx, user, notice, resources.now(tx))


def questions(notice: NoticeNumber, by: By) -> None:
    """Print the questions to the expert of a talk, with the names of those who gave theirs.

    Example: callserver notice questions 3 --by lea
    """
    with resources.database() as engine, engine.begin() as tx:
        rows = board.questions(tx, acting(tx, by, Action.WRITE_NOTICES), notice)
        names = {user.id: user.name for user in accounts.every(tx)}
    for row in rows:
        print(f"{row.text}" if row.sender is None else f"{names[row.sender]}: {row.text}")
