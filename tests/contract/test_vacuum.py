"""PostgreSQL: after an erasure and a rewriting of the tables no byte of the person is in the database's files."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from callserver.database import contacts, vacuum
from callserver.database.engines import make_engine
from callserver.database.tables import metadata
from callserver.domain.role import Role
from callserver.engine.lists.importer import import_list
from callserver.engine.suppressions import erasure
from tests.contract.test_retention import a_call, a_contact
from tests.harness.staffed import StaffedSystem

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
NAME, NUMBER = "Zenobia Ætlingsgård", 4532277441


def traces(engine: Engine) -> list[str]:
    """The database's files that hold the name, or the number as PostgreSQL stores it."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CHECKPOINT"))
        folder = connection.execute(text("SHOW data_directory")).scalar_one()
        oid = connection.execute(
            text("SELECT oid FROM pg_database WHERE datname = current_database()")
        ).scalar_one()
    words = (NAME.encode(), NUMBER.to_bytes(8, "little"))
    files = (path for path in Path(folder, "base", str(oid)).iterdir() if path.is_file())
    return [path.name for path in files if any(word in path.read_bytes() for word in words)]


def test_no_byte_is_left_in_the_files(postgres_url: str) -> None:
    engine = make_engine(postgres_url)
    with engine.begin() as tx:
        contact = a_contact(tx, NUMBER, 1, person=5, household=7, rank=1, name=NAME)
        row = contacts.get(tx, contact)
        assert row is not None
        called = {"number": NUMBER, "person": row.person, "household": row.household}
        a_call(tx, contact, 0, note=f"{NAME} thinks about it", **called)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))  # the planner's statistics hold names as well
    assert len(traces(engine)) >= 3  # the control: lists, calls, an index
    with engine.begin() as tx:
        erasure.erase(tx, NUMBER, contacts.by_number(tx, NUMBER), b"key", "user:1", NOW)
    assert traces(engine)  # PostgreSQL keeps the old versions of rows
    assert vacuum.rewrite(engine).left == []
    assert traces(engine) == []
    engine.dispose()


ROWS = f"ref;navn;telefon;født;kilde\nZ1;{NAME};{NUMBER % 10**8};1980-01-01;messe\n"


@pytest.fixture
def system(tmp_path: Path, postgres_url: str) -> Iterator[StaffedSystem]:
    made = StaffedSystem(tmp_path, database=postgres_url)
    made.write(lambda tx: tx.execute(text("ALTER SEQUENCE users_id_seq RESTART WITH 100")))
    made.add_user("mads", Role.MEMBER_SERVICE, None)
    kanvas = made.server.ctx.rules.campaign("kanvas")
    made.write(lambda tx: import_list(tx, kanvas, ROWS.encode(), made.clock.now()))
    yield made
    made.close()


async def erased(system: StaffedSystem) -> None:
    contact = next(row.id for row in system.contacts() if row.name == NAME)
    client = await system.client("mads")
    body = {"number": str(NUMBER % 10**8), "fact": "erased", "contact": contact}
    assert (await client.api("POST", "/person/facts", body)).status_code == 200


async def test_the_scheduler_does_it_when_the_last_shift_is_over(
    system: StaffedSystem, postgres_url: str
) -> None:
    engine = make_engine(postgres_url)
    await system.pass_time(2)  # the first day's
    count = len(metadata.tables) - len(vacuum.NOT_REWRITTEN) + 1
    assert [(entry["tables"], entry["left"]) for entry in system.entries("rewritten")] == [
        (count, [])
    ]
    await system.on_shift()
    await erased(system)
    await system.jump(3600)
    assert traces(engine)  # somebody is on shift
    assert len(system.entries("rewritten")) == 1
    await system.do("POST", "/off", {})
    await system.jump(3600)
    assert traces(engine) == []
    assert [entry["by"] for entry in system.entries("rewritten")] == ["scheduler"] * 2
    await system.jump(3600)
    assert len(system.entries("rewritten")) == 2  # nobody was erased since
    engine.dispose()


async def test_a_table_in_use_is_left_for_the_next_hour(
    system: StaffedSystem, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vacuum, "LONGEST_WAIT_S", 1)
    engine = make_engine(postgres_url)
    with engine.connect() as reader:
        reader.execute(text("LOCK TABLE contacts IN ACCESS SHARE MODE"))
        await system.pass_time(2)
    [entry] = system.entries("rewritten")
    assert entry["left"] == ["contacts", "pg_statistic"]
    await system.jump(3600)
    assert system.entries("rewritten")[-1]["left"] == []
    engine.dispose()
