"""`callserver why`: answers "who called me, and why?" in sentences to read out."""

import json
from typing import Annotated

import typer

from callserver.cli import resources
from callserver.cli.acting_user import BY_COMMAND, InWords
from callserver.engine.gate.explanation import Explanation
from callserver.engine.reporting import person_record, person_record_text
from callserver.engine.reporting.call_history_text import words
from callserver.engine.reporting.person_record import PersonRecord


def register(app: typer.Typer) -> None:
    app.command()(why)


def why(
    number: Annotated[str, typer.Argument(help="the number that was called")],
    language: Annotated[
        str, typer.Option(help="da or en", callback=resources.known_language)
    ] = "da",
    by: InWords = BY_COMMAND,
    as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False,
) -> None:
    """Say who called a number, and why.

    Every call and every refused attempt, in sentences that can be read out; then where each person stands
    in each campaign, what may be done next, and marks: what the page /person shows.

    Example: callserver why 32123456
    """
    settings = resources.settings()
    key = resources.phone_number(number)
    with resources.database(settings) as engine:
        rules = resources.rules(engine, settings)
        with engine.begin() as tx:
            now, secret = resources.now(tx), resources.secret(settings)
            record = person_record.look_up(tx, key, secret, by, now)
            explanations = person_record.explanations(tx, rules, secret, record.contacts, now)
    if as_json:
        print(json.dumps(_document(record, explanations), ensure_ascii=False, indent=2))
        return
    for sentence in words(record.history, rules, language):
        print(sentence.text)
    for fact in person_record_text.everything(record, explanations, rules, language):
        print(fact)


def _document(record: PersonRecord, explanations: list[Explanation]) -> dict[str, object]:
    answer = record.history
    answers = {explanation.contact: explanation for explanation in explanations}
    return {
        "contacts": [
            {
                "contact": row.id,
                "campaign": row.campaign,
                "status": row.status,
                "reason": row.reason,
                "refused_now": [reason.value for reason in answers[row.id].reasons]
                if row.id in answers
                else None,
            }
            for row in record.contacts
        ],
        "marks": [
            {
                "mark": mark.kind,
                "since": mark.at.isoformat(),
                "ended": None if mark.ended_at is None else mark.ended_at.isoformat(),
            }
            for mark in record.marks
        ],
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
