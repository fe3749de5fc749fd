"""`callserver suppress`: opt-outs."""

import contextlib
import csv
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, TextIO

import typer
from rich.console import Console
from rich.table import Table

from callserver import texts
from callserver.cli import refused_rows, registers, resources
from callserver.cli.acting_user import BY_COMMAND, InWords, Why, user_named
from callserver.cli.contacts import read
from callserver.cli.counting import counted
from callserver.database import contacts, suppressions
from callserver.database.engines import reading
from callserver.domain import phone
from callserver.domain.case import Source
from callserver.domain.case_rules import CaseKind
from callserver.domain.facts import Purpose, Scope
from callserver.engine.cases import intake
from callserver.engine.cases.intake import CaseRequest
from callserver.engine.identity import known_at
from callserver.engine.identity.known_at import Someone
from callserver.engine.lists import number_files
from callserver.engine.suppressions import lifting, opt_out_export, opt_out_files, opt_outs
from callserver.engine.suppressions.lifting import Channel
from callserver.engine.suppressions.opt_outs import Origin, ReceivedBy
from callserver.errors import ConfigurationProblem, NotFound
from callserver.ports import Tx

MOST_NAMED = 50
"""Line numbers in an error; the file of refused rows has all."""

COLUMNS = ("id", "subject", "scope", "purpose", "at", "lifted_at", "by", "list")


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Opt-outs: who must not be called.", no_args_is_help=True)
    group.command("add")(add)
    group.command("lift")(lift)
    group.command("import")(import_list)
    group.command("list")(listing)
    group.command("export")(export)
    app.add_typer(group, name="suppress")
    registers.register(app)


def add(
    numbers: Annotated[list[str] | None, typer.Argument(help="telephone numbers")] = None,
    contact: Annotated[
        list[int] | None,
        typer.Option(help="contact ids instead, as `callserver explain` prints them"),
    ] = None,
    scope: Annotated[
        Scope,
        typer.Option(
            help="number: this number only; person: the people known there, on every number; household; complaint;"
            " org: the person, one purpose only; hash: the number of somebody who was erased"
        ),
    ] = Scope.NUMBER,
    purpose: Annotated[Purpose | None, typer.Option(help="with --scope org: only this")] = None,
    received_by: Annotated[ReceivedBy | None, typer.Option(help="how the person told us")] = None,
    by: InWords = BY_COMMAND,
) -> None:
    """Never call these numbers again; a telephone that is ringing is silenced.

    Without --scope it is about the numbers alone; a person who wants no calls at all needs --scope person.
    The scopes person, household and complaint cover everyone known at the number, now or formerly, under
    all their numbers. All of it is written, or nothing. A complaint is also a case of the project leader.

    Example: callserver suppress add 32123456 --scope person
    """
    settings = resources.settings()
    secret = settings.key.encode()
    parsed = [resources.phone_number(raw) for raw in numbers or ()]
    if not parsed and not contact:
        raise ConfigurationProblem("name telephone numbers, or contacts with --contact")
    if scope is Scope.HASH and not secret:
        raise ConfigurationProblem("CALLSERVER_KEY is not set: its hashes would protect nobody")
    ids: list[int] = []
    with resources.database(settings) as engine:
        deadlines = resources.rules(engine, settings) if scope is Scope.COMPLAINT else None
        with engine.begin() as tx:
            now = resources.now(tx)
            about: list[tuple[int | None, list[Someone]]] = [
                (number, known_at.everybody(tx, number)) for number in parsed
            ]
            for key in contact or ():
                row = contacts.get(tx, key)
                if row is None:
                    raise NotFound(f"there is no contact {key}")
                about.append((None, [row]))
            for number, people in about:
                if deadlines is not None:
                    request = CaseRequest(
                        kind=CaseKind.COMPLAINT,
                        source=Source(received_by or ReceivedBy.OTHER),
                        by=by,
                        at=now,
                        number=number,
                        people=people,
                        scopes=(scope,),
                        purpose=purpose,
                    )
                    case = intake.open_case(tx, request, deadlines.current.cases, secret)
                    ids += [entry.id for entry in suppressions.of_group(tx, case.opt_out or "")]
                else:
                    origin = Origin(by=by, at=now, received_by=received_by)
                    ids += opt_outs.add(
                        tx, [scope], number, people, secret, origin, purpose=purpose
                    )
    print(f"{len(ids)} suppressed: {', '.join(map(str, ids))}")


