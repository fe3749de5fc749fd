"""The primary PostgreSQL loses power in the middle of an evening, and its synchronous standby takes over."""

import asyncio
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from callserver.database import audit, migrate, suppressions
from callserver.database.engines import make_engine, reading
from callserver.database.store import open_store
from callserver.database.unavailable import UNAVAILABLE
from callserver.ports import Tx
from callserver.simulator.robots import Acknowledged
from tests.harness.places import Place
from tests.harness.replicas import replicated
from tests.harness.waiting import eventually
from tests.journeys.test_processes import EARS, several_servers

NUMBER = "+4532200001"
OPTED_OUT = "number:4532200001"


def sealed(url: str) -> int:
    engine = make_engine(url)
    with reading(engine) as tx:
        head = audit.last_head(tx)
    engine.dispose()
    return 0 if head is None else head.size


def read_there(folder: Path, standby: str) -> None:
    """A standby serves what only reads, and is named where it could be taken for a server's database."""
    replica = Place(folder, standby)
    assert " 0 findings" in replica.ok("audit", "verify")
    replica.ok("audit", "export", folder / "export.json")
    replica.ok("audit", "publish", folder / "published")
    assert "it is a standby" in replica.run("check", "--deep").stdout
    noted = replica.run("why", NUMBER)  # a look-up is written in the log
    assert noted.returncode == 2
    assert "read-only transaction" in noted.stderr


@pytest.mark.timeout(420)
@pytest.mark.usefixtures("postgres")
async def test_the_standby_takes_over_while_phoners_work(
    tmp_path: Path, postgres_tools: Path
) -> None:
    """`postgres` has prepared the user. The evening's judge compares what was acknowledged with what is there."""
    with replicated(postgres_tools) as replicas:
        engine = make_engine(replicas.url)
        migrate.upgrade(engine)
        engine.dispose()
        place = Place(tmp_path, replicas.url)
        before = 0

        async def fail_over(acknowledged: Acknowledged) -> timedelta:
            nonlocal before
            await eventually(lambda: len(acknowledged.outcomes) > 2 and sealed(replicas.url))
            before = sealed(replicas.url)
            await asyncio.to_thread(read_there, tmp_path, replicas.standby)
            await asyncio.to_thread(place.ok, "suppress", "add", NUMBER)
            began = time.monotonic()
            replicas.kill_primary()
            await asyncio.sleep(3)  # as long as somebody, or Patroni, takes to notice
            await asyncio.to_thread(replicas.promote)
            await eventually(lambda: sealed(replicas.url) > before)
            return timedelta(seconds=time.monotonic() - began)

        await several_servers(tmp_path, replicas.url, seconds=5, pace=EARS, meanwhile=fail_over)
        assert 0 < before < sealed(replicas.url)
        assert " 0 findings" in place.ok("audit", "verify")
        place.ok("backup", tmp_path / "backup")  # PostgreSQL's own program finds it too
        engine = make_engine(replicas.standby)
        with reading(engine) as tx:
            assert suppressions.for_subjects(tx, [OPTED_OUT])
        engine.dispose()


@pytest.mark.usefixtures("postgres")
async def test_a_former_primary_is_refused_once_its_successor_is_known(
    postgres_tools: Path,
) -> None:
    """Its machine starts again, and it is the first host of CALLSERVER_DATABASE: it knows nothing of a newer opt-out."""

    def answers(tx: Tx) -> object:
        return tx.execute(text("SELECT 1")).scalar()

    with replicated(postgres_tools, synchronous=False) as replicas:
        before = open_store(replicas.url)
        assert await before.run(answers) == 1
        replicas.promote()
        successor = open_store(replicas.standby)
        assert await successor.run(answers) == 1
        former = open_store(replicas.url)
        for way in (former.run, former.read):
            with pytest.raises(UNAVAILABLE, match="this PostgreSQL has been replaced"):
                await way(answers)
        for store in (before, successor, former):
            store.close()
