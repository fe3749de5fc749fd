"""A database of years: a short evening of the simulator, copied call by call into the past.

Every table keeps the form that the product gives it: entries are the evening's own bytes with another call,
contact and day; they are sealed with the product's own encoding.
"""

import asyncio
import random
import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from callserver.adapters.config_folder import load
from callserver.cli.simulate import KEY, START, evening
from callserver.database.engines import make_engine
from callserver.database.tables.types import packed, unpacked
from callserver.domain import pseudonyms, signed_heads, subject
from callserver.domain.compact_entries import compact, whole
from callserver.engine.audit_log.sealing import load_key
from callserver.engine.context import Rules
from callserver.engine.lists.importer import import_list, no_collector
from callserver.simulator.evening import Plan
from tests.bench.storing import people
from tests.harness.simulated import ROOT

ENTRY = ["id", "at", "kind", "contact", "call", "body", "leaf"]
OPENING = ["entry", "at", "number", "body"]
DAY = timedelta(days=1)
STARTED = datetime.fromisoformat(START)
EVENING = STARTED.date().isoformat()


@dataclass(frozen=True, slots=True)
class Size:
    contacts: int
    calls: int
    days: int
    entries_per_head: int = 500


def build(folder: Path, size: Size) -> None:
    """Write `evening.db`, `seal.key` and `seals.jsonl` into the folder."""
    asyncio.run(evening(Plan(start=STARTED, hours=0.1), 40, 1000, ROOT / "config", folder))
    shutil.rmtree(folder / "published", ignore_errors=True)
    extend(folder, size)


def extend(folder: Path, size: Size) -> None:
    """Bring the days before into a folder that holds an evening."""
    database = folder / "evening.db"
    engine = make_engine(f"sqlite:///{database}", durable=False, server=True)
    campaign = Rules(load(ROOT / "config")).campaign("kanvas")
    with no_collector(), engine.begin() as tx:
        import_list(tx, campaign, people(size.contacts).encode(), STARTED - size.days * DAY)
    engine.dispose()
    file = sqlite3.connect(database, isolation_level=None)
    file.execute("PRAGMA synchronous = OFF")
    file.execute("PRAGMA cache_size = -200000")
    file.execute("BEGIN")
    _Copies(file, size).write()
    _seal(file, folder, size.entries_per_head)
    file.execute("COMMIT")
    file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    file.execute("ANALYZE")
    file.close()


