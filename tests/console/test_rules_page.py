"""Rules through the people's door: read, checked, proposed, approved by another, agreed by all servers."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from callserver.database import accounts, revisions
from callserver.domain.role import Role
from callserver.engine.lists.importer import import_list
from tests.harness.simulated import ROOT
from tests.harness.staffed import Client, StaffedSystem

DK = "policies/dk.yaml"
ETHICS = {"ethics": "Forsvarligt: færre forstyrres."}
REVIEW = {"why": "Mere fred", **ETHICS}
SATURDAY = '    sat: ["10:00-16:00"]\n  calendars: [DK]'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "config", tmp_path / "config"))


@pytest.fixture
def system(tmp_path: Path, config: Path) -> Iterator[StaffedSystem]:
    made = StaffedSystem(tmp_path, config=config)
    for role in Role:
        made.add_user(role.value, role, "nord" if role is Role.SUPERVISOR else None)
    yield made
    made.close()


async def texts(client: Client) -> dict[str, str]:
    texts: dict[str, str] = (await client.api("GET", "/rules")).json()["texts"]
    return texts


async def edited(client: Client, old: str, new: str, path: str = DK) -> dict[str, Any]:
    text = (await texts(client))[path]
    assert old in text
    return {"texts": {path: text.replace(old, new)}}


def lines(reply: Any) -> list[dict[str, Any]]:
    assert reply.status_code == 200, reply.text
    return [json.loads(line) for line in reply.text.splitlines()]


def said(reply: Any) -> tuple[int, str]:
    return reply.status_code, reply.json()["detail"]


def in_force(system: StaffedSystem) -> str:
    revision: str = system.server.ctx.rules.current.revision
    assert system.read(revisions.current) == revision
    return revision


async def test_the_rules_are_read_in_full(system: StaffedSystem) -> None:
    page = (await (await system.client("supervisor")).api("GET", "/rules")).json()
    # A supervisor of the north sees the north's campaigns, and every policy.
    assert {campaign["name"] for campaign in page["campaigns"]} == {"kanvas", "leads"}
    assert "campaigns/lapsed.yaml" not in page["texts"]
    assert {policy["name"] for policy in page["policies"]} >= {"dk", "us"}
    dk = next(policy["document"] for policy in page["policies"] if policy["name"] == "dk")
    assert dk["hours"]["windows"]["mon"] == ["09:00-21:00"]
    assert dk["hours"]["source"]
    assert dk["register"]["respected"] is True
    assert page["revision"] == in_force(system)


async def test_a_change_is_checked_while_it_is_typed(system: StaffedSystem) -> None:
    client = await system.client("administrator")
    wrong = await edited(client, "per_day: 2", "per_day: zero")
    checked = (await client.api("POST", "/rules/check", wrong)).json()
    assert [(problem["file"], problem["line"], problem["key"]) for problem in checked["problems"]][
        -1
    ] == (
        DK,
        24,
        "frequency.per_day",
    )
    assert checked["revision"] is None
    looser = (
        await client.api("POST", "/rules/check", await edited(client, "per_day: 2", "per_day: 3"))
    ).json()
    assert looser["problems"] == []
    assert {line["key"] for line in looser["looser"]} == {"frequency.per_day"}
    assert looser["changed"] == [DK]
    signs = [(line["sign"], line["text"].strip()) for line in looser["diff"][DK]]
    assert ("-", "per_day: 2") in signs
    assert ("+", "per_day: 3") in signs
    assert [entry for entry in system.entries("configuration") if "proposal" in entry] == []


async def test_a_file_that_would_expand_or_is_too_large_is_refused(system: StaffedSystem) -> None:
    client = await system.client("administrator")
    alias = {"texts": {DK: "name: &a [x]\ntitle: [*a, *a]\n"}}
    (problem,) = (await client.api("POST", "/rules/check", alias)).json()["problems"]
    assert (problem["file"], problem["line"]) == (DK, 2)
    assert "*a er et alias" in problem["why"]
    for action in ("check", "effect", "proposals"):
        large: dict[str, Any] = {"texts": {DK: "x" * 100_001}}
        if action == "proposals":
            large |= {"why": "larger", **ETHICS}
        assert said(await client.api("POST", f"/rules/{action}", large))[0] == 409


async def test_what_is_not_looser_takes_effect_at_once_and_the_files_follow(
    system: StaffedSystem, config: Path
) -> None:
    client = await system.client("administrator")
    before = (await client.api("GET", "/rules")).json()["revision"]
    change = await edited(client, "gap_hours: 4", "gap_hours: 6")
    made = (
        await client.api("POST", "/rules/proposals", {**change, "why": "Fred", **ETHICS})
    ).json()
    assert made["proposal"] is None
    assert made["written"] == "yes"
    assert made["revision"] == in_force(system) != before
    assert "gap_hours: 6" in (config / DK).read_text("utf-8")
    entry = system.entries("configuration")[-1]
    assert entry["revision"] == made["revision"]
    assert entry["paths"] == [DK]
    assert entry["by"].startswith("user:")
    again = await client.api("POST", "/rules/proposals", {**change, "why": "Fred", **ETHICS})
    assert said(again) == (409, "Forslaget ændrer ikke noget. Sådan er reglerne allerede.")


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


async def test_changed_files_wait_and_are_approved(system: StaffedSystem, config: Path) -> None:
    leader = await system.client("leader")
    await leader.api("GET", "/rules")
    path = config / DK
    path.write_text(path.read_text("utf-8").replace("gap_hours: 4", "gap_hours: 1"), "utf-8")
    for _ in range(2):
        await system.server.rules_in_force.look()
    rules = (await leader.api("GET", "/rules")).json()
    assert (rules["ahead"], rules["unreviewed"], rules["proposals"]) == (True, True, [])
    (config / "change.yaml").write_text("why: Prøve\nethics: Forsvarligt\n", "utf-8")
    for _ in range(2):
        await system.server.rules_in_force.look()
    page = (await leader.api("GET", "/rules")).json()
    assert page["ahead"]
    [waiting] = page["proposals"]
    assert waiting["by"] is None
    approve = f"/rules/proposals/{waiting['id']}/approve"
    made = (await leader.api("POST", approve, {"revision": waiting["revision"]})).json()
    assert made["written"] == "same"
    assert in_force(system) == waiting["revision"]
    assert not (await leader.api("GET", "/rules")).json()["ahead"]


async def test_files_that_hold_something_else_are_left_alone(
    system: StaffedSystem, config: Path
) -> None:
    client = await system.client("administrator")
    change = await edited(client, "gap_hours: 4", "gap_hours: 6")
    (config / "scripts" / "kanvas.md").write_text("Noget andet {name}\n", "utf-8")
    made = (
        await client.api("POST", "/rules/proposals", {**change, "why": "Fred", **ETHICS})
    ).json()
    assert made["written"] == "differs"
    assert "gap_hours: 4" in (config / DK).read_text("utf-8")
    assert in_force(system) == made["revision"]


async def test_a_folder_that_cannot_be_written_is_said(
    system: StaffedSystem, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await system.client("administrator")
    change = await edited(client, "gap_hours: 4", "gap_hours: 6")
    # A running test may be root, for whom nothing is read-only: a folder stands in the way instead.
    (config / "policies" / ".dk.yaml.new").mkdir()
    made = (
        await client.api("POST", "/rules/proposals", {**change, "why": "Fred", **ETHICS})
    ).json()
    assert made["written"] == "not_writable"
    assert in_force(system) == made["revision"]
    assert "gap_hours: 4" in (config / DK).read_text("utf-8")


@pytest.mark.parametrize(
    "path", ["../evil.yaml", "policies/../../x.yaml", "/etc/x.yaml", "policies/a.txt", "x.yaml"]
)
async def test_only_the_rules_own_files_can_be_written(system: StaffedSystem, path: str) -> None:
    client = await system.client("administrator")
    for address in ("/rules/check", "/rules/proposals"):
        body = {"texts": {path: "a: 1"}, **(REVIEW if address.endswith("proposals") else {})}
        assert (await client.api("POST", address, body)).status_code == 409


async def test_a_new_campaign_waits_and_a_file_can_go(system: StaffedSystem) -> None:
    client = await system.client("administrator")
    copied = (await texts(client))["campaigns/kanvas.yaml"].replace("name: kanvas", "name: kanvas2")
    made = (
        await client.api(
            "POST",
            "/rules/proposals",
            {"texts": {"campaigns/kanvas2.yaml": copied}, "why": "ny", **ETHICS},
        )
    ).json()
    assert made["proposal"] is not None
    gone = (
        await client.api(
            "POST", "/rules/proposals", {"texts": {"policies/us_wa.yaml": None}, **REVIEW}
        )
    ).json()
    assert gone["proposal"] is None
    assert "policies/us_wa.yaml" not in await texts(client)


async def test_a_department_changes_only_its_own(system: StaffedSystem) -> None:
    system.add_user("nordadmin", Role.ADMINISTRATOR, "nord")
    client = await system.client("nordadmin")
    reach = await edited(client, "gap_hours: 4", "gap_hours: 6")
    assert said(await client.api("POST", "/rules/proposals", {**reach, **REVIEW})) == (
        403,
        "Du kan kun ændre regler for din egen afdeling.",
    )
    change = await edited(client, "phoner_told: after", "phoner_told: during", "house.yaml")
    assert (await client.api("POST", "/rules/proposals", {**change, **REVIEW})).status_code == 403
    book = await edited(client, "Vær positiv", "Vær kort", "books/ethics.da.md")
    assert (await client.api("POST", "/rules/proposals", {**book, **REVIEW})).status_code == 403
    own = await edited(client, "priority: 3", "priority: 4", "campaigns/kanvas.yaml")
    assert (await client.api("POST", "/rules/proposals", {**own, **REVIEW})).json()[
        "proposal"
    ] is None
    stolen = {"texts": {"campaigns/lapsed.yaml": (await texts(client))["campaigns/kanvas.yaml"]}}
    assert (
        await client.api("POST", "/rules/proposals", {**stolen, "why": "x", **ETHICS})
    ).status_code == 409


async def test_a_department_decides_only_about_its_own(system: StaffedSystem) -> None:
    """By a proposal's id the project leader of one department refuses no proposal that reaches others."""
    system.add_user("sydleader", Role.LEADER, "syd")
    administrator, syd = await system.client("administrator"), await system.client("sydleader")
    change = await edited(administrator, "  calendars: [DK]", SATURDAY)
    made = await administrator.api("POST", "/rules/proposals", {**change, **REVIEW})
    path = f"/rules/proposals/{made.json()['proposal']}"
    for action, body in (("refuse", {"why": "no"}), ("withdraw", {})):
        assert (await syd.api("POST", f"{path}/{action}", body)).status_code == 403
    leader = await system.client("leader")
    assert (await leader.api("POST", f"{path}/refuse", {"why": "no"})).status_code == 200


