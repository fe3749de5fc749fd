"""A server's connection to PostgreSQL, which runs prepared statements with few round trips.

A round trip costs more than most of the statements that a dial or a webhook makes. `BEGIN` travels with a
transaction's first statement, a statement whose result nobody asks for travels with the next one, and the
last ones travel with `COMMIT`. PostgreSQL runs them in their order; after one that fails it runs none of the
following. The error is raised at the next round trip, at the latest by `commit`, and nothing is committed.

Whatever else SQLAlchemy and psycopg do on the connection first awaits what is under way.
"""

import contextlib
import select
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import psycopg
from psycopg import IsolationLevel
from psycopg.abc import PQGen
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import InFailedSqlTransaction, error_from_result
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

MOST_UNDER_WAY = 64
"""Statements that are sent before the earlier ones' results are read: few enough for the sockets' buffers."""

_DONE = frozenset({ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK})
_IDLE = TransactionStatus.IDLE
_LOST = ConnStatus.BAD

Row = tuple[Any, ...]


class Change:
    """A statement that returns no rows and may still be under way."""

    __slots__ = ("_count", "_statements")

    def __init__(self, statements: "Statements") -> None:
        self._statements = statements
        self._count: int | None = None

    def done(self, result: PGresult) -> None:
        self._count = result.command_tuples or 0

    @property
    def rowcount(self) -> int:
        """How many rows it changed; awaits it.

        Raises:
            psycopg.Error: it failed, or one before it.
        """
        if self._count is None:
            self._statements.settle()
        if self._count is None:
            raise InFailedSqlTransaction("the statement failed, or one before it")
        return self._count


class Statements:
    """The prepared statements of one connection, and those that are under way."""

    def __init__(self, connection: "DirectConnection") -> None:
        self._connection = connection
        self._libpq = connection.pgconn
        self._adapters = Transformer(connection)
        self._names: dict[str, bytes] = {}
        self._numbers = count()
        self.under_way: list[Change | None] = []  # None: nobody asks for its result
        self._readable, self._ready = select.poll(), select.poll()
        self._readable.register(self._libpq.socket, select.POLLIN)
        self._ready.register(self._libpq.socket, select.POLLIN | select.POLLOUT)
        self.begins = True
        """Whether a statement begins a transaction, unless one is open."""

    def rows(self, sql: str, values: Sequence[Any]) -> list[Row]:
        """The rows that a statement returns. `sql` has its values as $1, $2 …"""
        name = self._prepared(sql)
        given, formats = self._dumped(values)
        self._begin()
        if self.under_way:
            self._libpq.send_query_prepared(name, given, formats)
            self.under_way.append(None)
            result = self.results()[-1]
        else:
            result = _checked(self._libpq.exec_prepared(name, given, formats))
        if not result.ntuples:
            return []
        self._adapters.set_pgresult(result)
        rows: list[Row] = self._adapters.load_rows(0, result.ntuples, tuple)
        return rows

    def change(self, sql: str, values: Sequence[Any]) -> Change:
        """A statement that returns no rows; it is done at the next round trip."""
        name = self._prepared(sql)
        given, formats = self._dumped(values)
        self._begin()
        change = Change(self)
        if not self.under_way:
            if self._libpq.transaction_status == _IDLE:  # it is a transaction of its own
                change.done(_checked(self._libpq.exec_prepared(name, given, formats)))
                return change
            self._libpq.enter_pipeline_mode()
        self._libpq.send_query_prepared(name, given, formats)
        self.under_way.append(change)
        if len(self.under_way) >= MOST_UNDER_WAY:
            self.results()
        return change

    def settle(self) -> None:
        """Return once nothing is under way.

        Raises:
            psycopg.Error: a statement failed.
        """
        if self.under_way:
            self.results()

    def commit(self) -> None:
        """Return once the transaction is committed, if one is open.

        Raises:
            psycopg.Error: it is not, or a statement failed, or the connection was lost.
        """
        if self.under_way:
            self._send(b"COMMIT")
            result = self.results()[-1]
        elif self._libpq.transaction_status == _IDLE:
            return
        else:
            result = _checked(self._libpq.exec_(b"COMMIT"))
        if result.command_status != b"COMMIT":
            raise InFailedSqlTransaction("a statement had failed: nothing was committed")

    def forget(self) -> None:
        """PostgreSQL has forgotten the prepared statements."""
        self._names.clear()

    def _prepared(self, sql: str) -> bytes:
        """The name of the prepared statement. PostgreSQL infers the types of its values."""
        name = self._names.get(sql)
        if name is None:
            self.settle()
            name = f"direct_{next(self._numbers)}".encode()
            _checked(self._libpq.prepare(name, sql.encode()))
            self._names[sql] = name
        return name

    def _dumped(self, values: Sequence[Any]) -> tuple[list[Any], list[int] | None]:
        """The values as libpq takes them; their formats, unless all are texts."""
        given: list[Any] = []
        formats = None
        for place, value in enumerate(values):
            kind = type(value)
            if (dump := _DUMPS.get(kind)) is not None:
                given.append(dump(value))
            elif kind is psycopg.Binary or kind is bytes:
                given.append(value if kind is bytes else value.obj)
                formats = formats or [0] * len(values)
                formats[place] = 1
            else:
                dumper: Any = self._adapters.get_dumper(value, PyFormat.TEXT)
                dumped = dumper.dump(value)
                given.append(None if dumped is None else bytes(dumped))
        return given, formats

    def _begin(self) -> None:
        """A transaction begins with the next statement, unless one is open or none is wanted."""
        if self.under_way or not self.begins or self._libpq.transaction_status != _IDLE:
            return
        if not self._connection.autocommit:
            level = self._connection.isolation_level
            self._libpq.enter_pipeline_mode()
            self._send(b"BEGIN" if level is None else _beginning(level))

    def _send(self, command: bytes) -> None:
        self._libpq.send_query_params(command, None)
        self.under_way.append(None)

    def results(self) -> list[PGresult]:
        """The results of all that is under way.

        Raises:
            psycopg.Error: the first one that failed, or the connection was lost.
        """
        libpq, sent, self.under_way = self._libpq, self.under_way, []
        libpq.pipeline_sync()
        while libpq.flush():
            self._ready.poll()
            libpq.consume_input()
        results: list[PGresult] = []
        failed = None
        for change in sent:
            result = self._next()
            if result.status in _DONE:
                if change is not None:
                    change.done(result)
            elif failed is None:
                failed = result
                if libpq.status == _LOST:
                    raise _error(failed)
            results.append(result)
            libpq.get_result()  # None: there is one result for each
        self._next()  # the end of the pipeline
        libpq.exit_pipeline_mode()
        if failed is not None:
            raise _error(failed)
        return results

    def _next(self) -> PGresult:
        libpq = self._libpq
        while libpq.is_busy():
            self._readable.poll()
            libpq.consume_input()
        result = libpq.get_result()
        if result is None:
            raise psycopg.OperationalError("the connection was lost")
        return result


