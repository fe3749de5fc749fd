"""PostgreSQL: rewrite the tables, so that the bytes of what was deleted are gone from their files.

Each table is locked while it is rewritten, so this is for a time in which nobody dials. The statistics of the
planner hold values of rows as well; they are made again, and rewritten too.
"""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, Engine, select, text
from sqlalchemy.exc import OperationalError

from callserver.database.tables import metadata, table_rewrites
from callserver.database.upserts import INSERTS
from callserver.ports import Tx

NOT_REWRITTEN = frozenset(
    {"audit", "seals", "register_entries", "register_keys", "register_records"}
)
"""They hold ids only, or the public registers."""

STATISTICS = "pg_statistic"
LONGEST_WAIT_S = 3
"""How long to wait for a table in use: others who need it wait as long."""

LAST = "last"


class Rewritten(NamedTuple):
    tables: int
    left: list[str]  # tables that were in use or took too long


class LastRewrite(NamedTuple):
    at: datetime
    remaining: int  # tables that were skipped


def rewrite(
    engine: Engine, is_free: Callable[[], bool] = lambda: True, *, most_s: int = 0
) -> Rewritten:
    """Rewrite every table from which something may have been deleted. SQLite needs none.

    `is_free`: asked before each table; False leaves the rest. `most_s`: for one table; 0: no limit.
    """
    if engine.dialect.name != "postgresql":
        return Rewritten(0, [])
    tables = sorted(metadata.tables.keys() - NOT_REWRITTEN)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"SET lock_timeout = '{LONGEST_WAIT_S}s'"))
        connection.execute(text(f"SET statement_timeout = '{most_s}s'"))
        left = [
            name
            for name in tables
            if not (is_free() and _is_rewritten(connection, f'(FULL, ANALYZE) "{name}"'))
        ]
        if left or not _is_rewritten(connection, f"(FULL) {STATISTICS}"):
            left.append(STATISTICS)
        connection.execute(text("RESET lock_timeout"))
        connection.execute(text("RESET statement_timeout"))
    return Rewritten(len(tables) + 1 - len(left), left)


def _is_rewritten(connection: Connection, what: str) -> bool:
    try:
        connection.execute(text(f"VACUUM {what}"))
    except OperationalError as error:
        if connection.closed or connection.invalidated:
            raise
        if getattr(error.orig, "sqlstate", None) not in _NOT_NOW:
            raise
        return False
    return True


_NOT_NOW = frozenset({"55P03", "57014"})
"""PostgreSQL's codes: the table is in use; it took too long."""


def last(tx: Tx) -> LastRewrite | None:
    row = tx.execute(select(table_rewrites.c.at, table_rewrites.c.remaining)).one_or_none()
    return None if row is None else LastRewrite._make(row)


def put(tx: Tx, began: datetime, remaining: int) -> None:
    """Remember when the last rewriting began: what was deleted later is not in it."""
    values = {"at": began, "remaining": remaining}
    tx.execute(
        INSERTS[tx.dialect.name](table_rewrites)
        .values(name=LAST, **values)
        .on_conflict_do_update(index_elements=["name"], set_=values)
    )
