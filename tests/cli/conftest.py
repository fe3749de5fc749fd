"""The commands about lists and opt-outs, run on a database of the test's own."""

from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from sqlalchemy import Engine
from typer.testing import CliRunner

from callserver.cli import contacts, list_removal, suppress
from callserver.database.engines import make_engine
from tests.harness.databases import sqlite_file

ROOT = Path(__file__).parents[2]
Say = Callable[..., str]
"""Run a command's words; what it printed. An error that a person can mend is raised."""


@pytest.fixture
def url(tmp_path: Path) -> str:
    return sqlite_file(tmp_path / "lists.db")


@pytest.fixture
def engine(url: str) -> Engine:
    return make_engine(url)


@pytest.fixture
def say(url: str, monkeypatch: pytest.MonkeyPatch) -> Say:
    monkeypatch.setenv("CALLSERVER_DATABASE", url)
    monkeypatch.setenv("CALLSERVER_CONFIG", str(ROOT / "config"))
    monkeypatch.setenv("CALLSERVER_KEY", "a key")
    monkeypatch.setenv("COLUMNS", "200")
    app = typer.Typer()
    contacts.register(app)
    suppress.register(app)
    list_removal.register(app)

    def run(*words: object, ends: int = 0) -> str:
        result = CliRunner().invoke(app, [str(word) for word in words])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == ends, result.output
        return result.output

    return run
