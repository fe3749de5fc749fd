"""`callserver survey`: the results of closed quarters, answers in words, and the decisions that followed.

Nobody answers by command: phoners answer on their own page.
"""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from callserver.cli import resources
from callserver.cli.acting_user import By, acting
from callserver.cli.case_answers import read_words
from callserver.database import surveys
from callserver.database.engines import reading
from callserver.domain.role import Action
from callserver.domain.survey import QuestionKind, SurveyState
from callserver.engine.surveys import follow_up

Quarter = Annotated[str, typer.Argument(help="like 2026-Q2")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="The phoners' quarterly survey.", no_args_is_help=True)
    group.command("list")(listing)
    for command in (show, texts, decide_text, decision):
        group.command(command.__name__.replace("_", "-"))(command)
    app.add_typer(group, name="survey")


def listing() -> None:
    """List the quarters. For an open quarter, the number of answers is not shown.

    Example: callserver survey list
    """
    table = Table("quarter", "state", "closes", "answers")
    with resources.database() as engine, reading(engine) as connection, connection.begin():
        results = surveys.results(connection)
        for row in surveys.every(connection):
            whole = (
                group.answers for group in results.get(row.quarter, ()) if group.department is None
            )
            is_open = row.state == SurveyState.OPEN
            answers = "" if is_open else str(next(whole, "too few"))
            table.add_row(row.quarter, row.state, f"{row.closes_at:%Y-%m-%d}", answers)
    Console().print(table)


def show(quarter: Quarter) -> None:
    """Show how often each answer was given in a closed quarter, the shown words, and the decisions.

    Groups below the smallest one are left out, as on the page.

    Example: callserver survey show 2026-Q2
    """
    with resources.database() as engine, reading(engine) as connection, connection.begin():
        row = follow_up.closed(connection, quarter)
        groups = surveys.results(connection).get(quarter, [])
        shown = [
            text for text in surveys.texts(connection, undecided=False) if text.quarter == quarter
        ]
        decided = [
            decision for decision in surveys.decisions(connection) if decision.quarter == quarter
        ]
    console = Console(highlight=False)
    for name, question in row.rules.questions.items():
        console.print(f"\n{question.text.en}")
        for group in groups:
            counts = group.counts.get(name, {}).items()
            told = ", ".join(f"{answer or 'no answer'}: {count}" for answer, count in counts)
            if question.kind is not QuestionKind.TEXT:
                console.print(f"  {group.department or 'everybody'}: {told or 'too few answers'}")
        for text in shown:
            if text.question == name:
                console.print(f"  {text.text}")
    for decision in decided:
        console.print(f"\ndecided {decision.at:%Y-%m-%d}: {decision.text}")


def texts(by: By) -> None:
    """List the answers in words that wait for a decision.

    Example: callserver survey texts --by lea
    """
    table = Table("text", "quarter", "words")
    with resources.database() as engine, reading(engine) as connection, connection.begin():
        acting(connection, by, Action.LEAD_SURVEY)
        for row in surveys.texts(connection, undecided=True):
            if row.shown is None:
                table.add_row(row.id, row.quarter, row.text)
    Console().print(table)


def decide_text(
    text: Annotated[str, typer.Argument(help="the text, as `survey texts` names it")],
    by: By,
    shown: Annotated[
        bool, typer.Option("--show/--withhold", help="all may read it; or it is deleted")
    ],
) -> None:
    """Show an answer in words to all, or withhold it; one that is withheld is deleted.

    Example: callserver survey decide-text 3f2a --show --by lea
    """
    with resources.database() as engine, engine.begin() as tx:
        user = acting(tx, by, Action.LEAD_SURVEY)
        follow_up.decide_text(tx, user, text, resources.now(tx), shown=shown)


def decision(quarter: Quarter, by: By) -> None:
    """Write down what was decided after a survey, read from standard input. Everybody reads it.

    Example: callserver survey decision 2026-Q2 --by lea < decision.txt
    """
    words = read_words()
    with resources.database() as engine, engine.begin() as tx:
        user = acting(tx, by, Action.LEAD_SURVEY)
        follow_up.add_decision(tx, user, quarter, words, resources.now(tx))
