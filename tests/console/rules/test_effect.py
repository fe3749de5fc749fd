"""What a change of the rules would do to the lists is told before anything changes."""

from typing import Any

from callserver.engine.lists.importer import import_list
from tests.console.rules.conftest import ETHICS, SATURDAY, edited, lines
from tests.harness.staffed import StaffedSystem


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
