"""Prepared statements of a server on PostgreSQL: few round trips, and the errors of statements under way."""

import asyncio
import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

import psycopg
import pytest
from psycopg.errors import InFailedSqlTransaction, UniqueViolation
from psycopg.pq import TransactionStatus
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    create_engine,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError, InternalError

from callserver.database.direct_connection import MOST_UNDER_WAY, Statements
from callserver.database.prepared_statements import Prepared
from callserver.database.store import AnyStore, open_store
from callserver.database.unavailable import UNAVAILABLE
from callserver.ports import Tx
from tests.harness.waiting import PATIENCE_S

table = Table(
    "kinds",
    MetaData(),
    Column("id", BigInteger, primary_key=True),
    Column("word", String),
    Column("sure", Boolean),
    Column("raw", LargeBinary),
    Column("document", JSON),
)
NAMES = ("id", "word", "sure", "raw", "document")
add = Prepared(insert(table).inline().values({name: bindparam(name) for name in NAMES}))
every = Prepared(select(table).order_by(table.c.id))
rename = Prepared(update(table).where(table.c.id == bindparam("key")).values(word=bindparam("to")))


def row(key: int, word: str | None = None, *rest: Any) -> dict[str, Any]:
    return dict(zip(NAMES, (key, word, *rest, None, None, None), strict=False))


def ids(tx: Tx) -> list[int]:
    return [found[0] for found in every(tx, {})]


@pytest.fixture
def store(postgres_url: str) -> Iterator[AnyStore]:
    store = open_store(postgres_url)
    with store.engine.begin() as tx:
        table.create(tx)
    yield store
    store.close()


@pytest.fixture
def awaited(store: AnyStore, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many statements each round trip held, of those with several."""
    counts: list[int] = []
    results = Statements.results

    def counted(statements: Statements) -> Any:
        counts.append(len(statements.under_way))
        return results(statements)

    monkeypatch.setattr(Statements, "results", counted)
    return counts


async def test_values_of_every_kind(store: AnyStore) -> None:
    rows = [
        row(-1, "æ%s$1'\\", True, b"\0\xff\\", {"a": ["b", None]}),
        row(2**62, "", False, b"", []),
        row(5),
    ]
    await store.run(lambda tx: [add(tx, values) for values in rows])
    found = await store.read(lambda tx: every(tx, {}).all())
    assert [dict(zip(NAMES, values, strict=True)) for values in found] == [
        rows[0],
        rows[2],
        rows[1],
    ]


async def test_a_text_with_nul_is_refused_and_not_cut_off(store: AnyStore) -> None:
    with pytest.raises(psycopg.DataError):
        await store.run(lambda tx: add(tx, row(1, "a\0b")))
    assert await store.read(ids) == []


async def test_changes_travel_with_the_begin_and_the_commit(
    store: AnyStore, awaited: list[int]
) -> None:
    def work(tx: Tx) -> None:
        for key in range(3):
            add(tx, row(key))

    await store.run(work)  # prepares the statement
    awaited.clear()
    await store.run(lambda tx: [add(tx, row(key)) for key in range(3, 6)])
    assert awaited == [5]
    assert await store.read(ids) == list(range(6))


async def test_no_more_are_under_way_than_the_buffers_hold(
    store: AnyStore, awaited: list[int]
) -> None:
    many = 3 * MOST_UNDER_WAY
    await store.run(lambda tx: [add(tx, row(key, "x" * 1000)) for key in range(many)])
    assert max(awaited) <= MOST_UNDER_WAY + 1
    assert await store.read(ids) == list(range(many))


async def test_what_follows_sees_the_changes_under_way(store: AnyStore) -> None:
    def work(tx: Tx) -> list[Any]:
        add(tx, row(1, "a"))
        seen = [ids(tx)]
        renamed = rename(tx, {"key": 1, "to": "b"})
        none = rename(tx, {"key": 2, "to": "b"})
        seen.append(tx.execute(text("SELECT word FROM kinds")).scalar_one())
        return [*seen, renamed.rowcount, none.rowcount]

    assert await store.run(work) == [[1], "b", 1, 0]


async def test_a_change_that_fails_at_the_commit_undoes_everything(store: AnyStore) -> None:
    def work(tx: Tx) -> None:
        add(tx, row(1))
        add(tx, row(1))
        add(tx, row(2))

    for _ in range(2):  # the connection is used again, and prepares its statements again
        with pytest.raises(IntegrityError):
            await store.run(work)
        assert await store.read(ids) == []
    await store.run(lambda tx: add(tx, row(3)))
    assert await store.read(ids) == [3]


async def test_the_first_change_that_failed_is_reported(store: AnyStore) -> None:
    await store.run(lambda tx: add(tx, row(1)))

    def work(tx: Tx) -> None:
        add(tx, row(1))
        ids(tx)
        raise AssertionError("the reading follows a change that failed")

    with pytest.raises(UniqueViolation):
        await store.run(work)


async def test_work_that_ignores_a_failed_change_is_not_committed(store: AnyStore) -> None:
    def work(tx: Tx) -> None:
        add(tx, row(1))
        twice = add(tx, row(1))
        with pytest.raises(UniqueViolation):
            assert twice.rowcount
        with pytest.raises(InFailedSqlTransaction):
            assert twice.rowcount

    with pytest.raises(InternalError):
        await store.run(work)
    assert await store.read(ids) == []


async def test_reading_begins_no_transaction(store: AnyStore) -> None:
    def reading(tx: Tx) -> Any:
        ids(tx)
        raw: Any = tx.connection.dbapi_connection
        return raw.info.transaction_status

    assert await store.run(reading) == TransactionStatus.INTRANS
    assert await store.read(reading) == TransactionStatus.IDLE
    assert await store.run(reading) == TransactionStatus.INTRANS


async def test_a_connection_that_was_lost_is_replaced(store: AnyStore) -> None:
    await store.run(lambda tx: add(tx, row(1)))

    def cut(tx: Tx) -> None:
        pid = tx.execute(text("SELECT pg_backend_pid()")).scalar_one()
        add(tx, row(2))
        with store.engine.connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": pid})

    with pytest.raises(UNAVAILABLE):
        await store.run(cut)
    assert await store.run(ids) == [1]


async def test_when_one_connection_is_lost_the_others_are_not_used_again(
    store: AnyStore, postgres_url: str
) -> None:
    """A server of the database that restarts costs one answer, however many connections are at rest."""
    together = threading.Barrier(4)
    await asyncio.gather(*(store.run(lambda _: together.wait(PATIENCE_S)) for _ in range(4)))
    killer = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with killer.connect() as admin:
        admin.execute(
            text(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    killer.dispose()
    with pytest.raises(UNAVAILABLE):
        await store.run(lambda tx: add(tx, row(1)))
    await asyncio.gather(*(store.run(partial(add, values=row(key))) for key in range(8)))
    assert await store.read(ids) == list(range(8))


async def test_a_connection_is_used_again_after_an_error(store: AnyStore) -> None:
    def fail(tx: Tx) -> None:
        add(tx, row(1))
        raise LookupError

    def process(tx: Tx) -> int:
        return int(tx.execute(text("SELECT pg_backend_pid()")).scalar_one())

    before = await store.run(process)
    with pytest.raises(LookupError):
        await store.run(fail)
    assert await store.run(process) == before
    assert await store.read(ids) == []
