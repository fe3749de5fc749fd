"""`callserver rules`: shows the rules in force and the proposals; decisions are made on the page.

There is no approval by command: one person could then propose and approve.
"""

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from callserver import texts
from callserver.adapters.config_folder import ConfigFolder
from callserver.cli import resources
from callserver.database import accounts, revisions
from callserver.database.engines import reading
from callserver.database.revisions import Proposal, Texts
from callserver.domain.loosening import looser
from callserver.engine.rules import in_force
from callserver.engine.rules.beginning import beginning
from callserver.errors import ConfigurationProblem, NotFound
from callserver.ports import Tx

Language = Annotated[str, typer.Option(help="da or en", callback=resources.known_language)]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help="Which rules are in force, and which wait for a second person.", no_args_is_help=True
    )
    group.command("list")(listing)
    group.command("show")(show)
    group.command("diff")(diff)
    group.command("history")(history)
    app.add_typer(group, name="rules")


def listing() -> None:
    """List the revision in force, and every proposal.

    Example: callserver rules list
    """
    table = Table("proposal", "at", "by", "state", "files", "looser rules", "why", "ethics")
    with resources.database() as engine, reading(engine) as connection, connection.begin():
        stored = revisions.in_force(connection)
        names = {user.id: user.handle for user in accounts.every(connection)}
        for row in revisions.newest_proposals(connection):
            by = "files" if row.by is None else names.get(row.by, "?")
            at = row.at.isoformat(timespec="minutes")
            files = ", ".join(row.changed)
            table.add_row(
                str(row.id), at, by, row.state, files, str(len(row.looser)), row.why, row.ethics
            )
    if stored is None:
        print("no revision is in force yet: the first server puts the folder's into force")
        return
    print(f"in force: {stored.hash} since {stored.at.isoformat(timespec='minutes')}")
    if table.row_count:
        Console().print(table)


def show(
    path: Annotated[str | None, typer.Argument(help="like policies/dk.yaml; all names")] = None,
) -> None:
    """Show a file as it is in force, even if the folder has changed.

    Example: callserver rules show policies/dk.yaml
    """
    with resources.database() as engine, reading(engine) as connection, connection.begin():
        files = _in_force(connection)
    if path is None:
        print("\n".join(files))
    elif path in files:
        print(files[path], end="")
    else:
        raise NotFound(f"there is no file {path!r} in force")


def diff(
    proposal: Annotated[
        int | None, typer.Argument(help="its number; without it, the folder")
    ] = None,
    language: Language = "en",
) -> None:
    """Show what a proposal, or the folder, would change, and which rules would become looser.

    Example: callserver rules diff
    """
    settings = resources.settings()
    folder = ConfigFolder(settings.config)
    with resources.database(settings) as engine, reading(engine) as connection, connection.begin():
        was = _in_force(connection)
        base = beginning(connection, folder)
        row = None if proposal is None else revisions.proposal(connection, proposal)
    if proposal is None:
        configuration, would = folder.read()
        if folder.review() is None:
            print("change.yaml beside the files lacks why and ethics: they do not take effect")
    elif row is None:
        raise NotFound(f"there is no proposal {proposal}")
    else:
        composed = folder.compose(row.texts)
        if isinstance(composed, list):
            raise ConfigurationProblem("\n".join(map(str, composed)))
        configuration, would = composed, dict(row.texts)
    for line in _lines(was, would):
        print(line)
    for rule in looser(base, configuration):
        sentence = texts.say(language, rule.text)
        print(f"looser: {rule.file}: {rule.key}: {rule.was} -> {rule.would}: {sentence}")


def history() -> None:
    """Write every change of the rules as JSON: who, why, its ethical note, what was decided.

    Example: callserver rules history > rules-history.json
    """
    with resources.database() as engine, reading(engine) as connection, connection.begin():
        names = {user.id: user.handle for user in accounts.every(connection)}
        changes = [_change(row, names) for row in revisions.history(connection)]
    print(json.dumps(changes, ensure_ascii=False, indent=2))


def _change(row: Proposal, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "id": row.id,
        "at": row.at.isoformat(),
        "by": "files" if row.by is None else names.get(row.by, "?"),
        "why": row.why,
        "ethics": row.ethics,
        "state": row.state,
        "base": row.base,
        "revision": row.revision,
        "changed": list(row.changed),
        "looser": list(row.looser),
        "decided_at": None if row.decided_at is None else row.decided_at.isoformat(),
        "decided_by": None if row.decided_by is None else names.get(row.decided_by, "?"),
        "answer": row.answer,
    }


def _in_force(connection: Tx) -> Texts:
    stored = revisions.in_force(connection)
    if stored is None or stored.texts is None:
        raise NotFound("no revision is in force yet: the first server puts the folder's into force")
    return stored.texts


def _lines(was: Texts, would: Texts) -> Iterator[str]:
    for path in in_force.changed(was, would):
        before, after = (texts.get(path, "").splitlines() for texts in (was, would))
        yield from difflib.unified_diff(before, after, path, path, lineterm="")
