"""A looser rule is proposed by one person and approved, refused or withdrawn after another has seen it."""

from pathlib import Path
from typing import Any

import pytest

from callserver.database import accounts, revisions
from callserver.domain.role import Role
from tests.console.rules.conftest import DK, ETHICS, REVIEW, SATURDAY, edited, in_force, said, texts
from tests.harness.simulated import in_a_talk
from tests.harness.staffed import Client, StaffedSystem


async def test_what_is_looser_needs_another_person(system: StaffedSystem, config: Path) -> None:
    administrator, leader = await system.client("administrator"), await system.client("leader")
    before = await in_force_after_first_look(administrator, system)
    change = await edited(administrator, "  calendars: [DK]", SATURDAY)
    made = (
        await administrator.api("POST", "/rules/proposals", {**change, "why": "Prøve", **ETHICS})
    ).json()
    key = made["proposal"]
    assert key is not None
    assert in_force(system) == before
    approve = f"/rules/proposals/{key}/approve"
    seen = {"revision": made["revision"]}
    assert (await administrator.api("POST", approve, seen)).status_code == 403
    [waiting] = (await leader.api("GET", "/rules")).json()["proposals"]
    assert (waiting["by"], waiting["why"], waiting["mine"]) == (
        "Administrator Prøve",
        "Prøve",
        False,
    )
    assert {loosening["key"] for loosening in waiting["looser"]} == {"hours.windows.sat"}
    detail = (await leader.api("GET", f"/rules/proposals/{key}")).json()
    assert any(line["sign"] == "+" and "sat" in line["text"] for line in detail["diff"][DK])
    other = await leader.api("POST", approve, {"revision": before})
    assert said(other) == (409, "Reglerne er blevet ændret imens. Se ændringen igennem igen.")
    approved = (await leader.api("POST", approve, seen)).json()
    assert approved == {"revision": made["revision"], "proposal": None, "written": "yes"}
    assert in_force(system) == made["revision"]
    assert 'sat: ["10:00-16:00"]' in (config / DK).read_text("utf-8")
    assert (await leader.api("POST", approve, seen)).status_code == 409  # decided already
    entries = [entry for entry in system.entries("configuration") if "proposal" in entry]
    assert [entry["did"] for entry in entries] == ["proposed", "approved"]
    assert len({entry["by"] for entry in entries}) == 2
    assert "10:00" not in str(entries)


@pytest.mark.parametrize("new", ["gap_hours: 8", "gap_hours: 1"])
async def test_a_change_needs_a_reason_and_an_ethical_note(system: StaffedSystem, new: str) -> None:
    client = await system.client("administrator")
    before = await in_force_after_first_look(client, system)
    change = await edited(client, "gap_hours: 4", new)
    for words, missing in (
        ({"why": " ", **ETHICS}, "Skriv, hvorfor reglerne skal ændres."),
        ({"why": "Fred", "ethics": "\n"}, "Skriv, om ændringen er etisk forsvarlig."),
    ):
        assert said(await client.api("POST", "/rules/proposals", {**change, **words})) == (
            409,
            missing,
        )
    assert (
        await client.api("POST", "/rules/proposals", {**change, "why": "Fred"})
    ).status_code == 422
    assert in_force(system) == before
    await client.api("POST", "/rules/proposals", {**change, "why": " Fred ", **ETHICS})
    [shown] = (await client.api("GET", "/rules")).json()["proposals"]
    [kept] = (await client.api("GET", "/rules/history")).json()["changes"]
    for row in (shown, kept):
        assert (row["why"], row["ethics"], row["by"]) == (
            "Fred",
            *ETHICS.values(),
            "Administrator Prøve",
        )
        assert row["state"] == ("applied" if new == "gap_hours: 8" else "open")


async def test_a_proposal_without_a_review_is_not_approved(system: StaffedSystem) -> None:
    """It was made by an earlier version, which did not ask for one."""
    administrator, leader = await system.client("administrator"), await system.client("leader")
    change = await edited(administrator, "gap_hours: 4", "gap_hours: 1")
    made = (
        await administrator.api("POST", "/rules/proposals", {**change, "why": "Prøve", **ETHICS})
    ).json()
    system.write(lambda tx: revisions.change_proposal(tx, made["proposal"], ethics=""))
    path = f"/rules/proposals/{made['proposal']}/approve"
    reply = await leader.api("POST", path, {"revision": made["revision"]})
    assert said(reply) == (409, "Skriv, om ændringen er etisk forsvarlig.")


