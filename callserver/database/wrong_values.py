"""Values in an SQLite database that no server writes: SQLite itself stores any type in any column."""

from collections.abc import Iterator

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ColumnElement,
    LargeBinary,
    String,
    and_,
    case,
    func,
    select,
    type_coerce,
)

from callserver.database.tables.types import EPOCH, MICROSECOND, HexName, Instant, metadata
from callserver.domain.audit import FIRST_YEAR, LAST_YEAR
from callserver.ports import Tx

FIRST, LAST = (
    (EPOCH.replace(year=year) - EPOCH) // MICROSECOND for year in (FIRST_YEAR, LAST_YEAR + 1)
)


def wrong_values(tx: Tx) -> Iterator[str]:
    """Each column with such values, and in how many rows; every table is read, as far as it is there."""
    for table in metadata.sorted_tables:
        present = {row.name for row in tx.exec_driver_sql(f"PRAGMA table_info('{table.name}')")}
        columns = [column for column in table.columns if column.name in present]
        if columns:
            counts = tx.execute(select(*(func.sum(_wrong(column)) for column in columns))).one()
            for column, count in zip(columns, counts, strict=True):
                if count:
                    yield f"{table.name}.{column.name} ({count} row{'s' * (count > 1)})"


def _wrong(column: Column[object]) -> ColumnElement[int]:
    """1 for a value that no server writes, 0 for others."""
    is_right: ColumnElement[bool] = func.typeof(column).in_(_types(column))
    if isinstance(column.type, JSON):
        is_right = and_(is_right, func.json_valid(type_coerce(column, String)) == 1)
    if isinstance(column.type, Instant):
        is_right = and_(is_right, type_coerce(column, BigInteger).between(FIRST, LAST))
    return case((column.is_(None), 0), (is_right, 0), else_=1)


def _types(column: Column[object]) -> tuple[str, ...]:
    """What SQLite calls the types that a server stores in this column."""
    kind = getattr(column.type, "impl", column.type)
    if isinstance(column.type, HexName):
        return "text", "blob"
    if isinstance(kind, LargeBinary):
        return ("blob",)
    return ("text",) if isinstance(kind, String | JSON) else ("integer", "real")
