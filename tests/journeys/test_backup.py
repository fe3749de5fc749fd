"""Backups made beside a server, restored elsewhere, and one kind of database copied into the other."""

import asyncio
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from callserver.adapters.clock import SystemClock
from callserver.database import audit, campaign_states, leases, migrate
from callserver.database.engines import make_engine
from callserver.database.store import open_store
from callserver.database.tables import contacts
from callserver.domain import merkle
from callserver.domain.audit import EntryKind
from callserver.engine.audit_log.sealing import Sealer
from callserver.simulator.virtual_time import VirtualClock
from tests.harness import second_reader
from tests.harness.places import Place, busy
from tests.harness.simulated import TUESDAY


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def test_a_backup_beside_a_server_and_a_declared_restore(tmp_path: Path) -> None:
    old = Place(tmp_path / "old")
    system = await busy(old.folder)
    backup = tmp_path / "backup"
    said = old.ok("backup", backup)
    assert "keep elsewhere: CALLSERVER_KEY" in said
    assert {"callserver.db", "heads.jsonl", "seal.pub", "config", "manifest.json"} == files(backup)
    assert "seal.key" not in json.dumps(json.loads((backup / "manifest.json").read_text())["files"])
    assert old.run("backup", backup).returncode == 2  # every backup has a folder of its own

    # What comes after the backup is lost with the machine; only the heads file was elsewhere.
    leg = system.live_legs()[0]
    system.network.hang_up_by_person(leg)
    await system.pass_time(2)
    await system.outcome("never")
    await system.pass_time(10)
    new = Place(tmp_path / "new")
    for name in ("seals.jsonl", "seal.key"):
        (new.folder / name).write_bytes((old.folder / name).read_bytes())
    system.close()

    said = new.ok("restore", backup)
    assert "lost after it: " in said
    assert "0 sealed entries" not in said
    assert new.run("restore", backup).returncode == 2  # that database holds tables by now
    assert any(name.startswith("seals.jsonl.before-restore-") for name in files(new.folder))
    new.ok("audit", "verify")

    engine = make_engine(new.database)
    with engine.begin() as tx:
        [entry] = audit.search(tx, audit.LogQuery(("restored",)), 10)
        assert entry["lost"] > 0
        assert entry["size"] > 0
        paused, reason = campaign_states.get(tx, "kanvas")
        assert paused
        assert "restored from a backup" in reason
    engine.dispose()


async def test_a_restored_log_is_published_under_another_name(tmp_path: Path) -> None:
    """The old folder stays, and both show the same entries up to the cut."""
    old, backup = Place(tmp_path / "old"), tmp_path / "backup"
    system = await busy(old.folder)
    old.ok("backup", backup)
    system.network.hang_up_by_person(system.live_legs()[0])
    await system.pass_time(20)
    old.environment["CALLSERVER_LOG_ORIGIN"] = "calls.example.org/log"
    system.close()
    kept = tmp_path / "kept"
    old.ok("audit", "publish", kept)
    new = Place(tmp_path / "new")
    for name in ("seals.jsonl", "seal.key"):
        (new.folder / name).write_bytes((old.folder / name).read_bytes())
    new.environment["CALLSERVER_PUBLISHED"] = str(kept)
    said = new.ok("restore", backup)
    proposed = dict(re.findall(r"^  (CALLSERVER_\w+)=(.+)$", said, re.MULTILINE))
    assert proposed.keys() == {"CALLSERVER_LOG_ORIGIN", "CALLSERVER_PUBLISHED"}
    assert new.run("audit", "publish", kept).returncode != 0  # never shortened
    new.environment |= proposed
    store = open_store(new.database)
    heads = new.folder / "seals.jsonl"
    await Sealer(store, VirtualClock(TUESDAY), new.folder / "seal.key", heads).seal()
    store.close()
    new.ok("audit", "publish")
    begun = Path(proposed["CALLSERVER_PUBLISHED"])
    before, after = (
        second_reader.read_log(folder, (folder / "vkey").read_text()) for folder in (kept, begun)
    )
    cut = next(entry for entry in map(json.loads, after) if entry["kind"] == "restored")
    size = cut["size"]
    assert 0 < size < len(before)
    assert after[:size] == before[:size]
    assert merkle.root(merkle.extend(0, [], merkle.leaf_hashes(before[:size]))).hex() == cut["root"]


def with_largest_files(
    kilobytes: int, place: Place, *words: object
) -> subprocess.CompletedProcess[str]:
    """A command that can write no larger file: what a full disk does to it."""
    limited = ["sh", "-c", f'ulimit -f {2 * kilobytes}; exec "$@"', "sh"]
    command = [sys.executable, "-c", "from callserver.cli import main; main()"]
    return subprocess.run(
        [*limited, *command, *map(str, words)],
        env=place.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("kilobytes", [100, 1500])
def test_a_backup_on_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path, kilobytes: int) -> None:
    """In the middle of the database, or after it: no half of a backup that the next one stumbles over."""
    place = Place(tmp_path / "place")
    asyncio.run(busy(place.folder)).close()
    backup = tmp_path / "backup"
    (tmp_path / "place/seals.jsonl").write_bytes(b"\n" * 2_000_000)  # larger than the database
    done = with_largest_files(kilobytes, place, "backup", backup)
    assert done.returncode == 2
    assert "broke off and was removed" in done.stderr
    assert "Traceback" not in done.stderr
    assert not backup.exists()