class _Copies:
    """Copies of the evening's calls, on the days before it."""

    def __init__(self, file: sqlite3.Connection, size: Size) -> None:
        self._file = file
        self._size = size
        self._contacts = list(
            file.execute("SELECT id, number, person, household FROM contacts ORDER BY id")
        )
        self._calls = _rows(file, "SELECT * FROM calls WHERE ended_at IS NOT NULL")
        self._entries = defaultdict[str, list[dict[str, Any]]](list)
        self._openings = {
            row["entry"]: row for row in _rows(file, "SELECT entry, at, number, body FROM openings")
        }
        for row in _rows(file, "SELECT id, at, kind, contact, call, body FROM audit"):
            row["body"], row["call"] = whole(row["body"]), unpacked(row["call"])
            if row["call"] is not None:
                self._entries[row["call"]].append(row)

    def write(self) -> None:
        """The copies, day by day, then the evening itself once more, all in the order of time."""
        file, size = self._file, self._size
        file.execute("DELETE FROM seals")
        originals = _rows(file, "SELECT id, at, kind, contact, call, body FROM audit ORDER BY id")
        openings = list(self._openings.values())
        file.execute("DELETE FROM audit")
        file.execute("DELETE FROM openings")
        self._next = 1
        dice = random.Random(1)
        for numbers in _batched(range(size.calls), 10_000):
            calls: list[tuple[Any, ...]] = []
            entries: list[tuple[Any, ...]] = []
            secrets: list[tuple[Any, ...]] = []
            for number in numbers:
                call = self._calls[number % len(self._calls)]
                contact = dice.choice(self._contacts)
                days = size.days - number * size.days // size.calls
                calls.append(self._call(call, number, contact, days))
                self._entries_of(call, number, contact, days, entries, secrets)
            _insert(file, "calls", list(self._calls[0]), calls)
            _insert(file, "audit", ENTRY, entries)
            _insert(file, "openings", OPENING, secrets)
        ids = {row["id"]: at for at, row in enumerate(originals, self._next)}
        rows = [(ids[key], *values, ids[key] - 1) for key, *values in map(dict.values, originals)]
        _insert(file, "audit", ENTRY, rows)
        rows = [(ids[entry], *values) for entry, *values in map(dict.values, openings)]
        _insert(file, "openings", OPENING, rows)
        counts = list(file.execute("SELECT campaign, dials, answered, abandoned FROM daily_counts"))
        refusals = list(file.execute("SELECT campaign, reason, refusals FROM daily_refusals"))
        for back in range(1, size.days + 1):
            day = (STARTED.date() - back * DAY).isoformat()
            rows = [(campaign, day, *numbers) for campaign, *numbers in counts]
            _insert(
                file, "daily_counts", ["campaign", "day", "dials", "answered", "abandoned"], rows
            )
            rows = [(campaign, day, *why) for campaign, *why in refusals]
            _insert(file, "daily_refusals", ["campaign", "day", "reason", "refusals"], rows)

    def _call(
        self, call: dict[str, Any], number: int, contact: tuple[int, ...], days: int
    ) -> tuple[Any, ...]:
        back = int((days * DAY).total_seconds() * 1e6)
        values = {
            name: value - back if name.endswith("_at") and value is not None else value
            for name, value in call.items()
        }
        of_contact = zip(("contact", "number", "person", "household"), contact, strict=True)
        unique = {"attempt": _attempt(number), "ref": call["ref"] and f"CA{number:032x}"}
        return tuple((values | dict(of_contact) | unique).values())

    def _entries_of(
        self,
        call: dict[str, Any],
        number: int,
        contact: tuple[int, ...],
        days: int,
        entries: list[tuple[Any, ...]],
        secrets: list[tuple[Any, ...]],
    ) -> None:
        back = int((days * DAY).total_seconds() * 1e6)
        day = (STARTED.date() - days * DAY).isoformat().encode()
        attempt = _attempt(number)
        were = _keys(call["number"], call["person"], call["household"])
        keys = dict(zip(were, _keys(*contact[1:]), strict=True))
        for row in self._entries[call["attempt"]]:
            body: bytes = row["body"]
            body = body.replace(call["attempt"].encode(), attempt.encode())
            body = body.replace(EVENING.encode(), day)
            if row["contact"] is not None:
                body = body.replace(
                    b'"contact":%d,' % row["contact"], b'"contact":%d,' % contact[0]
                )
            if b'"keys":' in body or b'"rows":' in body:
                for was, key in keys.items():
                    body = body.replace(was, key)
            about = None if row["contact"] is None else contact[0]
            at = row["at"] - back
            stored = (packed(attempt), compact(body))
            entries.append((self._next, at, row["kind"], about, *stored, self._next - 1))
            if (opening := self._openings.get(row["id"])) is not None:
                secrets.append((self._next, opening["at"] - back, None, opening["body"]))
            self._next += 1


def _seal(file: sqlite3.Connection, folder: Path, entries_per_head: int) -> None:
    key: Ed25519PrivateKey = load_key(folder / "seal.key")
    head = None
    rows = file.execute("SELECT id, at, body FROM audit ORDER BY id")
    with (folder / "seals.jsonl").open("wb") as outside:
        heads = []
        for part in _batched(rows, entries_per_head):
            head = signed_heads.seal(head, [whole(body) for _, _, body in part], EVENING, key)
            heads.append((head.size, head.short_line(with_leaves=False)))
            outside.write(head.short_line() + b"\n")
        _insert(file, "seals", ["size", "body"], heads)


def _batched(rows: Iterable[Any], most: int) -> Iterator[list[Any]]:
    rows = iter(rows)
    while some := list(islice(rows, most)):
        yield some


def _keys(number: int, person: int, household: int) -> list[bytes]:
    """As the log names them."""
    subjects = subject.of_number(number), subject.of_person(person), subject.of_household(household)
    return [key.encode() for key in pseudonyms.keys_of(subjects, KEY.encode())]


def _attempt(number: int) -> str:
    return f"{number * 0x9E3779B97F4A7C15 % 2**80:020x}"


def _rows(file: sqlite3.Connection, query: str) -> list[dict[str, Any]]:
    cursor = file.execute(query)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def _insert(
    file: sqlite3.Connection, table: str, columns: Sequence[str], rows: Iterable[Any]
) -> None:
    names, places = ", ".join(f'"{name}"' for name in columns), ", ".join("?" * len(columns))
    file.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", rows)
