"""PostgreSQL: rewrite the tables, so that the bytes of what was deleted are gone from their files.

Each table is locked while it is rewritten, so this is for a time in which nobody dials. The statistics of the
planner hold values of rows as well; they are made again, and rewritten too.
"""

from sqlalchemy import Engine, text

from callserver.database.tables import metadata

NOT_REWRITTEN = frozenset(
    {"audit", "seals", "register_entries", "register_keys", "register_records"}
)
"""They hold ids only, or the public registers."""

LONGEST_WAIT = "10s"
"""For a table that somebody uses; then the command fails, and nothing is lost."""


def rewrite(engine: Engine) -> list[str]:
    """Rewrite every table from which something may have been deleted; their names. SQLite needs none."""
    if engine.dialect.name != "postgresql":
        return []
    tables = sorted(metadata.tables.keys() - NOT_REWRITTEN)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"SET lock_timeout = '{LONGEST_WAIT}'"))
        for name in tables:
            connection.execute(text(f'VACUUM (FULL, ANALYZE) "{name}"'))
        connection.execute(text("VACUUM (FULL) pg_statistic"))
        connection.execute(text("RESET lock_timeout"))
    return tables
