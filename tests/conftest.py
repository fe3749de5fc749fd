"""Real databases for every test that asks for one: SQLite files and a PostgreSQL server from pip."""

import io
import logging
import os
import sqlite3
import sys
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import hypothesis
import pytest
import structlog
from argon2 import PasswordHasher
from sqlalchemy import Engine, create_engine, event

from callserver import log
from callserver.database import migrate
from callserver.database.store import AnyStore, open_store
from callserver.engine.accounts import authentication, password_hashing
from callserver.garbage import frozen_heap
from tests.harness import shared, statements
from tests.harness.databases import (
    PostgresDatabases,
    postgres_database,
    postgres_server,
    sqlite_file,
)
from tests.harness.exchange.real import Called, Exchange, await_trunk, running

HERE = Path(__file__).parent

# No deadline for an example: how long one takes depends on the machine.
hypothesis.settings.register_profile("any_machine", deadline=None)
hypothesis.settings.load_profile("any_machine")

statements.share()
shared.share()

# A server logs plain tracebacks. Structlog's own, with every local variable, take seconds of the event loop.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)


@event.listens_for(Engine, "connect")
def _take_as_few_values_as_sqlite_itself(connection: object, _: object) -> None:
    """Debian's SQLite takes eight times as many in one statement."""
    if isinstance(connection, sqlite3.Connection):
        connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 32_766)


REAL_TIME = (
    *("browser/", "exchange", "uptime", "processes", "rules_in_force", "asterisk"),
    *("installed", "survive", "test_demo", "deployment/", "pooler", "failover"),
)
"""Parts of the paths of files that wait in real time, or for another process."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that wait in real time come first, so that no worker is left with one at the end.

    A real browser keeps real time, which a busy machine may not leave it: its tests are tried a second
    time, and the run says so (R). What holds the called person's safety has one try, everywhere.
    """

    @cache
    def name(file: Path) -> str:
        return file.relative_to(HERE).as_posix()

    items.sort(key=lambda item: not any(part in name(item.path) for part in REAL_TIME))
    for item in items:
        if name(item.path).startswith("browser/"):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session", autouse=True)
def frozen() -> Iterator[None]:
    """What the tests' modules have loaded stays until the end."""
    with frozen_heap():
        yield


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """A hash in production is slow by intent: a fifth of a second that no test needs."""
    with pytest.MonkeyPatch.context() as patch:
        cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        patch.setattr(password_hashing, "hasher", cheap)
        patch.setattr(authentication, "NOBODY", cheap.hash("a password that nobody has"))
        yield


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Tests that are coroutines run in a loop of asyncio's, each in one of its own."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server of this test run's own; its URL without a database name."""
    with postgres_server(tmp_path_factory.mktemp("run")) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_template(postgres: str) -> Iterator[str]:
    """The name of a database with every table: copying it is quicker than migrating."""
    with postgres_database(postgres) as url:
        engine = create_engine(url)
        migrate.upgrade(engine)
        engine.dispose()
        assert url.database
        yield url.database


@pytest.fixture(scope="session")
def postgres_databases(postgres: str, postgres_template: str) -> Iterator[PostgresDatabases]:
    databases = PostgresDatabases(postgres, postgres_template)
    yield databases
    databases.close()


@pytest.fixture
def postgres_url(postgres_databases: PostgresDatabases) -> Iterator[str]:
    """An empty database with every table."""
    with postgres_databases.one() as url:
        yield url.render_as_string(hide_password=False)


@pytest.fixture
def empty_postgres_url(postgres: str) -> Iterator[str]:
    with postgres_database(postgres) as url:
        yield url.render_as_string(hide_password=False)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A database with every table."""
    return sqlite_file(tmp_path / "test.db")


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """One contract, both databases."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def store(database_url: str) -> Iterator[AnyStore]:
    opened = open_store(database_url)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def full() -> bool:
    """The full sizes instead of those for every day: CALLSERVER_FULL=1."""
    return os.environ.get("CALLSERVER_FULL") == "1"


@pytest.fixture(scope="session")
def started_exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Exchange, Called]]:
    with running(tmp_path_factory.mktemp("exchange")) as exchange:
        yield exchange


@pytest.fixture
def exchange(started_exchange: tuple[Exchange, Called]) -> tuple[Exchange, Called]:
    """A real Asterisk and SIPp's telephones at its trunk; left out, with the reason, without them."""
    await_trunk(started_exchange[0], "online")
    return started_exchange


@pytest.fixture
def log_lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Logging as a process sets it up; undone afterwards."""
    root, showing = logging.getLogger(), warnings.showwarning
    before, level = list(root.handlers), root.level
    configured = structlog.get_config()
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    logging.captureWarnings(capture=False)  # a command of another test may have begun it
    log.set_up("info")
    structlog.configure(cache_logger_on_first_use=False)
    yield written
    root.handlers[:] = before
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    warnings.showwarning = showing
    structlog.configure(**configured)
