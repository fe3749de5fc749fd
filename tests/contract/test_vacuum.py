"""PostgreSQL: after an erasure and a rewriting of the tables no byte of the person is in the database's files."""

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, text

from callserver.database import contacts, vacuum
from callserver.database.engines import make_engine
from callserver.engine.suppressions import erasure
from tests.contract.test_retention import a_call, a_contact

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
    assert {"contacts", "calls", "messages", "openings"} <= set(vacuum.rewrite(engine))
    assert traces(engine) == []
    engine.dispose()
