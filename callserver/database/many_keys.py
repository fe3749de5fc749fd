"""Conditions about any number of keys: SQLite takes 32,766 values in a statement, PostgreSQL 65,535."""

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Text, any_, func, literal, select

from callserver.ports import Tx

AT_ONCE = 5_000
"""So many keys are values of their own, of each of the few conditions of a statement. More are one value."""


def among(tx: Tx, column: ColumnElement[Any], keys: Collection[Any]) -> ColumnElement[bool]:
    """Whether the column has one of the keys."""
    some = list(keys)
    if len(some) <= AT_ONCE:
        return column.in_(some)
    if tx.dialect.name == "sqlite":
        return column.in_(select(func.json_each(json.dumps(some)).table_valued("value").c.value))
    kind = Text if isinstance(some[0], str) else BigInteger
    return column == any_(literal(some, ARRAY(kind)))