async def in_force_after_first_look(client: Client, system: StaffedSystem) -> str:
    await client.api("GET", "/rules")
    return in_force(system)


async def test_nobody_approves_their_own(system: StaffedSystem) -> None:
    leader = await system.client("leader")
    change = await edited(leader, "gap_hours: 4", "gap_hours: 1")
    made = (await leader.api("POST", "/rules/proposals", {**change, "why": "x", **ETHICS})).json()
    approve = f"/rules/proposals/{made['proposal']}/approve"
    reply = await leader.api("POST", approve, {"revision": made["revision"]})
    assert said(reply) == (403, "Du kan ikke godkende dit eget forslag. Det skal en anden gøre.")
    system.add_user("another", Role.LEADER, None)
    another = await system.client("another")
    assert (await another.api("POST", approve, {"revision": made["revision"]})).status_code == 200
    assert in_force(system) == made["revision"]


async def test_refused_and_withdrawn(system: StaffedSystem) -> None:
    administrator, leader = await system.client("administrator"), await system.client("leader")
    before = await in_force_after_first_look(administrator, system)
    change = await edited(administrator, "gap_hours: 4", "gap_hours: 1")
    first = (
        await administrator.api("POST", "/rules/proposals", {**change, "why": "a", **ETHICS})
    ).json()["proposal"]
    second = (
        await administrator.api("POST", "/rules/proposals", {**change, "why": "b", **ETHICS})
    ).json()["proposal"]
    assert (await leader.api("POST", f"/rules/proposals/{second}/withdraw", {})).status_code == 403
    reply = await leader.api("POST", f"/rules/proposals/{first}/refuse", {"why": " "})
    assert said(reply) == (409, "Skriv hvorfor ikke.")
    reply = await leader.api("POST", f"/rules/proposals/{first}/refuse", {"why": "For tæt"})
    assert reply.status_code == 200
    assert (
        await administrator.api("POST", f"/rules/proposals/{second}/withdraw", {})
    ).status_code == 200
    by_id = {
        proposal["id"]: proposal
        for proposal in (await administrator.api("GET", "/rules")).json()["proposals"]
    }
    assert (by_id[first]["state"], by_id[first]["answer"]) == ("refused", "For tæt")
    assert by_id[first]["decided_by"] == "Leader Prøve"
    assert by_id[second]["state"] == "withdrawn"
    assert in_force(system) == before
    assert "For tæt" not in str(system.entries("configuration"))


async def test_an_approval_is_for_what_was_seen(system: StaffedSystem) -> None:
    """The rules moved on: the proposal is put on top of them, and looked at again."""
    administrator, leader = await system.client("administrator"), await system.client("leader")
    change = await edited(administrator, "gap_hours: 4", "gap_hours: 1")
    made = (
        await administrator.api("POST", "/rules/proposals", {**change, "why": "x", **ETHICS})
    ).json()
    script = await edited(administrator, "Goddag", "Hej", "scripts/kanvas.md")
    await administrator.api("POST", "/rules/proposals", {**script, **REVIEW})
    [stale, _] = (await leader.api("GET", "/rules")).json()["proposals"]
    assert stale["stale"]
    approve = f"/rules/proposals/{made['proposal']}/approve"
    assert (await leader.api("POST", approve, {"revision": made["revision"]})).status_code == 409
    [moved, _] = (await leader.api("GET", "/rules")).json()["proposals"]
    assert not moved["stale"]
    assert moved["revision"] != made["revision"]
    assert (await leader.api("POST", approve, {"revision": moved["revision"]})).status_code == 200
    now = await texts(leader)
    assert "gap_hours: 1" in now[DK]
    assert "Hej" in now["scripts/kanvas.md"]