async def test_another_departments_new_campaign_is_not_shown(system: StaffedSystem) -> None:
    for department in ("nord", "syd"):
        system.add_user(f"{department}admin", Role.ADMINISTRATOR, department)
    administrator = await system.client("administrator")
    kanvas = (await texts(administrator))["campaigns/kanvas.yaml"]
    change = {"texts": {"campaigns/vinter.yaml": kanvas.replace("name: kanvas", "name: vinter")}}
    answer = await administrator.api("POST", "/rules/proposals", {**change, **REVIEW})
    assert answer.status_code == 200, answer.text
    await administrator.api(
        "POST", "/rules/proposals", {"texts": {"campaigns/vinter.yaml": None}, **REVIEW}
    )

    async def shown(client: Client) -> str:
        rules = (await client.api("GET", "/rules")).json()
        history = (await client.api("GET", "/rules/history")).json()
        return str([rules["proposals"], history])

    assert "vinter" in await shown(administrator)
    assert "vinter" in await shown(await system.client("nordadmin"))
    assert "vinter" not in await shown(await system.client("sydadmin"))


async def test_the_effect_is_told_before_anything_changes(system: StaffedSystem) -> None:
    """The list of 40: on a Saturday nobody may be called today, and everybody would be."""
    administrator = await system.client("administrator")
    change = await edited(administrator, "  calendars: [DK]", SATURDAY)
    asked = {**change, "at": "2026-05-16T12:00:00+02:00"}
    effect_lines = lines(await administrator.api("POST", "/rules/effect", asked))
    effects = {effect["campaign"]: effect for effect in effect_lines[-1]["effects"]}
    assert effects["kanvas"]["before"] == {"TIME_WEEKDAY": 40}
    assert effects["kanvas"]["after"] == {"callable": 40}
    assert effects["leads"] == {"campaign": "leads", "before": {}, "after": {}}
    made = (
        await administrator.api("POST", "/rules/proposals", {**change, "why": "x", **ETHICS})
    ).json()
    leader = await system.client("leader")
    address = f"/rules/proposals/{made['proposal']}/effect"
    again = lines(await leader.api("POST", address, {"at": asked["at"]}))
    assert again[-1]["effects"] == effect_lines[-1]["effects"]


