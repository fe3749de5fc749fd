"""The survey through the API: the phoners answer, everybody sees the results, the project leader follows up."""

from typing import Any

import pytest

from callserver.domain.role import Role
from tests.harness.live_streams import Stream
from tests.harness.staffed import Client, StaffedSystem

QUARTER = "2026-Q2"
DAY = 24 * 3600


async def view(client: Client) -> dict[str, Any]:
    reply = await client.api("GET", "/survey")
    assert reply.status_code == 200, reply.text
    shown: dict[str, Any] = reply.json()
    return shown


async def answer(client: Client, status: int = 200, **answers: Any) -> str:
    body = {"quarter": QUARTER, "answers": answers, "padding": " " * 100}
    reply = await client.api("POST", "/survey/answers", body)
    assert reply.status_code == status, reply.text
    return reply.text


async def answered_by(system: StaffedSystem, count: int, department: str, **answers: Any) -> None:
    for number in range(count):
        handle = f"{department}{number}"
        system.add_user(handle, Role.PHONER, department)
        await answer(await system.client(handle), **answers)


async def until_closed(system: StaffedSystem) -> None:
    await system.jump(20 * DAY)


async def test_a_phoner_answers_once_and_is_reminded_until_then(system: StaffedSystem) -> None:
    await system.pass_time(1)
    phoner, supervisor = await system.client("phoner"), await system.client("supervisor")
    now = (await phoner.api("GET", "/survey/open")).json()
    assert now["open"]["quarter"] == now["quarter"] == QUARTER
    assert list(now["open"]["questions"]) == ["respect", "honest", "heard", "pressure", "change"]
    others = (await supervisor.api("GET", "/survey/open")).json()
    assert (others["open"], others["quarter"]) == (None, QUARTER)
    await answer(phoner, 409)
    await answer(phoner, 409, respect=7)
    await answer(supervisor, 403, respect=5)
    entries = len(system.entries())
    await answer(phoner, respect=5, pressure="never", change="Longer breaks")
    assert len(system.entries()) == entries
    assert (await phoner.api("GET", "/survey/open")).json()["open"] is None
    assert "allerede" in await answer(phoner, 409, respect=5)
    for client in (phoner, supervisor, await system.client("leader")):
        shown = await view(client)
        assert shown["quarters"] == shown["series"] == shown["texts"] == []
        assert "Longer" not in str(shown)


async def test_results_of_departments_are_for_those_who_see_the_department(
    system: StaffedSystem,
) -> None:
    await system.pass_time(1)
    await answered_by(system, 6, "nord", respect=5, pressure="never")
    await answered_by(system, 5, "syd", respect=1)
    await until_closed(system)
    for handle, departments in (
        ("nord0", ["nord"]),
        ("syd0", ["syd"]),
        ("supervisor", ["nord"]),
        ("leader", ["nord", "syd"]),
    ):
        shown = await view(await system.client(handle))
        assert list(shown["departments"]) == departments
        [quarter] = shown["quarters"]
        assert (quarter["quarter"], quarter["answers"]) == (QUARTER, 11)
        respect = next(
            question for question in shown["series"] if question["question"] == "respect"
        )
        points = {point["department"]: point for point in respect["points"]}
        assert set(points) == {None, *departments}
        assert points[None]["counts"] == {"1": 5, "2": 0, "3": 0, "4": 0, "5": 6, "": 0}


async def test_a_department_with_few_answers_hides_behind_another(system: StaffedSystem) -> None:
    await system.pass_time(1)
    await answered_by(system, 6, "nord", respect=5)
    await answered_by(system, 2, "syd", respect=1)
    await until_closed(system)
    shown = await view(await system.client("leader"))
    assert shown["departments"] == {}  # all but nord would be two people
    assert shown["quarters"][0]["answers"] == 8


async def test_too_few_answers_show_nothing(system: StaffedSystem) -> None:
    await system.pass_time(1)
    await answered_by(system, 4, "nord", respect=5, change="Only four of us")
    await until_closed(system)
    shown = await view(await system.client("leader"))
    assert shown["series"] == shown["texts"] == []
    assert shown["quarters"] == [
        {
            "quarter": QUARTER,
            "state": "too_few",
            "answers": None,
            "smallest_group": 5,
            "withheld": 0,
        }
    ]


async def test_words_are_read_by_the_project_leader_before_all_others(
    system: StaffedSystem,
) -> None:
    await system.pass_time(1)
    for number, words in enumerate(
        ["More breaks", "Call 32 20 00 00, she was rude", "Thanks", "", ""]
    ):
        system.add_user(f"writer{number}", Role.PHONER, "nord")
        await answer(await system.client(f"writer{number}"), respect=3, change=words)
    await until_closed(system)
    leader, phoner = await system.client("leader"), await system.client("phoner")
    assert (await view(phoner))["texts"] == []
    waiting = {text["text"]: text for text in (await view(leader))["texts"]}
    assert {words: text["numbers"] for words, text in waiting.items()} == {
        "More breaks": False,
        "Call 32 20 00 00, she was rude": True,
        "Thanks": False,
    }

    async def decide(client: Client, words: str, *, shown: bool) -> int:
        path = f"/survey/texts/{waiting[words]['id']}"
        return (await client.api("POST", path, {"shown": shown})).status_code

    assert await decide(phoner, "Thanks", shown=True) == 403
    assert await decide(leader, "More breaks", shown=True) == 200
    assert await decide(leader, "Call 32 20 00 00, she was rude", shown=False) == 200
    assert await decide(leader, "More breaks", shown=False) == 404  # decided once
    shown = await view(phoner)
    assert [text["text"] for text in shown["texts"]] == ["More breaks"]
    assert shown["quarters"][0]["withheld"] == 1
    assert "rude" not in str(await view(leader))
    stream = Stream(phoner, "0-0")  # everything that was told since the opening
    updates = await stream.until("survey")
    assert "Thanks" not in str(updates)
    await stream.close()
    for personal in ("breaks", "rude", "3220"):
        assert personal not in str(system.entries())


async def test_decisions_are_dated_and_for_all(system: StaffedSystem) -> None:
    await system.pass_time(1)
    leader, supervisor = await system.client("leader"), await system.client("supervisor")
    decision = {"quarter": QUARTER, "text": "We start with a talk about breaks."}

    async def write(client: Client, body: dict[str, str]) -> int:
        return (await client.api("POST", "/survey/decisions", body)).status_code

    assert await write(leader, decision) == 409  # the survey is open
    await answered_by(system, 5, "nord", respect=3)
    await until_closed(system)
    for client, handle in ((leader, "leader"), (supervisor, "supervisor")):
        await client.sign_in(handle)  # their sessions are over
    assert await write(supervisor, decision) == 403
    assert await write(leader, {**decision, "quarter": "2020-Q1"}) == 404
    assert await write(leader, decision) == 200
    [shown] = (await view(await system.client("member_service")))["decisions"]
    assert (shown["quarter"], shown["by"], shown["text"]) == (
        QUARTER,
        "Leader Prøve",
        decision["text"],
    )
    assert shown["at"].startswith("2026-06-01")
    did = [entry["did"] for entry in system.entries("survey")]
    assert did == ["opened", "counted", "decision"]


@pytest.mark.parametrize("role", ["supervisor", "leader", "administrator"])
async def test_nobody_sees_who_or_how_many_have_answered(system: StaffedSystem, role: str) -> None:
    await system.pass_time(1)
    client = await system.client(role)
    before = await view(client)
    await answered_by(system, 3, "nord", respect=3)
    assert await view(client) == before
