"""A department sees, changes and decides about its own rules only."""

from callserver.domain.role import Role
from tests.console.rules.conftest import ETHICS, REVIEW, SATURDAY, edited, said, texts
from tests.harness.staffed import Client, StaffedSystem


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
