"""`callserver outcomes`: outcomes that nobody has entered."""

import json
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from callserver.adapters.clock import clock_from
from callserver.adapters.config_folder import ConfigFolder
from callserver.cli import resources
from callserver.cli.acting_user import By, acting
from callserver.cli.case_answers import read_words
from callserver.database.accounts import User
from callserver.database.engines import Engine, reading
from callserver.domain import phone
from callserver.domain.campaign import Ask, Campaign
from callserver.domain.outcome import FREQUENCIES
from callserver.domain.role import Action
from callserver.engine.context import CommandContext, Rules
from callserver.engine.outcomes import missing_outcomes
from callserver.engine.outcomes.record import GivenOutcome, NotAgreed, OutcomeRecord
from callserver.engine.outcomes.wishes import Wishes
from callserver.engine.rules.beginning import removed
from callserver.errors import ConfigurationProblem
from callserver.ports import Tx
from callserver.settings import Settings, instant


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Outcomes that nobody has entered.", no_args_is_help=True)
    group.command("missing")(missing)
    group.command("enter")(enter)
    app.add_typer(group, name="outcomes")


def missing(
    by: By,
    language: Annotated[
        str,
        typer.Option(help="da or en: of the outcomes' names", callback=resources.known_language),
    ] = "da",
    as_json: Annotated[bool, typer.Option("--json", help="one object per line")] = False,
) -> None:
    """List the calls of your department whose outcome is missing, the oldest first, and which outcomes there are.

    The phoner left in the talk or before saving it, or the carrier reported only after the end that the person had
    answered. The person may have said never, so nobody calls them from any list until the outcome is entered.
    Numbers are masked.

    Example: callserver outcomes missing --by mads
    """
    table = Table("call", "campaign", "answered", "number", "phoner")
    settings = resources.settings()
    with resources.database(settings) as engine:
        rules = _rules(engine, settings)
        with reading(engine) as tx:
            user = _supervisor(tx, by)
            found = missing_outcomes.of_department(tx, rules, user.department)
    for one in found:
        number = phone.masked(phone.from_int(one.call.number))
        at = (one.call.answered_at or one.call.permit_at).isoformat()
        row = (one.call.attempt, one.call.campaign, at, number, one.phoner)
        if as_json:
            print(
                json.dumps(
                    dict(zip(("call", "campaign", "at", "number", "phoner"), row, strict=True))
                )
            )
        table.add_row(*row)
    if as_json:
        return
    Console().print(table)
    for name in dict.fromkeys(one.call.campaign for one in found):
        print(f"\noutcomes of {name}:")
        print("\n".join(_described(rules.every[name], language)))


def enter(
    call: Annotated[str, typer.Argument(help="the call, as `outcomes missing` lists it")],
    outcome: Annotated[str, typer.Argument(help="one of its campaign's outcomes, such as never")],
    by: By,
    amount: Annotated[int | None, typer.Option(help="whole kroner")] = None,
    frequency: Annotated[str | None, typer.Option(help=", ".join(FREQUENCIES))] = None,
    date: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="the agreed day")
    ] = None,
    at: Annotated[str | None, typer.Option(help="when to call back (ISO 8601)")] = None,
    outside_hours: Annotated[
        bool, typer.Option("--outside-hours", help="the person wants to be called at that time")
    ] = False,
    words: Annotated[
        bool,
        typer.Option("--words", help="read from standard input what the outcome asks for in words"),
    ] = False,
) -> None:
    """Enter a missing outcome: what the person said. It has the effects that it has after a call.

    Ask the phoner, if you can. If nobody knows what was said, choose the outcome that protects the person most.
    What an outcome asks for stands in the list: give it by the option with its name, words by --words.

    Example: callserver outcomes enter a1b2c3 never --by mads
    """
    details: dict[str, Any] = {
        Ask.AMOUNT.value: amount,
        Ask.FREQUENCY.value: frequency,
        Ask.DATE.value: None if date is None else date.date().isoformat(),
        Ask.AT.value: None if at is None else instant("--at", at).isoformat(),
    }
    said = read_words().strip() if words else ""
    settings = resources.settings()
    with resources.database(settings) as engine:
        rules = _rules(engine, settings)
        with engine.begin() as tx:
            user = _supervisor(tx, by)
            found = missing_outcomes.of_department(tx, rules, user.department)
            campaign = next((one.call.campaign for one in found if one.call.attempt == call), None)
            if campaign is None:
                raise ConfigurationProblem(
                    f"no outcome of the call {call!r} is missing in your department:"
                    f" callserver outcomes missing --by {by}"
                )
            given = rules.every[campaign].outcomes.get(outcome)
            asks = () if given is None else given.asks
            details |= {ask.value: said for ask in (Ask.NOTE, Ask.REASON) if said and ask in asks}
            answer = GivenOutcome(
                outcome,
                {ask: value for ask, value in details.items() if value is not None},
                "" if {Ask.NOTE, Ask.REASON} & set(asks) else said,
                outside_hours,
            )
            ctx = CommandContext(rules, settings.key.encode(), clock_from(settings.clock, tx))
            try:
                OutcomeRecord(ctx, Wishes(ctx)).correct(tx, user, call, answer)
            except NotAgreed as refused:
                hint = "; confirm with --outside-hours" if refused.confirmable else ""
                raise ConfigurationProblem(f"no call-back then: {refused}{hint}") from refused
    print(f"entered: {outcome}")


def _supervisor(tx: Tx, handle: str) -> User:
    """The user who does it: phoners do not see what others have not entered."""
    acting(tx, handle, Action.SEE_FLOOR)
    return acting(tx, handle, Action.CORRECT)


def _rules(engine: Engine, settings: Settings) -> Rules:
    """The rules in force, and the removed campaigns whose outcomes are missing."""
    rules = resources.rules(engine, settings)
    with reading(engine) as tx:
        needed = missing_outcomes.campaigns(tx) - set(rules.every)
        rules.former.update(removed(tx, ConfigFolder(settings.config), needed))
    return rules


def _described(campaign: Campaign, language: str) -> list[str]:
    """One line for each outcome: key, name, what it asks for."""
    lines = []
    for key, outcome in campaign.outcomes.items():
        name = outcome.label.en if language == "en" else outcome.label.da
        asks = ", ".join(ask.value for ask in outcome.asks)
        lines.append(f"  {key}: {name}" + (f" (asks: {asks})" if asks else ""))
    return lines
