"""The tables of this version, and of an older one, by alembic without an ini file.

Alembic is imported only where the tables change: it costs a command a fifth of its time.
"""

from pathlib import Path
from typing import Literal

from sqlalchemy import (
    Connection,
    Engine,
    Text,
    cast,
    func,
    inspect,
    select,
    text,
)
from sqlalchemy import column as lightweight_column
from sqlalchemy import table as lightweight_table

from callserver.database.engines import reading
from callserver.errors import ConfigurationProblem

SCRIPTS = Path(__file__).parent / "migrations"
VERSIONS = lightweight_table("alembic_version", lightweight_column("version_num"))
Step = Literal["upgrade", "downgrade"]

SHORT_HEADS = "0039"
"""The first revision whose version reads heads in their short form."""

MIGRATING = 4_520_000_001
"""The advisory lock of the process that changes the tables."""


def upgrade(engine: Engine) -> None:
    """Create or upgrade every table. Safe at every start; takes no lock if nothing is to be done.

    Raises:
        ConfigurationProblem: a newer version of callserver has upgraded the tables.
    """
    revision = _current(engine)
    if revision == newest():
        return
    if revision is not None and revision not in revisions():
        raise ConfigurationProblem(
            f"the database's tables are of revision {revision}, and this version knows only those up to"
            f" {newest()}: run the newer version, or with it `callserver migrate --to {newest()}`"
        )
    _run(engine, "upgrade", "head")


def is_current(engine: Engine) -> bool:
    """Whether the tables are this version's."""
    return _current(engine) == newest()


def downgrade(engine: Engine, revision: str) -> None:
    """Go back to an older revision's tables; what only the newer ones hold is lost."""
    _run(engine, "downgrade", revision)


def downgrade_without_loss(engine: Engine, revision: str) -> None:
    """Go back to an older revision's tables if they can hold everything.

    Raises:
        ConfigurationProblem: there is no such older revision; or tables or columns that it does not
            have are in use: names them.
    """
    if revision not in revisions() or revision > (_current(engine) or ""):
        raise ConfigurationProblem(f"{revision}: not a revision before the database's own")
    columns = _columns(engine)
    with engine.connect() as connection, connection.begin() as rehearsal:
        _step(connection, "downgrade", revision)
        gone = columns - _columns(connection)
        rehearsal.rollback()
    with reading(engine) as connection:
        in_use = [name for name in sorted(gone) if _is_used(connection, *name)]
    if in_use:
        names = ", ".join(f"{table}.{column}" for table, column in in_use)
        raise ConfigurationProblem(
            f"revision {revision} has no place for {names}, so their content would be lost: restore the"
            " backup that was made before the upgrade instead (docs/operating.md)"
        )
    _run(engine, "downgrade", revision)


def _columns(bind: Engine | Connection) -> set[tuple[str, str]]:
    """Every table's columns, by table."""
    inspector = inspect(bind)
    return {
        (table, column["name"])
        for table in inspector.get_table_names()
        for column in inspector.get_columns(table)
    }


def _is_used(connection: Connection, table: str, column: str) -> bool:
    """Whether any row has something else there than nothing, 0, no, or an empty text."""
    value = cast(lightweight_table(table, lightweight_column(column)).c[column], Text)
    used = select(1).where(value.not_in(("", "0", "false", "[]", "{}"))).limit(1)
    return connection.execute(used).first() is not None


def _current(engine: Engine) -> str | None:
    with reading(engine) as connection:
        if not inspect(connection).has_table(VERSIONS.name):
            return None
        current: str | None = connection.execute(select(VERSIONS.c.version_num)).scalar()
        return current


def revisions() -> list[str]:
    """This version's revisions, the oldest first: a file's name begins with its revision."""
    files = (SCRIPTS / "versions").glob("[0-9]*.py")
    return sorted(path.name.partition("_")[0] for path in files)


def newest() -> str:
    return revisions()[-1]


def _run(engine: Engine, step: Step, revision: str) -> None:
    with engine.begin() as connection:  # alembic itself would commit on SQLite after every step
        _step(connection, step, revision)


def _step(connection: Connection, step: Step, revision: str) -> None:
    """One change of the tables, in the connection's open transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    if connection.dialect.name == "postgresql":
        _lock(connection)
    config.attributes["connection"] = connection
    (command.upgrade if step == "upgrade" else command.downgrade)(config, revision)


def _lock(connection: Connection) -> None:
    """Until the commit no other process migrates, and no timeout ends a long step.

    When several servers start at once on an empty database, the first one creates the tables. (On
    SQLite the transaction begins with the lock.)
    """
    for wait in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
        connection.execute(text(f"SET LOCAL {wait} = 0"))
    connection.execute(select(func.pg_advisory_xact_lock(MIGRATING)))
