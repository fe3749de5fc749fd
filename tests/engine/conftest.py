"""A database for what is the same on both kinds."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from callserver.database.engines import make_engine
from tests.harness.databases import sqlite_file


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Engine]:
    made = make_engine(sqlite_file(tmp_path / "list.db"), durable=False)
    yield made
    made.dispose()
