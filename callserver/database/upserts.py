"""INSERT ... ON CONFLICT in both dialects."""

from collections.abc import Callable
from importlib import import_module
from typing import Any


class PerDialect(dict[str, Any]):
    """A statement for each dialect, by its name. It is made from the dialect's own insert when it is first
    needed, because importing the dialect of PostgreSQL takes a twentieth of a command's start."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, dialect: str) -> Any:
        insert = import_module(f"sqlalchemy.dialects.{dialect}").insert
        statement = self[dialect] = self._make(insert)
        return statement


INSERTS = PerDialect(lambda insert: insert)
"""The dialect's own insert, by its name."""
