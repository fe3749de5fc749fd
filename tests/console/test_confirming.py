"""A telephone number becomes a user's line: entered, called with a permit, confirmed by a code."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from callserver.database import figures, suppressions
from callserver.domain import phone, subject
from callserver.domain.facts import Scope
from callserver.domain.line import CODE_LASTS, CODE_TRIES
from callserver.domain.role import Role
from callserver.simulator.invariants import Rows, judge
from callserver.simulator.legs import Behaviour
from callserver.simulator.robots import Acknowledged
from tests.console.test_accounts_page import change
from tests.harness.simulated import failing
from tests.harness.slots import taken_for
from tests.harness.staffed import Client, StaffedSystem

NUMBER = "+4528123456"


async def entered(system: StaffedSystem) -> Client:
    """The administrator has entered the phoner's number; the phoner's browser."""
    await by_administrator(system)
    return await system.client("phoner")


async def by_administrator(system: StaffedSystem) -> Client:
    client = await system.client("administrator")
    assert (await change(system, client, "phoner", line=NUMBER))[0] == 200
    return client


async def problem_of(client: Client) -> str | None:
    problem: str | None = (await client.api("GET", "/shift")).json()["lines"][-1]["problem"]
    return problem


async def called(system: StaffedSystem, client: Client, path: str = "/line/call") -> str:
    """The call is made, and answered; the code that it spoke."""
    assert (await client.api("POST", path, {})).status_code == 200
    await system.pass_time(20)
    said = " ".join(list(system.network.legs.values())[-1].spoken)
    digits = re.findall(r"\b(?:\d, ){5}\d\b", said)
    assert len(digits) == 2
    assert len(set(digits)) == 1
    assert "Lysværk" in said
    return str(digits[0]).replace(", ", "")


async def give(client: Client, code: str) -> int:
    return (await client.api("POST", "/line/code", {"code": code})).status_code


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


async def test_a_number_is_confirmed_and_called(system: StaffedSystem) -> None:
    client = await entered(system)
    body = {"campaign": "kanvas", "line": None}
    assert await problem_of(client) == "line_unconfirmed"
    assert (await client.api("POST", "/shift", body)).status_code == 403
    assert not system.network.legs
    code = await called(system, client)
    assert [ring.number for ring in system.network.record] == [NUMBER]
    assert await give(client, wrong(code)) == 409
    assert await problem_of(client) == "line_unconfirmed"
    assert await give(client, code) == 200
    assert await problem_of(client) is None
    assert (await client.api("POST", "/shift", body)).status_code == 200
    await system.pass_time(5)
    assert [ring.number for ring in system.network.record] == [NUMBER, NUMBER]
    did = [entry["did"] for entry in system.entries("line")]
    assert did == ["entered", "refused", "confirmed", "rung"]
    permitted = system.entries("permitted")[-1]
    assert (permitted["path"], permitted["line"]) == (
        "confirmation",
        system.entries("line")[0]["line"],
    )
    assert code not in str(system.entries())
    assert NUMBER[3:] not in str(system.entries())
    rows = system.read(lambda tx: Rows(*figures.for_invariants(tx)))
    rung = system.network.record[:1]
    assert judge(rung, rows, Acknowledged(), system.clock.now()).clean
    assert system.calls()[0].cause == "completed"


@pytest.mark.parametrize(
    ("at", "reason"), [("03:00", "TIME_BEFORE"), ("21:30", "TIME_AFTER"), ("opted_out", "")]
)
async def test_the_confirmation_call_asks_the_gate(
    system: StaffedSystem, at: str, reason: str
) -> None:
    client = await entered(system)
    if at == "opted_out":
        about, now = subject.of_number(phone.to_int(NUMBER)), system.clock.now()
        system.write(lambda tx: suppressions.add(tx, about, Scope.NUMBER, now, "test"))
        assert (await client.api("POST", "/line/call", {})).status_code == 403
    else:
        system.clock.set(datetime.fromisoformat(f"2026-05-13T{at}:00+02:00"))
        reply = await (await system.client("phoner")).api("POST", "/line/call", {})
        assert (reply.status_code, reply.json()["reasons"]) == (409, [reason])
        assert system.entries("refused")[-1]["path"] == "confirmation"
    await system.pass_time(60)
    assert not system.network.legs
    assert not system.calls()


async def test_a_code_is_tried_a_few_times_and_expires(system: StaffedSystem) -> None:
    client = await entered(system)
    assert await give(client, "000000") == 409  # no call yet
    code = await called(system, client)
    for _ in range(CODE_TRIES):
        assert await give(client, wrong(code)) == 409
    assert await give(client, code) == 409
    again = await client.api("POST", "/line/call", {})
    assert (again.status_code, again.json()["reasons"]) == (409, ["FREQ_GAP"])
    system.clock.set(system.clock.now().replace(hour=10) + 24 * 6 * CODE_LASTS)
    client = await system.client("phoner")
    code = await called(system, client)
    system.clock.set(system.clock.now() + CODE_LASTS)
    assert await give(client, code) == 409


async def test_an_administrator_confirms_for_somebody_within_reach(system: StaffedSystem) -> None:
    administrator = await by_administrator(system)
    system.add_user("syd", Role.ADMINISTRATOR, "syd")
    key = system.entries("line")[0]["user"]
    other = await system.client("syd")
    assert (await other.api("POST", f"/accounts/{key}/line/call", {})).status_code == 404
    assert (await other.api("POST", f"/accounts/{key}/line/code", {"code": "1"})).status_code == 404
    code = await called(system, administrator, f"/accounts/{key}/line/call")
    reply = await administrator.api("POST", f"/accounts/{key}/line/code", {"code": code})
    assert reply.status_code == 200
    shown: list[Any] = (await administrator.api("GET", "/accounts")).json()["accounts"]
    assert next(line["confirmed"] for line in shown if line["id"] == key)


async def test_an_opt_out_silences_the_confirmation_call(system: StaffedSystem) -> None:
    system.people.default = Behaviour(answers_after=None)
    administrator = await by_administrator(system)
    assert (await (await system.client("phoner")).api("POST", "/line/call", {})).status_code == 200
    await system.pass_time(3)
    assert system.live_legs(NUMBER)
    no = {"number": NUMBER, "scope": "number", "received_by": "letter"}
    assert (await administrator.api("POST", "/suppressions", no)).status_code == 200
    await system.pass_time(2)
    assert not system.live_legs(NUMBER)


@pytest.mark.parametrize("meanwhile", ["another line", "no line", "an opt-out"])
async def test_who_answers_a_call_that_is_off_hears_who_called(
    system: StaffedSystem, meanwhile: str
) -> None:
    """Such as a stranger, whose number was a typing error that is corrected just now."""
    system.people.default = Behaviour(answers_after=None)
    administrator = await by_administrator(system)
    assert (await (await system.client("phoner")).api("POST", "/line/call", {})).status_code == 200
    await system.pass_time(3)
    [leg] = system.live_legs(NUMBER)
    if meanwhile == "an opt-out":
        no = {"number": NUMBER, "scope": "number", "received_by": "letter"}
        failing(system, "cancel", times=100)
        assert (await administrator.api("POST", "/suppressions", no)).status_code == 200
    else:
        line = None if meanwhile == "no line" else "+4528123457"
        assert (await change(system, administrator, "phoner", line=line))[0] == 200
    await system.network.answer(leg)
    await system.pass_time(20)
    said = " ".join(leg.spoken)
    assert "Lysværk" in said
    assert "beklager" in said
    assert not system.live_legs(NUMBER)


async def test_who_has_no_number_to_confirm_calls_nobody(system: StaffedSystem) -> None:
    client = await system.client("phoner")
    assert (await client.api("POST", "/line/call", {})).status_code == 404
    assert await give(client, "123456") == 404
    assert not system.network.legs


async def test_no_number_is_called_to_confirm_it_while_the_clock_is_behind_the_log(
    system: StaffedSystem,
) -> None:
    """As for every other dial: the calling hours cannot be known then."""
    client = await entered(system)
    system.clock.step(-timedelta(seconds=30))
    answer = await client.api("POST", "/line/call", {})
    assert answer.status_code == 409
    assert system.entries("refused")[-1]["reasons"] == ["SYS_CLOCK"]
    await system.pass_time(5)
    assert not system.network.record


@pytest.mark.parametrize("queued", [20, 34, 60, 200])
async def test_the_confirmation_call_is_silent_at_closing_time(
    system: StaffedSystem, queued: float
) -> None:
    """It waits in the carrier's own queue, and the number may still be a stranger's."""
    closing = datetime.fromisoformat("2026-05-12T21:00:00+02:00")
    system.people.default = Behaviour(answers_after=None)
    await by_administrator(system)
    system.clock.set(closing - timedelta(seconds=36))
    client = await system.client("phoner")
    system.network.next_start = system.clock.now() + timedelta(seconds=queued)
    assert (await client.api("POST", "/line/call", {})).status_code == 200
    await system.pass_time(400)
    assert all(ring.ended_at and ring.ended_at <= closing for ring in system.network.record)
    assert [call.cause for call in system.calls()] == ["cancelled"]
    assert [entry["reason"] for entry in system.entries("stopped")] == ["hours_over"]


async def test_the_confirmation_call_waits_for_its_slot(
    system: StaffedSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    maja = await entered(system)
    free = taken_for(system, monkeypatch, 0.8)
    assert (await maja.api("POST", "/line/call", {})).status_code == 200
    await system.server.ctx.background.idle()
    *_, leg = system.network.legs.values()
    assert leg.created >= free
