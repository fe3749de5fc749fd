"""`callserver consents`: a file of consents, given or taken back."""

from pathlib import Path
from typing import Annotated

import typer

from callserver import texts
from callserver.cli import resources
from callserver.cli.acting_user import BY_COMMAND, InWords
from callserver.cli.contacts import read
from callserver.cli.counting import counted
from callserver.cli.refused_rows import keep
from callserver.database.engines import reading
from callserver.database.side_connection import one_part
from callserver.engine.lists import consent_files
from callserver.engine.lists.refused_rows import as_file


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Import consents: given, or taken back.", no_args_is_help=True)
    group.command("import")(import_consents)
    app.add_typer(group, name="consents")


def import_consents(
    file: Annotated[Path, typer.Argument(help="a CSV file or a spreadsheet")],
    region: Annotated[str, typer.Option(help="country of numbers without a code")] = "DK",
    by: InWords = BY_COMMAND,
) -> None:
    """Record consents from a file with columns for the number, the date and the event.

    The event is "given" or "revoked" (givet, trukket tilbage, ja, nej). A reference or a name says who is
    meant where several people have one number; "proof" says where the proof is kept. A consent that would
    end an opt-out is refused: lift the opt-out first. Refused rows go to FILE.refused.csv or, where it exists, to a new file. What is taken back is
    recorded first; the same file again records what is missing.

    Example: callserver consents import consents.csv
    """
    raw = read(file)
    with resources.database() as engine:
        with reading(engine) as tx:
            now = resources.now(tx)
        with resources.progress("rows", raw.count(b"\n")) as show:
            result = consent_files.take(
                lambda: one_part(engine), raw, by, now, region, lambda done, _: show(done)
            )
    print(
        f"{counted(result.read, 'row')} read: {result.given} given, {result.revoked} taken back,"
        f" {result.unchanged} unchanged, {len(result.refused)} refused"
    )
    if result.above:
        print(texts.say("en", "import.above", lines=result.above))
    if content := as_file(result, "en"):
        print(texts.say("en", "import.refused_file", file=keep(file, content)))
        raise typer.Exit(1)
