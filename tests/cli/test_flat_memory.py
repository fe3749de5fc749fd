"""Commands and the start of a server read the log as a stream: four times the log, the same memory."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import insert
from typer.testing import CliRunner

from callserver.cli import app
from callserver.database import audit, migrate
from callserver.database.engines import make_engine
from callserver.database.tables import audit as log
from callserver.domain import signed_heads
from callserver.domain.audit import canonical
from callserver.engine.audit_log.heads_file import HeadsFile
from callserver.engine.audit_log.sealing import load_key
from tests.harness.databases import sqlite_file
from tests.harness.simulated import ROOT, TUESDAY

ENTRIES = 8_000
IN_A_HEAD = 400
MOST_GROWTH = 2_000_000
"""Bytes. The entries that are added, held at once, would take twenty times as much."""


class Place:
    """A folder with a sealed log of so many entries, and what a server keeps beside it."""

    def __init__(self, folder: Path, count: int) -> None:
        folder.mkdir()
        self.folder = folder
        self.heads = folder / "seals.jsonl"
        self.settings = {
            "CALLSERVER_DATABASE": sqlite_file(folder / "log.db"),
            "CALLSERVER_CONFIG": str(ROOT / "config"),
            "CALLSERVER_KEY": "a key for the tests alone",
            "CALLSERVER_CLOCK": TUESDAY.isoformat(),
            "CALLSERVER_SEAL_KEY": str(folder / "seal.key"),
            "CALLSERVER_SEALS": str(self.heads),
            "CALLSERVER_PUBLISHED": str(folder / "published"),
        }
        key = load_key(folder / "seal.key")
        engine = make_engine(self.settings["CALLSERVER_DATABASE"], durable=False)
        migrate.upgrade(engine)
        with engine.begin() as tx, self.heads.open("wb") as heads:
            for first in range(0, count, IN_A_HEAD):
                at = TUESDAY.astimezone().isoformat()
                bodies = [
                    canonical({"at": at, "kind": "seat", "seat": 1, "state": "ready", "n": n})
                    for n in range(first, first + IN_A_HEAD)
                ]
                tx.execute(
                    insert(log), [{"at": TUESDAY, "kind": "seat", "body": body} for body in bodies]
                )
                head = signed_heads.seal(audit.last_head(tx), bodies, at, key)
                line = audit.seal(tx, range(first + 1, first + 1 + IN_A_HEAD), head)
                heads.write(line + b"\n")
        engine.dispose()

    def run(self, *words: object) -> str:
        result = CliRunner(env=self.settings).invoke(app, [str(word) for word in words])
        assert result.exit_code == 0, (words, result.output, result.exception)
        return result.output

    def peak(self, work: Callable[["Place"], object]) -> int:
        """The most bytes that Python held meanwhile, beyond those before."""
        tracemalloc.start()
        try:
            work(self)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()


def start(place: Place) -> None:
    heads = HeadsFile(place.heads)
    heads.look()
    assert (heads.gaps, heads.size % IN_A_HEAD) == ([], 0)


def export(place: Place) -> None:
    place.run("audit", "export", place.folder / "log.txt")
    assert "0 findings" in place.run("audit", "verify", place.folder / "log.txt")


def publish(place: Place) -> None:
    place.run("audit", "publish")
    assert "0 findings" in place.run("audit", "verify", "--folder", place.folder / "published")


def verify(place: Place) -> None:
    assert "0 findings" in place.run("audit", "verify")


def backup(place: Place) -> None:
    place.run("backup", place.folder / "backup")
    restored = f"sqlite:///{place.folder}/restored.db"
    place.heads.rename(place.heads.with_suffix(".moved"))
    place.settings |= {"CALLSERVER_DATABASE": restored}
    place.run("restore", place.folder / "backup")
    assert place.heads.stat().st_size == place.heads.with_suffix(".moved").stat().st_size


@pytest.mark.parametrize("work", [start, verify, export, publish, backup])
def test_memory_does_not_grow_with_the_log(work: Callable[[Place], object], tmp_path: Path) -> None:
    work(Place(tmp_path / "first", IN_A_HEAD))  # modules and caches are loaded once
    small = Place(tmp_path / "small", ENTRIES).peak(work)
    large = Place(tmp_path / "large", 4 * ENTRIES).peak(work)
    assert large - small < MOST_GROWTH, (small, large)


def test_comparing_tables_with_the_log(tmp_path: Path) -> None:
    test_memory_does_not_grow_with_the_log(lambda place: place.run("audit", "reconcile"), tmp_path)
