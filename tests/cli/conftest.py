"""The commands, typed in a folder of their own, or called on a database of the test's own."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from callserver.cli import contacts, list_removal, suppress
from callserver.database.engines import make_engine
from tests.harness import processes
from tests.harness.commands import Say, commands
from tests.harness.databases import sqlite_file

ROOT = Path(__file__).parents[2]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return sqlite_file(tmp_path / "lists.db")


@pytest.fixture
def engine(url: str) -> Engine:
    return make_engine(url)


@pytest.fixture
def say(url: str, monkeypatch: pytest.MonkeyPatch) -> Say:
    return commands(monkeypatch, url, contacts, suppress, list_removal)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def command(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "CALLSERVER_CONFIG": str(ROOT / "config"),
            "CALLSERVER_DATABASE": f"sqlite:///{tmp_path}/c.db",
            "CALLSERVER_SEALS": str(tmp_path / "seals.jsonl"),
            "CALLSERVER_SEAL_KEY": str(tmp_path / "seal.key"),
            "CALLSERVER_KEY": "a key for the tests alone",
            **more,
        }
        return processes.run(*words, environment=environment, folder=tmp_path)

    return command
