"""The alert rules, played by Prometheus itself: each fires in its situation, and not in ordinary ones."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from callserver.domain.alarm import AlarmKind

MONITORING = Path(__file__).parents[2] / "docs/monitoring"
ORDERS = "callserver_provider_order_duration_seconds_count"
WEBHOOKS = "callserver_webhook_duration_seconds_count"
LEASE = "callserver_scheduler_lease_seconds"


class Situation(NamedTuple):
    """Series by their values every fifteen seconds, and whether the alert fires at some minute."""

    what: str
    alert: str
    series: dict[str, str]
    fires: bool
    minute: float = 5


def on(instance: str, name: str, labels: str = "") -> str:
    return f'{name}{{job="callserver",instance="{instance}"{labels}}}'


def each(name: str, values: str, servers: int = 2, labels: str = "") -> dict[str, str]:
    return {on(f"s{number}", name, labels): values for number in range(servers)}


SITUATIONS = [
    Situation("a server is away", "CallserverNotReady", {on("a", "up"): "0x40"}, True),
    Situation("it answers", "CallserverNotReady", {on("a", "up"): "1x40"}, False),
    Situation("no answer", "DatabaseDown", each("callserver_database_up", "0x40"), True),
    Situation(
        "it reads, and takes no writes",
        "DatabaseDown",
        {
            **each("callserver_database_up", "1x40"),
            **each("callserver_database_writable", "0x40"),
        },
        True,
    ),
    Situation(
        "it does both",
        "DatabaseDown",
        {
            **each("callserver_database_up", "1x40"),
            **each("callserver_database_writable", "1x40"),
        },
        False,
    ),
    Situation("the lease ended", "SchedulerStalled", each(LEASE, "9 -6-15x40"), True),
    Situation(
        "nobody ever had it",
        "SchedulerStalled",
        each(LEASE, " -Inf" * 40),
        True,
    ),
    Situation("somebody has it", "SchedulerStalled", each(LEASE, "9x40"), False),
    Situation(
        "somebody has it, and each of its rounds fails",
        "SchedulerStalled",
        {
            **each(LEASE, "9x40"),
            on("s0", "callserver_scheduler_round_age_seconds"): "0.5x40",
            on("s1", "callserver_scheduler_round_age_seconds"): "0+15x40",
        },
        True,
    ),
    Situation(
        "its rounds end",
        "SchedulerStalled",
        {**each(LEASE, "9x40"), **each("callserver_scheduler_round_age_seconds", "0.5x40")},
        False,
    ),
    Situation("little space", "DiskLow", each("callserver_disk_free_bytes", "9e8x60"), True, 10),
    Situation(
        "the clock jumped, and its time is accepted after a minute",
        "ClockInDoubt",
        {on("a", "callserver_clock_skew_seconds"): "0 0 0 0 3600 3600 3600 3600 0 0 0 0 0 0 0 0"},
        True,
        1.75,
    ),
    Situation(
        "the clock is corrected slowly",
        "ClockInDoubt",
        {on("a", "callserver_clock_skew_seconds"): "0.05x40"},
        False,
    ),
    Situation(
        "not sealed", "SealingBehind", each("callserver_sealing_lag_seconds", "0+15x60"), True, 12
    ),
    Situation(
        "retention fails once an hour",
        "ChoresFail",
        each("callserver_failed_chores_total", "0 0 0 0 1x40", 1, ',chore="Retention"'),
        True,
    ),
    Situation(
        "no chore fails",
        "ChoresFail",
        each("callserver_failed_chores_total", "0x40", 1, ',chore="Retention"'),
        False,
    ),
    Situation(
        "webhooks fail",
        "WebhooksFail",
        each(WEBHOOKS, "0+2x40", labels=',path="/twilio/status/call",status="503"'),
        True,
    ),
    Situation(
        "the provider stopped answering: five orders at once, and the campaigns are paused",
        "ProviderSilent",
        each(ORDERS, "0 0 0 0 5x40", 1, ',order="place",result="silent"'),
        True,
        3,
    ),
    Situation(
        "it refuses nearly all calls from the start",
        "ProviderRefuses",
        {
            **each(ORDERS, "0 0 0+4x40", 1, ',order="place",result="refused"'),
            **each(ORDERS, "0 0 0 1x40", 1, ',order="place",result="done"'),
        },
        True,
    ),
    Situation(
        "it refuses all calls",
        "ProviderRefuses",
        {
            **each(ORDERS, "0 0 0+4x40", 1, ',order="place",result="refused"'),
            **each(ORDERS, "0x40", 1, ',order="place",result="done"'),
        },
        True,
    ),
    Situation(
        "one of two exchanges is away",
        "ExchangeAway",
        {
            **each("callserver_exchange_up", "0x40", labels=',exchange="north"'),
            **each("callserver_exchange_up", "1x40", labels=',exchange="south"'),
        },
        True,
    ),
    Situation(
        "twelve messages wait, and each of four servers says so",
        "MessagesWait",
        each("callserver_waiting_messages", "12x400", 4, ',state="waiting"'),
        False,
        90,
    ),
    Situation(
        "twelve wait and twelve are being sent",
        "MessagesWait",
        {
            **each("callserver_waiting_messages", "12x400", 4, ',state="waiting"'),
            **each("callserver_waiting_messages", "12x400", 4, ',state="sending"'),
        },
        True,
        90,
    ),
    Situation(
        "a token that is not the account's",
        "RequestsRefused",
        each("callserver_refused_requests_total", "0+40x60", 1, ',what="/a",why="signature"'),
        True,
        10,
    ),
    Situation(
        "lines are lost",
        "LogLinesLost",
        each("callserver_log_lines_lost_total", "0 0 0 0 3x40", 1),
        True,
    ),
]


@pytest.mark.parametrize("played", SITUATIONS, ids=lambda one: f"{one.alert}: {one.what}")
def test_an_alert_fires_in_its_situation(played: Situation, tmp_path: Path) -> None:
    if not shutil.which("promtool"):
        pytest.skip("promtool is missing (apt-get install prometheus)")
    firing = f'ALERTS{{alertname="{played.alert}",alertstate="firing"}}'
    document: dict[str, Any] = {
        "rule_files": [str(MONITORING / "alerts.yaml")],
        "evaluation_interval": "15s",
        "tests": [
            {
                "interval": "15s",
                "input_series": [
                    {"series": name, "values": values} for name, values in played.series.items()
                ],
                "promql_expr_test": [
                    {
                        "expr": f"clamp_max(count({firing}), 1) or vector(0)",
                        "eval_time": f"{int(played.minute * 60)}s",
                        "exp_samples": [{"labels": "{}", "value": int(played.fires)}],
                    }
                ],
            }
        ],
    }
    file = tmp_path / "played.yaml"
    file.write_text(yaml.safe_dump(document), "utf-8")
    done = subprocess.run(
        ["promtool", "test", "rules", file], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_played() -> None:
    rules = yaml.safe_load((MONITORING / "alerts.yaml").read_text("utf-8"))
    names = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    assert names - {one.alert for one in SITUATIONS if one.fires} == {"WebhooksSlow"}


def test_the_manual_says_what_to_do_about_every_alert_and_alarm() -> None:
    """And about none that there is not: who is woken at night searches it by the name."""
    rules = yaml.safe_load((MONITORING / "alerts.yaml").read_text("utf-8"))
    alerts = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    manual = (MONITORING.parent / "operating.md").read_text("utf-8")
    section = manual.partition("\n## Alarms of the server\n")[2].partition("\n## ")[0]
    entries, _, by_name = section.partition("\n### ")
    assert set(re.findall(r"\*\*([A-Z][a-z]+[A-Z]\w+)\*\*", entries)) == alerts
    rows = re.findall(r"^\| (`.+?) \| (.+) \|$", by_name, re.MULTILINE)
    named = [name for names, _ in rows for name in re.findall(r"`(\w+)`", names)]
    assert sorted(named) == sorted([*AlarmKind, "alarm"])  # the table's heading
    said = {name for _, entry in rows for name in re.findall(r"\b[A-Z][a-z]+[A-Z]\w+", entry)}
    assert said <= alerts


def test_the_scrape_configuration_is_right(tmp_path: Path) -> None:
    if not shutil.which("promtool"):
        pytest.skip("promtool is missing (apt-get install prometheus)")
    for name in ("prometheus.yaml", "alerts.yaml"):
        shutil.copy(MONITORING / name, tmp_path)
    (tmp_path / "callserver-metrics-token").write_text("a word", "utf-8")
    done = subprocess.run(
        ["promtool", "check", "config", tmp_path / "prometheus.yaml"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
