"""A log in the form of the version before, and what this version adds to it: one log, on the way there and back."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from callserver.database import audit, openings
from callserver.database.engines import make_engine
from callserver.database.store import open_store
from callserver.database.tables import audit as entries_table
from callserver.database.tables import openings as openings_table
from callserver.domain.audit import EntryKind
from callserver.engine.audit_log.sealing import Sealer
from callserver.simulator.virtual_time import VirtualClock
from tests.harness.places import Place, busy
from tests.harness.simulated import TUESDAY

OPENED = "SELECT hex(substr(body, 33, 1)) = '7B' AND hex(substr(body, -1)) = '7D' FROM openings"


def raw(place: Place, query: str) -> list[Any]:
    """What a version without the short forms, or a person with SQLite's shell, finds there."""
    file = sqlite3.connect(place.database_file)
    try:
        return [row[0] for row in file.execute(query)]
    finally:
        file.close()


def is_plain(place: Place) -> list[bool]:
    """Of each entry, whether it is stored as JSON."""
    return [body.startswith(b"{") for body in raw(place, "SELECT body FROM audit ORDER BY id")]


def forms(place: Place) -> list[bool]:
    """Of each head outside, whether it is short."""
    return ["form" in json.loads(line) for line in place.heads.read_bytes().splitlines()]


async def seal_more(place: Place, seats: int = 9) -> None:
    """This version goes on with the log."""
    store = open_store(place.database)

    def write(tx: Any) -> None:
        for seat in range(seats):
            audit.append(tx, TUESDAY, EntryKind.SEAT, call="ab" * 10, seat=seat, state="ready")
        audit.append(tx, TUESDAY, EntryKind.CARD, contact=1, call="ab" * 10, by="user:1")

    await store.run(write)
    await Sealer(store, VirtualClock(TUESDAY), place.folder / "seal.key", place.heads).seal()
    store.close()


async def mixed(folder: Path) -> Place:
    """A log whose older half is in the long form."""
    place = Place(folder)
    system = await busy(folder)
    await system.server.scheduler.release()
    system.close()
    place.ok("migrate", "--to", "0038")
    assert all(is_plain(place))
    assert all(raw(place, OPENED))
    assert not any(forms(place))
    assert set(raw(place, "SELECT typeof(call) FROM audit")) == {"null", "text"}
    assert set(raw(place, "SELECT typeof(sid) FROM processed_events")) == {"text"}
    for line in raw(place, "SELECT body FROM seals"):
        assert set(json.loads(line)) >= {"leaves", "frontier", "signature"}
    place.ok("migrate")
    await seal_more(place)
    assert len(set(is_plain(place))) == 2
    assert set(raw(place, "SELECT typeof(call) FROM audit")) == {"null", "text", "blob"}
    assert set(raw(place, "SELECT typeof(sid) FROM processed_events")) == {"blob"}
    assert set(forms(place)) == {False, True}
    return place


