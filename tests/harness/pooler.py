"""pgbouncer in transaction pooling before a PostgreSQL of the tests."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL, make_url

from callserver.cli.free_ports import free_port
from tests.harness.waiting import PATIENCE_S, until

FEW = 3
"""Connections to a database, fewer than its clients: each transaction meets another one's."""


class Pooler:
    def __init__(self, port: int) -> None:
        self._port = port

    def url(self, database: str) -> str:
        """A database's URL through it."""
        name = make_url(database).database
        through = URL.create(
            "postgresql+psycopg", "postgres", host="127.0.0.1", port=self._port, database=name
        )
        return through.render_as_string(hide_password=False)

    def answers(self, database: str) -> bool:
        plain = self.url(database).replace("+psycopg", "")
        try:
            psycopg.connect(plain, connect_timeout=2, prepare_threshold=None).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def pgbouncer(server: str, *settings: str) -> Iterator[Pooler]:
    """One that runs until the block ends. `settings`: more lines of its file."""
    if not shutil.which("pgbouncer"):
        pytest.skip("pgbouncer is missing")
    socket = Path(str(make_url(server).query["host"]))
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="pooler-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # it gives up root
        file = folder / "pgbouncer.ini"
        lines = [
            *("[databases]", f"* = host={socket} user=postgres"),
            *("[pgbouncer]", "listen_addr = 127.0.0.1", f"listen_port = {port}"),
            *("unix_socket_dir =", "auth_type = any", "pool_mode = transaction"),
            *(f"default_pool_size = {FEW}", *settings),
        ]
        file.write_text("\n".join(lines) + "\n")
        words = ["pgbouncer", str(file)]
        if os.geteuid() == 0:
            words[1:1] = ["-u", (socket / "PG_VERSION").owner()]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(words, stdout=log, stderr=log)
        try:
            pooler = Pooler(port)
            until(lambda: process.poll() is not None or pooler.answers(server))
            assert process.poll() is None, (folder / "log").read_text()
            yield pooler
        finally:
            process.kill()
            process.wait(PATIENCE_S)
