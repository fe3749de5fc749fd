"""`callserver import` and `callserver export`: imports lists, exports lists and outcomes."""

import contextlib
import csv
import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import phonenumbers
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from callserver import texts
from callserver.adapters import spreadsheets
from callserver.cli import refused_rows, resources
from callserver.cli.acting_user import BY_COMMAND, InWords
from callserver.database.engines import reading
from callserver.domain.headings import IGNORE
from callserver.domain.home import day_of
from callserver.engine.lists import dry_run as dry
from callserver.engine.lists import eligibility, importer
from callserver.engine.lists import export as exporting
from callserver.engine.lists.export import What
from callserver.engine.lists.import_order import ImportOrder
from callserver.engine.lists.refused_rows import as_file
from callserver.engine.lists.summary import Summary
from callserver.errors import ConfigurationProblem

MOST_NAMED = 50
"""Line numbers that are printed."""


def register(app: typer.Typer) -> None:
    app.command("import")(import_list)
    app.command("export")(export)


def import_list(
    campaign: Annotated[str, typer.Argument(help="which campaign's list")],
    file: Annotated[Path, typer.Argument(help="a CSV file or a spreadsheet (.xlsx, .xls, .ods)")],
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="change nothing; print what would change, and who may be called"
        ),
    ] = False,
    column: Annotated[
        list[str] | None, typer.Option("--map", help="COLUMN=FIELD, like Mobilnr=phone")
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option("--ignore", help="a column that is not imported")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            help="where the people come from, as phoners say it, if the list has no such column"
        ),
    ] = None,
    namespace: Annotated[
        str | None,
        typer.Option(
            help="the system that references come from, like crm; the campaign's, if it names one"
        ),
    ] = None,
    region: Annotated[str, typer.Option(help="country of numbers without a code")] = "DK",
    refused: Annotated[Path | None, typer.Option(help="the file for refused rows")] = None,
    by: InWords = BY_COMMAND,
    language: Annotated[
        str, typer.Option(help="da or en", callback=resources.known_language)
    ] = "en",
) -> None:
    """Import a list of people into a campaign.

    Rows that cannot be read are written to FILE.refused.csv or, where it exists, to a new file, to be corrected and
    imported again. The whole list is imported, or nothing. A server on the same SQLite file waits meanwhile, about half
    a second per hundred thousand rows, two where everybody has moved: import long lists before the shift. A dry run
    makes no one wait.

    Example: callserver import kanvas members.csv --dry-run
    """
    settings = resources.settings()
    columns = dict(_pair(text) for text in column or ())
    columns |= dict.fromkeys(ignore or (), IGNORE)
    raw = read(file, for_calls=True)
    _check(region, file, refused)
    callable_of: Counter[str] | None = None
    with contextlib.ExitStack() as stack:
        engine = stack.enter_context(resources.database(settings))
        rules = resources.rules(engine, settings)
        with reading(engine) as connection:
            now = resources.now(connection)
        order = ImportOrder(
            rules.campaign(campaign),
            raw,
            columns,
            region=region,
            source=source,
            namespace=namespace,
            file_name=_stem(file),
        )
        bars = stack.enter_context(Progress(console=Console(stderr=True)))
        bar = bars.add_task(texts.say(language, "import.rows"), total=raw.count(b"\n"))

        def progress(done: int, of: int, _: str) -> None:
            bars.update(bar, completed=done, total=of or None)

        staged = stack.enter_context(
            importer.staged_on_side_connection(
                settings.database, order, day_of(now), progress, settings.key.encode()
            )
        )
        summary = staged.summary
        # Before the import, so that no refused row is lost.
        if content := as_file(summary, language):
            if refused is None:
                refused = refused_rows.keep(file, content)
            else:
                refused.write_bytes(content)
        if dry_run:
            callable_of = dry.dry_run(staged, rules, resources.secret(settings), now, progress)
        else:
            importer.import_on_side_connection(
                staged,
                lambda: now,
                rules.current,
                by=by,
                language=language,
                progress=progress,
            )
        summary = staged.summary  # of the last comparison, if another list came in between
        bars.update(bar, total=summary.read, completed=summary.read)
    _say(summary, callable_of, language)
    stated = order.source_at(now)
    if stated is not None and "source" not in summary.heads.columns:
        print(texts.say(language, "import.said_source", source=stated))
    if summary.refused:
        print(texts.say(language, "import.refused_file", file=refused))


def read(file: Path, *, for_calls: bool = False) -> bytes:
    """A file's content, of a spreadsheet as CSV. `for_calls`: its people are to be called.

    Raises:
        ConfigurationProblem: it cannot be read.
    """
    try:
        return spreadsheets.as_csv(file.read_bytes(), for_calls=for_calls)
    except OSError as error:
        raise ConfigurationProblem(f"{file}: {error.strerror}") from error
    except ValueError as error:
        raise ConfigurationProblem(f"{file}: {error}") from error


