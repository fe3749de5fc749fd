"""Statements of the hot path, compiled once and run straight on the driver.

A dial or a webhook is a dozen small statements, and SQLAlchemy's work on each took longer than the
database's. SQLAlchemy still writes the statements, in each database's dialect; only their execution is
done here. Statements outside the hot path use `tx.execute`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
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


Run = Callable[[Tx, Mapping[str, Any]], StatementResult]


def _compile(statement: Any, dialect: Dialect) -> Run:
    """A statement in one dialect, with the converters of its values and columns."""
    compiled = statement.compile(dialect=dialect)
    sql, is_positional = str(compiled), compiled.positiontup is not None
    binds = compiled.binds
    names: list[str] = list(compiled.positiontup or binds)
    defaults = {name: bind.effective_value for name, bind in binds.items() if not bind.required}
    choose = _chooser(names)
    into = _converting(
        binds[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names
    )
    is_query = isinstance(statement, Select | CompoundSelect)
    # Asking the driver is expensive: psycopg describes every column to answer.
    returns_rows = is_query or bool(statement.exported_columns)
    columns = statement.selected_columns if is_query else ()
    out = _converting(
        column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns
    )

    def run(tx: Tx, values: Mapping[str, Any]) -> StatementResult:
        raw: Any = tx.connection.dbapi_connection
        given = choose({**defaults, **values} if defaults else values)
        if into:
            given = _converted(given, into)
        cursor = raw.execute(sql, given if is_positional else dict(zip(names, given, strict=True)))
        if not returns_rows:
            return StatementResult((), cursor.rowcount)
        rows = cursor.fetchall()
        if rows and out:
            rows = [_converted(row, out) for row in rows]
        return StatementResult(rows, len(rows))

    return run


def _chooser(names: list[str]) -> Callable[[Mapping[str, Any]], Sequence[Any]]:
    """Takes the values of these names, in this order, from a mapping."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda values: [values[name] for name in names]


def _converting(processors: Iterable[Converter | None]) -> list[tuple[int, Converter]]:
    """The positions that need a conversion."""
    return [
        (place, processor) for place, processor in enumerate(processors) if processor is not None
    ]


def _converted(values: Sequence[Any], converting: list[tuple[int, Converter]]) -> list[Any]:
    converted = list(values)
    for place, convert in converting:
        value = converted[place]
        if value is not None:
            converted[place] = convert(value)
    return converted


class Prepared:
    """One statement, or one for each dialect. Call it with a transaction and its values."""

    def __init__(self, statement: Executable | Mapping[str, Executable]) -> None:
        self._statement = statement
        self._compiled: dict[str, Run] = {}

    def __call__(self, tx: Tx, values: Mapping[str, Any]) -> StatementResult:
        name = tx.dialect.name
        run = self._compiled.get(name)
        if run is None:
            statement = (
                self._statement[name] if isinstance(self._statement, Mapping) else self._statement
            )
            run = self._compiled[name] = _compile(statement, tx.dialect)
        return run(tx, values)


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