def lift(
    why: Why,
    by: Annotated[str, typer.Option(help="the user who proposes it, by user name")],
    asked_on: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="the person's request")],
    channel: Annotated[Channel, typer.Option(help="how the person asked")],
    number: Annotated[str | None, typer.Argument(help="the telephone number")] = None,
    key: Annotated[int | None, typer.Option("--id", help="one suppression instead")] = None,
) -> None:
    """Propose to end the suppressions of a number and of the people known there.

    They must have asked for it since. A second colleague with the right approves it on the page or by
    the API: never the account that proposes. All suppressions of one opt-out end together and stay
    stored. Those of a complaint, a household and an erased person need --id: their ids are printed.

    Example: callserver suppress lift 32123456 --why 'wants calls' --by mads --asked-on 2026-05-01 --channel letter
    """
    if (number is None) == (key is None):
        raise ConfigurationProblem("name a telephone number, or one suppression with --id")
    settings = resources.settings()
    with resources.database(settings) as engine, engine.begin() as tx:
        now = resources.now(tx)
        user = user_named(tx, by)
        if key is not None:
            ids, left, known = [key], [], []
        else:
            parsed = resources.phone_number(number or "")
            known = contacts.by_number(tx, parsed)
            in_force = opt_outs.in_force_at(tx, parsed, resources.secret(settings))
            left = [row for row in in_force if row[1] in opt_outs.NOT_LIFTED_BY_NUMBER]
            ids = [row for row, scope in in_force if scope not in opt_outs.NOT_LIFTED_BY_NUMBER]
        proposal = lifting.propose(
            tx,
            ids,
            user,
            asked_on=asked_on.date(),
            channel=channel,
            why=opt_outs.check_why(why, known),
            now=now,
        )
        left = [row for row in left if row[0] not in proposal.suppressions]
    print(
        f"proposal {proposal.id}: {len(proposal.suppressions)} to be lifted; a second colleague approves it"
    )
    for suppression, left_scope in left:
        print(f"not part of it: {suppression} ({left_scope})")


def import_list(
    file: Annotated[
        Path,
        typer.Argument(help="one number per line, or a CSV file or spreadsheet with such a column"),
    ],
    name: Annotated[
        str, typer.Option("--list", help="the list's name", callback=resources.words_for_log)
    ] = "import",
    column: Annotated[str | None, typer.Option(help="the column that holds the numbers")] = None,
    by: InWords = BY_COMMAND,
) -> None:
    """Suppress every number that a file certainly contains. The same file twice changes nothing.

    Where a row has a name too, and somebody with this name is known at the number, now or formerly, or under the
    row's reference, it is the person who is suppressed, under all their numbers.

    Servers go on dialing meanwhile. An import that breaks off protects the numbers it has written; the
    same file again completes it.

    Several numbers in a cell, words beside a number and extensions are understood. If a row cannot be
    read completely, every other number is still suppressed, the rows are listed, and the command ends
    with an error (1).

    Example: callserver suppress import opt-outs.csv
    """
    raw = read(file)
    with resources.progress("rows", raw.count(b"\n")) as done:
        content = number_files.read(raw, column=column, generous=True, progress=done)
    with (
        resources.progress("suppressions", len(content.numbers)) as done,
        resources.database() as engine,
    ):

        def start(tx: Tx) -> Origin:
            return Origin(by=by, at=resources.now(tx))

        added = opt_out_files.load(engine, content.numbers, name, start, done, content.named)
    print(
        f"{added.numbers} suppressed, {len(content.numbers) - added.numbers} unchanged,"
        f" {counted(content.duplicates, 'duplicate')}, {counted(content.read, 'row')} read"
    )
    if added.people:
        print(f"people whom rows name, suppressed under all their numbers: {added.people}")
    if content.above:
        print(texts.say("en", "import.above", lines=content.above))
    if content.encoding is not None:
        print(texts.say("en", "import.encoding", encoding=content.encoding))
    refused_rows.write(file, content)
    if content.refused:
        lines = ", ".join(str(row.line) for row in content.refused[:MOST_NAMED])
        more = ", …" if len(content.refused) > MOST_NAMED else ""
        print(
            f"ERROR: {counted(len(content.refused), 'row holds', 'rows hold')} something that could not be read, so that somebody"
            f" who said no may still be called: lines {lines}{more}",
            file=sys.stderr,
        )
        if content.unrecognised:
            said = texts.say("en", "suppressions.unrecognised", count=content.unrecognised)
            print(f"ERROR: {said}", file=sys.stderr)
        raise typer.Exit(1)


