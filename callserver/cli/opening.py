"""What every command needs: the settings, the configuration and the database, opened and mended."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Engine

from callserver.adapters.clock import clock_from
from callserver.database import migrate
from callserver.database.store import make_engine
from callserver.ports import Tx
from callserver.settings import Settings, from_environment


def settings() -> Settings:
    return from_environment()


def now(tx: Tx) -> datetime:
    """The instant, by the clock that a server on this database keeps."""
    return clock_from(from_environment().clock, tx).now()


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
