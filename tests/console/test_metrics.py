"""`/metrics`: who may read it, what it shows during a shift, and that the dashboard names nothing else."""

import inspect
import json
import math
import re
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.exc import OperationalError

from callserver.adapters import measured_telephony
from callserver.domain.seat import SeatState
from callserver.simulator import asgi
from tests.harness.simulated import SimulatedSystem, in_a_talk

MONITORING = Path(__file__).parents[2] / "docs/monitoring"
WORD = "a word for the tests alone"
METRIC = re.compile(r"callserver_[a-z_]+")


async def scraped(system: SimulatedSystem, word: str = WORD) -> tuple[int, str]:
    headers = [(b"authorization", f"Bearer {word}".encode())] if word else []
    url = f"{system.plan.public_url}/metrics"
    status, body = await asgi.call(system.app, "GET", url, headers)
    return status, body.decode()


def samples(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.mark.parametrize(
    ("token", "word", "expected"),
    [("", "", 403), ("", WORD, 403), (WORD, "", 401), (WORD, "another", 401), (WORD, WORD, 200)],
)
async def test_only_with_the_word(tmp_path: Path, token: str, word: str, expected: int) -> None:
    system = SimulatedSystem(tmp_path, metrics_token=token)
    status, text = await scraped(system, word)
    assert status == expected
    assert ("callserver_" in text) == (expected == 200)


async def test_what_a_shift_shows(tmp_path: Path) -> None:
    system = SimulatedSystem(tmp_path, metrics_token=WORD)
    before = samples((await scraped(system))[1])
    await in_a_talk(system)
    await system.pass_time(6)
    shown = samples((await scraped(system))[1])

    def more(name: str, *labels: str) -> float:
        return shown.get((name, labels), 0) - before.get((name, labels), 0)

    assert more("callserver_dial_decisions_total", "permitted", "") == 1
    assert shown["callserver_scheduler_lease_held", ()] == 1
    assert more("callserver_provider_order_duration_seconds_count", "place", "done") == 1
    assert more("callserver_webhook_duration_seconds_count", "/twilio/status/call", "204") > 0
    assert shown["callserver_seats", ("talking",)] == 1
    assert shown["callserver_open_calls", ("talking",)] == 1
    assert shown["callserver_sealing_lag_seconds", ()] < 10
    assert shown["callserver_database_up", ()] == 1
    assert shown["callserver_disk_free_bytes", ("database",)] > 0
    (lease,) = (value for (name, _), value in shown.items() if name.endswith("lease_seconds"))
    assert 0 < lease <= 10


async def test_what_alarms_count_is_there_before_it_happens(tmp_path: Path) -> None:
    """Prometheus cannot see the first increase of a counter that appears with it."""
    system = SimulatedSystem(tmp_path, metrics_token=WORD)
    shown = samples((await scraped(system))[1])
    name = "callserver_provider_order_duration_seconds_count"
    for order in measured_telephony.ORDERS:
        assert (name, (order, "silent")) in shown
    for result in ("done", "refused"):
        assert (name, ("place", result)) in shown
    for state in SeatState:
        assert ("callserver_seats", (state,)) in shown
    assert shown["callserver_open_calls", ("ringing",)] == 0
    assert shown["callserver_waiting_messages", ("waiting",)] == 0
    assert shown["callserver_log_lines_lost_total", ()] >= 0


def test_every_order_is_named() -> None:
    source = inspect.getsource(measured_telephony.MeasuredTelephony)
    assert set(re.findall(r'_measured\(\s*"(\w+)"', source)) == set(measured_telephony.ORDERS)


async def test_a_database_that_takes_no_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk, a primary that waits for its standby: it reads, and nobody is dialed."""
    system = SimulatedSystem(tmp_path, metrics_token=WORD)
    assert samples((await scraped(system))[1])["callserver_database_writable", ()] == 1

    async def refused(_: object) -> None:
        raise OperationalError("insert", None, Exception("disk full"))

    monkeypatch.setattr(system.server.store, "run", refused)
    shown = samples((await scraped(system))[1])
    assert shown["callserver_database_up", ()] == 1
    assert shown["callserver_database_writable", ()] == 0


async def test_a_restart_changes_no_label(tmp_path: Path) -> None:
    """Each start has another name in the lease; as a label it would begin a series for ever."""
    system = SimulatedSystem(tmp_path, metrics_token=WORD)
    assert (
        samples((await scraped(system))[1])["callserver_scheduler_lease_seconds", ()] == -math.inf
    )
    await system.pass_time(6)
    assert 0 < samples((await scraped(system))[1])["callserver_scheduler_lease_seconds", ()] <= 10


async def test_what_every_server_reports_says_so(tmp_path: Path) -> None:
    """A sum over servers would count it several times."""
    system = SimulatedSystem(tmp_path, metrics_token=WORD)
    await in_a_talk(system)
    families = list(text_string_to_metric_families((await scraped(system))[1]))
    shared = {family.name for family in families if "of the database" in family.documentation}
    assert {"callserver_seats", "callserver_open_calls", "callserver_waiting_messages"} <= shared
    queries = [query for query in written_queries() if any(name in query for name in shared)]
    assert len(queries) > 5
    assert [query for query in queries if not re.search(r"\b(max|min)\b", query)] == []


def written_queries() -> list[str]:
    """Those of the dashboard and of the alert rules."""
    dashboard = json.loads((MONITORING / "dashboard.json").read_text("utf-8"))
    rules = yaml.safe_load((MONITORING / "alerts.yaml").read_text("utf-8"))
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    return queries + [rule["expr"] for group in rules["groups"] for rule in group["rules"]]


async def test_dashboard_and_alerts_name_what_is_exported(tmp_path: Path) -> None:
    system = SimulatedSystem(tmp_path, metrics_token=WORD)
    await in_a_talk(system)
    _, text = await scraped(system)
    families = list(text_string_to_metric_families(text))
    exported = {sample.name for family in families for sample in family.samples}
    exported |= {family.name + "_total" * (family.type == "counter") for family in families}
    queries = written_queries()
    named = {name for query in queries for name in METRIC.findall(query)}
    assert named <= exported
    assert len(queries) > 15
