"""`callserver register import` with the official file of names and addresses."""

import sys
from datetime import datetime
from pathlib import Path

import typer

from callserver.cli import resources
from callserver.database.store import reading
from callserver.domain import robinson
from callserver.domain.register_match import Match
from callserver.engine.suppressions import official_register
from callserver.errors import ConfigurationProblem

RECORD_BYTES = 160
"""About the length of a record, for the progress bar."""


def is_official(file: Path) -> bool:
    """Whether the file has the official columns.

    Raises:
        ConfigurationProblem: it cannot be opened.
    """
    try:
        with file.open("rb") as lines:
            return robinson.is_official(lines)
    except OSError as error:
        raise ConfigurationProblem(f"{file}: {error.strerror}") from error


def load(file: Path, name: str, issued: datetime | None, *, smaller: bool, by: str) -> bool:
    """Load it and say what became of it; whether every record could be read."""
    with (
        resources.progress("records", file.stat().st_size // RECORD_BYTES) as done,
        resources.database() as engine,
        file.open("rb") as lines,
    ):
        with reading(engine) as connection:
            now = resources.now(connection)
        loaded = official_register.load(
            engine,
            lines,
            name,
            issued,
            now,
            by=by,
            smaller=smaller,
            progress=lambda count, of, what: done(count),  # noqa: ARG005
        )
    content, results = loaded.content, loaded.results
    typer.echo(
        f"{name}: version {loaded.version}, {content.records} names and addresses,"
        f" {content.refused} refused of {content.read} read"
    )
    counts = ", ".join(
        f"{results.get(result, 0)} {words}"
        for result, words in (
            (Match.YES, "listed"),
            (Match.UNSURE, "unsure (`callserver register unsure`)"),
            (Match.NO, "not listed"),
        )
    )
    typer.echo(f"people of the lists: {counts}")
    if content.refused:
        lines_of = ", ".join(f"{line} ({reason})" for line, reason in content.problems)
        more = ", ..." if content.refused > len(content.problems) else ""
        print(
            f"ERROR: {content.refused} records cannot be read; the people in them are not protected by"
            f" the register: lines {lines_of}{more}",
            file=sys.stderr,
        )
    return not content.refused
