"""A pooler (pgbouncer) before PostgreSQL: only a server's short transactions may go through one.

A pooler hands each transaction to another connection. A list that waits in a temporary table, a timeout of the
session, and what the driver has prepared would be on one that somebody else uses now.
"""

import secrets
from collections.abc import Callable
from typing import Any

import psycopg
from sqlalchemy import Dialect, Engine, func, select

from callserver.errors import ConfigurationProblem

ON_THE_WAY = (
    "CALLSERVER_DATABASE leads through a pooler, such as pgbouncer: name PostgreSQL itself there, and the"
    " pooler in CALLSERVER_POOLER"
)
_REFUSED_OPTIONS = "unsupported startup parameter"
"""How pgbouncer refuses timeouts that a connection brings."""


def connecting(kind: type[psycopg.Connection[Any]]) -> Callable[..., psycopg.Connection[Any]]:
    """How an engine makes connections of this kind. They raise ConfigurationProblem if a pooler answers, or if the
    database keeps texts as something else than UTF-8."""

    def connect(
        _: Dialect, __: Any, words: list[Any], arguments: dict[str, Any]
    ) -> psycopg.Connection[Any]:
        try:
            made = kind.connect(*words, **arguments)
        except psycopg.OperationalError as error:
            if _REFUSED_OPTIONS in str(error):
                raise ConfigurationProblem(ON_THE_WAY) from None
            raise
        if (encoding := made.info.parameter_status("server_encoding")) != "UTF8":
            made.close()
            raise ConfigurationProblem(
                f"CALLSERVER_DATABASE: the encoding is {encoding}, and must be UTF8: create the database with"
                " ENCODING 'UTF8' TEMPLATE template0"
            )
        return made

    return connect


def refuse_pooler(connection: psycopg.Connection, _: Any) -> None:
    """PostgreSQL's process is the one that greeted us, unless a pooler did.

    Raises:
        ConfigurationProblem: a pooler answers.
    """
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    connection.rollback()
    if row is None or row[0] != connection.info.backend_pid:
        connection.close()
        raise ConfigurationProblem(ON_THE_WAY)


def leads_to(pooled: Engine, direct: Engine) -> bool:
    """Whether both reach the same database at this moment: a lock that one holds keeps the other out."""
    key = secrets.randbits(62)
    with direct.begin() as holder:
        holder.execute(select(func.pg_advisory_xact_lock(key)))
        with pooled.begin() as other:
            return not other.execute(select(func.pg_try_advisory_xact_lock(key))).scalar_one()
