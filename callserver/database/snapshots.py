"""Whole databases: a consistent copy of a running one, and one copied into another of either kind."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, func, insert, inspect, select, text, update

from callserver.database import heads
from callserver.database.tables import audit, metadata, seals

BATCH, HEADS = 5000, 50


def write_sqlite(engine: Engine, file: Path) -> None:
    """A copy of a SQLite database that servers may be writing to; it holds no deleted bytes."""
    with engine.connect() as connection:
        raw: Any = connection.connection.dbapi_connection
        raw.execute("VACUUM INTO ?", (str(file),))


def is_empty(engine: Engine) -> bool:
    """Whether the database has no tables."""
    return not inspect(engine).get_table_names()


def start_feed_again(tx: Connection) -> None:
    """After a PostgreSQL dump came into another cluster, whose transactions are counted from its own start."""
    if tx.dialect.name == "postgresql":
        tx.execute(update(audit).where(audit.c.tx != 0).values(tx=0))


def copy(source: Engine, target: Engine, done: Callable[[int], None]) -> dict[str, int]:
    """Copy every table into tables that are there and empty; all of it or nothing. Rows by table.

    The source must not change meanwhile: no server may run on it.
    """
    copied, total = {}, 0
    with source.connect() as reading, target.begin() as writing:
        for table in metadata.sorted_tables:
            copied[table.name] = 0
            rows = reading.execution_options(yield_per=BATCH).execute(select(table))
            for part in rows.mappings().partitions(HEADS if table is seals else BATCH):
                writing.execute(insert(table), [_row(reading, table, row) for row in part])
                copied[table.name] += len(part)
                total += len(part)
                done(total)
            _continue_ids(writing, table)
    return copied


def count_rows(engine: Engine) -> int:
    with engine.connect() as connection:
        counts = [
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
        ]
    return sum(counts)


def _row(source: Connection, table: Table, row: Any) -> dict[str, Any]:
    values = {column.key: row[column] for column in table.columns}
    if table is seals:
        return values | {"body": heads.long_line(source, row[seals.c.body])}
    return values | ({"tx": 0} if table is audit else {})


def _continue_ids(tx: Connection, table: Table) -> None:
    """New rows get ids after those that were copied."""
    if tx.dialect.name != "postgresql":
        return  # SQLite goes on after the greatest id
    for column in table.primary_key:
        sequence = tx.execute(
            text("SELECT pg_get_serial_sequence(:table, :column)"),
            {"table": f'"{table.name}"', "column": column.name},
        ).scalar()
        greatest = tx.execute(select(func.max(column))).scalar() if sequence else None
        if sequence and greatest is not None:
            tx.execute(select(func.setval(sequence, greatest)))