async def test_the_effect_counts_by_reason(system: StaffedSystem) -> None:
    from callserver.domain import subject
    from callserver.domain.facts import Scope

    def opt_outs(tx: Any) -> None:
        from callserver.database import suppressions

        for number in range(4532200000, 4532200005):
            suppressions.add(tx, subject.of_number(number), Scope.NUMBER, system.clock.now(), "t")

    system.write(opt_outs)
    rules = system.server.ctx.rules
    members = b"ref;navn;telefon\nO1;Et Medlem;32201234\n"
    system.write(
        lambda tx: import_list(tx, rules.campaign("opgradering"), members, system.clock.now())
    )
    administrator = await system.client("administrator")
    change = await edited(administrator, "gap_hours: 4", "gap_hours: 6")
    effect_lines = lines(await administrator.api("POST", "/rules/effect", change))[-1]
    effects = {effect["campaign"]: effect["after"] for effect in effect_lines["effects"]}
    assert effects["kanvas"] == {"callable": 35, "SUP_NUMBER": 5}
    assert effects["opgradering"] == {"callable": 1}


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


async def test_pages_hear_that_the_rules_have_changed(system: StaffedSystem) -> None:
    from tests.harness.live_streams import events, stream

    administrator, phoner = (
        await system.client("administrator"),
        await system.client("phoner"),
    )
    change = await edited(administrator, "gap_hours: 4", "gap_hours: 6")
    user = system.read(lambda tx: accounts.by_handle(tx, "administrator"))

    async with stream(administrator) as own, stream(phoner) as other:
        made = await system.server.rule_proposals.propose(
            user, change["texts"], "Prøve", "Forsvarligt"
        )
        told = (await own.until("rules"))[-1][2]
        assert told == {"revision": made.revision, "waiting": 0}
        assert not [event for event in events(other.text) if event[1] == "rules"]
