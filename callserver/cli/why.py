"""`callserver why`: answers "who called me, and why?" in sentences to read out."""

import json
from typing import Annotated

import typer

from callserver.cli import resources
from callserver.domain import phone
from callserver.engine.reporting.call_history import CallHistory
from callserver.engine.reporting.call_history import why as look_up
from callserver.engine.reporting.call_history_text import words
from callserver.errors import ConfigurationProblem


def register(app: typer.Typer) -> None:
    app.command()(why)


def why(
    number: Annotated[str, typer.Argument(help="the number that was called")],
    language: Annotated[str, typer.Option(help="da or en")] = "da",
    by: Annotated[
        str, typer.Option(help="who asks; written to the log", callback=resources.words_for_log)
    ] = "command",
    as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False,
) -> None:
    """Say who called a number, and why.

    Every call and every refused attempt, in sentences that can be read out.

    Example: callserver why 32123456
    """
    settings = resources.settings()
    parsed = phone.parse(number)
    if isinstance(parsed, phone.NumberProblem):
        raise ConfigurationProblem(f"this is not a telephone number: {parsed.value}")
    with resources.database(settings) as engine:
        rules = resources.rules(engine, settings)
        with engine.begin() as tx:
            answer = look_up(tx, parsed, resources.secret(settings), by, resources.now(tx))
    if as_json:
        print(json.dumps(_document(answer), ensure_ascii=False, indent=2))
        return
    for sentence in words(answer, rules, language):
        print(sentence.text)


def _document(answer: CallHistory) -> dict[str, object]:
    return {
        "calls": [
            {
                "at": call.at.isoformat(),
                "campaign": call.campaign,
                "path": call.path,
                "answered": call.answered,
                "cause": call.cause,
                "code": call.code,
                "outcome": call.outcome,
            }
            for call in answer.calls
        ],
        "refused": [
            {
                "at": refusal.at.isoformat(),
                "campaign": refusal.campaign,
                "path": refusal.path,
                "reasons": [reason.value for reason in refusal.reasons],
            }
            for refusal in answer.refused
        ],
        "sources": list(dict.fromkeys(source.text for source in answer.sources)),
        "suppressed": [
            {"scope": suppression.scope.value, "since": suppression.at.isoformat()}
            for suppression in answer.suppressed
        ],
    }
