"""Statements of the hot path, compiled once and run straight on the driver.

A dial and a webhook are a dozen small statements, and most of what each cost was SQLAlchemy's work
around it, not the database's. The statements stay SQLAlchemy's, in both databases' words; only their
execution is ours. What stands in no hot path uses `tx.execute` as ever.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Dialect, Executable, Select
from sqlalchemy.sql import CompoundSelect

from callserver.ports import Tx

Processor = Callable[[Any], Any]


class Result:
    """What came back: rows as plain tuples, already in Python's types."""

    __slots__ = ("_rows", "rowcount")

    def __init__(self, rows: Sequence[tuple[Any, ...]], rowcount: int) -> None:
        self._rows = rows
        self.rowcount = rowcount

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self._rows)

    def all(self) -> Sequence[tuple[Any, ...]]:
        return self._rows

    def one_or_none(self) -> tuple[Any, ...] | None:
        return self._rows[0] if self._rows else None

    first = one_or_none

    def one(self) -> tuple[Any, ...]:
        return self._rows[0]

    def scalar(self) -> Any:
        return self._rows[0][0] if self._rows else None


class _Compiled:
    """A statement in one database's words, with how values go in and come out."""

    __slots__ = ("_binds", "_defaults", "_named", "_results", "_sql")

    def __init__(self, statement: Any, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self._sql = str(compiled)
        self._named = compiled.positiontup is None
        names = list(compiled.positiontup or compiled.binds)
        self._binds: list[tuple[str, Processor | None]] = [
            (name, _bind(compiled.binds[name].type, dialect)) for name in names
        ]
        self._defaults = {name: bind.effective_value for name, bind in compiled.binds.items()}
        columns = (
            statement.selected_columns if isinstance(statement, Select | CompoundSelect) else ()
        )
        processors = [_result(column.type, dialect) for column in columns]
        self._results = processors if any(processors) else None

    def run(self, tx: Tx, values: Mapping[str, Any]) -> Result:
        raw: Any = tx.connection.dbapi_connection
        defaults = self._defaults
        bound = [
            (name, value if process is None or value is None else process(value))
            for name, process in self._binds
            for value in (values[name] if name in values else defaults[name],)
        ]
        given: Any = dict(bound) if self._named else [value for _, value in bound]
        cursor = raw.execute(self._sql, given)
        if cursor.description is None:
            return Result((), cursor.rowcount)
        rows = cursor.fetchall()
        results = self._results
        if results is not None and rows:
            rows = [
                tuple(
                    value if process is None or value is None else process(value)
                    for process, value in zip(results, row, strict=True)
                )
                for row in rows
            ]
        return Result(rows, len(rows))


class Prepared:
    """One statement, or one for each dialect. Call it with a transaction and its values."""

    def __init__(self, statement: Executable | Mapping[str, Executable]) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def __call__(self, tx: Tx, values: Mapping[str, Any]) -> Result:
        name = tx.dialect.name
        found = self._compiled.get(name)
        if found is None:
            one = self._statement[name] if isinstance(self._statement, Mapping) else self._statement
            found = self._compiled[name] = _Compiled(one, tx.dialect)
        return found.run(tx, values)


def _bind(kind: Any, dialect: Dialect) -> Processor | None:
    found: Processor | None = kind.dialect_impl(dialect).bind_processor(dialect)
    return found


def _result(kind: Any, dialect: Dialect) -> Processor | None:
    found: Processor | None = kind.dialect_impl(dialect).result_processor(dialect, None)
    return found
