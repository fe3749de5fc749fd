"""INSERT ... ON CONFLICT in both dialects."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table, bindparam
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

INSERTS: dict[str, Any] = {"sqlite": sqlite_insert, "postgresql": postgresql_insert}
"""The dialect's own insert, by its name."""


def rows_to_insert(table: Table, columns: Sequence[str]) -> dict[str, Any]:
    """For each dialect, the insert of a row whose values are given by the names of their columns."""
    values: dict[str, Any] = {column: bindparam(column) for column in columns}
    return {name: insert(table).values(values) for name, insert in INSERTS.items()}
