"""Where a store may break: nobody is left waiting, and nothing is acknowledged that is not durable."""

import asyncio
import resource
import signal
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

from callserver.database import known_time, postgres
from callserver.database import store as store_module
from callserver.database import store as storing
from callserver.database.postgres import PostgresStore
from callserver.database.store import BUSY_FROM, AnyStore, SqliteStore, open_store
from callserver.database.unavailable import UNAVAILABLE
from callserver.ports import Tx
from tests.harness.databases import reading_only
from tests.harness.silent_proxy import way_to
from tests.harness.waiting import PATIENCE_S, eventually


def put(value: object) -> Callable[[Tx], object]:
    return lambda tx: tx.execute(text("INSERT INTO notes VALUES (:value)"), {"value": value})


def kept(tx: Tx) -> list[Any]:
    return list(tx.execute(text("SELECT value FROM notes ORDER BY value")).scalars())


async def fate(waiting: Awaitable[object]) -> str:
    """How it ended: the error's name, or "done"."""
    try:
        await asyncio.wait_for(waiting, PATIENCE_S)
    except TimeoutError:
        return "forgotten"
    except Exception as error:  # noqa: BLE001 - whichever it is
        return type(getattr(error, "orig", error)).__name__ + ": " + str(error)
    return "done"


async def fates(store: AnyStore, *works: Callable[[Tx], object]) -> list[str]:
    """What becomes of functions that wait together."""
    return await asyncio.gather(*(fate(store.run(work)) for work in works))


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[SqliteStore]:
    store = open_store(url)
    assert isinstance(store, SqliteStore)
    await store.run(lambda tx: tx.execute(text("CREATE TABLE notes (value)")))
    yield store
    store.close()