class DirectConnection(psycopg.Connection[Any]):
    """Used by one thread at a time."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.statements = Statements(self)

    def commit(self) -> None:
        self.statements.commit()

    def rollback(self) -> None:
        with contextlib.suppress(psycopg.Error):
            self.statements.settle()
        super().rollback()

    def wait(self, gen: PQGen[Any], *args: Any, **options: Any) -> Any:
        self.statements.settle()
        return super().wait(gen, *args, **options)

    def _deallocate(self, name: bytes | None) -> PQGen[None]:
        """After an error psycopg deallocates all prepared statements (None)."""
        if name is None:
            self.statements.forget()
        yield from super()._deallocate(name)


def _text(value: str) -> bytes:
    if "\0" in value:
        raise psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
    return value.encode()


_DUMPS: dict[type, Callable[[Any], bytes | None]] = {
    int: b"%d".__mod__,
    str: _text,
    bool: lambda value: b"t" if value else b"f",
    type(None): lambda _: None,
}


def _beginning(level: IsolationLevel) -> bytes:
    return f"BEGIN ISOLATION LEVEL {IsolationLevel(level).name.replace('_', ' ')}".encode()


def _checked(result: PGresult) -> PGresult:
    if result.status not in _DONE:
        raise _error(result)
    return result


def _error(result: PGresult) -> psycopg.Error:
    """The driver's error for it. PostgreSQL gives each of its own a code; libpq's are about the connection."""
    if result.error_field(DiagnosticField.SQLSTATE) is None:
        return psycopg.OperationalError(result.get_error_message("utf-8"))
    return error_from_result(result, encoding="utf-8")