def _stem(file: Path) -> str:
    """The file's name without its suffix, as somebody named it on a system with another encoding."""
    name = os.fsencode(file.stem)
    try:
        return name.decode()
    except UnicodeDecodeError:
        return name.decode("windows-1252", "replace")


def _check(region: str, file: Path, refused: Path | None) -> None:
    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise ConfigurationProblem(f"--region {region!r}: should be a country's code like DK")
    if refused is not None and refused.resolve() == file.resolve():
        raise ConfigurationProblem("--refused: should be another file than the list itself")


def _pair(text: str) -> tuple[str, str]:
    column, separator, field = text.partition("=")
    if not separator:
        raise ConfigurationProblem(f"--map {text!r}: should be like Mobilnr=phone")
    return column, field


Say = Callable[..., str]
"""A text's key and its values -> the text in the language asked for."""


def _say(summary: Summary, callable_of: Counter[str] | None, language: str) -> None:
    def say(key: str, **values: Any) -> str:
        return texts.say(language, key, **values)

    title = None if callable_of is None else say("import.dry_run")
    table = Table("", say("import.rows"), title=title)
    table.columns[1].justify = "right"
    for name, count in _rows(summary, say):
        table.add_row(name, str(count))
    if callable_of is not None:
        table.add_section()
        table.add_row(say("import.ready"), str(callable_of.total()))
        table.add_row(say("import.callable"), str(callable_of.pop(eligibility.ALLOWED, 0)))
        for reason, count in callable_of.most_common():
            table.add_row("  " + say(f"reason.{reason}"), str(count))
    print(*_notes(summary, say), sep="\n")
    Console().print(table)
    for key, lines in (
        ("unrecognised", sorted(summary.unrecognised)),
        ("unclear", summary.unclear),
        ("no_keys", sorted(summary.no_keys)),
        ("no_homes", sorted(summary.no_homes)),
    ):
        if lines:
            named = ", ".join(map(str, lines[:MOST_NAMED]))
            print(say(f"import.{key}", count=len(lines), lines=named))


def _rows(summary: Summary, say: Say) -> Iterator[tuple[str, int]]:
    """The figures: rows taken and refused, the reasons, what changes, and who is missing."""
    for key, count in summary.counts().items():
        yield say(f"import.{key}"), count
        if key == "changed":
            for name, changed in summary.changes.most_common():
                yield "  " + say(f"lists.field.{name}"), changed
        if key == "refused":
            for reason, rows in summary.reasons().most_common():
                yield "  " + say(f"refused.{reason}"), rows
    if summary.consents:
        yield say("import.consents"), summary.consents
    if summary.set_aside:
        yield say("import.set_aside"), summary.set_aside
    if summary.missing:
        yield say("import.missing"), summary.missing
    for campaign, count in summary.elsewhere.items():
        yield say("import.elsewhere", campaign=campaign), count


def _notes(summary: Summary, say: Say) -> Iterator[str]:
    """How the file was read."""
    columns = ", ".join(f"{heading} = {field}" for heading, field in summary.columns())
    yield say("import.columns", columns=columns)
    others = summary.other_phones()
    if others:
        yield say("import.other_phones", columns=", ".join(others))
    if unread := [heading for heading in summary.unread() if heading not in others]:
        yield say("lists.unread", columns=", ".join(unread))
    if summary.row_numbers:
        yield say("import.row_numbers", column=summary.row_numbers)
    if summary.above:
        yield say("import.above", lines=summary.above)
    if summary.encoding is not None:
        yield say("import.encoding", encoding=summary.encoding)


def export(
    what: Annotated[What, typer.Argument(help="contacts or outcomes")],
    campaign: Annotated[str, typer.Argument(help="which campaign")],
    file: Annotated[Path | None, typer.Argument(help="the file; by default the terminal")] = None,
    bom: Annotated[
        bool, typer.Option("--bom", help="begin with a byte order mark, for Excel")
    ] = False,
    separator: Annotated[str, typer.Option(help=", or ;")] = ",",
    by: InWords = BY_COMMAND,
) -> None:
    """Give a campaign's list, or its calls and outcomes, back as CSV.

    Numbers are written like 004532123456, and a text that begins like a formula gets an apostrophe, so
    that a spreadsheet runs nothing. The export is logged.

    Example: callserver export outcomes kanvas
    """
    settings = resources.settings()
    if separator not in (",", ";"):
        raise ConfigurationProblem(f"--separator {separator!r}: should be , or ;")
    encoding = "utf-8-sig" if bom else "utf-8"
    with resources.database(settings) as engine:
        resources.rules(engine, settings).campaign(campaign)
        with contextlib.ExitStack() as stack:
            out: Any = resources.data_output()
            if file is not None:  # first, because the log says that a copy was made
                out = stack.enter_context(file.open("w", newline="", encoding=encoding))
            with engine.begin() as tx:
                exporting.record(tx, what, campaign, by, resources.now(tx))
            if file is None and bom:
                out.write("\ufeff")
            connection = stack.enter_context(reading(engine))
            rows = exporting.rows(connection, what, campaign)
            csv.writer(out, delimiter=separator).writerows(rows)