def listing(
    name: Annotated[str | None, typer.Option("--list", help="only this list")] = None,
    plain: Annotated[bool, typer.Option("--plain", help="show whole numbers")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one object per line, all rows")] = False,
    most: Annotated[int, typer.Option(help="at most this many rows, newest first")] = 1000,
) -> None:
    """List who must not be called; numbers are masked.

    Example: callserver suppress list
    """
    table = Table(*COLUMNS)
    more = False
    with resources.database() as engine, reading(engine) as connection:
        for position, row in enumerate(suppressions.newest_first(connection, name)):
            if not as_json and position >= most:
                more = True
                break
            values = {column: getattr(row, column) for column in COLUMNS}
            values["subject"] = row.subject if plain else _masked(row.subject)
            values["at"] = row.at.isoformat()
            values["lifted_at"] = None if row.lifted_at is None else row.lifted_at.isoformat()
            if as_json:
                print(json.dumps(values))
            else:
                table.add_row(*("" if cell is None else str(cell) for cell in values.values()))
    if not as_json:
        Console().print(table)
    if more:
        print(f"there are more than {most}; --most shows them", file=sys.stderr)


def export(
    file: Annotated[Path | None, typer.Argument(help="where to; the terminal")] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], help="only what was recorded or lifted from this day on"
        ),
    ] = None,
    bom: Annotated[
        bool, typer.Option("--bom", help="begin with a byte order mark, for Excel")
    ] = False,
    separator: Annotated[str, typer.Option(help=", or ;")] = ",",
    language: Annotated[
        str,
        typer.Option(
            help="da or en: of what an opt-out applies to", callback=resources.known_language
        ),
    ] = "da",
    by: InWords = BY_COMMAND,
) -> None:
    """Write the opt-outs in force as CSV for the organisation's own membership system.

    One row for each opt-out and each contact that it names: reference, number, what it applies to, since
    when. With --since also those that were lifted, with the time. The log records that a copy was made.

    Example: callserver suppress export opt-outs.csv --since 2026-11-01
    """
    if separator not in (",", ";"):
        raise ConfigurationProblem(f"--separator {separator!r}: should be , or ;")
    day = None if since is None else since.date()
    with resources.database(any_state=True) as engine, contextlib.ExitStack() as stack:
        encoding = "utf-8-sig" if bom else "utf-8"
        out: TextIO = resources.data_output()
        if file is not None:  # first, because the log says that a copy was made
            out = stack.enter_context(file.open("w", newline="", encoding=encoding))
        with engine.begin() as tx:
            opt_out_export.record(tx, day, by, resources.now(tx))
        if file is None and bom:
            out.write("\ufeff")
        connection = stack.enter_context(reading(engine))
        rows = opt_out_export.rows(connection, day, language)
        csv.writer(out, delimiter=separator).writerows(rows)


def _masked(about: str) -> str:
    kind, _, key = about.partition(":")
    return f"{kind}:{phone.masked(key)}" if kind == "number" else about
