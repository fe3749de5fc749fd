"""What commands share: settings, the database with its newest tables, the rules in force, a progress bar."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from rich.console import Console
from rich.progress import Progress

from callserver.adapters.clock import clock_from
from callserver.adapters.config_folder import ConfigFolder
from callserver.database import migrate
from callserver.database.store import Engine, make_engine, reading, sqlite_path
from callserver.domain.audit import may_be_kept
from callserver.engine.context import Rules
from callserver.engine.rules import in_force
from callserver.errors import ConfigurationProblem
from callserver.ports import Tx
from callserver.settings import Settings, from_environment


def settings() -> Settings:
    return from_environment()


def now(tx: Tx) -> datetime:
    """The instant, by the clock that a server on this database keeps."""
    return clock_from(from_environment().clock, tx).now()


def secret(settings: Settings) -> bytes:
    """The key of the erased numbers' hashes; warns when there is none, because erased numbers are then not recognised."""
    if not settings.key:
        print("CALLSERVER_KEY is not set: who was erased cannot be recognised", file=sys.stderr)
    return settings.key.encode()


@contextmanager
def progress(words: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on standard error; call it with how much is done."""
    with Progress(console=Console(stderr=True)) as bars:
        task = bars.add_task(words, total=total)
        yield lambda done: bars.update(task, completed=done)
        bars.update(task, completed=total)


def kept_words(value: str) -> str:
    """An option whose words stand in the audit log.

    Raises:
        ConfigurationProblem: they may not.
    """
    if not may_be_kept(value):
        raise ConfigurationProblem(
            f"{value!r}: stands in the log for ever; a few words, no numbers"
        )
    return value


@contextmanager
def database(settings: Settings | None = None) -> Iterator[Engine]:
    """The database with its newest tables; beside a running server as well."""
    chosen = settings or from_environment()
    if (path := sqlite_path(chosen.database)) is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    engine = make_engine(chosen.database)
    try:
        migrate.upgrade(engine)
        yield engine
    finally:
        engine.dispose()


def rules(engine: Engine, settings: Settings) -> Rules:
    """The rules in force: a command goes by no looser ones than the servers do."""
    with reading(engine) as connection, connection.begin():
        return Rules(in_force.beginning(connection, ConfigFolder(settings.config)))
