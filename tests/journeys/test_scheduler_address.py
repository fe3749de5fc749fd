"""The scheduler as a process of its own shows its health and figures where a setting says, and nothing else."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from callserver.cli.free_ports import free_port
from tests.console.test_metrics import METRIC, written_queries
from tests.harness.processes import Command, run
from tests.harness.waiting import PATIENCE_S, until
from tests.journeys.test_processes import environment

WORD = "a word for the tests alone"


@contextmanager
def scheduling(folder: Path, database: str, **settings: str) -> Iterator[Command]:
    given = environment(folder, database, "http://127.0.0.1:9", "http://127.0.0.1:9")
    given |= {"CALLSERVER_METRICS_TOKEN": WORD, "CALLSERVER_LOG_LEVEL": "info", **settings}
    errors = folder / "stderr.log"
    process = Command("scheduler", environment={**os.environ, **given}, errors=errors)
    try:
        until(lambda: errors.exists() and "scheduler_started" in errors.read_text("utf-8"))
        yield process
        process.terminate()
        assert process.wait(PATIENCE_S) in (0, -signal.SIGTERM)
    finally:
        process.kill()
        process.wait()


def test_health_and_figures_at_its_own_address(tmp_path: Path, postgres_url: str) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with scheduling(tmp_path, postgres_url, CALLSERVER_SCHEDULER_PORT=str(port)):
        until(lambda: httpx.get(f"{url}/readyz").status_code == 200)
        assert httpx.get(f"{url}/livez").json() == {"status": "ok"}
        ready = httpx.get(f"{url}/readyz").json()
        assert (ready["scheduler"], ready["database"]) == ("ok", "ok")
        assert httpx.get(f"{url}/metrics").status_code == 401
        wrong = {"authorization": "Bearer another"}
        assert httpx.get(f"{url}/metrics", headers=wrong).status_code == 401
        right = {"authorization": f"Bearer {WORD}"}
        families = list(
            text_string_to_metric_families(httpx.get(f"{url}/metrics", headers=right).text)
        )
        shown = {sample.name: sample.value for family in families for sample in family.samples}
        assert shown["callserver_scheduler_lease_seconds"] > 0
        assert shown["callserver_database_writable"] == 1
        exported = set(shown) | {
            family.name + "_total" * (family.type == "counter") for family in families
        }
        named = {name for query in written_queries() for name in METRIC.findall(query)}
        assert {name for name in named if "_webhook_" not in name} <= exported  # it takes none
        for path in ("/", "/api/v1/me", "/twilio/status/call"):
            assert httpx.get(f"{url}{path}").status_code == 404


def test_without_a_word_nobody_reads_the_figures(tmp_path: Path) -> None:
    port, database = free_port(), f"sqlite:///{tmp_path}/system.db"
    settings = {"CALLSERVER_SCHEDULER_PORT": str(port), "CALLSERVER_METRICS_TOKEN": ""}
    with scheduling(tmp_path, database, **settings):
        until(lambda: httpx.get(f"http://127.0.0.1:{port}/livez").status_code == 200)
        assert httpx.get(f"http://127.0.0.1:{port}/metrics").status_code == 403


def test_without_the_setting_it_has_no_address(tmp_path: Path) -> None:
    with scheduling(tmp_path, f"sqlite:///{tmp_path}/system.db") as process:
        listening = {
            line.split()[9]  # the inode
            for line in Path(f"/proc/{process.pid}/net/tcp").read_text("ascii").splitlines()[1:]
            if line.split()[3] == "0A"
        }
        own = {str(path.readlink()) for path in Path(f"/proc/{process.pid}/fd").iterdir()}
        assert not {f"socket:[{inode}]" for inode in listening} & own


def test_a_port_in_use_is_said_before_anything_is_changed(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        given = environment(tmp_path, f"sqlite:///{tmp_path}/system.db", "http://127.0.0.1:9", "")
        given["CALLSERVER_SCHEDULER_PORT"] = str(taken.getsockname()[1])
        said = run("scheduler", environment={**os.environ, **given})
    assert (said.returncode, "CALLSERVER_SCHEDULER_PORT" in said.stderr) == (2, True), said
    assert not (tmp_path / "system.db").exists()


@pytest.mark.parametrize("port", ["-1", "65536", "many"])
def test_a_port_that_is_none(tmp_path: Path, port: str) -> None:
    given = environment(tmp_path, f"sqlite:///{tmp_path}/system.db", "http://127.0.0.1:9", "")
    said = run("scheduler", environment={**os.environ, **given, "CALLSERVER_SCHEDULER_PORT": port})
    assert (said.returncode, "CALLSERVER_SCHEDULER_PORT" in said.stderr) == (2, True), said
