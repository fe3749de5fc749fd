"""Random changes of the database and of the published folder: each is found by verification, by the
judge or by the comparison with the log, and in between the controls find nothing.

The suite makes a few hundred from SEED; CALLSERVER_FULL=1 makes ten thousand of the compared tables,
5,000 of the folder, and 3,750 of what is sealed.
"""

import contextlib
import os
import random
import shutil
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Column, Table, delete, insert, select, update

from callserver.database import audit, rebuilt_state
from callserver.database.tables import audit as log
from callserver.database.tables import calls, marks, openings, revisions, suppressions, users
from callserver.domain.audit import EntryKind
from callserver.engine.audit_log import decision_export, verification
from callserver.engine.audit_log.judge import judge
from callserver.engine.audit_log.publishing import Publisher
from callserver.engine.audit_log.reconciliation import reconcile
from callserver.engine.audit_log.sealing import load_key
from callserver.errors import ConfigurationProblem
from callserver.ports import Tx
from tests.harness.simulated import SimulatedSystem
from tests.journeys.test_judge import ORIGIN, an_evening, exported
from tests.journeys.test_reconciliation import record_facts

SEED = 11
CHANGES = 10_000 if os.environ.get("CALLSERVER_FULL") == "1" else 400
GROUP = 6
"""Changes of a column that are made at once: each must be named."""

COMPARED: dict[Table, str] = {
    suppressions: "subject scope purpose at lifted_at by list received_by opt_out",
    marks: "subject kind at detail by ended_at ended_by",
    calls: (
        "contact campaign path permit_at state cause code outcome outcome_at seat revision"
        " abandoned number person household"
    ),
    users: "role left_at",
}
"""What the comparison with the log claims to know."""

SEALED = "at kind contact call body leaf"
KEYED = ("number", "person", "household")


@pytest.fixture
async def system(tmp_path: Path) -> SimulatedSystem:
    """An evening, and what colleagues recorded about people and accounts in it; all is sealed."""
    system = await an_evening(tmp_path)
    record_facts(system)
    now = system.clock.now()

    def made(tx: Tx) -> None:
        for user, role in tx.execute(select(users.c.id, users.c.role)):
            audit.append(tx, now, EntryKind.USER, user=user, did="added", role=role, by="command")

    system.write(made)
    await system.pass_time(10)
    return system


# -- the database ------------------------------------------------------------------------------


class Change(NamedTuple):
    table: Table
    row: Any
    what: str  # a column, or "deleted" or "inserted"

    def __repr__(self) -> str:
        return f"{self.table.name} {self.row} {self.what}"


def another(  # noqa: C901 - one line for each kind of column
    value: Any, column: Column[Any], dice: random.Random, now: Any
) -> Any:
    """Another value of the column."""
    name = column.name
    if name == "body":
        at = dice.randrange(len(value))
        return value[:at] + bytes([value[at] ^ 1 << dice.randrange(8)]) + value[at + 1 :]
    if name == "leaf":
        return value + dice.randrange(10**6, 10**9)
    if name == "content":
        return {**value, "campaigns/invented.yaml": {"seed": dice.random()}}
    if name in {"at", "lifted_at", "ended_at", "permit_at", "outcome_at", "left_at"}:
        return (
            None
            if name == "left_at" and value
            else (value or now) + timedelta(microseconds=dice.randrange(1, 10**12))
        )
    if name == "subject":
        return f"number:{dice.randrange(4520000000, 4599999999)}"
    if name == "detail":
        return {"phone": True, "proof": str(dice.random())}
    if name == "scope":
        return dice.choice(
            [scope for scope in ("number", "person", "hash", "org") if scope != value]
        )
    if name == "role":
        return "administrator" if value != "administrator" else "leader"
    if isinstance(value, bool):
        return not value
    if isinstance(value, int) or name in {"contact", "code"}:
        return (value or 0) + dice.randrange(1, 99)
    return f"{value}{dice.randrange(99)}"


def updates(tx: Tx, table: Table, columns: str, dice: random.Random, now: Any) -> Iterator[Change]:
    """Change some rows' columns."""
    (key,) = table.primary_key.columns
    for name in columns.split():
        column = table.c[name]
        rows = tx.execute(select(key, column)).all()
        for row, value in dice.sample(rows, min(len(rows), GROUP)):
            new = another(value, column, dice, now)
            tx.execute(update(table).where(key == row).values({column: new}))
            yield Change(table, row, name)


