"""`callserver applicant`: applicants, their group interviews, and the decision about each."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from callserver.cli import resources
from callserver.cli.acting_user import By, acting
from callserver.database import applicants
from callserver.database.accounts import User
from callserver.database.engines import reading
from callserver.domain.applicant import Module
from callserver.domain.home import HOME
from callserver.domain.role import Action
from callserver.engine.accounts import administration
from callserver.engine.accounts.authentication import new_password
from callserver.engine.applicants import decisions, interviews, reach
from callserver.engine.context import LineContext, Rules
from callserver.errors import ConfigurationProblem
from callserver.ports import Tx

Applicant = Annotated[int, typer.Argument(help="the applicant's number")]
Interview = Annotated[int, typer.Argument(help="the interview's number")]
Department = Annotated[str, typer.Option(help="the department's key")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Applicants and their group interviews.", no_args_is_help=True)
    group.command("list")(listing)
    group.command("interviews")(planned)
    for command in (add, plan, cancel, invite, present, form, accept, reject, withdraw):
        group.command(command.__name__)(command)
    app.add_typer(group, name="applicant")


def listing(by: By) -> None:
    """List the applicants of your department, and the steps that each has not completed yet.

    Example: callserver applicant list --by sigrid
    """
    table = Table("applicant", "name", "department", "state", "missing")
    with resources.database() as engine, reading(engine) as connection, connection.begin():
        user = acting(connection, by, Action.HIRE)
        for row in applicants.every(connection, user.department):
            missing = ", ".join(applicants.progress(connection, row).missing)
            table.add_row(str(row.id), row.name, row.department, row.state, missing)
    Console().print(table)


def planned(by: By) -> None:
    """List the upcoming group interviews of your department, with their participants' numbers.

    Example: callserver applicant interviews --by sigrid
    """
    table = Table("interview", "module", "when", "department", "applicants")
    with resources.database() as engine, reading(engine) as connection, connection.begin():
        user, now = acting(connection, by, Action.HIRE), resources.now(connection)
        rows = applicants.listed_interviews(connection, user.department, now)
        invited = applicants.participants_of(connection, [row.id for row in rows])
        for row in rows:
            numbers = [
                str(participant.applicant)
                for participant in invited
                if participant.interview == row.id
            ]
            when = f"{row.at.astimezone(HOME):%Y-%m-%d %H:%M}"
            table.add_row(str(row.id), str(row.module), when, row.department, ", ".join(numbers))
    Console().print(table)


def add(
    name: Annotated[str, typer.Argument(help="the only thing kept about them")],
    by: By,
    department: Department,
) -> None:
    """Add an applicant; prints their number.

    Example: callserver applicant add "Ida Prøve" --department nord --by sigrid
    """

    def work(tx: Tx, user: User, rules: Rules, now: datetime) -> int:
        reach.check_department(rules, user, department)
        return decisions.add(tx, user, name, department, now)

    print(_do(by, work))


def plan(
    module: Annotated[
        int,
        typer.Argument(min=1, max=2, help="1: the organisation and ethics; 2: a role-play call"),
    ],
    at: Annotated[
        datetime,
        typer.Option(formats=["%Y-%m-%dT%H:%M"], help="the organisation's time: 2026-05-18T17:00"),
    ],
    by: By,
    department: Department,
) -> None:
    """Plan a group interview; prints its number.

    Example: callserver applicant plan 1 --at 2026-05-18T17:00 --department nord --by sigrid
    """
    when = at.replace(tzinfo=HOME)
    print(
        _do(
            by,
            lambda tx, user, rules, now: interviews.plan(
                tx, rules, user, Module(module), when, department, now
            ),
        )
    )


def cancel(interview: Interview, by: By) -> None:
    """Cancel an interview; its participants may be invited to another.

    Example: callserver applicant cancel 3 --by sigrid
    """
    _do(by, lambda tx, user, _, now: interviews.cancel(tx, user, interview, now))


def invite(interview: Interview, applicant: Applicant, by: By) -> None:
    """Add an applicant to an interview.

    Example: callserver applicant invite 3 7 --by sigrid
    """
    _do(by, lambda tx, user, _, now: interviews.invite(tx, user, interview, applicant, now))


def present(
    interview: Interview,
    applicant: Applicant,
    by: By,
    absent: Annotated[bool, typer.Option("--absent", help="they were not there")] = False,
) -> None:
    """Record that an applicant is present at an interview.

    Example: callserver applicant present 3 7 --by sigrid
    """
    _do(
        by,
        lambda tx, user, _, now: interviews.note_present(
            tx, user, interview, applicant, now, present=not absent
        ),
    )


def form(
    applicant: Applicant,
    answer: Annotated[list[str], typer.Option(help="in words, one for each question; repeatable")],
    by: By,
) -> None:
    """Write the form about a role-play call. The questions: `interviews` in config/house.yaml.

    Example: callserver applicant form 7 --answer "…" --answer "…" --answer "…" --by sigrid
    """
    _do(
        by,
        lambda tx, user, rules, now: decisions.write_form(
            tx, user, applicant, answer, rules.current.organisation.interviews, now
        ),
    )


def accept(
    applicant: Applicant,
    handle: Annotated[str, typer.Option(help="the user name of their account, like maja")],
    by: By,
) -> None:
    """Accept an applicant: makes their account, and prints its id and a password, only once.

    Example: callserver applicant accept 7 --handle maja --by sigrid
    """
    settings = resources.settings()
    password, hashed = new_password()

    def work(tx: Tx, user: User, rules: Rules, now: datetime) -> int:
        details = decisions.account_of(reach.applicant(tx, user, applicant))
        terms, who = LineContext(rules, settings.key.encode(), frozenset()), f"user:{user.id}"
        key = administration.add(tx, terms, handle, details, hashed, now=now, by=who)
        decisions.accept(tx, user, applicant, key, now)
        return key

    print(f"{_do(by, work)} {password}")


def reject(applicant: Applicant, by: By) -> None:
    """Reject an applicant; what is stored about them is deleted after its retention period.

    Example: callserver applicant reject 7 --by sigrid
    """
    _do(by, lambda tx, user, _, now: decisions.reject(tx, user, applicant, now))


def withdraw(
    applicant: Applicant,
    by: By,
    yes: Annotated[bool, typer.Option("--yes", help="it cannot be undone")] = False,
) -> None:
    """An applicant withdraws: everything about them is deleted at once.

    Example: callserver applicant withdraw 7 --yes --by sigrid
    """
    if not yes:
        raise ConfigurationProblem("everything about the applicant is deleted: add --yes")
    _do(by, lambda tx, user, _, now: decisions.withdraw(tx, user, applicant, now))


def _do(by: str, work: Callable[[Tx, User, Rules, datetime], int | None]) -> int | None:
    settings = resources.settings()
    with resources.database(settings) as engine:
        rules = resources.rules(engine, settings)
        with engine.begin() as tx:
            return work(tx, acting(tx, by, Action.HIRE), rules, resources.now(tx))
