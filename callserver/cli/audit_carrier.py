"""`callserver audit compare`: the carrier's own list of calls against ours."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from callserver.cli import resources
from callserver.database import user_lines
from callserver.database.engines import snapshot
from callserver.domain import carrier_list, phone
from callserver.engine.audit_log import carrier_comparison
from callserver.errors import ConfigurationProblem


def register(group: typer.Typer) -> None:
    group.command()(compare)


def compare(
    file: Annotated[Path, typer.Argument(help="the carrier's list, CSV")],
    zone: Annotated[str, typer.Option(help="of times that name none")] = "Europe/Copenhagen",
    tolerance: Annotated[int, typer.Option(help="seconds by which clocks may differ")] = 120,
    trunk: Annotated[str, typer.Option(help="an exchange's endpoint of the carrier")] = "trunk",
) -> None:
    """Compare the carrier's list of calls with ours.

    Reads Twilio's call log as CSV, or an Asterisk's call detail records (Master.csv). Names calls
    without a permit, and calls of ours that the carrier does not know, within the time of the list. Exit
    code 1 if there is one.

    Example: callserver audit compare twilio-calls.csv
    """
    try:
        ZoneInfo(zone)
        listed = carrier_list.parse(file.read_text("utf-8"), zone, trunk)
    except (OSError, ValueError, ZoneInfoNotFoundError) as error:
        raise ConfigurationProblem(f"{file}: {error}") from None
    with resources.database() as engine, snapshot(engine) as tx:
        colleagues = {
            phone.to_int(parsed)
            for address, _, _ in user_lines.confirmed(tx)
            if isinstance(parsed := phone.parse(address), str)
        }
        result = carrier_comparison.compare(tx, listed, colleagues, timedelta(seconds=tolerance))
    for finding in result.findings:
        print(finding)
    print(
        f"{len(listed)} calls of the carrier: {result.paired} permitted, {result.of_colleagues} to"
        f" colleagues' own telephones, {len(result.without_permit)} without a permit;"
        f" {len(result.not_at_carrier)} of ours that it does not know"
    )
    if result.findings:
        raise typer.Exit(1)
