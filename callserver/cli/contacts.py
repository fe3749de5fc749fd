"""`callserver import` and `callserver export`: lists in, lists and outcomes out."""

import csv
import sys
from collections import Counter
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from sqlalchemy import select

from callserver import texts
from callserver.adapters.clock import SystemClock
from callserver.cli import opening
from callserver.database import contacts as store
from callserver.database.tables import calls, contacts
from callserver.domain import permit
from callserver.engine import gate
from callserver.engine.gate import Question
from callserver.engine.house import Rules
from callserver.engine.taking_in import Summary, take_in
from callserver.errors import ConfigurationProblem
from callserver.loading import load
from callserver.ports import Tx

FORMULA = ("=", "+", "-", "@", "\t", "\r")


class DryRun(Exception):  # noqa: N818 - rolls the transaction back
    pass


def register(app: typer.Typer) -> None:
    app.command("import")(import_list)
    app.command("export")(export)


def import_list(
    campaign: Annotated[str, typer.Argument(help="which campaign's list")],
    file: Annotated[Path, typer.Argument(help="a CSV file; , or ; UTF-8 or Windows-1252")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="change nothing, say what would")
    ] = False,
    column: Annotated[
        list[str] | None, typer.Option("--map", help="COLUMN=FIELD, like Mobilnr=phone")
    ] = None,
    region: Annotated[str, typer.Option(help="country of numbers without a code")] = "DK",
    refused: Annotated[Path | None, typer.Option(help="where refused rows go")] = None,
) -> None:
    """Take a list in. Rows that cannot be read go to FILE.refused.csv, to be mended and imported again.

    Example: callserver import kanvas members.csv --dry-run
    """
    settings = opening.settings()
    rules = Rules(load(settings.config))
    chosen = rules.campaign(campaign)
    given = dict(_pair(text) for text in column or ())
    if not file.exists():
        raise ConfigurationProblem(f"there is no file {file}")
    raw = file.read_bytes()
    console = Console(stderr=True)
    callable_now: Counter[str] | None = None
    summary: Summary | None = None
    total = raw.count(b"\n")
    with opening.database(settings) as engine, Progress(console=console) as progress:
        bar = progress.add_task("rows", total=total)
        try:
            with engine.begin() as tx:
                summary = take_in(
                    tx,
                    chosen,
                    raw,
                    SystemClock().now(),
                    given=given,
                    region=region,
                    progress=lambda done: progress.update(bar, completed=done),
                )
                progress.update(bar, completed=total)
                if dry_run:
                    callable_now = _ask(tx, rules, settings.key.encode(), campaign, progress)
                    raise DryRun
        except DryRun:
            pass
    if summary is not None:
        _say(summary, callable_now, dry_run=dry_run)
        if summary.refused:
            where = refused or file.with_name(file.name + ".refused.csv")
            _write_refused(where, summary)
            print(f"refused rows: {where}")


def _pair(text: str) -> tuple[str, str]:
    column, separator, field = text.partition("=")
    if not separator:
        raise ConfigurationProblem(f"--map {text!r}: should be like Mobilnr=phone")
    return column, field


def _ask(tx: Tx, rules: Rules, secret: bytes, campaign: str, progress: Progress) -> Counter[str]:
    """The gate's answer for every contact of the list, now: by first reason, or allowed."""
    chosen = rules.campaign(campaign)
    keys = tx.execute(select(contacts.c.id).where(contacts.c.campaign == campaign)).scalars().all()
    bar = progress.add_task("gate", total=len(keys))
    found: Counter[str] = Counter()
    now = SystemClock().now()
    for key in keys:
        contact = store.get(tx, key)
        if contact is not None:
            question = Question(contact, chosen, "explain", None, now)
            answer = permit.decide(gate.collect(tx, rules, secret, question), "dry-run")
            found[answer.reasons[0].value if isinstance(answer, permit.Refusal) else ""] += 1
        progress.advance(bar)
    return found


def _say(summary: Summary, callable_now: Counter[str] | None, *, dry_run: bool) -> None:
    table = Table("", "rows", title="dry run: nothing was changed" if dry_run else None)
    for key, count in summary.counts().items():
        table.add_row(key, str(count))
    for reason, count in summary.reasons().most_common():
        table.add_row(f"  refused: {reason}", str(count))
    if callable_now is not None:
        table.add_row("callable now", str(callable_now.pop("", 0)))
        for reason, count in callable_now.most_common():
            table.add_row(f"  not: {texts.say('en', f'reason.{reason}')}", str(count))
    Console().print(table)


def _write_refused(where: Path, summary: Summary) -> None:
    with where.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*summary.header, "line", "column", "reason"])
        for one in summary.refused:
            padded = [*one.cells, *[""] * (len(summary.header) - len(one.cells))]
            writer.writerow([*padded, one.line, one.column, one.reason])


def _safe(value: Any) -> Any:
    """A cell that a spreadsheet will not run as a formula."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    text = "" if value is None else value
    return f"'{text}" if isinstance(text, str) and text.startswith(FORMULA) else text


def export(
    what: Annotated[str, typer.Argument(help="contacts or outcomes")],
    campaign: Annotated[str, typer.Argument(help="which campaign")],
    file: Annotated[Path | None, typer.Argument(help="where to; the terminal")] = None,
) -> None:
    """Give a campaign's list, or its calls and outcomes, back as CSV (UTF-8).

    Numbers are written without their plus (4532123456): a plus would be a formula to a spreadsheet.
    """
    if what == "contacts":
        query = (
            select(
                *[
                    contacts.c[name]
                    for name in [
                        "id",
                        "ref",
                        "name",
                        "number",
                        "status",
                        "reason",
                        "next_at",
                        "tries",
                    ]
                ],
                *[contacts.c[name] for name in ["member", "last_gift", "ended", "source"]],
            )
            .where(contacts.c.campaign == campaign)
            .order_by(contacts.c.id)
        )
    elif what == "outcomes":
        query = (
            select(
                *[
                    calls.c[name]
                    for name in ["attempt", "contact", "number", "path", "permit_at", "answered_at"]
                ],
                *[
                    calls.c[name]
                    for name in ["ended_at", "cause", "outcome", "outcome_at", "details", "note"]
                ],
            )
            .where(calls.c.campaign == campaign)
            .order_by(calls.c.permit_at)
        )
    else:
        raise ConfigurationProblem(f"export {what!r}: should be contacts or outcomes")
    target: Any = (
        nullcontext(sys.stdout) if file is None else file.open("w", newline="", encoding="utf-8")
    )
    with opening.database() as engine, engine.connect() as connection, target as out:
        rows = connection.execute(query)
        writer = csv.writer(out)
        writer.writerow(rows.keys())
        writer.writerows([_safe(value) for value in row] for row in rows)
