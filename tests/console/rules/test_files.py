"""Rules through the people's door: read, checked while they are typed, written to the files, taken from them."""

from pathlib import Path
from typing import Any

import pytest

from callserver.console.rules import views
from callserver.database import accounts
from callserver.domain.role import Role
from tests.console.rules.conftest import DK, ETHICS, REVIEW, edited, in_force, said, texts
from tests.harness.staffed import StaffedSystem


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


@pytest.mark.parametrize("name", ["house.yaml", "cases.yaml", "survey.yaml", "training.yaml"])
async def test_a_file_that_the_folder_lacks_is_made_on_the_page(
    tmp_path: Path, config: Path, name: str
) -> None:
    """A house may begin without it: what the program says by itself is in force until then."""
    text = (config / name).read_text("utf-8")
    (config / name).unlink()
    system = StaffedSystem(tmp_path, config=config)
    system.add_user("administrator", Role.ADMINISTRATOR, None)
    client = await system.client("administrator")
    reply = await client.api("POST", "/rules/check", {"texts": {name: text}})
    assert reply.status_code == 200, reply.text
    assert reply.json()["problems"] == []
    assert reply.json()["changed"] == [name]
    system.close()


def test_a_change_in_a_long_file_is_shown_with_its_lines() -> None:
    was = [f"line {at}" for at in range(1, 5001)]
    would = [*was[:2499], "another", *was[2500:]]
    shown = views.diff({"book": "\n".join(was)}, {"book": "\n".join(would)})["book"]
    assert [(line.sign, line.line) for line in shown] == [
        ("…", None),
        *((" ", at) for at in (2497, 2498, 2499)),
        ("-", 2500),
        ("+", 2500),
        *((" ", at) for at in (2501, 2502, 2503)),
    ]
    assert [line.text for line in shown if line.sign in "-+"] == ["line 2500", "another"]


def test_a_long_file_that_changes_everywhere_is_shown_as_replaced() -> None:
    was = [f"line {at}" for at in range(1, 5001)]
    would = ["first", *was[1:-1], "last"]
    shown = views.diff({"book": "\n".join(was)}, {"book": "\n".join(would)})["book"]
    assert [line.text for line in shown if line.sign == "-"] == was
    assert [line.text for line in shown if line.sign == "+"] == would
