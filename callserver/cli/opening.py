"""What every command needs: the settings, the configuration and the database, opened and mended."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from callserver.adapters.clock import SystemClock, clock_from
from callserver.adapters.folder import Folder
from callserver.database import migrate
from callserver.database.store import make_engine, reading
from callserver.engine import revising
from callserver.engine.house import Rules
from callserver.settings import Settings, from_environment


def settings() -> Settings:
    return from_environment()


def clock(found: Settings | None = None) -> SystemClock:
    """The clock that a server with these settings keeps: a command's words fit its time."""
    return clock_from((found or from_environment()).clock)


@contextmanager
def database(found: Settings | None = None) -> Iterator[Engine]:
    """The database with its newest tables; beside a running server as well."""
    chosen = found or from_environment()
    if chosen.database.startswith("sqlite:///"):
        from pathlib import Path

        Path(chosen.database.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    engine = make_engine(chosen.database)
    try:
        migrate.upgrade(engine)
        yield engine
    finally:
        engine.dispose()


def rules(engine: Engine, found: Settings) -> Rules:
    """The rules in force: a command goes by no looser ones than the servers do."""
    with reading(engine) as connection, connection.begin():
        return Rules(revising.beginning(connection, Folder(found.config)))
