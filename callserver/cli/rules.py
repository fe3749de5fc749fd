"""`callserver rules`: which rules are in force and what waits. For reading: people decide on the page.

An approval by command would let one person be both, so there is none.
"""

import difflib
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from callserver import texts
from callserver.adapters.config_folder import ConfigFolder
from callserver.cli import resources
from callserver.database import accounts, revisions
from callserver.database.revisions import Texts
from callserver.database.store import reading
from callserver.domain.loosening import looser
from callserver.engine.rules import in_force
from callserver.errors import ConfigurationProblem, NotFound
from callserver.ports import Tx

Language = Annotated[str, typer.Option(help="da or en")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help="Which rules are in force, and which wait for a second person.", no_args_is_help=True
    )
    group.command("list")(listing)
    group.command("show")(show)
    group.command("diff")(diff)
    app.add_typer(group, name="rules")


def listing() -> None:
    """List the revision in force, and every proposal.

    Example: callserver rules list
    """
    table = Table("proposal", "at", "by", "state", "files", "looser rules", "why")
    with resources.database() as engine, reading(engine) as connection, connection.begin():
        kept = revisions.in_force(connection)
        names = {user.id: user.handle for user in accounts.every(connection)}
        for one in revisions.newest_proposals(connection):
            by = "files" if one.by is None else names.get(one.by, "?")
            at = one.at.isoformat(timespec="minutes")
            files = ", ".join(one.changed)
            table.add_row(str(one.id), at, by, one.state, files, str(len(one.looser)), one.why)
    if kept is None:
        print("no revision is in force yet: the first server puts the folder's into force")
        return
    print(f"in force: {kept.hash} since {kept.at.isoformat(timespec='minutes')}")
    if table.row_count:
        Console().print(table)


def show(
    path: Annotated[str | None, typer.Argument(help="like policies/dk.yaml; all names")] = None,
) -> None:
    """Show a file as it is in force, whatever the folder holds.

    Example: callserver rules show policies/dk.yaml
    """
    with resources.database() as engine, reading(engine) as connection, connection.begin():
        found = _in_force(connection)
    if path is None:
        print("\n".join(found))
    elif path in found:
        print(found[path], end="")
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
        base = in_force.beginning(connection, folder)
        one = None if proposal is None else revisions.proposal(connection, proposal)
    if proposal is None:
        found, would = folder.read()
    elif one is None:
        raise NotFound(f"there is no proposal {proposal}")
    else:
        composed = folder.compose(one.texts)
        if isinstance(composed, list):
            raise ConfigurationProblem("\n".join(map(str, composed)))
        found, would = composed, dict(one.texts)
    for line in _lines(was, would):
        print(line)
    for rule in looser(base, found):
        said = texts.say(language, rule.text)
        print(f"looser: {rule.file}: {rule.key}: {rule.was} -> {rule.would}: {said}")


def _in_force(connection: Tx) -> Texts:
    kept = revisions.in_force(connection)
    if kept is None or kept.texts is None:
        raise NotFound("no revision is in force yet: the first server puts the folder's into force")
    return kept.texts


def _lines(was: Texts, would: Texts) -> Iterator[str]:
    for path in in_force.changed(was, would):
        before, after = (texts.get(path, "").splitlines() for texts in (was, would))
        yield from difflib.unified_diff(before, after, path, path, lineterm="")
