"""What a prepared statement answers."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol


class Counted(Protocol):
    """A statement that may still be under way."""

    @property
    def rowcount(self) -> int: ...


class StatementResult:
    """The rows of a statement, in Python's types."""

    __slots__ = ("_counted", "_rows")

    def __init__(self, rows: Sequence[Sequence[Any]], counted: int | Counted) -> None:
        self._rows = rows
        self._counted = counted

    @property
    def rowcount(self) -> int:
        return self._counted if isinstance(self._counted, int) else self._counted.rowcount

    def __iter__(self) -> Iterator[Sequence[Any]]:
        return iter(self._rows)

    def all(self) -> Sequence[Sequence[Any]]:
        return self._rows

    def one_or_none(self) -> Sequence[Any] | None:
        return self._rows[0] if self._rows else None

    first = one_or_none

    def one(self) -> Sequence[Any]:
        return self._rows[0]

    def scalar(self) -> Any:
        return self._rows[0][0] if self._rows else None


Execute = Callable[[Any, Sequence[Any]], tuple[Sequence[Sequence[Any]], int | Counted]]
"""Runs a statement on the driver's connection: its rows, and how many it concerned."""
