"""`/metrics`: who may read it, what it shows during a shift, and that the dashboard names nothing else."""

import json
import re
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

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
    assert more("callserver_provider_order_duration_seconds_count", "place", "done") == 1
    assert more("callserver_webhook_duration_seconds_count", "/twilio/status/call", "204") > 0
    assert shown["callserver_seats", ("talking",)] == 1
    assert shown["callserver_open_calls", ("talking",)] == 1
    assert shown["callserver_sealing_lag_seconds", ()] < 10
    assert shown["callserver_database_up", ()] == 1
    assert shown["callserver_disk_free_bytes", ("database",)] > 0
    (lease,) = (value for (name, _), value in shown.items() if name.endswith("lease_seconds"))
    assert 0 < lease <= 10


async def test_dashboard_and_alerts_name_what_is_exported(tmp_path: Path) -> None:
    system = SimulatedSystem(tmp_path, metrics_token=WORD)
    await in_a_talk(system)
    _, text = await scraped(system)
    families = list(text_string_to_metric_families(text))
    exported = {sample.name for family in families for sample in family.samples}
    exported |= {family.name + "_total" * (family.type == "counter") for family in families}
    dashboard = json.loads((MONITORING / "dashboard.json").read_text("utf-8"))
    rules = yaml.safe_load((MONITORING / "alerts.yaml").read_text("utf-8"))
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    queries += [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    named = {name for query in queries for name in METRIC.findall(query)}
    assert named <= exported
    assert len(queries) > 15
