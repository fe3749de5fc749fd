"""`callserver check` and `callserver schema`: checks the configuration; JSON Schemas for editors."""

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter

from callserver import start_checks
from callserver.adapters import file_modes, yaml_files
from callserver.adapters.book_files import BookFiles
from callserver.cli import resources
from callserver.cli.counting import counted
from callserver.database.side_connection import two_writers_may_fail
from callserver.domain import json_schema
from callserver.domain.campaign import Campaign
from callserver.domain.case_rules import CaseRules
from callserver.domain.configuration import Configuration, Problem, compose
from callserver.domain.organisation import Department, Organisation
from callserver.domain.policy import Policy
from callserver.errors import ConfigurationProblem
from callserver.settings import SIMULATED, Settings

OLD_SQLITE = (
    f"SQLite {sqlite3.sqlite_version} may damage the database when two programs write at the same time"
    " (fixed in 3.51.3). Run one server, and import lists while nobody is calling; or use PostgreSQL."
)


def register(app: typer.Typer) -> None:
    app.command()(check)
    app.command()(schema)


def check(
    folder: Annotated[Path | None, typer.Argument(help="the configuration folder")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False,
    deep: Annotated[
        bool,
        typer.Option("--deep", help="also database, key, folders, clock, certificates, carrier"),
    ] = False,
) -> None:
    """Name every problem of the configuration, with file, line and key.

    Exit code 2 if there are any. `--deep` reads the whole database, writes to the folders, and asks the
    carrier about the account and the numbers that campaigns show; it changes nothing, and may run beside
    a server. Files that other accounts of this machine can read or change, and must not, are
    problems too. Notes are not problems.

    Example: callserver check
    """
    settings = resources.settings()
    notes = [
        *_lacking(settings),
        *([OLD_SQLITE] if two_writers_may_fail(settings.database) else []),
    ]
    path = folder or settings.config
    composed = compose(yaml_files.parse(yaml_files.read_folder(path)))
    if isinstance(composed, Configuration):
        composed = BookFiles(path).problems(composed) or composed
    exposed = file_modes.exposed(settings)
    problems = [] if isinstance(composed, Configuration) else composed
    count = len(problems) + len(exposed)
    found = _deep_problems(settings) if deep else {}
    if as_json:
        answer: dict[str, Any] = {"problems": _listed(problems, exposed), "notes": notes}
        if isinstance(composed, Configuration) and not count:
            answer = {"revision": composed.revision, **_counts(composed), **answer}
        answer |= {"deep": found} if deep else {}
        print(json.dumps(answer, ensure_ascii=False, indent=2 if count else None))
    else:
        for problem in problems:
            key = "" if problem.key == "-" else f"{problem.key}: "
            print(f"{path / problem.file}:{problem.line}: {key}{problem.why}")
        for file in exposed:
            print(f"{file.path}: {file}")
        if isinstance(composed, Configuration) and not count:
            totals = ", ".join(f"{count} {name}" for name, count in _counts(composed).items())
            print(f"revision {composed.revision}: {totals}, no problems")
        else:
            print(counted(count, "problem"))
        for note in notes:
            print(f"note: {note}")
        _print_deep(found)
    if count or any(found.values()):
        raise typer.Exit(2)


def _counts(configuration: Configuration) -> dict[str, int]:
    return {"campaigns": len(configuration.campaigns), "policies": len(configuration.policies)}


def _listed(
    problems: Sequence[Problem], exposed: Sequence[file_modes.Exposed]
) -> list[dict[str, Any]]:
    """For machines."""
    return [
        *(
            {
                "file": problem.file,
                "line": problem.line,
                "key": problem.key,
                "why": str(problem.why),
            }
            for problem in problems
        ),
        *({"file": str(file.path), "line": 0, "key": "mode", "why": str(file)} for file in exposed),
    ]


def _lacking(settings: Settings) -> list[str]:
    """What keeps a server from starting with these settings, whatever the database holds."""
    if settings.provider == SIMULATED:  # `serve` runs that network itself
        settings = settings.model_copy(update={"api_url": settings.public_url})
    lacking = []
    for check_one in [lambda: start_checks.settings_suffice(settings), *_outward(settings)]:
        try:
            check_one()
        except ConfigurationProblem as problem:
            lacking.append(f"`callserver serve` does not start yet: {problem}")
    return lacking


def _outward(settings: Settings) -> list[Callable[[], object]]:
    """The checks of what leaves the house, where something does."""
    messages_out = settings.smtp_url or settings.sms_from
    log_out = settings.witnesses or settings.publish_command or settings.timestamps
    if not (messages_out or log_out):
        return []
    # Here, because an HTTP client takes as long as the rest of a check.
    import httpx

    from callserver.adapters import log_copies, messages, timestamps

    http = httpx.AsyncClient()
    checks: list[Callable[[], object]] = [
        lambda: messages.build(settings, http, messages.MessageFolder(settings.messages)),
        lambda: log_copies.read_witnesses(settings.witnesses, settings.witness_quorum, http),
    ]
    if settings.publish_command:
        checks.append(lambda: log_copies.split_command(settings.publish_command))
    if settings.timestamps:
        checks.append(lambda: timestamps.TimestampAuthority(http, settings.timestamps))
    return checks


def _deep_problems(settings: Settings) -> dict[str, list[str]]:
    # Here, because it takes an HTTP client, which a plain check does not need.
    from callserver.cli import deep_check

    return deep_check.run(settings)


def _print_deep(found: Mapping[str, Sequence[str]]) -> None:
    for name, problems in found.items():
        print(f"{name}:" if problems else f"{name}: ok")
        for problem in problems:
            print(f"  ! {problem}")
    if count := sum(map(len, found.values())):
        print(counted(count, "problem"))


def schema(
    folder: Annotated[Path, typer.Argument(help="where the schemas are written")] = Path("schemas"),
) -> None:
    """Write JSON Schemas of the configuration files, for editors.

    Example: callserver schema schemas
    """
    folder.mkdir(parents=True, exist_ok=True)
    documents = {
        "campaign": json_schema.schema(Campaign),
        "policy": json_schema.schema(Policy),
        "departments": TypeAdapter(dict[str, Department]).json_schema(),
        "house": Organisation.model_json_schema(),
        "cases": CaseRules.model_json_schema(),
    }
    for name, document in documents.items():
        path = folder / f"{name}.schema.json"
        path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")
        print(path)
