"""Runs prepared statements on PostgreSQL: on a server's own connections directly, on others through the driver.

Apart from `prepared_statements`, because it imports the driver: a command on SQLite does without.
"""

from collections.abc import Sequence
from typing import Any

from callserver.database.direct_connection import DirectConnection
from callserver.database.statement_results import Counted, Execute


def on_postgres(sql: str, numbered: str, names: Sequence[str], returns_rows: bool) -> Execute:
    """Runs a statement. `numbered`: the same one with its values as $1, $2 …"""

    def execute(raw: Any, values: Sequence[Any]) -> tuple[Sequence[Sequence[Any]], int | Counted]:
        if isinstance(raw, DirectConnection):
            if not returns_rows:
                return (), raw.statements.change(numbered, values)
            rows = raw.statements.rows(numbered, values)
        else:  # a command's
            cursor = raw.execute(sql, dict(zip(names, values, strict=True)))
            if not returns_rows:
                return (), cursor.rowcount
            rows = cursor.fetchall()
        return rows, len(rows)

    return execute
