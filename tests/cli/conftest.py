"""The commands about lists and opt-outs, run on a database of the test's own."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from callserver.cli import contacts, list_removal, suppress
from callserver.database.engines import make_engine
from tests.harness.commands import Say, commands
from tests.harness.databases import sqlite_file

ROOT = Path(__file__).parents[2]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return sqlite_file(tmp_path / "lists.db")


@pytest.fixture
def engine(url: str) -> Engine:
    return make_engine(url)


@pytest.fixture
def say(url: str, monkeypatch: pytest.MonkeyPatch) -> Say:
    return commands(monkeypatch, url, contacts, suppress, list_removal)
