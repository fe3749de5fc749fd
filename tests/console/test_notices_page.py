"""Notices through the API: written, read by whom they are for, asked about, changed, removed; live."""

from collections.abc import Mapping
from typing import Any

from callserver.domain.role import Role
from tests.harness.live_streams import Stream
from tests.harness.staffed import Client, StaffedSystem

CASE: Mapping[str, Any] = {
    "kind": "case",
    "title": "A case",
    "text": "What **happened** <b>there</b>.",
    "at": "2026-05-01T00:00:00+02:00",
}
TALK: Mapping[str, Any] = {
    "kind": "talk",
    "title": "A talk",
    "text": "About the case.",
    "at": "2026-05-14T15:00:00+02:00",
    "expert": "Ebbe Prøve",
}


async def does(client: Client, path: str, body: Any, status: int = 200) -> dict[str, Any]:
    reply = await client.api("POST", path, body)
    assert reply.status_code == status, reply.text
    answer: dict[str, Any] = reply.json()
    return answer


async def listed(client: Client, words: str = "") -> list[str]:
    view = await does(client, "/notices/search", {"words": words})
    return [notice["title"] for notice in view["notices"]]


async def test_written_by_a_supervisor_for_their_department(system: StaffedSystem) -> None:
    supervisor, phoner = await system.client("supervisor"), await system.client("phoner")
    system.add_user("syd", Role.PHONER, "syd")
    south = await system.client("syd")
    stream = Stream(phoner)
    await does(phoner, "/notices", CASE, 403)
    await does(supervisor, "/notices", CASE, 403)  # for all
    await does(supervisor, "/notices", {**CASE, "department": "syd"}, 403)
    view = await does(supervisor, "/notices", {**CASE, "department": "nord"})
    assert (list(view["departments"]), view["all"]) == (["nord"], False)
    [notice] = view["notices"]
    assert notice["by"] == "Supervisor Prøve"
    assert "<strong>happened</strong> &lt;b&gt;there&lt;/b&gt;" in notice["html"]
    assert await listed(phoner) == await listed(phoner, "HAPPENED") == ["A case"]
    assert await listed(south) == await listed(phoner, "elsewhere") == []
    [shown] = (await does(phoner, "/notices/search", {}))["notices"]
    assert (shown["text"], shown["questions"]) == (None, None)
    await stream.close()
    resumed = Stream(phoner, "0-0")
    told = (await resumed.until("notices"))[-1][2]
    assert [notice["title"] for notice in told["notices"]] == ["A case"]
    await resumed.close()


async def test_a_talk_takes_questions_until_it_begins(system: StaffedSystem) -> None:
    leader, phoner = await system.client("leader"), await system.client("phoner")
    [talk] = (await does(leader, "/notices", TALK))["notices"]
    path = f"/notices/{talk['id']}/questions"
    await does(phoner, path, {"text": "How long did it take?"})
    await does(phoner, path, {"text": "Are you afraid?", "anonymous": True})
    wrong = await does(phoner, path, {"text": "Do you know 32 20 00 00?"}, 409)
    assert wrong["confirm"] == "has_no_number"
    await does(phoner, path, {"text": "Case 32200000?", "has_no_number": True})
    assert (await phoner.api("GET", path)).status_code == 403
    asked = (await leader.api("GET", path)).json()["questions"]
    assert {question["text"]: question["sender"] for question in asked} == {
        "How long did it take?": "Phoner Prøve",
        "Are you afraid?": None,
        "Case 32200000?": "Phoner Prøve",
    }
    [shown] = (await does(leader, "/notices/search", {}))["notices"]
    assert (shown["questions"], shown["takes_questions"]) == (3, True)
    log = str(system.entries())
    for words in ("afraid", "long", "32200000", "A talk", "Ebbe"):
        assert words not in log
    await system.jump(2 * 24 * 3600)
    await phoner.sign_in("phoner")
    await does(phoner, path, {"text": "Too late?"}, 409)


async def test_changed_and_removed_by_those_who_may_write_it(system: StaffedSystem) -> None:
    leader, supervisor = await system.client("leader"), await system.client("supervisor")
    [notice] = (await does(leader, "/notices", CASE))["notices"]
    path = f"/notices/{notice['id']}"
    await does(supervisor, path, {**CASE, "department": "nord"}, 403)  # it is for all
    await does(supervisor, f"{path}/remove", {}, 403)
    number = await does(leader, path, {**CASE, "text": "32 20 00 00"}, 409)
    assert number["confirm"] == "has_no_number"
    await does(leader, path, {**CASE, "kind": "talk", "expert": "E"}, 409)
    await does(leader, path, {**CASE, "department": "vest"}, 404)
    await does(leader, path, {**CASE, "title": "Another title", "department": "nord"})
    assert await listed(supervisor) == ["Another title"]
    await does(supervisor, f"{path}/remove", {})  # now it is for their department
    assert await listed(leader) == []
    await does(leader, path, CASE, 404)
    assert [(entry["did"], entry["department"]) for entry in system.entries("notice")] == [
        ("written", None),
        ("changed", "nord"),
        ("removed", "nord"),
    ]


async def test_before_a_shift_there_are_talks_and_the_latest_case(system: StaffedSystem) -> None:
    leader, phoner = await system.client("leader"), await system.client("phoner")
    await does(leader, "/notices", {**CASE, "title": "April", "at": "2026-04-01T00:00:00+02:00"})
    await does(leader, "/notices", CASE)
    await does(leader, "/notices", {**CASE, "title": "June", "at": "2026-06-01T00:00:00+02:00"})
    await does(leader, "/notices", {**TALK, "title": "Later", "at": "2026-05-20T15:00:00+02:00"})
    await does(leader, "/notices", TALK)
    shown = (await phoner.api("GET", "/notices/current")).json()["notices"]
    assert [notice["title"] for notice in shown] == ["A talk", "Later", "A case"]
