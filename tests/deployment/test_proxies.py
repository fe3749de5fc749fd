"""nginx and Caddy with the example files before a real server: streams, big lists, addresses."""

import os
import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest

from callserver.cli.free_ports import free_port
from callserver.database import accounts
from callserver.database.engines import make_engine
from callserver.engine.accounts.authentication import hash_of
from tests.harness.exchange.kamailio import certificate
from tests.harness.waiting import PATIENCE_S, until
from tests.journeys.test_uptime import serving

DEPLOYMENT = Path(__file__).parents[2] / "docs/deployment"
TOKEN = "a token"


@contextmanager
def nginx(folder: Path, *ports: int) -> Iterator[str]:
    port = free_port()
    servers = "\n".join(f"server 127.0.0.1:{number};" for number in ports)
    certificate(folder, "proxy", "127.0.0.1")
    example = (DEPLOYMENT / "nginx.conf").read_text("utf-8")
    for old, new in (
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("server 127.0.0.1:8000;", servers),
        ("/etc/ssl/calls.example.org-key.pem", f"{folder}/proxy-key.pem"),
        ("/etc/ssl/calls.example.org.pem", f"{folder}/proxy.pem"),
        ("allow 127.0.0.1;\n", ""),  # the test asks from there, as a stranger
    ):
        assert old in example
        example = example.replace(old, new)
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi")
    )
    user = "user root;\n" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"daemon off;\n{user}pid {folder}/nginx.pid;\nerror_log stderr;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{temporary}{example}\n}}\n"
    )
    words = ["nginx", "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]
    with running(words, folder):
        yield f"https://127.0.0.1:{port}"


@contextmanager
def caddy(folder: Path, *ports: int) -> Iterator[str]:
    port = free_port()
    url = f"https://127.0.0.1:{port}"
    start = "{\n\tadmin off\n\tskip_install_trust\n\tauto_https disable_redirects\n\tgrace_period 1s\n}\n"
    example = (DEPLOYMENT / "Caddyfile").read_text("utf-8")
    (folder / "Caddyfile").write_text(start + example)
    environment = {
        **os.environ,
        "HOME": str(folder),
        "XDG_DATA_HOME": str(folder),
        "CALLSERVER_SITE": url,
        "CALLSERVER_SERVERS": " ".join(f"127.0.0.1:{number}" for number in ports),
    }
    words = ["caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    with running(words, folder, environment):
        yield url


@contextmanager
def running(
    words: list[str], folder: Path, environment: dict[str, str] | None = None
) -> Iterator[None]:
    if not shutil.which(words[0]):
        pytest.skip(f"{words[0]} is missing")
    with (folder / "proxy.log").open("wb") as out:
        process = subprocess.Popen(words, stdout=out, stderr=out, env=environment)
        try:
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def is_up(http: httpx.Client) -> bool:
    try:
        return http.get("/sign-in").status_code == 200
    except httpx.HTTPError:
        return False


Proxy = Callable[..., AbstractContextManager[str]]
behind_each = pytest.mark.parametrize("proxy", [nginx, caddy], ids=lambda proxy: proxy.__name__)


@contextmanager
def behind(proxy: Proxy, folder: Path, *ports: int) -> Iterator[httpx.Client]:
    no_check = ssl.create_default_context()
    no_check.check_hostname, no_check.verify_mode = False, ssl.CERT_NONE
    with (
        proxy(folder, *ports) as url,
        httpx.Client(base_url=url, verify=no_check, timeout=PATIENCE_S) as http,
    ):
        until(lambda: is_up(http))
        yield http


@behind_each
def test_behind_the_example_proxy(tmp_path: Path, proxy: Proxy) -> None:
    with serving(tmp_path, CALLSERVER_TRUSTED_PROXIES="127.0.0.1") as server:  # noqa: SIM117
        with behind(proxy, tmp_path, server.port) as http:
            engine = make_engine(server.database)
            with engine.begin() as tx:
                user = accounts.add(tx, handle="mads", name="Mads Prøve", role="supervisor")
                accounts.add_token(tx, hash_of(TOKEN), user, "crm", datetime.now(UTC))
            engine.dispose()
            bearer = {"authorization": f"Bearer {TOKEN}"}
            for path in ("/metrics", "/livez", "/readyz", "/healthz"):
                assert http.get(path).status_code in (403, 404), path

            # A stream's first words arrive at once, and so does the next event.
            with http.stream("GET", "/api/v1/events", headers=bearer) as stream:
                lines = stream.iter_lines()
                assert next(lines).startswith("retry:")
                paused = http.post(
                    "/api/v1/campaigns/kanvas",
                    json={"paused": True, "reason": "a test"},
                    headers=bearer,
                )
                assert paused.status_code in (200, 204), paused.text
                assert next(line for line in lines if line.startswith("event:"))

            # nginx's own limit is 1 MB, and a list may be larger.
            big = http.post("/api/v1/lists", content="x" * 5_000_000, headers=bearer)
            assert big.status_code != 413


@behind_each
def test_a_stopped_server_fails_no_request(tmp_path: Path, proxy: Proxy) -> None:
    """While one of two is replaced, the provider's reports and questions reach the other."""
    with serving(tmp_path) as server, behind(proxy, tmp_path, server.port, free_port()) as http:
        answers = [http.post("/twilio/status/call").status_code for _ in range(12)]
    assert answers == [403] * 12  # the server's own answer: no signature


@behind_each
def test_what_reached_a_server_is_not_sent_to_a_second_one(tmp_path: Path, proxy: Proxy) -> None:
    """It may have been carried out."""
    taken: list[str] = []

    class BreaksOff(BaseHTTPRequestHandler):
        """A server that ends while it works on a request."""

        def do_POST(self) -> None:
            taken.append(self.path)
            self.close_connection = True

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), BreaksOff) as ending, serving(tmp_path) as server:
        Thread(target=ending.serve_forever, daemon=True).start()
        with behind(proxy, tmp_path, ending.server_port, server.port) as http:
            answers = [http.post("/twilio/status/call").status_code for _ in range(12)]
        ending.shutdown()
    assert taken
    assert answers.count(502) == len(taken)
    assert answers.count(403) == 12 - len(taken)