async def test_the_same_file_changed_twice_is_proposed_again(system: StaffedSystem) -> None:
    administrator, leader = await system.client("administrator"), await system.client("leader")
    change = await edited(administrator, "gap_hours: 4", "gap_hours: 1")
    made = (
        await administrator.api("POST", "/rules/proposals", {**change, "why": "x", **ETHICS})
    ).json()
    other = await edited(administrator, "per_day: 2", "per_day: 1")
    await administrator.api("POST", "/rules/proposals", {**other, **REVIEW})
    approve = f"/rules/proposals/{made['proposal']}/approve"
    reply = await leader.api("POST", approve, {"revision": made["revision"]})
    assert said(reply) == (409, "De samme filer er blevet ændret imens. Lav forslaget igen.")


async def test_a_token_may_propose_for_machines(system: StaffedSystem) -> None:
    from callserver.domain.role import Action
    from callserver.engine.accounts.authentication import new_token

    token, hashed = new_token()
    user = system.read(lambda tx: accounts.by_handle(tx, "administrator"))
    scopes = [Action.SEE_RULES, Action.CHANGE_RULES]
    system.write(
        lambda tx: accounts.add_token(tx, hashed, user.id, "ci", system.clock.now(), scopes=scopes)
    )
    header = {"authorization": f"Bearer {token}"}
    page = (await Client(system).api("GET", "/rules", **header)).json()
    change = {"texts": {DK: page["texts"][DK].replace("gap_hours: 4", "gap_hours: 6")}}
    made = (
        await Client(system).api("POST", "/rules/proposals", {**change, **REVIEW}, **header)
    ).json()
    assert made["proposal"] is None


async def test_a_proposal_whose_answer_was_lost_is_made_once(
    system: StaffedSystem, config: Path
) -> None:
    administrator = await system.client("administrator")
    change = await edited(administrator, "  calendars: [DK]", SATURDAY)
    made = [
        await administrator.api(
            "POST",
            "/rules/proposals",
            {**change, "why": "Prøve", **ETHICS},
            **{"idempotency-key": "a"},
        )
        for _ in range(2)
    ]
    assert made[0].json() == made[1].json()
    [_] = (await administrator.api("GET", "/rules")).json()["proposals"]


async def test_a_change_whose_answer_was_lost_does_not_come_back(
    system: StaffedSystem, config: Path
) -> None:
    """It is sent again with its key: as long as it is in force, and after two colleagues have taken it back."""
    administrator, leader = await system.client("administrator"), await system.client("leader")
    stricter = {**await edited(administrator, "gap_hours: 4", "gap_hours: 5"), **REVIEW}

    async def propose() -> tuple[int, Any]:
        path, header = "/rules/proposals", {"idempotency-key": "a"}
        reply = await administrator.api("POST", path, stricter, **header)
        return reply.status_code, reply.json()["revision"]

    first = await propose()
    assert first == (200, in_force(system))
    assert await propose() == first
    back = {**await edited(administrator, "gap_hours: 5", "gap_hours: 4"), **REVIEW}
    waiting = (await administrator.api("POST", "/rules/proposals", back)).json()
    approve = f"/rules/proposals/{waiting['proposal']}/approve"
    seen = {"revision": waiting["revision"]}
    assert (await leader.api("POST", approve, seen)).status_code == 200
    assert await propose() == first
    assert in_force(system) == waiting["revision"]
    assert "gap_hours: 4" in (config / DK).read_text()


async def test_the_call_of_a_campaign_that_is_removed_ends_as_usual(system: StaffedSystem) -> None:
    """Also on a server that has found the rules in force when it started."""
    await system.server.rules_in_force.start()
    system.restart()
    await system.server.rules_in_force.start()
    leg = await in_a_talk(system)
    administrator, leader = await system.client("administrator"), await system.client("leader")
    change = {"texts": {"campaigns/kanvas.yaml": None}, "why": "Slut", **ETHICS}
    made = (await administrator.api("POST", "/rules/proposals", change)).json()
    approve = f"/rules/proposals/{made['proposal']}/approve"
    seen = {"revision": made["revision"]}
    assert (await leader.api("POST", approve, seen)).status_code == 200
    assert "kanvas" not in system.server.ctx.rules.current.campaigns
    system.network.hang_up_by_person(leg)
    await system.pass_time(5)
    assert (await system.seat())["state"] != "talking"
    assert (await system.outcome("never", then="pause"))[0] == 200
