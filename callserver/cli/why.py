"""`callserver why`: the answer to "who called me, and why?", in words to read out."""

import json
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from callserver import texts
from callserver.cli import opening
from callserver.domain import phone
from callserver.engine.house import Rules
from callserver.engine.why import Answer, names
from callserver.engine.why import why as look_up
from callserver.errors import ConfigurationProblem

HOME = ZoneInfo("Europe/Copenhagen")


def register(app: typer.Typer) -> None:
    app.command()(why)


def why(
    number: Annotated[str, typer.Argument(help="the number that was called")],
    language: Annotated[str, typer.Option(help="da or en")] = "da",
    by: Annotated[str, typer.Option(help="who asks (kept in the log)")] = "command",
    as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False,
) -> None:
    """Every call and every refused attempt to a number, in words that can be read out."""
    settings = opening.settings()
    parsed = phone.parse(number)
    if isinstance(parsed, phone.NumberProblem):
        raise ConfigurationProblem(f"this is no telephone number: {parsed.value}")
    with opening.database(settings) as engine:
        rules = opening.rules(engine, settings)
        with engine.begin() as tx:
            answer = look_up(tx, parsed, settings.key.encode(), by, opening.clock().now())
    if as_json:
        print(json.dumps(_document(answer), ensure_ascii=False, indent=2))
        return
    for line in _lines(answer, rules, language):
        print(line)


def _when(at: datetime) -> str:
    return at.astimezone(HOME).strftime("%d-%m-%Y %H:%M")


def _lines(answer: Answer, rules: Rules, language: str) -> list[str]:
    def say(key: str, **values: str) -> str:
        return texts.say(language, key, **values)

    lines: list[tuple[datetime, str]] = []
    for call in answer.calls:
        organisation, reason = names(rules, call.campaign, language)
        result = "completed" if call.answered else call.cause or "no_answer"
        said = say(
            "why.call",
            when=_when(call.at),
            organisation=organisation,
            path=say(f"path.{call.path}"),
            why=reason,
            result=say(f"cause.{result}"),
        )
        if call.outcome:
            campaign = rules.current.campaigns.get(call.campaign)
            outcome = campaign.outcomes.get(call.outcome) if campaign else None
            label = call.outcome
            if outcome is not None:
                label = outcome.label.en if language == "en" else outcome.label.da
            said += " " + say("why.outcome", outcome=label)
        lines.append((call.at, said))
    for one in answer.refused:
        reasons = " ".join(say(f"reason.{reason.value}") for reason in one.reasons)
        path = say(f"path.{one.path}")
        lines.append((one.at, say("why.refused", when=_when(one.at), path=path, reasons=reasons)))
    found = [line for _, line in sorted(lines)] or [say("why.nothing")]
    found += [say("why.source", source=source) for source in answer.sources]
    found += [
        say("why.suppressed", when=_when(one.at), scope=one.scope.value)
        for one in answer.suppressed
    ]
    return found


def _document(answer: Answer) -> dict[str, object]:
    return {
        "calls": [
            {
                "at": call.at.isoformat(),
                "campaign": call.campaign,
                "path": call.path,
                "answered": call.answered,
                "cause": call.cause,
                "outcome": call.outcome,
            }
            for call in answer.calls
        ],
        "refused": [
            {
                "at": one.at.isoformat(),
                "campaign": one.campaign,
                "path": one.path,
                "reasons": [reason.value for reason in one.reasons],
            }
            for one in answer.refused
        ],
        "sources": list(answer.sources),
        "suppressed": [
            {"scope": one.scope.value, "since": one.at.isoformat()} for one in answer.suppressed
        ],
    }