async def test_one_log_in_both_forms(tmp_path: Path, empty_postgres_url: str) -> None:
    place = await mixed(tmp_path / "old")
    verified = place.ok("audit", "verify")
    assert " 0 findings" in verified
    export = tmp_path / "log.txt"
    place.ok("audit", "export", export)
    assert " 0 findings" in place.ok("audit", "verify", export)
    place.ok("audit", "publish", tmp_path / "published")
    folder = ("--folder", tmp_path / "published", "--key", place.folder / "seal.pub")
    assert " 0 findings" in place.ok("audit", "verify", *folder)
    shown = place.ok("audit", "show", "--call", "ab" * 10).splitlines()
    assert [json.loads(line)["kind"] for line in shown] == [*["seat"] * 9, "card"]
    [call] = raw(place, "SELECT call FROM audit WHERE kind = 'permitted'")
    found = [json.loads(line) for line in place.ok("audit", "show", "--call", call).splitlines()]
    counted = f"SELECT count(*) FROM audit WHERE call = '{call}'"
    assert [len(found)] == raw(place, counted)
    assert {"permitted", "seat", "placed", "reported"} <= {entry["kind"] for entry in found}
    engine = make_engine(place.database)
    with engine.connect() as tx:
        assert audit.permitted(tx, [call, "ab" * 10]) == {call}
        searched = audit.search(tx, audit.LogQuery(call=call), 99)
    engine.dispose()
    assert [entry["id"] for entry in searched] == [entry["id"] for entry in reversed(found)]

    backup = tmp_path / "backup"
    place.ok("backup", backup)
    new = Place(tmp_path / "new")
    (new.folder / "seal.key").write_bytes((place.folder / "seal.key").read_bytes())
    new.ok("restore", backup)
    assert new.heads.read_bytes() == place.heads.read_bytes()
    assert " 0 findings" in new.ok("audit", "verify")

    place.ok("copy-database", empty_postgres_url)
    before = place.database
    place.use(empty_postgres_url)
    assert " 0 findings" in place.ok("audit", "verify")
    engine = make_engine(empty_postgres_url)
    with engine.connect() as tx:
        for body in tx.exec_driver_sql("SELECT body FROM audit").scalars():
            json.loads(body)  # a server of the version before reads it
        for body in tx.exec_driver_sql("SELECT body FROM seals").scalars():
            assert json.loads(body)["leaves"]
    engine.dispose()
    place.use(f"sqlite:///{tmp_path}/back.db")
    source, place.environment["CALLSERVER_DATABASE"] = place.database, empty_postgres_url
    place.ok("copy-database", source)
    place.use(source)
    assert " 0 findings" in place.ok("audit", "verify")
    place.use(before)

    log = place.ok("audit", "export")
    place.ok("migrate", "--to", "0038")
    assert all(is_plain(place))
    assert not any(forms(place))
    place.ok("migrate")
    assert place.ok("audit", "export") == log
    assert " 0 findings" in place.ok("audit", "verify")


async def test_heads_are_written_again_from_the_entries(tmp_path: Path) -> None:
    place = await mixed(tmp_path)
    await seal_more(place)
    whole = place.heads.read_bytes()
    place.heads.unlink()
    await seal_more(place, 0)
    assert place.heads.read_bytes().startswith(whole)
    assert " 0 findings" in place.ok("audit", "verify")


async def test_an_entry_changed_before_the_heads_were_lost_is_found(tmp_path: Path) -> None:
    """Its head is written again with the wrong hash, and cannot have the signature; the others hold."""
    place = await mixed(tmp_path)
    for _ in range(3):
        await seal_more(place)
    place.heads.unlink()
    (leaf, size) = raw(
        place, "SELECT max(leaf) - 15 FROM audit UNION ALL SELECT max(size) FROM seals"
    )
    file = sqlite3.connect(place.database_file)
    file.execute("UPDATE audit SET body = ? WHERE leaf = ?", (b'{"forged":1}', leaf))
    file.commit()
    file.close()
    await seal_more(place, 0)
    said = place.run("audit", "verify")
    assert said.returncode == 1
    assert f"the head of size {size - 10} has a wrong signature" in said.stdout
    assert f"the head of size {size - 10} has a wrong root" in said.stdout
    assert f"head of size {size} " not in said.stdout


async def test_a_head_in_both_forms_is_one_head(tmp_path: Path) -> None:
    """Copies of the file of before and after a downgrade, joined."""
    place = await mixed(tmp_path)
    short = place.heads.read_bytes()
    place.ok("migrate", "--to", "0038")
    place.heads.write_bytes(short + place.heads.read_bytes())
    assert " 0 findings" in place.ok("audit", "verify")


@pytest.mark.parametrize("form", ["0038", ""])
async def test_openings_of_either_form_are_forgotten(tmp_path: Path, form: str) -> None:
    place = Place(tmp_path)
    system = await busy(tmp_path)
    await system.server.scheduler.release()
    system.close()
    if form:
        place.ok("migrate", "--to", form)
    place.ok("migrate")
    assert all(raw(place, OPENED)) is bool(form)
    store = open_store(place.database)

    def forget(tx: Any) -> int:
        [contact] = set(tx.execute(select(entries_table.c.contact).where(about)).scalars())
        return openings.forget(tx, [contact])

    about = entries_table.c.kind == EntryKind.PERMITTED.value
    with store.engine.connect() as tx:
        decided = [row for row in openings.sealed_decisions(tx, 1 << 40) if row.opening]
        assert decided
        for row in decided:
            json.loads((row.opening or b"")[32:])
    assert await store.run(forget) == 1
    with store.engine.connect() as tx:
        assert tx.execute(select(func.count()).select_from(openings_table)).scalar() == 0
    store.close()
    assert " 0 findings" in place.ok("audit", "verify")
