"""Whether a database is what it should be: reachable, whole, with the newest tables."""

from collections.abc import Iterator

from sqlalchemy import Engine, text

from callserver.database import migrate
from callserver.database.engines import reading
from callserver.database.unavailable import reason
from callserver.database.wrong_values import wrong_values
from callserver.errors import ConfigurationProblem
from callserver.ports import Tx

MOST_NAMED = 5
LESS_DURABLE = {"fsync": ("off",), "synchronous_commit": ("off", "local")}
"""PostgreSQL's settings with which a commit is lost with the machine; `local`: if a standby takes over."""

_ONLY_READS = text(
    "SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean"
)

_LACKS_RIGHTS = text("""
SELECT c.relname FROM pg_class AS c WHERE c.relnamespace = current_schema()::regnamespace AND CASE
  WHEN c.relkind = 'S' THEN NOT has_sequence_privilege(c.oid, 'USAGE')
  WHEN c.relkind = 'r' THEN NOT (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
    AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE'))
  ELSE false END
ORDER BY c.relname
""")


def problems(engine: Engine) -> Iterator[str]:
    """What is wrong; on SQLite every page is read, a minute for some gigabytes.

    Raises:
        ConfigurationProblem: it is not reached as it must be.
    """
    try:
        with reading(engine) as tx:
            yield from _of_sqlite(tx) if engine.dialect.name == "sqlite" else _of_postgresql(tx)
        if not migrate.is_current(engine):
            yield "database: its tables are not the newest: callserver migrate"
    except ConfigurationProblem:
        raise
    except Exception as error:  # noqa: BLE001 - a damaged file is reported in many ways
        yield f"database: cannot be used: {reason(error)}"


def _of_sqlite(tx: Tx) -> Iterator[str]:
    messages = tx.execute(text("PRAGMA quick_check")).scalars().all()
    yield from (f"database: {what}" for what in messages[:MOST_NAMED] if what != "ok")
    if messages == ["ok"]:
        for what in wrong_values(tx):
            yield f"database: holds values that no server writes, in {what}"


def _of_postgresql(tx: Tx) -> Iterator[str]:
    if tx.execute(_ONLY_READS).scalar():
        yield "database: only reads: it is a standby, or set so; name the one that also writes"
    if lacking := tx.execute(_LACKS_RIGHTS).scalars().all():
        names = ", ".join(lacking[:MOST_NAMED]) + (", …" if len(lacking) > MOST_NAMED else "")
        yield f"database: its user lacks rights to read and write {names}: make it the owner"
    for name, weak in LESS_DURABLE.items():
        if (value := tx.execute(text(f"SHOW {name}")).scalar()) in weak:
            yield f"database: {name} is {value}: after a crash what was acknowledged may be missing"
