"""`callserver init`: a folder to run callserver in."""

import secrets
import shutil
from pathlib import Path
from typing import Annotated

import typer

from callserver.errors import ConfigurationProblem

EXAMPLE = Path(__file__).parents[1] / "example"
"""The repository's `config` folder: a link in a checkout, a copy in the installed package."""

PEOPLE = 300
REGISTER = "phone\n32299999\n"
"""An invented number that is on no list."""


def register(app: typer.Typer) -> None:
    app.command()(init)


def init(
    folder: Annotated[Path, typer.Argument(help="an empty or new folder")] = Path(),
) -> None:
    """Make a folder to run callserver in: configuration, settings, a key.

    Only your own account can read it. Existing files are never overwritten. The settings begin with the
    simulated network, which calls nobody real; two files of invented people are included.

    Example: callserver init evening
    """
    files = {
        ".env": _settings(),
        "people.csv": _people(),
        "robinson.csv": REGISTER,
    }
    existing = [name for name in (*files, "config", "var") if (folder / name).exists()]
    if existing:
        raise ConfigurationProblem(f"{folder}: there is {existing[0]} already; nothing was changed")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _copy(EXAMPLE, folder / "config")
        (folder / "var").mkdir()
        for name, text in files.items():
            (folder / name).write_text(text, "utf-8")
    except OSError as error:
        raise ConfigurationProblem(f"{folder}: {error.strerror}") from None
    print(_next(folder))


def _copy(source: Path, target: Path) -> None:
    """Copy the texts, without the modes and times of an installed package."""
    target.mkdir()
    for path in sorted(source.iterdir()):
        if path.is_dir():
            _copy(path, target / path.name)
        elif path.name != "env.example":
            shutil.copyfile(path, target / path.name)


def _settings() -> str:
    text = (EXAMPLE / "env.example").read_text("utf-8")
    return text.replace("\nCALLSERVER_KEY=\n", f"\nCALLSERVER_KEY={secrets.token_hex(32)}\n")


def _people() -> str:
    from callserver.simulator.population import contacts_csv

    return contacts_csv(PEOPLE, seed=7)


STEPS = (
    "callserver check",
    "callserver user add lea --role leader",
    "callserver user add asger --role administrator",
    "callserver user add sigrid --role supervisor --department nord",
    "callserver user add mads --role member_service",
    "callserver user add maja --department nord",
    'callserver user credit maja --reason "has made calls before"',
    "callserver register import robinson.csv",
    "callserver import kanvas people.csv --dry-run",
    "callserver import kanvas people.csv",
    "callserver serve",
)
"""A first evening, as README has it."""


def _next(folder: Path) -> str:
    steps = STEPS if folder == Path() else (f"cd {folder}", *STEPS)
    return "\n".join(
        [
            f"{folder.resolve()} is ready. A copy of CALLSERVER_KEY (in .env) belongs elsewhere.",
            "People and calls are invented until .env says otherwise. Next:",
            *(f"  {step}" for step in steps),
        ]
    )
