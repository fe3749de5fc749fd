"""`callserver suppress` and `callserver register`: who said no, to us or to a public register."""

import csv
import io
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from callserver.adapters.clock import SystemClock
from callserver.cli import opening
from callserver.database import audit, contacts, suppressions
from callserver.database.tables import suppressions as table
from callserver.domain import phone, subject
from callserver.domain.audit import Kind
from callserver.domain.facts import Purpose, Scope
from callserver.engine import no_lists
from callserver.errors import ConfigurationProblem
from callserver.settings import instant


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Who must not be rung.", no_args_is_help=True)
    group.command("add")(add)
    group.command("lift")(lift)
    group.command("import")(import_list)
    group.command("list")(listing)
    app.add_typer(group, name="suppress")
    lists = typer.Typer(help="Public do-not-call registers.", no_args_is_help=True)
    lists.command("import")(import_register)
    app.add_typer(lists, name="register")


def _number(raw: str) -> int:
    found = phone.parse(raw)
    if isinstance(found, phone.NumberProblem):
        raise ConfigurationProblem(f"this is no telephone number: {found.value}")
    return phone.to_int(found)


def add(
    numbers: Annotated[list[str], typer.Argument(help="telephone numbers")],
    scope: Annotated[Scope, typer.Option(help="how far it reaches")] = Scope.NUMBER,
    purpose: Annotated[Purpose | None, typer.Option(help="with --scope org: only this")] = None,
    by: Annotated[str, typer.Option(help="who asked us to write it down")] = "command",
) -> None:
    """Never ring these again; a telephone that rings now is silenced.

    --scope person or household reaches everyone we know at the number, under all their numbers.
    """
    settings = opening.settings()
    now = SystemClock().now()
    parsed = [_number(raw) for raw in numbers]
    with opening.database(settings) as engine, engine.begin() as tx:
        for number in parsed:
            known = contacts.by_number(tx, number)
            match scope:
                case Scope.NUMBER:
                    subjects = {subject.of_number(number)}
                case Scope.HASH:
                    subjects = {subject.of_hash(number, settings.key.encode())}
                case Scope.HOUSEHOLD:
                    subjects = {subject.of_household(one.household) for one in known}
                case _:
                    subjects = {subject.of_person(one.person) for one in known}
            if not subjects:
                raise ConfigurationProblem("nobody is known at this number; use --scope number")
            for about in sorted(subjects):
                key = suppressions.add(tx, about, scope, now, by, purpose=purpose)
                suppressions.want_stopped(tx, (about,))
                audit.append(tx, now, Kind.SUPPRESSED, scope=scope.value, suppression=key, by=by)
    print(f"{len(parsed)} suppressed")


def lift(
    number: Annotated[str, typer.Argument(help="the telephone number")],
    why: Annotated[str, typer.Option(help="why, in a few words (kept in the log)")],
    by: Annotated[str, typer.Option(help="who decided")] = "command",
) -> None:
    """End the suppressions of a number and of whoever we know there. They stay on record."""
    now = SystemClock().now()
    key = _number(number)
    lifted = 0
    with opening.database() as engine, engine.begin() as tx:
        subjects = [subject.of_number(key)]
        subjects += [subject.of_person(one.person) for one in contacts.by_number(tx, key)]
        query = select(table.c.id).where(table.c.subject.in_(subjects), table.c.lifted_at.is_(None))
        for entry in tx.execute(query).scalars().all():
            lifted += suppressions.lift(tx, entry, now)
            audit.append(tx, now, Kind.LIFTED, suppression=entry, by=by, why=why[:200])
    print(f"{lifted} lifted")


