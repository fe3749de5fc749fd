"""The rows that tables must hold according to the log, rebuilt in a temporary file to limit memory."""

import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import BigInteger, Table, select, type_coerce

from callserver.database.tables import audit, calls, marks, suppressions, users
from callserver.database.tables.types import Instant, readable
from callserver.ports import Tx

Row = dict[str, Any]

_SCHEMA = """
CREATE TABLE rows (name TEXT, id TEXT, body BLOB, PRIMARY KEY (name, id)) WITHOUT ROWID;
CREATE TABLE seen (name TEXT, id TEXT, PRIMARY KEY (name, id)) WITHOUT ROWID;
"""


class RebuiltState:
    """Rows by the name of their table and their id, as far as entries say what they hold."""

    def __init__(self, file: sqlite3.Connection) -> None:
        self._file = file

    def get(self, name: str, key: object) -> Row | None:
        stored = self._file.execute(
            "SELECT body FROM rows WHERE name = ? AND id = ?", (name, str(key))
        ).fetchone()
        return None if stored is None else orjson.loads(stored[0])

    def put(self, name: str, key: object, row: Mapping[str, Any]) -> None:
        self._file.execute(
            "INSERT OR REPLACE INTO rows VALUES (?, ?, ?)", (name, str(key), orjson.dumps(row))
        )

    def change(self, name: str, key: object, **values: Any) -> None:
        """Change a known row; an unknown row is left out."""
        known = self.get(name, key)
        if known is not None:
            self.put(name, key, known | values)

    def note_seen(self, name: str, key: object) -> None:
        self._file.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (name, str(key)))

    def not_seen(self, name: str) -> Iterator[str]:
        """The ids that the log knows, and that were not seen in the table."""
        rows = self._file.execute(
            "SELECT id FROM rows WHERE name = ? AND id NOT IN (SELECT id FROM seen WHERE name = ?)",
            (name, name),
        )
        return (key for (key,) in rows)


@contextmanager
def rebuilt_state() -> Iterator[RebuiltState]:
    """An empty state, in a private temporary file."""
    with tempfile.TemporaryDirectory(prefix="callserver-") as folder:
        file = sqlite3.connect(Path(folder) / "state.db", isolation_level=None)
        try:
            file.execute("PRAGMA journal_mode = OFF")
            file.execute("PRAGMA synchronous = OFF")
            file.executescript(_SCHEMA)
            file.execute("BEGIN")
            yield RebuiltState(file)
        finally:
            file.close()


TABLES: Mapping[str, Table] = {
    "suppressions": suppressions,
    "marks": marks,
    "calls": calls,
    "users": users,
}


def stored_rows(tx: Tx, name: str) -> Iterator[tuple[Any, Row]]:
    """Every row of a table with its key, streamed."""
    table = TABLES[name]
    (key,) = table.primary_key.columns
    # Instants as they are stored: one that cannot be read is a difference, and does not end the comparison.
    instants = {column.name for column in table.columns if isinstance(column.type, Instant)}
    columns = [
        type_coerce(column, BigInteger).label(column.name) if column.name in instants else column
        for column in table.columns
    ]
    query = select(*columns).order_by(key).execution_options(yield_per=1_000)
    for values in tx.execute(query).mappings():
        row = {
            name: readable(value) if name in instants else value for name, value in values.items()
        }
        yield row[key.name], row


def every_entry(tx: Tx) -> Iterator[Row]:
    """Every entry in the order of writing, streamed. Unreadable entries are left out."""
    query = select(audit.c.body).order_by(audit.c.id)
    for body in tx.execute(query.execution_options(yield_per=1_000)).scalars():
        try:
            entry = orjson.loads(body)
        except ValueError:
            continue  # verification names it
        if isinstance(entry, dict) and "kind" in entry and "at" in entry:
            yield entry
