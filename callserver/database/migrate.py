"""Bringing a database to the newest tables, by alembic, from the code alone (no ini file)."""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from callserver.database.store import reading


def upgrade(engine: Engine) -> None:
    """Create or upgrade every table. Safe to call at each start; waits for no writer if all is new."""
    with reading(engine) as connection:
        now = MigrationContext.configure(connection).get_current_revision()
    if now != ScriptDirectory.from_config(_config()).get_current_head():
        _run(engine, command.upgrade, "head")


def downgrade(engine: Engine, revision: str) -> None:
    """Back to an older revision's tables; what only the newer ones hold is lost."""
    _run(engine, command.downgrade, revision)


def _run(engine: Engine, step: Callable[[Config, str], None], revision: str) -> None:
    config = _config()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        step(config, revision)
        connection.commit()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
