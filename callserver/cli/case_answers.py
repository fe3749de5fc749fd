"""`callserver cases`: work on one case until it is closed. Answers are read from standard input."""

import sys
from collections.abc import Callable
from datetime import date, datetime
from functools import cache
from typing import Annotated, TextIO

import typer

from callserver.cli import resources
from callserver.cli.acting_user import By, Why, user_named
from callserver.database import cases
from callserver.database.accounts import User
from callserver.domain.case import ReplyBy
from callserver.domain.case_rules import CaseRules
from callserver.domain.home import HOME
from callserver.engine.cases import handling
from callserver.errors import ConfigurationProblem
from callserver.ports import Tx

Case = Annotated[int, typer.Argument(help="the case's number")]
MOST_CHARACTERS = 4000


def register(group: typer.Typer) -> None:
    for command in (show, draft, confirm, answer, extend, close):
        group.command(command.__name__)(command)


def show(
    case: Case,
    by: By,
    only_answer: Annotated[bool, typer.Option("--answer", help="only the answer")] = False,
) -> None:
    """Show a case: the person's words, the answer, the history. The reading is logged.

    Example: callserver cases show 7 --by lea
    """
    with resources.database() as engine, engine.begin() as tx:
        row = handling.look_at(tx, case, user_named(tx, by), resources.now(tx))
        history = cases.history(tx, case)
    if only_answer:
        print(row.draft or "")
        return
    print(f"case {row.id}: {row.kind}, {row.state}, answer by {_day(row.deadline)}")
    for heading, text in (("words", row.words), ("answer", row.draft)):
        print(f"\n{heading}:\n{text or '-'}")
    print("\nhistory:")
    for entry in history:
        note = "" if entry.note is None else f": {entry.note}"
        print(f"{entry.at:%Y-%m-%d %H:%M} {entry.event} by {entry.by}{note}")


def draft(case: Case, by: By) -> None:
    """Write the answer, read from standard input. A confirmation of an earlier answer does not count for it.

    Example: callserver cases draft 7 --by lea < answer.txt
    """
    words = read_words()
    _do(case, by, lambda tx, user, rules, now: handling.draft(tx, case, user, words, rules, now))


def confirm(case: Case, by: By) -> None:
    """Put a second name under the answer. Standard input holds the answer as it was read.

    The answer as it was read: callserver cases show 7 --answer --by asger > answer.txt

    Example: callserver cases confirm 7 --by asger < answer.txt
    """
    words = read_words()
    _do(case, by, lambda tx, user, _, now: handling.confirm(tx, case, user, words, now))


def answer(
    case: Case,
    by: By,
    reply_by: Annotated[ReplyBy, typer.Option(help="how the person gets the answer")],
    reply_to: Annotated[
        str | None, typer.Option(help="e-mail address or number; without it that of the request")
    ] = None,
) -> None:
    """Give the answer: the running server sends an e-mail or SMS; any other way is only recorded.

    Example: callserver cases answer 7 --reply-by email --by lea
    """
    _do(
        case,
        by,
        lambda tx, user, rules, now: handling.answer(
            tx, case, user, reply_by, reply_to, rules, now
        ),
    )


def extend(
    case: Case,
    until: Annotated[str, typer.Option(help="the new last day, like 2026-06-01")],
    why: Why,
    by: By,
) -> None:
    """Extend the deadline of a case; never beyond thirty days after the request.

    Example: callserver cases extend 7 --until 2026-06-01 --why "recordings are missing" --by lea
    """
    try:
        day = date.fromisoformat(until)
    except ValueError as error:
        raise ConfigurationProblem(f"--until {until}: write the day like 2026-06-01") from error
    _do(
        case,
        by,
        lambda tx, user, rules, now: handling.extend(tx, case, user, day, why, rules, now),
    )


def close(case: Case, by: By) -> None:
    """Close an answered case.

    Example: callserver cases close 7 --by lea
    """
    _do(case, by, lambda tx, user, _, now: handling.close(tx, case, user, now))


def _do(case: int, by: str, work: Callable[[Tx, User, CaseRules, datetime], None]) -> None:
    settings = resources.settings()
    with resources.database(settings) as engine:
        rules = resources.rules(engine, settings).current.cases
        with engine.begin() as tx:
            work(tx, user_named(tx, by), rules, resources.now(tx))
            row = cases.find(tx, case)
    if row is not None:
        print(f"case {row.id}: {row.state}, answer by {_day(row.deadline)}")


def _day(deadline: datetime) -> str:
    """The last day: the deadline is its end."""
    return f"{deadline.astimezone(HOME) - datetime.resolution:%Y-%m-%d}"


@cache
def _all_of(stream: TextIO) -> str:
    """Read once, also for a command that runs again."""
    return stream.read(MOST_CHARACTERS + 1).strip()


def read_words() -> str:
    """Words from standard input.

    Raises:
        ConfigurationProblem: they are too long.
    """
    words = _all_of(sys.stdin)
    if len(words) > MOST_CHARACTERS:
        raise ConfigurationProblem(f"standard input: {MOST_CHARACTERS} characters at most")
    return words
