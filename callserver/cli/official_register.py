"""`callserver register`: the official file of names and addresses, and people who are unsure."""

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from callserver.cli import resources
from callserver.cli.acting_user import BY_COMMAND, InWords
from callserver.cli.counting import counted
from callserver.database.engines import reading
from callserver.domain import robinson
from callserver.domain.register_match import Match
from callserver.engine.suppressions import official_register, register_review
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


def load(
    file: Path, name: str, issued: datetime | None, *, smaller: bool, older: bool, by: str
) -> bool:
    """Load the file and print the result; returns whether every record could be read."""
    settings = resources.settings()
    with (
        resources.progress("records", file.stat().st_size // RECORD_BYTES) as done,
        resources.database(settings) as engine,
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
            resources.rules(engine, settings).current,
            by=by,
            smaller=smaller,
            older=older,
            progress=lambda count, of, what: done(count),  # noqa: ARG005
        )
    content, results = loaded.content, loaded.results
    typer.echo(
        f"{name}: version {loaded.version}, {counted(content.records, 'name and address', 'names and addresses')},"
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
            f"ERROR: {counted(content.refused, 'record')} cannot be read; the people in them are not protected by"
            f" the register: lines {lines_of}{more}",
            file=sys.stderr,
        )
    return not content.refused


def unsure(
    most: Annotated[int, typer.Option(help="how many are shown", min=1, max=500)] = 50,
    by: InWords = BY_COMMAND,
) -> None:
    """List people who may be on a register of names and addresses, beside its entries.

    One line of JSON for each. The log records that they were looked at.

    Example: callserver register unsure
    """
    settings = resources.settings()
    with resources.database(settings) as engine:
        rules = resources.rules(engine, settings).current
        with reading(engine) as connection:
            review = register_review.to_decide(connection, rules, lambda _: True, most)
        with engine.begin() as tx:
            if review.people:
                register_review.record_look_up(tx, review, by, resources.now(tx))
    for person in review.people:
        print(
            json.dumps(
                {
                    "contact": person.rows[0].contact,
                    "register": person.register,
                    "own": [
                        {"campaign": row.campaign, **row.person._asdict()} for row in person.rows
                    ],
                    "entries": [
                        {
                            "name": candidate.entry.record.name,
                            "address": candidate.entry.record.address,
                            "place": candidate.entry.record.place,
                            "postal": candidate.entry.record.postal,
                            "is_former": candidate.entry.record.is_former,
                        }
                        for candidate in person.candidates
                    ],
                },
                ensure_ascii=False,
            )
        )
    print(
        f"{review.unsure} unsure; {review.incomparable} of those looked at have no whole name, or an initial"
        " and no address: import their list again with name, address and postcode",
        file=sys.stderr,
    )


def decide(
    contact: Annotated[int, typer.Argument(help="which contact")],
    answer: Annotated[str, typer.Argument(help="yes: on the register; no: somebody else")],
    by: InWords = BY_COMMAND,
) -> None:
    """Decide whether a person is on a register of names and addresses; in force at the next dial.

    Example: callserver register decide 17 no
    """
    if answer not in ("yes", "no"):
        raise ConfigurationProblem(f"{answer!r}: should be yes or no")
    settings = resources.settings()
    with resources.database(settings) as engine:
        rules = resources.rules(engine, settings).current
        with engine.begin() as tx:
            register_review.decide(
                tx,
                contact,
                rules,
                lambda _: True,
                resources.now(tx),
                by=by,
                is_listed=answer == "yes",
            )
    print(f"contact {contact}: {'on the register' if answer == 'yes' else 'not on the register'}")
