"""What `callserver --help` says, and what it costs."""

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from callserver import __version__
from callserver.cli import COMMANDS, command
from tests.harness.databases import sqlite_file
from tests.harness.simulated import ROOT

NOT_FOR_COMMANDS = (
    *("aiohttp", "alembic", "apscheduler", "httpx", "jinja2", "multipart", "psycopg"),
    *("pydantic_settings", "python_calamine", "starlette", "twilio", "uvicorn", "xlrd"),
    *("holidays.countries", "sqlalchemy.dialects.postgresql"),
    *("callserver.assemble", "callserver.console", "callserver.simulator", "webhooks"),
)
"""What a command does without that neither serves nor asks the network, on SQLite with the newest tables."""

HEAVY = ("alembic", "httpx", "jinja2", "pydantic", "sqlalchemy", "starlette", "twilio", "uvicorn")


def python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    ).stdout


def test_help_lists_every_command_and_imports_none() -> None:
    said = python(
        "import sys\n"
        "from callserver.cli import app\n"
        "try:\n    app(['--help'])\n"
        f"finally:\n    print('loaded', *sorted(set({HEAVY}) & set(sys.modules)), file=sys.stdout)\n"
    )
    for name in COMMANDS:
        assert f"│ {name} " in said
    assert said.splitlines()[-1] == "loaded"


def test_the_version() -> None:
    said = python("from callserver.cli import app; app(['--version'])")
    assert said == f"callserver {__version__}\n"


def test_what_a_command_imports_is_not_collected_and_then_garbage_is() -> None:
    said = python(
        "import gc, os, sys\n"
        f"os.environ['CALLSERVER_CONFIG'] = {str(ROOT / 'config')!r}\n"
        "from callserver.cli import app\n"
        "try:\n    app(['check'])\n"
        "finally:\n    print(gc.isenabled(), gc.get_freeze_count() > 0, file=sys.stdout)\n"
    )
    assert said.splitlines()[-1] == "True True"


@pytest.mark.parametrize(
    "words",
    [
        ("why", "32123456"),
        ("explain", "32123456"),
        ("check",),
        ("audit", "verify"),
        ("audit", "show"),
        ("suppress", "list"),
        ("suppress", "add", "32123456"),
        ("rules", "list"),
        ("cases", "list"),
        ("user", "list"),
    ],
)
def test_a_command_imports_neither_server_nor_drivers_that_it_does_not_need(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    said = python(
        "import os, sys\n"
        f"os.chdir({str(tmp_path)!r})\n"
        f"os.environ['CALLSERVER_CONFIG'] = {str(ROOT / 'config')!r}\n"
        f"os.environ['CALLSERVER_DATABASE'] = {sqlite_file(tmp_path / 'own.db')!r}\n"
        "from callserver.cli import app\n"
        f"try:\n    app({list(words)})\n"
        "except Exception as error:\n    print(error)\n"  # nothing is sealed yet
        f"finally:\n    print('loaded', *sorted(set({NOT_FOR_COMMANDS}) & set(sys.modules)))\n"
        "    print('sqlalchemy' in sys.modules, 'rich' in sys.modules)\n"
        "    sys.stdout.flush()\n    os._exit(0)\n"  # whatever the command's exit code
    )
    shows_tables = words[0] not in ("audit", "check", "explain", "why")
    assert said.splitlines()[-2:] == ["loaded", f"True {shows_tables}"], said


def leaves(path: str, node: Any) -> list[tuple[str, str]]:
    """Every command below, with its help."""
    if hasattr(node, "commands"):
        below = node.commands.items()
        return [leaf for name, part in below for leaf in leaves(f"{path} {name}", part)]
    return [(path, node.help)]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_the_list_says_and_gives_an_example(name: str) -> None:
    node = command(name)
    assert node.help.partition("\n\n")[0].replace("\n", " ") == COMMANDS[name][1]
    for path, said in leaves(name, node):
        assert f"Example: callserver {path}" in said, path


@pytest.mark.parametrize("name", COMMANDS)
def test_a_paragraph_of_help_breaks_where_the_terminal_ends(name: str) -> None:
    for path, said in leaves(name, command(name)):
        texts = [text for text in said.split("\n\n") if not text.startswith("Example:")]
        assert not [text for text in texts if "\n" in text], path


WRITES = ("engine.begin()", "one_part(", "import_on_side_connection(", ".load(", "_do(", "_note(")
CHANGE_NOBODYS_DATA = {"reconcile", "rewrite"}


def test_every_command_that_writes_names_who_acts() -> None:
    found, nameless = 0, set()
    for file in sorted((ROOT / "callserver" / "cli").glob("*.py")):
        source = file.read_text("utf-8")
        for made in ast.parse(source).body:
            if not isinstance(made, ast.FunctionDef) or "Example:" not in (
                ast.get_docstring(made) or ""
            ):
                continue
            body = ast.get_source_segment(source, made) or ""
            if any(word in body for word in WRITES):
                found += 1
                named = {given.arg for given in (*made.args.args, *made.args.kwonlyargs)}
                nameless |= set() if "by" in named else {made.name}
    assert nameless == CHANGE_NOBODYS_DATA
    assert found > 30
