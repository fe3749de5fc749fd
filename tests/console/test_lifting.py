"""An opt-out ends only by the person's own newer request and two colleagues; a mistake is undone at once."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from callserver.database import accounts
from callserver.database.tables import suppressions
from callserver.domain import subject
from callserver.domain.role import Role
from callserver.engine.accounts.authentication import new_token
from tests.harness.simulated import SimulatedSystem
from tests.harness.staffed import Client, StaffedSystem

ANNA = "32200000"
NOTE = {"number": ANNA, "scope": "person", "received_by": "letter"}


def asked(system: SimulatedSystem, days: int = 0, **more: Any) -> dict[str, Any]:
    """A proposal by the number; the person asked so many days ago."""
    on = (system.clock.now() - timedelta(days=days)).date().isoformat()
    return {"number": ANNA, "asked_on": on, "channel": "letter", "why": "brev", **more}


async def propose(client: Client, **more: Any) -> httpx.Response:
    return await client.api("POST", "/suppressions/lift", asked(client.system, **more))


async def decide(client: Client, does: str, lift: int = 1) -> httpx.Response:
    return await client.api("POST", f"/suppressions/lifts/{lift}/{does}", {})


async def states(client: Client) -> dict[str, bool]:
    """By scope: is every row of it lifted?"""
    opt_outs = (await client.api("POST", "/suppressions/search", {"number": ANNA})).json()[
        "opt_outs"
    ]
    scopes = {opt_out["scope"] for opt_out in opt_outs}
    held = {opt_out["scope"] for opt_out in opt_outs if opt_out["lifted_at"] is None}
    return {scope: scope not in held for scope in scopes}


async def opted_out(system: StaffedSystem, outcome: str = "never", details: Any = None) -> None:
    """A talk in which the first person of the list opted out, two days ago."""

    await system.on_shift()
    await system.ready()
    await system.pass_time(6)
    system.network.hang_up_by_person(system.live_legs()[0])
    await system.pass_time(2)
    assert (await system.outcome(outcome, details, then="pause"))[0] == 200
    await system.api("POST", "/off", {})
    system.clock.set(system.clock.now() + timedelta(days=2))


async def test_two_people_and_a_newer_request(system: StaffedSystem) -> None:
    await opted_out(system)
    proposer, other = await system.client("administrator"), await system.client("leader")
    assert (await propose(proposer, days=2)).status_code == 409  # the day of the opt-out
    assert (await propose(proposer, days=-1)).status_code == 409  # tomorrow
    assert (await propose(proposer, channel="rumour")).status_code == 422
    assert (await propose(proposer, why="ring 32200000")).status_code == 409
    reply = await propose(proposer, days=1)
    assert reply.json()["proposed"] == 2
    assert await states(proposer) == {"person": False, "number": False}  # nothing is lifted yet
    assert (await propose(other, days=1)).status_code == 409  # it waits already
    [waits] = (await other.api("GET", "/suppressions/lifts")).json()["lifts"]
    assert (waits["mine"], waits["numbers"], waits["channel"]) == (False, ["•••••• 00"], "letter")
    assert (await decide(proposer, "approve")).status_code == 403
    assert (await decide(other, "approve")).json()["lifted"] == 2
    assert await states(other) == {"person": True, "number": True}
    assert (await decide(other, "approve")).status_code == 404  # once
    [proposed] = system.entries("lift_proposed")
    assert (proposed["channel"], proposed["suppressions"]) == ("letter", [1, 2])
    lifted = system.entries("lifted")
    assert len({entry["by"] for entry in lifted} | {entry["proposed_by"] for entry in lifted}) == 2


async def test_more_than_the_log_can_name_are_not_lifted_at_once(system: StaffedSystem) -> None:
    at = system.clock.now() - timedelta(days=2)
    row = {"subject": subject.of_number(4532200000), "scope": "number", "at": at, "by": "command"}
    system.write(lambda tx: tx.execute(suppressions.insert(), [row] * 9_000))
    administrator = await system.client("administrator")
    reply = await propose(administrator)
    assert (reply.status_code, "5000" in reply.json()["detail"]) == (409, True)
    assert (await propose(administrator, id=1)).json()["proposed"] == 1


async def test_a_token_counts_as_its_owner(system: StaffedSystem) -> None:
    await opted_out(system)
    assert (await propose(await system.client("administrator"), days=1)).status_code == 200
    token, hashed = new_token()

    def make(tx: Any) -> None:
        user = accounts.by_handle(tx, "administrator")
        assert user is not None
        accounts.add_token(tx, hashed, user.id, "t", system.clock.now())

    system.write(make)
    reply = await Client(system).api(
        "POST", "/suppressions/lifts/1/approve", {}, authorization=f"Bearer {token}"
    )
    assert reply.status_code == 403
    assert await states(await system.client("leader")) == {"person": False, "number": False}


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.MEMBER_SERVICE, Role.PHONER])
async def test_who_may_not_lift_neither_proposes_nor_approves(
    system: StaffedSystem, role: Role
) -> None:
    await opted_out(system)
    client = await system.client(role.value)
    assert (await propose(client, days=1)).status_code == 403
    assert (await propose(await system.client("leader"), days=1)).status_code == 200
    assert (await decide(client, "approve")).status_code == 403
    assert (await decide(client, "refuse")).status_code == 403


async def test_all_rows_of_one_opt_out_are_lifted_together(system: StaffedSystem) -> None:
    """A complaint suppresses the complaint, the person and the number: named by any of them."""
    await opted_out(system, "complaint", {"note": "et par ord"})
    leader = await system.client("leader")
    assert (await propose(leader, days=1)).json()["proposed"] == 3
    assert (await decide(await system.client("administrator"), "approve")).json()["lifted"] == 3
    assert await states(leader) == {"complaint": True, "person": True, "number": True}


async def test_another_opt_out_of_the_same_person_stays(system: StaffedSystem) -> None:
    await opted_out(system)
    service = await system.client("member_service")
    await service.api("POST", "/suppressions", {**NOTE, "scope": "household"})
    system.clock.set(system.clock.now() + timedelta(days=1))
    assert (await propose(await system.client("leader"))).json()["proposed"] == 2
    administrator = await system.client("administrator")
    await decide(administrator, "approve")
    assert await states(administrator) == {
        "person": True,
        "number": True,
        "household": False,
    }


async def test_what_is_refused_stays_in_force(system: StaffedSystem) -> None:
    await opted_out(system)
    leader = await system.client("leader")
    await propose(leader, days=1)
    assert (await decide(await system.client("administrator"), "refuse")).status_code == 200
    assert await states(leader) == {"person": False, "number": False}
    assert (await leader.api("GET", "/suppressions/lifts")).json()["lifts"] == []
    assert len(system.entries("lift_refused")) == 1


async def test_the_author_undoes_a_mistake_within_ten_minutes(system: StaffedSystem) -> None:
    service, other = await system.client("member_service"), await system.client("supervisor")
    [no] = (await service.api("POST", "/suppressions", NOTE)).json()["opt_outs"]
    assert no["undoable"]
    undo = {"number": ANNA, "id": no["id"]}
    assert (await other.api("POST", "/suppressions/undo", undo)).status_code == 403
    assert (await service.api("POST", "/suppressions/undo", undo)).json()["lifted"] == 1
    assert system.entries("lifted")[0]["undone"] is True
    [late] = (await service.api("POST", "/suppressions", NOTE)).json()["opt_outs"][:1]
    system.clock.set(system.clock.now() + timedelta(minutes=10, seconds=1))
    assert (
        await service.api("POST", "/suppressions/undo", {**undo, "id": late["id"]})
    ).status_code == 403
    assert (await states(service))["person"] is False


async def test_a_correction_does_not_undo_a_no(system: StaffedSystem) -> None:
    await opted_out(system)
    attempt = system.calls()[0].attempt
    body = {"attempt": attempt, "outcome": "hung_up"}
    leader = await system.client("leader")
    assert (await leader.api("POST", "/correct", body)).status_code == 200
    assert await states(leader) == {"person": False, "number": False}
