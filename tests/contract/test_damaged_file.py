"""A damaged SQLite file is a database that cannot be used: said in a sentence, and 503 instead of 500."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text

from callserver.database import migrate
from callserver.database.engines import make_engine
from callserver.database.store import SqliteStore, open_store
from callserver.database.unavailable import UNAVAILABLE
from callserver.ports import Tx


def damaged(folder: Path) -> Path:
    file = folder / "system.db"
    engine = make_engine(f"sqlite:///{file}")
    migrate.upgrade(engine)
    engine.dispose()
    data = bytearray(file.read_bytes())
    for page in range(1, len(data) // 4096):
        data[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    file.write_bytes(data)
    return file


def asks(tx: Tx) -> object:
    """Of every table, because any page may be the damaged one."""
    names = tx.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars().all()
    return [tx.execute(text(f"SELECT * FROM {name}")).all() for name in names]


async def test_every_way_into_the_store_says_that_the_database_cannot_be_used(
    tmp_path: Path,
) -> None:
    store = open_store(f"sqlite:///{damaged(tmp_path)}")
    assert isinstance(store, SqliteStore)
    try:
        for way in (store.read, store.run, store.peek):
            with pytest.raises(UNAVAILABLE) as raised:
                await way(asks)
            assert "malformed" in str(raised.value)
            assert type(raised.value) is not sqlite3.DatabaseError
    finally:
        store.close()
