"""SQLAlchemy's compiled statements, shared by all databases of a test process.

Each engine compiles every statement of its own, which takes most of a short test's time: a test has a
database of its own, so an engine of its own. Compiled statements depend on the dialect, not on the database.
"""

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

_compiled: dict[Any, Any] = {}


def _use_shared(engine: Engine) -> None:
    engine.update_execution_options(compiled_cache=_compiled)


class SharedSqlite(SQLiteDialect_pysqlite):
    """Equal to every other one, so that it finds what the others have compiled."""

    supports_statement_cache = True

    def __eq__(self, other: object) -> bool:
        return type(other) is SharedSqlite

    def __hash__(self) -> int:
        return hash(SharedSqlite)

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        _use_shared(engine)


class SharedPostgres(PGDialect_psycopg):
    """The same for PostgreSQL: all tests have one server version."""

    supports_statement_cache = True

    def __eq__(self, other: object) -> bool:
        return type(other) is SharedPostgres

    def __hash__(self) -> int:
        return hash(SharedPostgres)

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        _use_shared(engine)


def share() -> None:
    """Engines that are made from now on share what they compile."""
    registry.register("sqlite", __name__, "SharedSqlite")
    registry.register("sqlite.pysqlite", __name__, "SharedSqlite")
    registry.register("postgresql.psycopg", __name__, "SharedPostgres")
