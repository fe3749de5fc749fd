"""`callserver cases`: requests and complaints."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from callserver.cli import case_answers, resources
from callserver.cli.acting_user import By, acting, user_named
from callserver.cli.case_answers import Case, read_words
from callserver.database import accounts, cases
from callserver.database.engines import reading
from callserver.domain.case import ReplyBy, Source
from callserver.domain.case_rules import CaseKind
from callserver.domain.role import Action
from callserver.engine.cases import handling, intake, report
from callserver.engine.cases.intake import CaseRequest
from callserver.engine.identity import known_at
from callserver.errors import ConfigurationProblem

COLUMNS = ("case", "kind", "state", "answer by", "overdue", "owner")
WITHOUT_NUMBER = "callserver suppress add --contact ID --scope person"
FIGURES = ("kind", "opened", "answered", "median hours", "late", "overdue")


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Requests and complaints of people.", no_args_is_help=True)
    group.command("list")(listing)
    group.command("open")(open_case)
    group.command("hand-over")(hand_over)
    case_answers.register(group)
    group.command("report")(monthly)
    app.add_typer(group, name="cases")


def listing(
    closed: Annotated[bool, typer.Option("--closed", help="those that are closed instead")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one object a line")] = False,
) -> None:
    """List the cases, the earliest deadline first. Words, numbers and addresses are not shown.

    Example: callserver cases list
    """
    table = Table(*COLUMNS)
    with resources.database() as engine, reading(engine) as connection, connection.begin():
        now = resources.now(connection)
        names = {user.id: user.handle for user in accounts.every(connection)}
        for row in cases.listed(connection, closed=closed):
            overdue = row.case.overdue(now)
            owner = f"{row.owner_role} (nobody)" if row.owner is None else names[row.owner]
            if as_json:
                shown = {
                    "case": row.id,
                    "kind": row.kind,
                    "state": row.state,
                    "deadline": row.deadline.isoformat(),
                    "overdue": overdue,
                    "owner_role": row.owner_role,
                    "owner": None if row.owner is None else names[row.owner],
                }
                print(json.dumps(shown))
            else:
                due = f"{row.deadline:%Y-%m-%d}"
                late = "yes" if overdue else ""
                table.add_row(str(row.id), row.kind, row.state, due, late, owner)
    if not as_json:
        Console().print(table)


def open_case(
    kind: Annotated[CaseKind, typer.Argument(help="what the person asks for")],
    by: By,
    number: Annotated[str | None, typer.Option(help="the person's telephone number")] = None,
    source: Annotated[Source, typer.Option(help="how it reached us")] = Source.LETTER,
    reply_by: Annotated[ReplyBy | None, typer.Option(help="how the person gets an answer")] = None,
    reply_to: Annotated[str | None, typer.Option(help="e-mail address or number for it")] = None,
    language: Annotated[
        str, typer.Option(help="the person's language: da or en", callback=resources.known_language)
    ] = "da",
    words: Annotated[
        bool, typer.Option("--words", help="read the person's words from standard input")
    ] = False,
) -> None:
    """Open a case. If the person wants no calls, complains or wants to be erased, the number and the people
    known at it are not called from this moment on.

    The running server sends the messages.

    Example: callserver cases open complaint --number 32123456 --by mads
    """
    if kind is CaseKind.OPT_OUT and number is None:
        raise ConfigurationProblem(
            f"--number: an opt-out needs it. Of a person whose number is not known: {WITHOUT_NUMBER}"
        )
    settings = resources.settings()
    said = read_words() if words else ""
    key = None if number is None else resources.phone_number(number)
    with resources.database(settings) as engine:
        rules = resources.rules(engine, settings)
        with engine.begin() as tx:
            user = acting(tx, by, Action.HANDLE_CASES)
            request = CaseRequest(
                kind=kind,
                source=source,
                by=f"user:{user.id}",
                at=resources.now(tx),
                number=key,
                people=[] if key is None else known_at.everybody(tx, key),
                language=language,
                words=said or None,
                reply_by=reply_by,
                reply_to=reply_to,
            )
            row = intake.open_case(tx, request, rules.current.cases, settings.key.encode())
    print(f"case {row.id}: {row.state}, answer by {row.deadline:%Y-%m-%d}")
    if intake.protects_nobody(request):
        print(f"nobody is opted out, and no receipt is sent, without a number: {WITHOUT_NUMBER}")


def hand_over(
    case: Case,
    to: Annotated[str, typer.Option(help="the new owner, by user name")],
    by: By,
) -> None:
    """Give a case to another colleague.

    Example: callserver cases hand-over 7 --to lea --by mads
    """
    with resources.database() as engine, engine.begin() as tx:
        user, owner = user_named(tx, by), user_named(tx, to)
        handling.hand_over(tx, case, user, owner.id, resources.now(tx))
    print(f"case {case} belongs to {to}")


def monthly(
    month: Annotated[
        str | None, typer.Option(help="like 2026-05; without it the current one")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one object a line")] = False,
) -> None:
    """Count the cases opened in a month, by kind: how many, how soon answered, how many overdue.

    Example: callserver cases report --month 2026-05
    """
    table = Table(*FIGURES)
    with resources.database() as engine, reading(engine) as connection, connection.begin():
        now = resources.now(connection)
        for figures in report.monthly(connection, month or report.current_month(now), now):
            values = {
                "kind": "all" if figures.kind is None else figures.kind.value,
                "opened": figures.opened,
                "answered": figures.answered,
                "median_hours": figures.median_hours,
                "late": figures.late,
                "overdue": figures.overdue,
            }
            if as_json:
                print(json.dumps(values))
            else:
                table.add_row(*("" if value is None else str(value) for value in values.values()))
    if not as_json:
        Console().print(table)