async def test_another_process_holds_the_lock(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "BUSY_MS", 100)
    async with opened(sqlite_url) as store:
        other = sqlite3.connect(tmp_path / "test.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        for fate in await fates(store, put(1), put(2)):
            assert "locked" in fate
        other.execute("COMMIT")
        other.close()
        assert await fates(store, put(3)) == ["done"]
        assert await store.run(kept) == [3]


async def test_readers_wait_for_no_lock(sqlite_url: str, tmp_path: Path) -> None:
    async with opened(sqlite_url) as store:
        await store.run(put(1))
        other = sqlite3.connect(tmp_path / "test.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        other.execute("INSERT INTO notes VALUES (2)")
        assert await store.read(kept) == [1]
        assert await store.peek(kept) == [1]
        other.execute("COMMIT")
        assert await store.peek(kept) == [1, 2]
        other.close()


async def test_savepoints_write_no_temporary_files(sqlite_url: str) -> None:
    """Pages with people's data would lie outside the database's folder, and cost more than the commit."""

    def change_all(tx: Tx) -> list[str]:
        tx.execute(text("UPDATE notes SET value = value || '.'"))
        files = Path("/proc/self/fd").iterdir()
        return [str(file.readlink()) for file in files if file.is_symlink()]

    async with opened(sqlite_url) as store:
        await asyncio.gather(*(store.run(put("x" * 4000)) for _ in range(64)))
        for files in await asyncio.gather(*(store.run(change_all) for _ in range(4))):
            assert [file for file in files if "etilqs" in file] == []  # SQLite's name for them


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Grows by one with each commit on SQLite."""
    made: list[object] = []
    usual = vars(SqliteStore)["_commit"]

    def commit(of_store: SqliteStore, opened: Any) -> Any:
        made.append(opened)
        return usual(of_store, opened)

    monkeypatch.setattr(SqliteStore, "_commit", commit)
    return made


async def test_who_asks_again_at_once_shares_the_next_commit(
    sqlite_url: str, commits: list[object]
) -> None:
    """With who waited meanwhile: fewer commits write fewer pages."""
    async with opened(sqlite_url) as store:
        commits.clear()
        waiting: list[asyncio.Future[object]] = []

        def first(tx: Tx) -> None:
            put(1)(tx)
            waiting.append(asyncio.ensure_future(store.run(put(2))))  # waits while this commits

        await store.run(first)
        await store.run(put(3))
        await asyncio.gather(*waiting)
        assert len(commits) == 2


@pytest.mark.parametrize("sharing", [BUSY_FROM - 1, BUSY_FROM])
async def test_who_comes_soon_after_a_commit_of_a_busy_server_shares_the_next_one(
    sqlite_url: str, commits: list[object], monkeypatch: pytest.MonkeyPatch, sharing: int
) -> None:
    waited, go_on = list[float](), asyncio.Event()
    usual = asyncio.sleep

    async def sleep(seconds: float) -> None:
        if seconds:
            waited.append(seconds)
            await go_on.wait()
        await usual(0)

    is_busy = sharing == BUSY_FROM
    async with opened(sqlite_url) as store:
        monkeypatch.setattr(store_module, "SPACING_S", 600.0)
        monkeypatch.setattr(asyncio, "sleep", sleep)
        before = list(range(sharing))
        await asyncio.gather(*(store.run(put(number)) for number in before))
        commits.clear()
        soon = [asyncio.ensure_future(store.run(put(number))) for number in (10, 11)]
        while is_busy and not waited:
            await usual(0)
        if is_busy:
            assert await store.peek(kept) == before  # does not wait
            soon.append(asyncio.ensure_future(store.run(put(12))))
            await usual(0)
            go_on.set()
        await asyncio.gather(*soon)
        assert await store.peek(kept) == [*before, 10, 11, 12][: len(before) + len(soon)]
        assert len(commits) == 1
    assert [0 < seconds <= 600.0 for seconds in waited] == [True] * is_busy


async def test_a_peek_sees_what_is_committed_only(sqlite_url: str) -> None:
    async with opened(sqlite_url) as store:
        await store.run(put(1))
        assert await store.peek(kept) == [1]
        began, go_on = asyncio.Event(), threading.Event()
        loop, usual = asyncio.get_running_loop(), vars(SqliteStore)["_commit"]

        def commit(of_store: SqliteStore, opened: Any) -> Any:
            loop.call_soon_threadsafe(began.set)
            assert go_on.wait(PATIENCE_S)
            return usual(of_store, opened)

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(SqliteStore, "_commit", commit)
            writing = asyncio.ensure_future(store.run(put(2)))
            await asyncio.wait_for(began.wait(), PATIENCE_S)
            assert await store.peek(kept) == [1]  # while the commit is under way
            go_on.set()
            await writing
        assert await store.peek(kept) == [1, 2]


async def test_closing_does_not_wait_for_another_process(sqlite_url: str, tmp_path: Path) -> None:
    """A backup program may hold the lock for minutes: a stopping server ends all the same."""
    async with opened(sqlite_url) as store:
        other = sqlite3.connect(tmp_path / "test.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.ensure_future(fate(store.run(put(1))))
        await asyncio.sleep(0.1)
        began = time.monotonic()
        await asyncio.to_thread(store.close)
        assert time.monotonic() - began < 5
        assert "locked" in await waiting
        other.execute("COMMIT")
        other.close()


async def test_what_is_durable_is_acknowledged_before_the_next_lock_is_waited_for(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with opened(sqlite_url) as store:
        other = sqlite3.connect(tmp_path / "test.db", isolation_level=None, check_same_thread=False)
        begins = 0
        later: list[asyncio.Future[str]] = []

        def first(tx: Tx) -> None:
            put(1)(tx)
            later.append(asyncio.ensure_future(fate(store.run(put(2)))))

        def traced(statement: str) -> None:
            nonlocal begins
            begins += statement == "BEGIN IMMEDIATE"
            if begins == 2 and not other.in_transaction:  # another process is faster
                other.execute("BEGIN IMMEDIATE")

        with _driver(store.engine) as raw:
            raw.set_trace_callback(traced)
        assert await fates(store, first) == ["done"]
        await eventually(lambda: other.in_transaction)
        assert not later[0].done()
        other.execute("ROLLBACK")
        raw.set_trace_callback(None)
        assert await later[0] == "done"
        other.close()


async def test_a_commit_that_fails_is_told_to_all_who_shared_it(sqlite_url: str) -> None:
    def tables(tx: Tx) -> None:
        tx.execute(text("CREATE TABLE one (id INTEGER PRIMARY KEY)"))
        tx.execute(text("CREATE TABLE two (one REFERENCES one DEFERRABLE INITIALLY DEFERRED)"))

    async with opened(sqlite_url) as store:
        await store.run(tables)
        _strict(store.engine)
        orphan = text("INSERT INTO two VALUES (9)")  # refused by the commit, not before
        told = await fates(store, put(1), lambda tx: tx.execute(orphan), put(2))
        assert ["IntegrityError" in answer for answer in told] == [True] * 3
        assert await fates(store, put(3)) == ["done"]
        assert await store.run(kept) == [3]


@contextmanager
def _driver(engine: Engine) -> Iterator[Any]:
    """The driver's connection, of which a store on SQLite has one."""
    with engine.connect() as connection:
        yield connection.connection.dbapi_connection


def _strict(engine: Engine) -> None:
    with _driver(engine) as raw:
        raw.execute("PRAGMA foreign_keys = ON")


async def test_a_failed_commit_holds_no_lock(sqlite_url: str, tmp_path: Path) -> None:
    async with opened(sqlite_url) as store:
        with _full_disk(tmp_path / "test.db-wal"):
            (told,) = await fates(store, put("x" * 30_000))
        assert "OperationalError" in told
        other = sqlite3.connect(tmp_path / "test.db", isolation_level=None, timeout=0)
        other.execute("BEGIN IMMEDIATE")
        other.close()


@contextmanager
def _full_disk(wal: Path) -> Iterator[None]:
    """No file may grow beyond the write-ahead log's present size."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (wal.stat().st_size + 1000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


async def test_a_full_disk_at_the_commit_loses_nothing_that_was_acknowledged(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with opened(sqlite_url) as store:
        await store.run(put("a"))
        with _full_disk(tmp_path / "test.db-wal"):
            told = await fates(store, put("b"), put("x" * 30_000), put("c"))
        assert all("OperationalError" in answer for answer in told)
        assert await fates(store, put("d")) == ["done"]
        assert await store.run(kept) == ["a", "d"]


async def test_a_checkpoint_empties_the_write_ahead_log(sqlite_url: str, tmp_path: Path) -> None:
    """What was erased must not stand there."""
    async with opened(sqlite_url) as store:
        await store.run(put("a"))
        assert (tmp_path / "test.db-wal").stat().st_size > 0
        await store.checkpoint()
        assert (tmp_path / "test.db-wal").stat().st_size == 0


async def test_a_full_disk_in_a_function_is_named_and_the_next_goes_on(sqlite_url: str) -> None:
    """SQLite gives the whole transaction up: who shared it hears why, who waits is not touched."""

    def too_much(tx: Tx) -> None:
        for _ in range(50):
            put("x" * 3000)(tx)

    async with opened(sqlite_url) as store:
        await store.run(lambda tx: tx.execute(text("PRAGMA max_page_count = 6")))
        first, second, third = await fates(store, put(1), too_much, put(2))
        assert "disk is full" in first
        assert "disk is full" in second
        assert third == "done"
        assert await store.run(kept) == [2]


async def test_one_failing_among_many_shares_nothing(store: AnyStore) -> None:
    def bad(tx: Tx) -> None:
        put(99)(tx)
        raise RuntimeError("mine alone")

    await store.run(lambda tx: tx.execute(text("CREATE TABLE notes (value INTEGER)")))
    works = [bad if number % 3 == 0 else put(number) for number in range(200)]
    told = await fates(store, *works)
    assert [answer == "done" for answer in told] == [number % 3 != 0 for number in range(200)]
    assert await store.run(kept) == [number for number in range(200) if number % 3]


async def test_who_gave_up_before_its_turn_changes_nothing(sqlite_url: str) -> None:
    async with opened(sqlite_url) as store:
        first = asyncio.ensure_future(store.run(put(1)))
        second = asyncio.ensure_future(store.run(put(2)))
        await asyncio.sleep(0)
        second.cancel()
        await first
        assert await store.run(kept) == [1]


@pytest.mark.parametrize("after", [0.0, 0.001, 0.01], ids=["at once", "begun", "under way"])
async def test_closing_leaves_nobody_waiting(sqlite_url: str, tmp_path: Path, after: float) -> None:
    async with opened(sqlite_url) as store:
        waiting = [asyncio.ensure_future(fate(store.run(put(number)))) for number in range(300)]
        await asyncio.sleep(after)
        store.close()
        told = await asyncio.gather(*waiting)
        assert "forgotten" not in told
        assert (await fates(store, put(1)))[0].startswith("RuntimeError")
    done = told.count("done")
    count = sqlite3.connect(tmp_path / "test.db").execute("SELECT count(*) FROM notes").fetchone()
    assert count[0] >= done  # durable, whether or not it could still be told


def test_a_store_outlives_a_loop_that_ended_in_the_middle(sqlite_url: str) -> None:
    async def first() -> SqliteStore:
        store = open_store(sqlite_url)
        assert isinstance(store, SqliteStore)
        await store.run(lambda tx: tx.execute(text("CREATE TABLE notes (value)")))
        tasks = [asyncio.ensure_future(store.run(put(number))) for number in range(300)]
        await asyncio.sleep(0)
        assert not tasks[-1].done()
        return store

    async def second(store: SqliteStore) -> None:
        assert await fates(store, put(1000)) == ["done"]
        assert (await store.run(kept))[-1] == 1000

    store = asyncio.run(first())
    asyncio.run(second(store))
    store.close()


async def test_a_lost_connection_costs_one_answer(postgres_url: str) -> None:
    store = open_store(postgres_url)
    assert isinstance(store, PostgresStore)
    await store.run(lambda tx: tx.execute(text("CREATE TABLE notes (value INTEGER)")))
    await asyncio.gather(*(store.run(put(number)) for number in range(20)))
    killer = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with killer.connect() as admin:
        admin.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    killer.dispose()
    told = [(await fates(store, put(100 + number)))[0] for number in range(10)]
    assert told.count("done") >= 9
    assert told[-1] == "done"
    store.close()


@pytest.mark.parametrize(
    "change",
    [
        put(1),
        lambda tx: known_time.record(tx, datetime(2026, 5, 12, tzinfo=UTC)),  # a prepared one
    ],
)
async def test_a_database_that_only_reads_is_unavailable(
    postgres_url: str, change: Callable[[Tx], object]
) -> None:
    """Reports that it does not take are asked about later, as after an outage."""
    before = open_store(postgres_url)
    await before.run(lambda tx: tx.execute(text("CREATE TABLE notes (value INTEGER)")))
    before.close()
    with reading_only(postgres_url):
        store = open_store(postgres_url)
        assert await store.run(kept) == []
        with pytest.raises(UNAVAILABLE):
            await store.run(change)
        store.close()


async def goes_again(store: AnyStore) -> None:
    for _ in range(50):
        if (await fates(store, put(100)))[0] == "done":
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the store does not come back")


async def test_a_silent_database_frees_every_thread(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connections that stay open and answer nothing: each caller gets an error, and the next ones succeed."""
    monkeypatch.setattr(postgres, "MOST_S", 0.5)

    with way_to(postgres_url) as way:
        store = open_store(way.url)
        assert isinstance(store, PostgresStore)
        await store.run(lambda tx: tx.execute(text("CREATE TABLE notes (value INTEGER)")))
        assert set(await fates(store, *map(put, range(20)))) == {"done"}
        way.silence()
        monkeypatch.setattr(postgres, "MOST_S", 0.2)
        began = time.monotonic()
        told = await asyncio.gather(*map(store.run, map(put, range(30))), return_exceptions=True)
        assert all(isinstance(answer, UNAVAILABLE) for answer in told)
        assert time.monotonic() - began < 60
        way.talk()
        monkeypatch.setattr(postgres, "MOST_S", 20)
        await goes_again(store)
        way.silence()
        monkeypatch.setattr(postgres, "MOST_S", 600)
        monkeypatch.setattr(postgres, "CLOSE_S", 0.2)
        hung = asyncio.ensure_future(store.run(put(101)))
        await asyncio.sleep(0.5)
        await asyncio.wait_for(asyncio.to_thread(store.close), PATIENCE_S)
        assert isinstance((await asyncio.gather(hung, return_exceptions=True))[0], UNAVAILABLE)


async def test_a_caller_who_gave_up_leaves_no_thread_behind(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "MOST_S", 1.0)

    with way_to(postgres_url) as way:
        store = open_store(way.url)
        assert isinstance(store, PostgresStore)
        await store.run(lambda tx: tx.execute(text("CREATE TABLE notes (value INTEGER)")))
        await fates(store, *map(put, range(20)))
        way.silence()
        for number in range(12):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(store.run(put(number)), 0.01)
        await eventually(lambda: not store.busy_threads)
        way.talk()
        monkeypatch.setattr(postgres, "MOST_S", 20)
        await goes_again(store)
        store.close()