def import_list(
    file: Annotated[Path, typer.Argument(help="one number a line, or a CSV with such a column")],
    name: Annotated[str, typer.Option("--list", help="the list's name")] = "import",
    by: Annotated[str, typer.Option(help="who brought it")] = "command",
) -> None:
    """Suppress every number of a file. The same file twice changes nothing."""
    numbers, bad = _numbers(file)
    with opening.database() as engine, engine.begin() as tx:
        added = no_lists.add_numbers(tx, numbers, name, by, SystemClock().now())
    print(f"{added} suppressed, {len(numbers) - added} unchanged, {len(bad)} refused")
    _refused(file, bad)


def listing(
    name: Annotated[str | None, typer.Option("--list", help="only this list")] = None,
    plain: Annotated[bool, typer.Option(help="show whole numbers")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False,
    most: Annotated[int, typer.Option(help="rows at the most")] = 1000,
) -> None:
    """Who must not be rung; numbers masked."""
    query = select(table).order_by(table.c.id.desc()).limit(most)
    if name is not None:
        query = query.where(table.c.list == name)
    shown = Table("id", "subject", "scope", "purpose", "since", "lifted", "by", "list")
    with opening.database() as engine, engine.connect() as connection:
        for row in connection.execute(query):
            about = row.subject if plain else f"{row.subject[:-4]}••{row.subject[-2:]}"
            if not plain and row.subject.startswith("number:"):
                about = "number:" + phone.masked(row.subject)
            since = row.at.isoformat()
            lifted = "" if row.lifted_at is None else row.lifted_at.isoformat()
            cells = (str(row.id), about, row.scope, row.purpose or "", since, lifted, row.by)
            if as_json:
                print(json.dumps(dict(zip(shown_names(), (*cells, row.list or ""), strict=True))))
            shown.add_row(*cells, row.list or "")
    if not as_json:
        Console().print(shown)


def shown_names() -> tuple[str, ...]:
    return ("id", "subject", "scope", "purpose", "at", "lifted_at", "by", "list")


def import_register(
    file: Annotated[Path, typer.Argument(help="one number a line, or a CSV with such a column")],
    name: Annotated[str, typer.Option(help="the register's name")] = "robinson",
    washed_at: Annotated[str | None, typer.Option(help="when it was issued (ISO); now")] = None,
) -> None:
    """Load a register's newest issue; it takes effect all at once, in place of the one before."""
    numbers, bad = _numbers(file)
    now = SystemClock().now()
    at = now if washed_at is None else instant("--washed-at", washed_at)
    with opening.database() as engine:
        version = no_lists.load_register(engine, numbers, name, at, now)
    print(f"{name}: version {version}, {len(numbers)} numbers, {len(bad)} refused")
    _refused(file, bad)


def _numbers(file: Path) -> tuple[list[int], list[tuple[int, str]]]:
    """The file's numbers, and the lines that hold none."""
    if not file.exists():
        raise ConfigurationProblem(f"there is no file {file}")
    content = _decoded(file.read_bytes())
    first = content.partition("\n")[0]
    rows = csv.reader(io.StringIO(content), delimiter=max(";,", key=first.count))
    numbers: dict[int, None] = {}
    bad: list[tuple[int, str]] = []
    at: int | None = None
    for cells in rows:
        if not cells:
            continue
        if at is None:
            header = [cell.strip().lower() for cell in cells]
            names = ("phone", "telefon", "tlf", "number", "nummer", "mobil")
            at = next((header.index(one) for one in names if one in header), -1)
            if at >= 0:
                continue
            at = 0
        found = phone.parse(cells[at]) if at < len(cells) else phone.NumberProblem.EMPTY
        if isinstance(found, phone.NumberProblem):
            bad.append((rows.line_num, found.value))
        else:
            numbers[phone.to_int(found)] = None
    return list(numbers), bad


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("windows-1252", errors="replace")


def _refused(file: Path, bad: list[tuple[int, str]]) -> None:
    if bad:
        where = file.with_name(file.name + ".refused.csv")
        with where.open("w", newline="", encoding="utf-8") as out:
            csv.writer(out).writerows([("line", "reason"), *bad])
        print(f"refused lines: {where}")
