"""The published checkpoint gets a timestamp of an authority elsewhere: here openssl, over real HTTP."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from callserver.adapters.timestamps import TimestampAuthority
from callserver.database import log_copies
from callserver.database.store import open_store
from callserver.engine.audit_log.publication import STAMPED_EVERY, Publication
from callserver.engine.audit_log.publishing import Publisher
from callserver.engine.background import Background
from tests.harness.databases import sqlite_file
from tests.harness.sealed_log import ORIGIN, SealedLog

CONFIG = """
[tsa]
default_tsa = one
[one]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
"""


def openssl(*words: object) -> bytes:
    return subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True).stdout


class Authority:
    """An authority with a certificate of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked = 0
        folder.mkdir()
        (folder / "serial").write_text("01\n")
        (folder / "ts.cnf").write_text(CONFIG.format(folder=folder))
        openssl(
            *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", 2, "-subj", "/CN=Test TSA"),
            *("-addext", "extendedKeyUsage=critical,timeStamping"),
            *("-keyout", folder / "tsa.key", "-out", folder / "tsa.pem"),
        )

    def answer(self, query: bytes) -> bytes:
        self.asked += 1
        (self.folder / "query").write_bytes(query)
        out = self.folder / "answer"
        words = ("-config", self.folder / "ts.cnf", "-queryfile", self.folder / "query")
        openssl("ts", "-reply", *words, "-out", out)
        return out.read_bytes()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl here")
    return Authority(tmp_path / "authority")


@pytest.fixture
def url(authority: Authority) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["content-length"]))
            try:
                answer = authority.answer(query)
            except subprocess.CalledProcessError:
                answer = b"out of order"
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


async def test_a_checkpoint_is_stamped_every_hour(
    authority: Authority, url: str, tmp_path: Path
) -> None:
    log = SealedLog(open_store(sqlite_file(tmp_path / "log.db")), tmp_path)
    async with httpx.AsyncClient(trust_env=False) as http:
        publication = Publication(
            log.store,
            log.clock,
            Background(),
            Publisher(log.folder, ORIGIN, log.key),
            timestamps=TimestampAuthority(http, url),
        )
        for size in (10, 20):  # the second within the hour
            await log.grow(size)
            await publication.publish()
        assert authority.asked == 1
        log.clock.set(log.clock.now() + STAMPED_EVERY)
        await publication.publish()
        assert authority.asked == 2
        (authority.folder / "ts.cnf").write_text("")
        log.clock.set(log.clock.now() + STAMPED_EVERY)
        await log.grow(30)
        await publication.publish()
    rows = {row.target: row for row in await log.store.read(log_copies.every)}
    assert (rows["timestamps"].size, rows["timestamps"].failing_since) == (20, log.clock.now())
    assert len(log.read()) == 30
    log.store.close()
    verify(authority, log.folder / "timestamp")


def verify(authority: Authority, kept: Path) -> None:
    """As the page says: with openssl alone."""
    names = sorted(path.name for path in kept.iterdir())
    assert names == ["10.checkpoint", "10.tsr", "20.checkpoint", "20.tsr"]
    trusted = ("-CAfile", authority.folder / "tsa.pem")
    openssl("ts", "-verify", "-data", kept / "20.checkpoint", "-in", kept / "20.tsr", *trusted)
    with pytest.raises(subprocess.CalledProcessError):
        openssl("ts", "-verify", "-data", kept / "10.checkpoint", "-in", kept / "20.tsr", *trusted)


async def test_an_answer_about_something_else_is_no_timestamp(
    authority: Authority, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        stamps = TimestampAuthority(http, url)
        first = await stamps.stamp(b"something else")
        assert first
        monkeypatch.setattr(authority, "answer", lambda _: first)
        assert await stamps.stamp(b"a checkpoint") == b""
