"""Figures per campaign and day; nothing, anywhere, that compares phoners."""

import csv
import io
from functools import partial
from pathlib import Path

from callserver.database.daily_counts import count_refusal
from callserver.domain.role import Role
from tests.harness.staffed import StaffedSystem

ROOT = Path(__file__).parents[2]


async def evening(system: StaffedSystem, talks: int = 3) -> None:
    await system.on_shift(1)
    await system.ready()
    for number in range(talks):
        await system.pass_time(10)
        leg = system.live_legs()[0]
        await system.pass_time(20)
        system.network.hang_up_by_person(leg)
        await system.pass_time(2)
        key = "member" if number == 0 else "no_thanks"
        details = {"amount": 100, "frequency": "monthly"} if number == 0 else {}
        status, said = await system.outcome(key, details)
        assert status == 200, said


async def test_a_days_figures(system: StaffedSystem) -> None:
    await evening(system)
    reports = (await (await system.client("supervisor")).api("GET", "/reports")).json()
    (day,) = reports["days"]
    assert (day["campaign"], day["day"]) == ("kanvas", "2026-05-12")
    assert day["answered"] == 3
    assert day["dials"] >= 3
    assert day["agreements"] == 1
    assert {outcome["key"]: outcome["count"] for outcome in day["outcomes"]} == {
        "member": 1,
        "no_thanks": 2,
    }
    assert 70 <= day["talked_seconds"] <= 90
    assert set(reports["campaigns"]) == {"kanvas", "leads"}  # the supervisor's department's


async def test_who_was_not_called_and_why(system: StaffedSystem) -> None:
    now = system.clock.now()
    for reason in ("SUP_PERSON", "SUP_PERSON", "FREQ_GAP"):
        system.write(partial(count_refusal, campaign="kanvas", reason=reason, now=now))
    (day,) = (await (await system.client("supervisor")).api("GET", "/reports")).json()["days"]
    assert (day["dials"], [(row["key"], row["count"]) for row in day["refused"]]) == (
        0,
        [("SUP_PERSON", 2), ("FREQ_GAP", 1)],
    )
    assert day["refused"][0]["label"] == "Personen har frabedt sig opkald."
    reply = await (await system.client("leader")).api("GET", "/reports.csv")
    (row,) = csv.DictReader(io.StringIO(reply.content.decode("utf-8-sig")), delimiter=";")
    assert row["Ikke ringet op"] == "3"


async def test_the_same_as_a_file(system: StaffedSystem) -> None:
    await evening(system)
    reply = await (await system.client("leader")).api("GET", "/reports.csv?campaign=kanvas")
    assert "attachment" in reply.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(reply.content.decode("utf-8-sig")), delimiter=";"))
    assert rows[0]["Besvaret"] == "3"
    assert rows[0]["member"] == "1"


async def test_what_cannot_be_reported_is_said(system: StaffedSystem) -> None:
    client = await system.client("supervisor")
    long = await client.api("GET", "/reports?first=2020-01-01&last=2026-01-01")
    assert (long.status_code, long.json()["detail"]) == (409, "Vælg en periode på 1 til 92 dage.")
    assert (await client.api("GET", "/reports?campaign=opgradering")).status_code == 404
    assert (await client.api("GET", "/reports?first=yesterday")).status_code == 422


# -- no ranking --------------------------------------------------------------------------------


def test_no_query_groups_outcomes_by_phoner() -> None:
    for path in sorted((ROOT / "callserver").rglob("*.py")):
        for line in path.read_text("utf-8").splitlines():
            grouped = "group_by(" in line or "order_by(" in line
            assert not (grouped and "phoner" in line and "outcome" in line), path.name


async def test_reports_show_no_phoner(system: StaffedSystem) -> None:
    await evening(system)
    for role in (Role.SUPERVISOR, Role.ADMINISTRATOR, Role.LEADER):
        text = (await (await system.client(role.value)).api("GET", "/reports")).text
        assert "Phoner 1" not in text
        assert "phoner" not in text.lower()
