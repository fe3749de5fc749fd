"""A real server whose surroundings fail it: it goes on, and says what is wrong."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
from sqlalchemy import func, select
from twilio.request_validator import RequestValidator

from callserver import texts
from callserver.adapters.clock import SystemClock
from callserver.cli.free_ports import free_port
from callserver.database import accounts, migrate
from callserver.database.engines import make_engine
from callserver.database.tables import audit, process_leases
from callserver.engine.accounts.authentication import hash_of
from tests.harness.processes import Command
from tests.harness.silent_proxy import way_to
from tests.harness.waiting import PATIENCE_S, until
from tests.journeys.test_processes import ACCOUNT, ROOT, environment

Errors = Literal["file", "full", "pipe"]


class Server:
    """`callserver serve` in a folder of its own, by the machine's clock."""

    def __init__(self, folder: Path, errors: Errors = "file", **settings: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.database = settings.get("CALLSERVER_DATABASE", f"sqlite:///{folder}/system.db")
        self._settings = {
            **environment(folder, self.database, self.url, "http://127.0.0.1:9"),
            "CALLSERVER_PORT": str(self.port),
            "CALLSERVER_LOG_LEVEL": "info",
            **settings,
        }
        given = {**os.environ, **self._settings}
        self.process: Command | subprocess.Popen[bytes]
        if errors == "pipe":
            words = [sys.executable, "-m", "callserver", "serve"]
            reading, writing = os.pipe()
            os.close(reading)
            self.process = subprocess.Popen(words, env=given, cwd=ROOT, stderr=writing)
            os.close(writing)
        else:
            full = Path("/dev/full")
            place = full if errors == "full" else self.folder / "stderr.log"
            self.process = Command("serve", environment=given, output=full, errors=place)

    def health(self, **more: Any) -> httpx.Response:
        return httpx.get(f"{self.url}/healthz", timeout=PATIENCE_S, **more)

    def up(self) -> "Server":
        def well() -> bool:
            try:
                return self.health().status_code == 200
            except httpx.HTTPError:
                return False

        until(well)
        return self

    def read(self, query: Any) -> Any:
        engine = make_engine(self.database)
        try:
            with engine.connect() as connection:
                return connection.execute(query).scalar()
        finally:
            engine.dispose()

    def said(self) -> str:
        return (self.folder / "stderr.log").read_text("utf-8")

    def end(self) -> int:
        self.process.terminate()
        return self.process.wait(PATIENCE_S)


@contextmanager
def serving(folder: Path, errors: Errors = "file", **settings: str) -> Iterator[Server]:
    server = Server(folder, errors, **settings)
    try:
        yield server.up()
        assert server.end() in (0, -signal.SIGTERM)
    finally:
        server.process.kill()
        server.process.wait()


@pytest.mark.parametrize("errors", ["full", "pipe"])
def test_the_scheduler_outlives_a_log_that_cannot_be_written(
    tmp_path: Path, errors: Errors
) -> None:
    """The disk is full or the log's reader is gone, and there is something to say at every tick."""
    seals = tmp_path / "seals"
    seals.mkdir()  # a folder where the heads' file should be: sealing fails, and that is logged
    with serving(tmp_path, errors, CALLSERVER_SEALS=str(seals)) as server:
        lease = select(process_leases.c.until).where(process_leases.c.name == "scheduler")
        until(lambda: server.read(lease) is not None, 30)  # the first tick
        first = server.read(lease)
        until(lambda: server.read(lease) > first, 30)  # renewed after five seconds
        second = server.read(lease)
        until(lambda: server.read(lease) > second)


def test_a_full_disk_for_what_is_printed_stops_no_server(tmp_path: Path) -> None:
    """The server of a simulated network says where it is, whether or not that can be written."""
    with serving(
        tmp_path, "full", CALLSERVER_PROVIDER="simulated", CALLSERVER_CALLS_PER_SECOND="5"
    ):
        pass


def test_health_says_that_the_scheduler_stalled(tmp_path: Path) -> None:
    seals = tmp_path / "seals"
    with serving(tmp_path, CALLSERVER_SEALS=str(seals)) as server:
        body = server.health().json()
        assert (body["status"], body["database"], body["scheduler"]) == ("ok", "ok", "ok")
        until(seals.exists)
        seals.unlink()
        seals.mkdir()
        httpx.post(f"{server.url}/twilio/voice/inbound")  # something to seal
        until(lambda: server.health().status_code == 503)
        assert server.health().json()["scheduler"] == "stalled"
        seals.rmdir()
        until(lambda: server.health().status_code == 200)


def test_a_port_in_use_is_said_before_anything_is_changed(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        server = Server(tmp_path, CALLSERVER_PORT=port)
        assert server.process.wait(PATIENCE_S) == 2
    said = server.said()
    assert f"CALLSERVER_PORT={port}" in said
    assert "Traceback" not in said
    assert not (tmp_path / "system.db").exists()
    assert "configuration" not in said


def test_a_client_that_goes_away_leaves_no_traceback(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        engine = make_engine(server.database)
        migrate.upgrade(engine)
        with engine.begin() as tx:
            key = accounts.add(tx, handle="adam", name="Adam", role="administrator")
            accounts.add_token(tx, hash_of("adam"), key, "test", SystemClock().now())
        engine.dispose()
        signed = "Authorization: Bearer adam\r\nHost: x\r\n"
        for asked in (
            f"POST /api/v1/presence HTTP/1.1\r\n{signed}Content-Length: 1000\r\n\r\n{{",
            f"POST /api/v1/uploads?name=a.csv HTTP/1.1\r\n{signed}Content-Length: 9999\r\n\r\nref;",
            "POST /twilio/status/call?attempt=a HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\nCall",
            f"GET /api/v1/events HTTP/1.1\r\n{signed}\r\n",
            f"GET /api/v1/floor HTTP/1.1\r\n{signed}\r\n",
        ):
            for reset in (False, True):
                with socket.create_connection(("127.0.0.1", server.port), 10) as client:
                    client.sendall(asked.encode())
                    time.sleep(0.3)
                    if reset:
                        linger = (1).to_bytes(4, sys.byteorder) + bytes(4)
                        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        time.sleep(0.5)
        assert server.health().status_code == 200
    assert "Traceback" not in server.said()
    assert '"level": "error"' not in server.said()


@pytest.mark.timeout(300)
def test_four_servers_start_at_once_on_an_empty_database(
    tmp_path: Path, empty_postgres_url: str
) -> None:
    servers = [
        Server(make(tmp_path / str(index)), CALLSERVER_DATABASE=empty_postgres_url)
        for index in range(4)
    ]
    try:
        for server in servers:
            server.up()
        revisions = {server.health().json()["revision"] for server in servers}
        assert len(revisions) == 1
        entries = select(func.count()).select_from(audit).where(audit.c.kind == "configuration")
        assert servers[0].read(entries) == 1  # one of them put the first rules in force
        for server in servers:
            assert server.end() in (0, -signal.SIGTERM)
    finally:
        for server in servers:
            server.process.kill()
            server.process.wait()


def make(folder: Path) -> Path:
    folder.mkdir()
    return folder


@pytest.mark.timeout(300)
def test_a_database_that_falls_silent(tmp_path: Path, postgres_url: str) -> None:
    """The connections stay open and nothing comes back: health says so at once, and it ends in time."""
    with (
        way_to(postgres_url) as way,
        serving(tmp_path, CALLSERVER_DATABASE=way.url) as server,
    ):
        way.silence()
        began = time.monotonic()
        health = server.health()
        assert time.monotonic() - began < 4.5
        assert (health.status_code, health.json()["database"]) == (503, "unreachable")
        time.sleep(15)
        way.talk()
        until(lambda: server.health().status_code == 200)
        until(lambda: "looked_after_outage" in server.said())
        assert len(server.said().splitlines()) < 60
        for line in server.said().splitlines():
            json.loads(line)
        way.silence()
        server.database = postgres_url


def signed(server: Server, path: str, **fields: str) -> httpx.Response:
    """What the provider sends; it waits for fifteen seconds."""
    form = {"AccountSid": ACCOUNT, **fields}
    made = RequestValidator("test").compute_signature(server.url + path, form)
    return httpx.post(
        server.url + path, data=form, headers={"x-twilio-signature": made}, timeout=15
    )


@pytest.mark.timeout(300)
def test_another_program_holds_the_database(tmp_path: Path) -> None:
    """For twenty seconds: who calls hears a sentence, health answers, and no report is taken for kept
    that is not."""
    with serving(tmp_path) as server:
        other = sqlite3.connect(tmp_path / "system.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        caller = {"From": "+4532200000", "To": "+4532123400", "CallSid": "CA1"}
        told = signed(server, "/twilio/voice/inbound", **caller)
        assert time.monotonic() - began < 10
        assert (told.status_code, "<Say" in told.text) == (200, True)
        assert texts.say("da", "inbound_busy") in told.text
        health = server.health()
        assert (health.status_code, health.json()["database"]) == (503, "no_writes")
        began = time.monotonic()
        assert server.health().json()["database"] == "no_writes"
        assert time.monotonic() - began < 1.5  # the write that waits already says enough
        assert httpx.get(f"{server.url}/livez", timeout=PATIENCE_S).status_code == 200
        status = {"CallSid": "CA2", "CallStatus": "completed"}
        assert signed(server, "/twilio/status/call?attempt=a", **status).status_code == 503
        assert httpx.get(f"{server.url}/api/v1/books", timeout=60).status_code in (401, 503)
        other.execute("COMMIT")
        other.close()
        assert signed(server, "/twilio/status/call?attempt=a", **status).status_code == 204
        until(lambda: "looked_after_outage" in server.said())
        until(lambda: server.health().status_code == 200)
        assert "Traceback" not in server.said()


def test_another_program_holds_the_database_while_the_server_stops(tmp_path: Path) -> None:
    """The stop does not wait for the lock, and what was acknowledged is there."""
    with serving(tmp_path) as server:
        caller = {"From": "+4532200000", "To": "+4532123400", "CallSid": "CA1"}
        assert signed(server, "/twilio/voice/inbound", **caller).status_code == 200
        other = sqlite3.connect(tmp_path / "system.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        time.sleep(1)  # the scheduler waits for the lock
        began = time.monotonic()
        assert server.end() in (0, -signal.SIGTERM)
        assert time.monotonic() - began < 24  # SQLite itself waits for 30 seconds
        other.execute("COMMIT")
        other.close()
        heard = select(func.count()).select_from(audit).where(audit.c.kind == "inbound")
        assert server.read(heard) == 1
        assert "Traceback" not in server.said()