async def test_a_changed_backup_is_refused(tmp_path: Path) -> None:
    old = Place(tmp_path / "old")
    (await busy(old.folder)).close()
    backup = tmp_path / "backup"
    old.ok("backup", backup)
    heads = backup / "heads.jsonl"
    heads.write_bytes(heads.read_bytes()[:-40])
    (backup / "config/more.yaml").write_text("a: 1")
    refused = Place(tmp_path / "new").run("restore", backup)
    assert refused.returncode == 2
    assert "config/more.yaml, heads.jsonl missing, added or changed" in refused.stderr
    assert not (tmp_path / "new/system.db").exists()


async def test_no_server_starts_on_a_restore_that_broke_off(tmp_path: Path) -> None:
    """Until the restore is declared, campaigns are not paused and opt-outs may be missing."""
    old, other, new = (Place(tmp_path / name) for name in ("old", "other", "new"))
    (await busy(old.folder)).close()
    (await busy(other.folder)).close()
    backup = tmp_path / "backup"
    old.ok("backup", backup)
    (new.folder / "seals.jsonl").write_bytes((other.folder / "seals.jsonl").read_bytes())
    assert new.run("restore", backup).returncode == 2  # these heads are another log's
    new.environment |= {"CALLSERVER_CLOCK": "", "TWILIO_ACCOUNT_SID": "AC" + "1" * 32}
    new.environment |= {"TWILIO_AUTH_TOKEN": "a token"}
    refused = new.run("scheduler")
    assert refused.returncode == 2
    assert "a restore broke off" in refused.stderr


@pytest.mark.parametrize("kilobytes", [6, 100])
async def test_a_restore_on_a_full_disk_is_said_and_made_again(
    tmp_path: Path, kilobytes: int
) -> None:
    """In the middle of the configuration, or of the database: no half of either is taken for the whole."""
    old, new = Place(tmp_path / "old"), Place(tmp_path / "new")
    (await busy(old.folder)).close()
    backup, config = tmp_path / "backup", new.folder / "config"
    old.ok("backup", backup)
    new.environment |= {"CALLSERVER_CONFIG": str(config), "CALLSERVER_CLOCK": ""}
    new.environment |= {"TWILIO_ACCOUNT_SID": "AC" + "1" * 32, "TWILIO_AUTH_TOKEN": "a token"}
    broken = with_largest_files(kilobytes, new, "restore", backup)
    assert broken.returncode == 2
    assert "File too large" in broken.stderr
    assert "; then empty the database and restore again" in broken.stderr
    assert "Traceback" not in broken.stderr
    shutil.copytree(backup / "config", tmp_path / "whole")
    new.environment["CALLSERVER_CONFIG"] = str(tmp_path / "whole")
    assert "a restore broke off" in new.run("scheduler").stderr
    new.environment["CALLSERVER_CONFIG"] = str(config)
    new.database_file.unlink(missing_ok=True)
    new.ok("restore", backup)
    assert {file.relative_to(config) for file in config.rglob("*")} == {
        file.relative_to(backup / "config") for file in (backup / "config").rglob("*")
    }
    assert not (new.folder / "restore-unfinished").exists()


async def test_a_restore_is_not_made_beside_the_journal_of_another_database(tmp_path: Path) -> None:
    """SQLite would write what the journal holds over the restored pages."""
    old, new = Place(tmp_path / "old"), Place(tmp_path / "new")
    system = await busy(old.folder)
    backup = tmp_path / "backup"
    old.ok("backup", backup)
    journal = new.folder / "system.db-wal"
    journal.write_bytes((old.folder / "system.db-wal").read_bytes())
    system.close()
    refused = new.run("restore", backup)
    assert refused.returncode == 2
    assert f"{journal} is what remains of another database" in refused.stderr
    assert not new.database_file.exists()
    assert not (new.folder / "restore-unfinished").exists()
    journal.rename(tmp_path / "kept")
    new.ok("restore", backup)
    assert " 0 findings" in new.ok("audit", "verify")


def revision(database: str) -> str:
    engine = make_engine(database)
    try:
        with engine.connect() as connection:
            return str(connection.exec_driver_sql("SELECT * FROM alembic_version").scalar())
    finally:
        engine.dispose()


async def test_a_backup_before_an_upgrade_holds_the_older_tables(tmp_path: Path) -> None:
    """Made with the new version: it is what a way back needs, and servers of the old one go on meanwhile."""
    old, new = Place(tmp_path / "old"), Place(tmp_path / "new")
    system = await busy(old.folder)
    await system.server.scheduler.release()
    system.close()
    old.ok("migrate", "--to", "0043")
    backup = tmp_path / "backup"
    old.ok("backup", backup)
    assert revision(old.database) == "0043"
    new.ok("restore", backup)  # with the newer version
    assert revision(new.database) == migrate.newest()
    assert " 0 findings" in new.ok("audit", "verify")
    older = tmp_path / "older.db"
    older.write_bytes((backup / "callserver.db").read_bytes())
    assert revision(f"sqlite:///{older}") == "0043"


