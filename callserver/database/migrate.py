"""Upgrading a database to the newest tables, by alembic without an ini file."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, func, select, text

from callserver.database.engines import reading

MIGRATING = 4_520_000_001
"""The advisory lock of the process that changes the tables."""


def upgrade(engine: Engine) -> None:
    """Create or upgrade every table. Safe at every start; takes no lock if nothing is to be done."""
    with reading(engine) as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
    if revision != _newest():
        _run(engine, command.upgrade, "head")


def is_current(engine: Engine) -> bool:
    """Whether the tables are this version's."""
    with reading(engine) as connection:
        return MigrationContext.configure(connection).get_current_revision() == _newest()


def downgrade(engine: Engine, revision: str) -> None:
    """Go back to an older revision's tables; what only the newer ones hold is lost."""
    _run(engine, command.downgrade, revision)


@cache
def _newest() -> str | None:
    return ScriptDirectory.from_config(_config()).get_current_head()


def _run(engine: Engine, step: Callable[[Config, str], None], revision: str) -> None:
    config = _config()
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            _lock(connection)
        config.attributes["connection"] = connection
        step(config, revision)
        connection.commit()


def _lock(connection: Connection) -> None:
    """Until the commit no other process migrates, and no timeout ends a long step.

    When several servers start at once on an empty database, the first one creates the tables. (On
    SQLite the transaction begins with the lock.)
    """
    for wait in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
        connection.execute(text(f"SET LOCAL {wait} = 0"))
    connection.execute(select(func.pg_advisory_xact_lock(MIGRATING)))


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
