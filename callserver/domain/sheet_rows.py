"""Rows of a sheet that are read together, by row and by column."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cached_property
from operator import itemgetter
from typing import overload


class Unreadable(list[str]):
    """The cells of a row that must be refused, as far as they can be separated.

    `reason`: `quotes` for misplaced quotes; `nul` or `encoding` for characters that no database accepts.
    """

    def __init__(self, cells: Iterable[str], reason: str) -> None:
        super().__init__(cells)
        self.reason = reason


class Rows(Sequence[Sequence[str]]):
    """The rows' cells. What is asked about all rows is found once: a column is read by several rules."""

    def __init__(
        self,
        cells: Iterable[Sequence[str]] = (),
        lines: Sequence[int] = (),
        *,
        columns: Sequence[Sequence[str]] = (),
    ) -> None:
        """`lines`: on which each row begins. `columns`: in place of the cells, where every row has them all."""
        self.lines = lines
        if columns:  # a row by itself is seldom asked for
            self.columns = columns
            self._widths, self._are_readable = {len(columns)}, True
            return
        self._cells = list(cells)
        self._widths = set(map(len, self._cells))
        self._are_readable = Unreadable not in set(map(type, self._cells))

    @cached_property
    def _cells(self) -> list[Sequence[str]]:
        return list(map(list, zip(*self.columns, strict=True)))

    def __len__(self) -> int:
        return len(self.lines) or len(self._cells)

    def __iter__(self) -> Iterator[Sequence[str]]:
        return iter(self._cells)

    @overload
    def __getitem__(self, at: int) -> Sequence[str]: ...

    @overload
    def __getitem__(self, at: slice) -> list[Sequence[str]]: ...

    def __getitem__(self, at: int | slice) -> Sequence[str] | list[Sequence[str]]:
        return self._cells[at]

    def numbered(self) -> Iterator[tuple[int, Sequence[str]]]:
        """The line on which each row begins, and its cells."""
        return zip(self.lines, self, strict=True)

    def are_whole(self, widths: Collection[int]) -> bool:
        """Whether every row can be read and has one of these numbers of cells."""
        return self._are_readable and self._widths <= set(widths)

    def whole(self, widths: Collection[int]) -> "Rows":
        """The rows that can be read and have one of these numbers of cells."""
        if self.are_whole(widths):
            return self
        return Rows(cells for cells in self if len(cells) in widths and type(cells) is list)

    @cached_property
    def columns(self) -> Sequence[Sequence[str]]:
        """Those columns that every row has."""
        return list(zip(*self._cells, strict=False))

    def beginnings(self) -> Iterable[str]:
        """Each row's first cell. Rows that are not cut into columns yet, perhaps thousands, stay so."""
        return self.columns[0] if "columns" in vars(self) else map(itemgetter(0), self._cells)

    def column(self, at: int) -> Sequence[str]:
        """A column's cells, of the rows that have it."""
        if at < len(self.columns):
            return self.columns[at]
        return [cells[at] for cells in self if at < len(cells)]

    def different(self, at: int) -> set[str]:
        """The different cells of a column."""
        return set(self.column(at))


def together(rows: Sequence[Sequence[str]]) -> Rows:
    return rows if isinstance(rows, Rows) else Rows(rows)
