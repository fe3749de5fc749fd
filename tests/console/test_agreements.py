"""What can be agreed, by whom it is recorded, and that nothing is agreed after a no."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from callserver.cli.invented_data import train
from callserver.domain.role import Role
from tests.harness.staffed import StaffedSystem

AGREED = {"amount": 100, "frequency": "monthly"}
REFUSALS: list[tuple[str, dict[str, Any]]] = [
    ("no_thanks", {}),
    ("not_this_number", {}),
    ("not_this_household", {}),
    ("not_about_this", {}),
    ("never", {}),
    ("complaint", {"note": "et par ord"}),
    ("deceased", {}),
    ("vulnerable", {}),
]
MEMBERS = "ref;navn;telefon;medlem;kilde\nK1;Karla Juul;32200001;ja;gade\n"
FORMER = "ref;navn;telefon;ophørt;kilde\nK1;Karla Juul;32200001;2024-01-01;medlem\n"


async def given(system: StaffedSystem, outcome: str, details: Any = None) -> str:
    """A talk that ended with this outcome; its attempt."""
    await system.on_shift()
    await system.ready()
    await system.pass_time(6)
    system.network.hang_up_by_person(system.live_legs()[0])
    await system.pass_time(2)
    assert (await system.outcome(outcome, details, then="pause"))[0] == 200
    return str(system.calls()[0].attempt)


def correction(attempt: str, outcome: str = "member", details: Any = None) -> dict[str, Any]:
    return {"attempt": attempt, "outcome": outcome, "details": details or AGREED}


@pytest.mark.parametrize(("outcome", "details"), REFUSALS)
async def test_no_role_corrects_a_no_to_an_agreement(
    system: StaffedSystem, outcome: str, details: dict[str, Any]
) -> None:
    attempt = await given(system, outcome, details)
    phoner = await system.api("POST", "/correct", correction(attempt))
    assert phoner[0] == 409
    for role in (Role.SUPERVISOR, Role.ADMINISTRATOR, Role.LEADER):
        reply = await (await system.client(role.value)).api("POST", "/correct", correction(attempt))
        assert reply.status_code == 409, role
        assert "sagt nej" in reply.json()["detail"]
    assert system.calls()[0].outcome == outcome


async def test_nor_in_two_steps(system: StaffedSystem) -> None:
    """The no is corrected to something harmless first; the call's history is what counts."""
    attempt = await given(system, "never")
    supervisor = await system.client(Role.SUPERVISOR.value)
    harmless = correction(attempt, "hung_up") | {"details": {}}
    assert (await supervisor.api("POST", "/correct", harmless)).status_code == 200
    assert (await supervisor.api("POST", "/correct", correction(attempt))).status_code == 409
    assert system.calls()[0].outcome == "hung_up"


async def test_nor_after_a_wish(system: StaffedSystem) -> None:
    await system.on_shift()
    await system.ready()
    await system.pass_time(6)
    await system.api("POST", "/wish", {"wish": "never"})
    assert (await system.outcome("member", AGREED))[0] == 409
    await system.outcome("hung_up", then="pause")
    attempt = system.calls()[0].attempt
    supervisor = await system.client(Role.SUPERVISOR.value)
    assert (await supervisor.api("POST", "/correct", correction(attempt))).status_code == 409


@pytest.mark.parametrize("outcome", ["not_now", "hung_up", "voicemail", "wrong_number"])
async def test_a_mistake_that_is_no_refusal_is_corrected(
    system: StaffedSystem, outcome: str
) -> None:
    attempt = await given(system, outcome)
    supervisor = await system.client(Role.SUPERVISOR.value)
    assert (await supervisor.api("POST", "/correct", correction(attempt))).status_code == 200
    assert system.calls()[0].outcome == "member"


async def test_once_is_no_membership(system: StaffedSystem) -> None:
    once = {"amount": 100, "frequency": "once"}

    await system.on_shift()
    await system.ready()
    await system.pass_time(6)
    seat = await system.seat()
    assert seat["call"]["outcomes"]["member"]["frequencies"] == [
        "monthly",
        "quarterly",
        "yearly",
    ]
    status, problem = await system.outcome("member", once)
    assert (status, "gave" in problem["detail"]) == (409, True)
    assert (await system.outcome("member", AGREED, then="pause"))[0] == 200
    attempt = str(system.calls()[0].attempt)
    supervisor = await system.client(Role.SUPERVISOR.value)
    reply = await supervisor.api("POST", "/correct", correction(attempt, details=once))
    assert reply.status_code == 409
    better = correction(attempt, details={"amount": 150, "frequency": "yearly"})
    assert (await supervisor.api("POST", "/correct", better)).status_code == 200


def in_system(folder: Path, campaign: str, people: str) -> Iterator[StaffedSystem]:
    made = StaffedSystem(folder, campaign=campaign, people=people)
    yield made
    made.close()


@pytest.fixture
def strangers(tmp_path: Path) -> Iterator[StaffedSystem]:
    """On the list of members to be asked for more, though nothing says that this is one."""
    yield from in_system(tmp_path, "opgradering", MEMBERS.replace("ja", "nej"))


@pytest.fixture
def members(tmp_path: Path) -> Iterator[StaffedSystem]:
    yield from in_system(tmp_path, "opgradering", MEMBERS)


async def test_the_relation_decides(strangers: StaffedSystem) -> None:
    await strangers.on_shift()
    await strangers.ready()
    await strangers.pass_time(6)
    status, problem = await strangers.outcome("upgrade", AGREED)
    assert (status, "ikke medlem" in problem["detail"]) == (409, True)


async def test_who_leaves_is_left_in_peace_on_every_list(members: StaffedSystem) -> None:
    """The member who has just left is not asked by the next campaign whether to return."""
    from callserver.engine.lists.importer import import_list

    await given(members, "leave")
    rules = members.server.ctx.rules
    lapsed = rules.campaign("lapsed")
    members.write(lambda tx: import_list(tx, lapsed, FORMER.encode(), members.clock.now()))
    members.write(lambda tx: _second_phoner(tx, members))
    members.campaign = "lapsed"

    await members.on_shift(2)
    await members.ready(2)
    await members.pass_time(5)
    status, problem = await members.api("POST", "/dial", {"number": "32200001"}, phoner=2)
    assert (status, problem["reasons"]) == (409, ["FREQ_GAP", "FREQ_REFUSAL"])
    assert len(members.network.record) == 1
    again = members.entries("refused")[0]
    assert "FREQ_REFUSAL" in again["reasons"]


def _second_phoner(tx: Any, system: StaffedSystem) -> None:
    system.add_token_user(tx, 2, "p2", Role.PHONER, "syd")
    train(tx, system.server.ctx.rules, 2, system.clock.now())
