"""Other connections to a server's SQLite file, in its own process and in others, and what is acknowledged."""

import subprocess
import sys
from pathlib import Path

from sqlalchemy import select

from callserver.database import campaign_states
from callserver.database.side_connection import side_connection
from callserver.database.store import open_store
from callserver.database.tables import campaign_states as states
from tests.harness.databases import sqlite_file
from tests.harness.simulated import TUESDAY

OPENS_AND_CLOSES = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
print(connection.execute("SELECT count(*) FROM campaign_states").fetchone()[0])
connection.close()
"""


def rows_seen_by_another_process(file: Path) -> int:
    """The last connection that closes removes the write-ahead log; the server's must count as open."""
    words = [sys.executable, "-c", OPENS_AND_CLOSES, str(file)]
    return int(subprocess.run(words, capture_output=True, check=True, text=True).stdout)


async def test_a_side_connection_leaves_the_servers_locks_in_place(tmp_path: Path) -> None:
    """POSIX drops a process's locks on a file when the process closes any descriptor of it."""
    url = sqlite_file(tmp_path / "system.db")
    file = tmp_path / "system.db"
    store = open_store(url)
    await store.run(lambda tx: campaign_states.put(tx, "first", True, "", TUESDAY))
    with side_connection(url) as tx:
        assert len(tx.execute(select(states.c.campaign)).all()) == 1
    assert rows_seen_by_another_process(file) == 1
    await store.run(lambda tx: campaign_states.put(tx, "second", True, "", TUESDAY))
    assert rows_seen_by_another_process(file) == 2
    store.close()
    assert rows_seen_by_another_process(file) == 2
