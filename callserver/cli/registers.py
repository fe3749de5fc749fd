"""`callserver register`: public do-not-call registers, issue by issue."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from callserver import texts
from callserver.cli import official_register, refused_rows, resources
from callserver.cli.acting_user import BY_COMMAND, InWords
from callserver.cli.contacts import read
from callserver.cli.counting import counted
from callserver.database import registers
from callserver.database.engines import reading
from callserver.engine.gate import register_needs
from callserver.engine.lists import number_files
from callserver.engine.suppressions import public_registers
from callserver.settings import instant


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Public do-not-call registers.", no_args_is_help=True)
    group.command("import")(import_register)
    group.command("list")(listing)
    group.command("unsure")(official_register.unsure)
    group.command("decide")(official_register.decide)
    app.add_typer(group, name="register")


def import_register(
    file: Annotated[
        Path,
        typer.Argument(
            help="one number per line, a CSV file or spreadsheet with such a column, or the official file"
            " of Robinsonlisten"
        ),
    ],
    name: Annotated[
        str, typer.Option(help="the register's name", callback=resources.words_for_log)
    ] = "robinson",
    issued_at: Annotated[
        str | None,
        typer.Option(
            "--issued-at",
            "--washed-at",
            help="when it was issued (ISO); by default now, or as the official file says",
        ),
    ] = None,
    column: Annotated[str | None, typer.Option(help="the column that holds the numbers")] = None,
    smaller: Annotated[
        bool, typer.Option("--smaller", help="confirm that it has shrunk by more than half")
    ] = False,
    older: Annotated[
        bool, typer.Option("--older", help="confirm that it is older than the one in force")
    ] = False,
    by: InWords = BY_COMMAND,
) -> None:
    """Load a register's newest issue; it replaces the earlier one in a single step.

    The official file of Robinsonlisten holds names and addresses. It is compared with everybody on the
    lists: listed, not listed or unsure. People who are unsure are not called until a colleague has decided.

    Example: callserver register import robinson.csv --issued-at 2026-05-01T00:00:00+02:00
    """
    issued = None if issued_at is None else instant("--issued-at", issued_at)
    if official_register.is_official(file):
        is_whole = official_register.load(file, name, issued, smaller=smaller, older=older, by=by)
        _print_missing()
        if not is_whole:
            raise typer.Exit(1)
        return
    raw = read(file)
    with resources.progress("rows", raw.count(b"\n")) as done:
        content = number_files.read(raw, column=column, progress=done)
    number_files.check_register(content, file.name)
    settings = resources.settings()
    with (
        resources.progress("numbers", len(content.numbers)) as done,
        resources.database(settings) as engine,
    ):
        with reading(engine) as connection:
            now = resources.now(connection)
        at = issued or now
        version = public_registers.load(
            engine,
            content.numbers,
            name,
            at,
            now,
            resources.rules(engine, settings).current,
            by=by,
            smaller=smaller,
            older=older,
            progress=done,
        )
    print(
        f"{name}: version {version}, {counted(len(content.numbers), 'number')},"
        f" {counted(content.duplicates, 'duplicate')}, {len(content.refused)} refused of {content.read} read"
    )
    if content.above:
        print(texts.say("en", "import.above", lines=content.above))
    refused_rows.write(file, content)
    _print_missing()
    if content.refused:
        print(
            f"ERROR: {counted(len(content.refused), 'row holds', 'rows hold')} something that cannot be read as a number;"
            " nobody is protected by the register under it",
            file=sys.stderr,
        )
        raise typer.Exit(1)


def _print_missing() -> None:
    """Print the registers that the policies in use still lack, for example after an import under another name."""
    settings = resources.settings()
    with resources.database(settings) as engine:
        rules = resources.rules(engine, settings)
        with reading(engine) as connection:
            absent = register_needs.missing(connection, rules.current)
    if absent:
        print(f"still missing for the policies in use: {', '.join(absent)}")


def listing(
    as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False,
) -> None:
    """List the issues that are stored, and which of them are in force.

    Example: callserver register list
    """
    table = Table("register", "version", "issued", "entries", "kind", "in force")
    with resources.database() as engine, reading(engine) as connection:
        for row in registers.every(connection):
            issued = row.washed_at.isoformat()
            if as_json:
                print(
                    json.dumps(
                        {
                            "name": row.name,
                            "version": row.version,
                            "kind": row.kind,
                            "washed_at": issued,
                            "size": row.size,
                            "active": row.active,
                        }
                    )
                )
            in_force = "yes" if row.active else "no"
            table.add_row(row.name, str(row.version), issued, str(row.size), row.kind, in_force)
    if not as_json:
        Console().print(table)
