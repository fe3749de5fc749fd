"""`callserver explain`: whether a number may be called, which rules forbid it, and until when."""

import json
from typing import Annotated, Any

import typer

from callserver import texts
from callserver.cli import resources
from callserver.database.engines import reading
from callserver.domain.home import HOME
from callserver.engine.gate import explanation
from callserver.settings import instant


def register(app: typer.Typer) -> None:
    app.command()(explain)


def explain(
    number: Annotated[str, typer.Argument(help="a telephone number, as people write it")],
    campaign: Annotated[str | None, typer.Option(help="only this campaign")] = None,
    at: Annotated[str | None, typer.Option(help="at this instant (ISO 8601); now")] = None,
    language: Annotated[
        str, typer.Option(help="da or en", callback=resources.known_language)
    ] = "da",
    as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False,
) -> None:
    """Say whether a number may be called now, and which rules forbid it.

    The answer is the gate's, as at a dial, from everything known about the number; nothing is written.

    Example: callserver explain 32123456 --campaign kanvas --at 2026-05-01T12:00+02:00
    """
    settings = resources.settings()
    instant_given = None if at is None else instant("--at", at)
    secret = resources.secret(settings)
    with resources.database(settings) as engine:
        rules = resources.rules(engine, settings)
        names = [campaign] if campaign else list(rules.current.campaigns)
        chosen = [rules.campaign(name) for name in names]
        with reading(engine) as tx:
            now = instant_given or resources.now(tx)
            answers = [
                explanation.explain(tx, rules, secret, number, campaign, now) for campaign in chosen
            ]
    if as_json:
        documents = [_document(answer) for answer in answers]
        print(json.dumps(documents[0] if campaign else documents, ensure_ascii=False, indent=2))
        return
    for answer in answers:
        _say(answer, language)


def _document(answer: explanation.Explanation) -> dict[str, Any]:
    return {
        "campaign": answer.campaign,
        "at": answer.at.isoformat(),
        "allowed": not answer.reasons,
        "reasons": [reason.value for reason in answer.reasons],
        "next_at": None if answer.next_at is None else answer.next_at.isoformat(),
        "contact": answer.contact,
        "listed": answer.contact is not None,  # only contacts are ever dialed
        "revision": answer.revision,
    }


def _say(answer: explanation.Explanation, language: str) -> None:
    if answer.contact is None:
        sentence = texts.say(language, "explain.no_contact")
        typer.secho(f"{answer.campaign}: {sentence}", fg="yellow")
    whom = answer.campaign
    if answer.contact is not None:
        whom += f", {texts.say(language, 'explain.contact')} {answer.contact}"
    if not answer.reasons:
        typer.secho(f"{whom}: {texts.say(language, 'explain.allowed')}", fg="green")
        return
    typer.secho(f"{whom}: {texts.say(language, 'explain.refused')}", fg="red")
    for reason in answer.reasons:
        print(f"  {reason.value}: {texts.say(language, f'reason.{reason.value}')}")
    if answer.next_at is not None:
        when = answer.next_at.astimezone(HOME).strftime("%Y-%m-%d %H:%M %Z")
        print(f"  {texts.say(language, 'explain.next', when=when)}")
