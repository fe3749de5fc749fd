"""Statements of the hot path, compiled once and run straight on the driver.

A dial or a webhook is a dozen small statements, and SQLAlchemy's work on each took longer than the
database's. SQLAlchemy still writes the statements, in each database's dialect; only their execution is
done here. Statements outside the hot path use `tx.execute`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import BindParameter, Column, Dialect, Executable, Select, bindparam, update
from sqlalchemy.sql import CompoundSelect

from callserver.ports import Tx

Converter = Callable[[Any], Any]


class StatementResult:
    """The rows of a statement, in Python's types."""

    __slots__ = ("_rows", "rowcount")

    def __init__(self, rows: Sequence[Sequence[Any]], rowcount: int) -> None:
        self._rows = rows
        self.rowcount = rowcount

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


class _Compiled:
    """A statement in one dialect, with the converters of its values and columns."""

    __slots__ = ("_defaults", "_into", "_names", "_out", "_positional", "_sql")

    def __init__(self, statement: Any, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self._sql = str(compiled)
        self._positional = compiled.positiontup is not None
        binds = compiled.binds
        self._names: list[str] = list(compiled.positiontup or binds)
        self._defaults = {
            name: bind.effective_value for name, bind in binds.items() if not bind.required
        }
        self._into = _converting(
            binds[name].type.dialect_impl(dialect).bind_processor(dialect) for name in self._names
        )
        columns = (
            statement.selected_columns if isinstance(statement, Select | CompoundSelect) else ()
        )
        self._out = _converting(
            column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns
        )

    def run(self, tx: Tx, values: Mapping[str, Any]) -> StatementResult:
        raw: Any = tx.connection.dbapi_connection
        known = {**self._defaults, **values} if self._defaults else values
        given = [known[name] for name in self._names]
        _convert(given, self._into)
        cursor = raw.execute(
            self._sql, given if self._positional else dict(zip(self._names, given, strict=True))
        )
        if cursor.description is None:
            return StatementResult((), cursor.rowcount)
        rows = cursor.fetchall()
        if self._out:
            rows = [list(row) for row in rows]
            for row in rows:
                _convert(row, self._out)
        return StatementResult(rows, len(rows))


def _converting(processors: Iterable[Converter | None]) -> list[tuple[int, Converter]]:
    """The positions that need a conversion."""
    return [
        (place, processor) for place, processor in enumerate(processors) if processor is not None
    ]


def _convert(values: list[Any], converting: list[tuple[int, Converter]]) -> None:
    for place, convert in converting:
        value = values[place]
        if value is not None:
            values[place] = convert(value)


class Prepared:
    """One statement, or one for each dialect. Call it with a transaction and its values."""

    def __init__(self, statement: Executable | Mapping[str, Executable]) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def __call__(self, tx: Tx, values: Mapping[str, Any]) -> StatementResult:
        name = tx.dialect.name
        compiled = self._compiled.get(name)
        if compiled is None:
            statement = (
                self._statement[name] if isinstance(self._statement, Mapping) else self._statement
            )
            compiled = self._compiled[name] = _Compiled(statement, tx.dialect)
        return compiled.run(tx, values)


class PreparedMany:
    """A statement about several keys of one kind: compiled for 4, 16, 64 … of them.

    `statement` makes it from the keys' parameters. Places that are left over repeat the first key.
    """

    def __init__(self, statement: Callable[[Sequence[BindParameter[Any]]], Executable]) -> None:
        self._statement = statement
        self._sizes: dict[int, Prepared] = {}

    def __call__(
        self, tx: Tx, keys: Sequence[Any], values: Mapping[str, Any] | None = None
    ) -> StatementResult:
        if not keys:
            return StatementResult((), 0)
        size = 4
        while size < len(keys):
            size *= 4
        compiled = self._sizes.get(size)
        if compiled is None:
            names: list[BindParameter[Any]] = [bindparam(f"key{place}") for place in range(size)]
            compiled = self._sizes[size] = Prepared(self._statement(names))
        filled = {f"key{place}": keys[place if place < len(keys) else 0] for place in range(size)}
        return compiled(tx, {**filled, **values} if values else filled)


class RowUpdate:
    """Updates one row by its key: one statement for each set of columns."""

    def __init__(self, key: Column[Any]) -> None:
        self._key = key
        self._statements: dict[tuple[str, ...], Prepared] = {}

    def __call__(self, tx: Tx, key: Any, values: Mapping[str, Any]) -> StatementResult:
        names = tuple(values)
        compiled = self._statements.get(names)
        if compiled is None:
            compiled = self._statements[names] = Prepared(
                update(self._key.table)
                .where(self._key == bindparam("row"))
                .values({name: bindparam(name) for name in names})
            )
        return compiled(tx, {**values, "row": key})
