"""Bringing a database to the newest tables, by alembic, from the code alone (no ini file)."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, func, select, text

from callserver.database.store import reading

MIGRATING = 4_520_000_001
"""The advisory lock of the process that changes the tables."""


def upgrade(engine: Engine) -> None:
    """Create or upgrade every table. Safe to call at each start; waits for no writer if all is new."""
    with reading(engine) as connection:
        now = MigrationContext.configure(connection).get_current_revision()
    if now != _newest():
        _run(engine, command.upgrade, "head")


def downgrade(engine: Engine, revision: str) -> None:
    """Back to an older revision's tables; what only the newer ones hold is lost."""
    _run(engine, command.downgrade, revision)


@cache
def _newest() -> str | None:
    return ScriptDirectory.from_config(_config()).get_current_head()


def _run(engine: Engine, step: Callable[[Config, str], None], revision: str) -> None:
    config = _config()
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            _alone(connection)
        config.attributes["connection"] = connection
        step(config, revision)
        connection.commit()


def _alone(connection: Connection) -> None:
    """Until the commit: no other process migrates, and a long step is given its time.

    Several servers start at once on an empty database: the first makes the tables, and the others
    find them there. (SQLite's transaction begins with the lock.)
    """
    for wait in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
        connection.execute(text(f"SET LOCAL {wait} = 0"))
    connection.execute(select(func.pg_advisory_xact_lock(MIGRATING)))


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
