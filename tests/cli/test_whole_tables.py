"""No command about a person reads a whole table that grows with the house, unless it is listed here."""

import asyncio
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from callserver.cli import COMMANDS
from callserver.cli.simulate import START, evening
from callserver.simulator.evening import Plan
from tests.console.test_no_ranking import COMMANDS_READ, NUMBER
from tests.harness.commands import commands

ROOT = Path(__file__).parents[2]

READ_WHOLE = {
    "person erase": {"calls"},  # for calls of the person whose contact is gone
    "retention show": {"contacts"},  # up to 10,000 that are due, where a list is old enough
}
"""Commands that read a table without an index, and which."""

SCANNED = re.compile(r"SCAN (audit|calls|contacts|openings)\b(?!.* USING )")
QUERY = re.compile(r"\s*(SELECT|UPDATE|DELETE|WITH)\b")
NEWEST = re.compile(r"ORDER BY audit\.id DESC\s+LIMIT")
"""It ends after the newest entries."""


@pytest.fixture
def asked() -> Iterator[list[str]]:
    """What is asked of SQLite, values included."""
    statements: list[str] = []

    def connected(connection: Any, _: Any) -> None:
        connection.set_trace_callback(statements.append)

    event.listen(Engine, "connect", connected)
    yield statements
    event.remove(Engine, "connect", connected)


def test_which_commands_read_whole_tables(
    asked: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Plan(start=datetime.fromisoformat(START), hours=0.2)
    asyncio.run(evening(plan, 6, 300, ROOT / "config", tmp_path))
    every = [words for words in COMMANDS_READ if "--by" not in words]  # those have other accounts
    every += [f"person access {NUMBER} {tmp_path}/copy", f"suppress add {NUMBER}"]
    every += [f"person erase {NUMBER}"]
    modules = {import_module(f"callserver.cli.{COMMANDS[words.split()[0]][0]}") for words in every}
    url, later = f"sqlite:///{tmp_path}/evening.db", "2026-05-12T20:00:00+02:00"
    say = commands(monkeypatch, url, *modules, at=later)
    monkeypatch.setenv("CALLSERVER_KEY", "simulated")
    file = sqlite3.connect(tmp_path / "evening.db")
    file.execute("UPDATE imports SET at = 0")
    file.commit()
    [called] = file.execute("SELECT number FROM calls WHERE contact IS NOT NULL LIMIT 1").fetchone()
    found = defaultdict(set)
    for words in every:
        asked.clear()
        say(*words.replace(NUMBER, f"+{called}").split())
        for query in {query for query in asked if QUERY.match(query) and not NEWEST.search(query)}:
            for *_, step in file.execute(f"EXPLAIN QUERY PLAN {query}"):
                if scanned := SCANNED.match(step):
                    found[" ".join(words.split()[:2])].add(scanned[1])
    file.close()
    assert found == READ_WHOLE
