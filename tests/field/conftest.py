"""The commands on a database of the test's own, and a list that is imported with them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer
from sqlalchemy import Engine
from typer.testing import CliRunner

from callserver.cli import consents, suppress
from callserver.cli import contacts as lists
from callserver.database.engines import make_engine
from tests.harness.databases import sqlite_file

ROOT = Path(__file__).parents[2]
Say = Callable[..., tuple[int, str]]
Take = Callable[..., str]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = make_engine(sqlite_file(tmp_path / "lists.db"), durable=False)
    yield made
    made.dispose()


@pytest.fixture
def say(tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Say:
    monkeypatch.setenv("CALLSERVER_DATABASE", f"sqlite:///{tmp_path}/lists.db")
    monkeypatch.setenv("CALLSERVER_CONFIG", str(ROOT / "config"))
    monkeypatch.setenv("CALLSERVER_KEY", "a key")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    lists.register(app)
    suppress.register(app)
    consents.register(app)

    def run(*words: object) -> tuple[int, str]:
        result = CliRunner().invoke(app, [str(word) for word in words])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.output

    return run


@pytest.fixture
def take(say: Say, tmp_path: Path) -> Take:
    def does(content: str | Path, *words: str) -> str:
        file = tmp_path / "liste.csv"
        text = content.read_text() if isinstance(content, Path) else content
        file.write_text(text, "utf-8")
        code, output = say("import", "kanvas", file, *words)
        assert code == 0, output
        return output

    return does