def one_less(tx: Tx, table: Table, dice: random.Random) -> Change:
    (key,) = table.primary_key.columns
    row = dice.choice(list(tx.execute(select(key)).scalars()))
    tx.execute(delete(table).where(key == row))
    return Change(table, row, "deleted")


def one_more(tx: Tx, table: Table, dice: random.Random) -> Change:
    """A copy of a row under another key: behind the others, in a gap, or before the first."""
    (key,) = table.primary_key.columns
    row = dice.choice(tx.execute(select(table)).all())
    values = dict(zip(table.c.keys(), row, strict=True))
    taken = set(tx.execute(select(key)).scalars())
    if table is calls:
        values |= {"attempt": f"invented{dice.random()}", "ended_at": values["permit_at"]}
    else:
        values[key.name] = dice.choice(
            [free for free in range(-3, max(taken) + 9) if free not in taken]
        )
    if table is users:
        values |= {"handle": f"invented{dice.random()}", "token": None, "line": None}
        values = {name: value for name, value in values.items() if name in table.c}
    if table is log:
        values |= {"leaf": dice.choice([None, dice.randrange(10**6, 10**7)])}
    tx.execute(insert(table).values(values))
    return Change(table, values[key.name], "inserted")


def test_every_table_that_is_compared_is_changed() -> None:
    assert set(COMPARED) == set(rebuilt_state.TABLES.values())


async def test_every_random_change_of_the_compared_tables_is_named(
    system: SimulatedSystem,
) -> None:
    dice, now = random.Random(SEED), system.clock.now()
    changes, missed = 0, list[Change]()
    while changes < CHANGES:
        with system.server.store.engine.connect() as tx, tx.begin() as transaction:
            assert reconcile(tx).different == 0  # the control
            made: list[Change] = []
            with tx.begin_nested() as nested:
                for table, columns in COMPARED.items():
                    made += updates(tx, table, columns, dice, now)
                named = {str(difference) for difference in reconcile(tx).named}
                missed += [change for change in made if not is_named(change, named)]
                nested.rollback()
            for table in COMPARED:
                for step in (one_less, one_more):
                    with tx.begin_nested() as nested:
                        change = step(tx, table, dice)
                        made.append(change)
                        rows_found = {
                            (difference.table, difference.key) for difference in reconcile(tx).named
                        }
                        if (table.name, str(change.row)) not in rows_found:
                            missed.append(change)
                        nested.rollback()
            changes += len(made)
            transaction.rollback()
    assert missed == []


def is_named(change: Change, named: set[str]) -> bool:
    column = {"left_at": "left", "received_by": "heard"}.get(change.what, change.what)
    where = f"{change.table.name} {change.row}"
    columns = ("keys",) if column in KEYED else (column, "keys")
    return any(f"{where}: {name} is not as in the log" in named for name in columns)


async def test_every_random_change_of_the_log_is_named(system: SimulatedSystem) -> None:
    dice, now = random.Random(SEED), system.clock.now()
    heads, public = system.folder / "seals.jsonl", load_key(system.folder / "seal.key").public_key()
    changes, missed = 0, list[Change]()
    while changes < CHANGES // 4:
        with system.server.store.engine.connect() as tx, tx.begin() as transaction:
            assert verification.verify(tx, heads, public).findings == ()  # the control
            leaves = leaves_of(tx)
            for column in SEALED.split():
                with tx.begin_nested() as nested:
                    made = list(updates(tx, log, column, dice, now))
                    findings = verification.verify(tx, heads, public).findings
                    leaves_found = {finding.leaf for finding in findings}
                    missed += [change for change in made if leaves[change.row] not in leaves_found]
                    changes += len(made)
                    nested.rollback()
            with tx.begin_nested() as nested:
                gone = one_less(tx, log, dice)
                if leaves[gone.row] not in {
                    finding.leaf for finding in verification.verify(tx, heads, public).findings
                }:
                    missed.append(gone)
                changes += 1
                nested.rollback()
            transaction.rollback()
    assert missed == []