def test_a_backup_of_nothing_is_none(tmp_path: Path) -> None:
    """A nightly command in a wrong folder."""
    place = Place(tmp_path / "place")
    refused = place.run("backup", tmp_path / "backup")
    assert refused.returncode == 2
    assert "holds nothing: no backup was made" in refused.stderr
    assert not (tmp_path / "backup").exists()


async def test_no_tables_are_brought_back_under_a_running_server(tmp_path: Path) -> None:
    place = Place(tmp_path / "place")
    system = await busy(place.folder)
    place.environment["CALLSERVER_CLOCK"] = ""
    engine = make_engine(place.database)
    with engine.begin() as tx:  # as a server by the machine's clock has it
        leases.acquire(tx, leases.SCHEDULER, "another", SystemClock().now())
    engine.dispose()
    refused = place.run("migrate", "--to", "0043")
    assert refused.returncode == 2
    assert "a server runs on this database" in refused.stderr
    assert revision(place.database) == migrate.newest()
    system.close()


async def test_heads_of_another_log_stop_a_restore(tmp_path: Path) -> None:
    old, other = Place(tmp_path / "old"), Place(tmp_path / "other")
    (await busy(old.folder)).close()
    (await busy(other.folder)).close()
    backup = tmp_path / "backup"
    old.ok("backup", backup)
    new = Place(tmp_path / "new")
    (new.folder / "seals.jsonl").write_bytes((other.folder / "seals.jsonl").read_bytes())
    refused = new.run("restore", backup)
    assert refused.returncode == 2
    assert "is not of this backup's log" in refused.stderr
    assert "then empty the database and restore again" in refused.stderr


async def test_from_sqlite_to_postgresql_and_back(tmp_path: Path, empty_postgres_url: str) -> None:
    old = Place(tmp_path / "old")
    system = await busy(old.folder)
    refused = old.run("copy-database", empty_postgres_url)
    assert refused.returncode == 2
    assert "a server runs on this database" in refused.stderr
    await system.server.scheduler.release()
    system.close()
    said = old.ok("copy-database", empty_postgres_url)
    assert "rows in" in said
    old.environment["CALLSERVER_DATABASE"] = empty_postgres_url
    assert " 0 findings" in old.ok("audit", "verify")
    with_ids = make_engine(empty_postgres_url)
    with with_ids.begin() as tx:
        greatest = max(tx.execute(select(contacts.c.id)).scalars())
        audit.append(tx, system.clock.now(), EntryKind.CLOCK, ms=1)
    with_ids.dispose()
    assert greatest > 0
    back = f"sqlite:///{tmp_path}/back.db"
    old.ok("copy-database", back)
    old.environment["CALLSERVER_DATABASE"] = back
    assert " 0 findings" in old.ok("audit", "verify")


@pytest.mark.parametrize("into", ["sqlite", "postgresql"])
def test_a_copy_that_broke_off_is_made_again(
    tmp_path: Path, empty_postgres_url: str, into: str
) -> None:
    place = Place(tmp_path / "old")
    target = f"sqlite:///{tmp_path}/new.db" if into == "sqlite" else empty_postgres_url
    place.ok("user", "add", "lea", "--role", "leader")
    engine = make_engine(place.database)
    with engine.begin() as tx:
        tx.exec_driver_sql("UPDATE users SET added_at = 'never'")
    assert place.run("copy-database", target).returncode == 2
    with engine.begin() as tx:
        tx.exec_driver_sql("UPDATE users SET added_at = 0")
    engine.dispose()
    assert "rows in" in place.ok("copy-database", target)
    again = place.run("copy-database", target)
    assert again.returncode == 2
    assert "the database to copy into holds tables already" in again.stderr


@pytest.mark.usefixtures("postgres_tools")
async def test_a_postgresql_dump_into_another_cluster(
    tmp_path: Path, empty_postgres_url: str, postgres: str
) -> None:
    from tests.harness.databases import postgres_database

    place = Place(tmp_path / "old")
    system = await busy(place.folder)
    await system.server.scheduler.release()
    system.close()
    place.ok("copy-database", empty_postgres_url)
    place.environment["CALLSERVER_DATABASE"] = empty_postgres_url
    backup = tmp_path / "backup"
    place.ok("backup", backup)
    with postgres_database(postgres) as url:
        new = Place(tmp_path / "new", url.render_as_string(hide_password=False))
        new.ok("restore", backup)
        assert " 0 findings" in new.ok("audit", "verify")
        engine = make_engine(new.database)
        with engine.begin() as tx:
            [entry] = audit.search(tx, audit.LogQuery(("restored",)), 10)
            assert entry["lost"] is None  # no heads file was here
        engine.dispose()
