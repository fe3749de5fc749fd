"""Statements of the hot path, compiled once and run straight on the driver.

A dial or a webhook is a dozen small statements, and SQLAlchemy's work on each took longer than the
database's. SQLAlchemy still writes the statements, in each database's dialect; only their execution is
done here. Statements outside the hot path use `tx.execute`.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import BindParameter, Column, Dialect, Executable, Select, bindparam, update
from sqlalchemy.sql import CompoundSelect

from callserver.database.statement_results import Execute, StatementResult
from callserver.ports import Tx

_PLACE = re.compile(r"%\((?P<name>[^)]+)\)s|%%")

Converter = Callable[[Any], Any]


Run = Callable[[Tx, Mapping[str, Any]], StatementResult]


def _compile(statement: Any, dialect: Dialect, *, unread: bool = False) -> Run:
    """A statement in one dialect, with the converters of its values and columns."""
    compiled = statement.compile(dialect=dialect)
    sql, binds = str(compiled), compiled.binds
    names: list[str] = list(compiled.positiontup or _named(sql))
    defaults = {name: bind.effective_value for name, bind in binds.items() if not bind.required}
    choose = _chooser(names)
    into = _converting(
        binds[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names
    )
    is_query = isinstance(statement, Select | CompoundSelect)
    # Asking the driver is expensive: psycopg describes every column to answer.
    returns_rows = not unread and (is_query or bool(statement.exported_columns))
    columns = statement.selected_columns if is_query else ()
    out = _converting(
        column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns
    )
    execute = _executing(
        sql, names, returns_rows=returns_rows, on_sqlite=compiled.positiontup is not None
    )

    def run(tx: Tx, values: Mapping[str, Any]) -> StatementResult:
        given = choose({**defaults, **values} if defaults else values)
        if into:
            given = _converted(given, into)
        rows, counted = execute(tx.connection.dbapi_connection, given)
        if rows and out:
            rows = [_converted(row, out) for row in rows]
        return StatementResult(rows, counted)

    return run


def _executing(sql: str, names: Sequence[str], *, returns_rows: bool, on_sqlite: bool) -> Execute:
    if on_sqlite:
        return _on_sqlite(sql, returns_rows)
    # Here, because the driver of PostgreSQL takes a tenth of a command's start.
    from callserver.database.direct_statements import on_postgres

    numbers = {name: f"${number}" for number, name in enumerate(names, 1)}
    numbered = _PLACE.sub(lambda place: numbers[place["name"]] if place["name"] else "%", sql)
    return on_postgres(sql, numbered, names, returns_rows)


def _on_sqlite(sql: str, returns_rows: bool) -> Execute:
    def execute(raw: Any, values: Sequence[Any]) -> tuple[Sequence[Sequence[Any]], int]:
        cursor = raw.execute(sql, values)
        if not returns_rows:
            return (), cursor.rowcount
        rows = cursor.fetchall()
        return rows, len(rows)

    return execute


def _named(sql: str) -> list[str]:
    """The names of the statement's values, in their order."""
    return list(dict.fromkeys(name for name in _PLACE.findall(sql) if name))


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
    """One statement, or one for each dialect. Call it with a transaction and its values.

    `unread`: a query that is made for its effect, such as a lock. Nobody waits for its rows.
    """

    def __init__(
        self, statement: Executable | Mapping[str, Executable], *, unread: bool = False
    ) -> None:
        self.statement = statement
        self._unread = unread
        self._compiled: dict[str, Run] = {}

    def __call__(self, tx: Tx, values: Mapping[str, Any]) -> StatementResult:
        name = tx.dialect.name
        run = self._compiled.get(name)
        if run is None:
            statement = (
                self.statement[name] if isinstance(self.statement, Mapping) else self.statement
            )
            run = self._compiled[name] = _compile(statement, tx.dialect, unread=self._unread)
        return run(tx, values)


class PreparedMany:
    """A statement about several keys of one kind: compiled for 1, 4, 16 … of them.

    `statement` makes it from the keys' parameters. Places that are left over repeat the first key. More than MOST
    keys are asked for in parts: the rows of each part are in the statement's order.
    """

    MOST = 4**6

    def __init__(
        self,
        statement: Callable[[Sequence[BindParameter[Any]]], Executable | Mapping[str, Executable]],
    ) -> None:
        self._statement = statement
        self._sizes: dict[int, Prepared] = {}

    def __call__(
        self, tx: Tx, keys: Sequence[Any], values: Mapping[str, Any] | None = None
    ) -> StatementResult:
        if not keys:
            return StatementResult((), 0)
        if len(keys) > self.MOST:
            starts = range(0, len(keys), self.MOST)
            parts = [self(tx, keys[at : at + self.MOST], values) for at in starts]
            rows = [row for part in parts for row in part]
            return StatementResult(rows, sum(part.rowcount for part in parts))
        size = 1
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
