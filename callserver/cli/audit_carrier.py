"""`callserver audit compare`: the carrier's own list of calls against the log."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from callserver.cli import resources
from callserver.cli.counting import counted
from callserver.database.engines import snapshot
from callserver.errors import ConfigurationProblem

if TYPE_CHECKING:
    from callserver.domain.carrier_list import CarrierCall


def register(group: typer.Typer) -> None:
    group.command()(compare)


def compare(
    file: Annotated[
        Path | None, typer.Argument(help="the carrier's list, CSV; without it, Twilio is asked")
    ] = None,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="ask Twilio from this day on, UTC")
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="up to this day; by default today"),
    ] = None,
    zone: Annotated[str, typer.Option(help="of times without a time zone")] = "Europe/Copenhagen",
    tolerance: Annotated[int, typer.Option(help="seconds by which clocks may differ")] = 120,
    trunk: Annotated[str, typer.Option(help="an exchange's endpoint of the carrier")] = "trunk",
) -> None:
    """Compare the carrier's list of calls with the log.

    Reads Twilio's call log as CSV, or an Asterisk's call detail records (Master.csv); without a file it
    asks Twilio for its list. Names calls without a permit, and calls of ours that the carrier does not
    know, within the time of the list. Exit code 1 if there is one.

    Example: callserver audit compare --since 2026-11-27
    """
    # Here, because the other commands of the log compare nothing.
    from callserver.database import user_lines
    from callserver.domain import phone
    from callserver.engine.audit_log import carrier_comparison

    leeway = timedelta(seconds=tolerance)
    with resources.database() as engine, snapshot(engine) as tx:
        if file is not None:
            listed, period = _read(file, zone, trunk), None
        else:
            listed, period = _asked(since, until, resources.now(tx), leeway)
        colleagues = {
            phone.to_int(parsed)
            for address, _, _ in user_lines.confirmed(tx)
            if isinstance(parsed := phone.parse(address), str)
        }
        result = carrier_comparison.compare(tx, listed, colleagues, leeway, period)
    for finding in result.findings:
        print(finding)
    print(
        f"{counted(len(listed), 'call')} of the carrier: {result.paired} permitted, {result.of_colleagues} to"
        f" colleagues' own telephones, {len(result.without_permit)} without a permit;"
        f" {len(result.not_at_carrier)} of ours that it does not know"
    )
    if result.findings:
        raise typer.Exit(1)


def _read(file: Path, zone: str, trunk: str) -> "list[CarrierCall]":
    from callserver.domain import carrier_list

    try:
        ZoneInfo(zone)
        return carrier_list.parse(file.read_text("utf-8"), zone, trunk)
    except (OSError, ValueError, ZoneInfoNotFoundError) as error:
        raise ConfigurationProblem(f"{file}: {error}") from None


def _asked(
    since: datetime | None, until: datetime | None, now: datetime, leeway: timedelta
) -> "tuple[list[CarrierCall], tuple[datetime, datetime]]":
    """Twilio's list, and the time that it covers: the latest calls may not be in it yet."""
    settings = resources.settings()
    if since is None:
        raise ConfigurationProblem("choose a FILE, or --since DAY: Twilio is asked for its list")
    if settings.provider != "twilio" or not settings.account_sid:
        raise ConfigurationProblem(
            "--since asks Twilio, which these settings do not use: give a FILE"
        )
    first = since.replace(tzinfo=UTC)
    last = (until or now).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC)

    # Here, because the other commands of the log ask nobody: Twilio's client takes half a command's start.
    import httpx

    from callserver.adapters.twilio import call_list

    async def ask() -> "list[CarrierCall]":
        async with httpx.AsyncClient() as http:
            return await call_list.outbound_calls(settings, http, first.date(), last.date())

    return asyncio.run(ask()), (first, min(last + timedelta(days=1), now - leeway))