async def test_every_random_change_of_what_decisions_were_made_from_is_found(
    system: SimulatedSystem, tmp_path: Path
) -> None:
    dice, now = random.Random(SEED), system.clock.now()
    folder = exported(system, tmp_path / "export")
    kept_since = now - timedelta(days=730)
    size = judge(folder).counts["entries"]
    changes, missed = 0, list[Change]()
    while changes < CHANGES // 8:
        with system.server.store.engine.connect() as tx, tx.begin() as transaction:
            decision_export.write(tx, folder, size, (), kept_since)
            assert judge(folder).findings == []  # the control
            leaves = leaves_of(tx)
            for column, table in (("body", openings), ("content", revisions)):
                with tx.begin_nested() as nested:
                    made = list(updates(tx, table, column, dice, now))
                    leaves_found = found_by_judge(tx, folder, size, kept_since)
                    if table is openings:
                        missed += [
                            change
                            for change in made
                            if leaves_found and leaves[change.row] not in leaves_found
                        ]
                    elif not leaves_found:
                        missed += made
                    changes += len(made)
                    nested.rollback()
            with tx.begin_nested() as nested:
                gone = one_less(tx, openings, dice)
                if leaves[gone.row] not in found_by_judge(tx, folder, size, kept_since):
                    missed.append(gone)
                changes += 1
                nested.rollback()
            transaction.rollback()
    assert missed == []


def leaves_of(tx: Tx) -> dict[int, int | None]:
    return {row.id: row.leaf for row in tx.execute(select(log.c.id, log.c.leaf))}


def found_by_judge(tx: Tx, folder: Path, size: int, kept_since: Any) -> set[int | None]:
    """The leaves with findings; an export that cannot be written names none, and is found as well."""
    shutil.rmtree(folder / decision_export.CONFIGURATIONS)
    try:
        decision_export.write(tx, folder, size, (), kept_since)
    except ValueError:
        return set()
    return {finding.leaf for finding in judge(folder).findings}


# -- the published folder ----------------------------------------------------------------------


async def test_every_random_change_of_the_published_folder_is_found(
    system: SimulatedSystem, tmp_path: Path
) -> None:
    folder = exported(system, tmp_path / "export", ("dob",))
    stamped = (folder / "checkpoint").read_bytes()
    publisher = Publisher(folder, ORIGIN, load_key(system.folder / "seal.key"))
    size = judge(folder).counts["entries"]
    publisher.put_timestamp(size, stamped, b"an answer about " + sha256(stamped).digest())
    dice = random.Random(SEED)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    assert {path.relative_to(folder).parts[0] for path in files} == {
        "calls.jsonl",
        "checkpoint",
        "config",
        "decisions.jsonl",
        "tile",
        "timestamp",
        "vkey",
    }
    assert judge(folder).findings == []
    missed: list[tuple[str, str]] = []
    for number in range(CHANGES // 2):
        path = files[number % len(files)]
        before = path.read_bytes()
        path.unlink()
        what, after = changed(before, path, dice)
        if after is not None:
            path.write_bytes(after)
        if not is_found(folder):
            missed.append((str(path.relative_to(folder)), what))
        path.write_bytes(before)
        if number % 50 == 0:
            assert judge(folder).findings == []  # the control
    assert missed == []
    assert judge(folder).findings == []


def changed(before: bytes, path: Path, dice: random.Random) -> tuple[str, bytes | None]:
    """The file with another byte, shorter, or gone."""
    what = dice.choice(["byte", "byte", "byte", "shorter", "gone"])
    if path.parent.name == "timestamp":
        what = "byte"  # whether an authority was asked is the organisation's choice
    if what == "gone":
        return what, None
    if what == "shorter":
        return what, before[: dice.randrange(len(before) - 1)]
    places = [at for at, byte in enumerate(before) if byte not in b" \n"]
    if path.suffix == ".tsr":  # the rest is the authority's, and verified with its certificate
        places = list(range(len(before) - 32, len(before)))
    at = dice.choice(places)
    same = {before[at], *bytes([before[at]]).swapcase()}  # a hex digit may be written in both ways
    byte = dice.choice([byte for byte in range(33, 127) if byte not in same])
    return f"byte {at}", before[:at] + bytes([byte]) + before[at + 1 :]


def is_found(folder: Path) -> bool:
    with contextlib.suppress(ConfigurationProblem):
        return judge(folder).findings != []
    return True
