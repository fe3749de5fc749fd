"""An opt-out ends only by the person's own newer request and two colleagues; a mistake is undone at once."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from callserver.database import accounts
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


def propose(client: Client, **more: Any) -> httpx.Response:
    return client.api("POST", "/suppressions/lift", asked(client.system, **more))


def decide(client: Client, does: str, lift: int = 1) -> httpx.Response:
    return client.api("POST", f"/suppressions/lifts/{lift}/{does}", {})


def states(client: Client) -> dict[str, bool]:
    """By scope: is every row of it lifted?"""
    opt_outs = client.api("POST", "/suppressions/search", {"number": ANNA}).json()["opt_outs"]
    scopes = {one["scope"] for one in opt_outs}
    held = {one["scope"] for one in opt_outs if one["lifted_at"] is None}
    return {scope: scope not in held for scope in scopes}


def opted_out(system: StaffedSystem, outcome: str = "never", details: Any = None) -> None:
    """A talk in which the first person of the list opted out, two days ago."""

    async def work() -> None:
        await system.on_shift()
        await system.ready()
        await system.until(6)
        system.network.hang_up_by_person(system.live_legs()[0])
        await system.until(2)
        assert (await system.outcome(outcome, details, then="pause"))[0] == 200
        await system.api("POST", "/off", {})

    asyncio.run(work())
    system.clock.set(system.clock.now() + timedelta(days=2))


def test_two_people_and_a_newer_request(system: StaffedSystem) -> None:
    opted_out(system)
    proposer, other = system.client("administrator"), system.client("leader")
    assert propose(proposer, days=2).status_code == 409  # the day of the opt-out
    assert propose(proposer, days=-1).status_code == 409  # tomorrow
    assert propose(proposer, channel="rumour").status_code == 422
    assert propose(proposer, why="ring 32200000").status_code == 409
    reply = propose(proposer, days=1)
    assert reply.json()["proposed"] == 2
    assert states(proposer) == {"person": False, "number": False}  # nothing is lifted yet
    assert propose(other, days=1).status_code == 409  # it waits already
    [waits] = other.api("GET", "/suppressions/lifts").json()["lifts"]
    assert (waits["mine"], waits["numbers"], waits["channel"]) == (False, ["•••••• 00"], "letter")
    assert decide(proposer, "approve").status_code == 403
    assert decide(other, "approve").json()["lifted"] == 2
    assert states(other) == {"person": True, "number": True}
    assert decide(other, "approve").status_code == 404  # once
    [proposed] = system.entries("lift_proposed")
    assert (proposed["channel"], proposed["suppressions"]) == ("letter", [1, 2])
    lifted = system.entries("lifted")
    assert len({one["by"] for one in lifted} | {one["proposed_by"] for one in lifted}) == 2


def test_a_token_counts_as_its_owner(system: StaffedSystem) -> None:
    opted_out(system)
    assert propose(system.client("administrator"), days=1).status_code == 200
    token, hashed = new_token()

    def make(tx: Any) -> None:
        user = accounts.by_handle(tx, "administrator")
        assert user is not None
        accounts.add_token(tx, hashed, user.id, "t", system.clock.now())

    system.write(make)
    reply = Client(system).api(
        "POST", "/suppressions/lifts/1/approve", {}, authorization=f"Bearer {token}"
    )
    assert reply.status_code == 403
    assert states(system.client("leader")) == {"person": False, "number": False}


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.MEMBER_SERVICE, Role.PHONER])
def test_who_may_not_lift_neither_proposes_nor_approves(system: StaffedSystem, role: Role) -> None:
    opted_out(system)
    client = system.client(role.value)
    assert propose(client, days=1).status_code == 403
    assert propose(system.client("leader"), days=1).status_code == 200
    assert decide(client, "approve").status_code == 403
    assert decide(client, "refuse").status_code == 403


def test_all_rows_of_one_opt_out_are_lifted_together(system: StaffedSystem) -> None:
    """A complaint suppresses the complaint, the person and the number: named by any of them."""
    opted_out(system, "complaint", {"note": "et par ord"})
    leader = system.client("leader")
    assert propose(leader, days=1).json()["proposed"] == 3
    assert decide(system.client("administrator"), "approve").json()["lifted"] == 3
    assert states(leader) == {"complaint": True, "person": True, "number": True}


def test_another_opt_out_of_the_same_person_stays(system: StaffedSystem) -> None:
    opted_out(system)
    service = system.client("member_service")
    service.api("POST", "/suppressions", {**NOTE, "scope": "household"})
    system.clock.set(system.clock.now() + timedelta(days=1))
    assert propose(system.client("leader")).json()["proposed"] == 2
    administrator = system.client("administrator")
    decide(administrator, "approve")
    assert states(administrator) == {
        "person": True,
        "number": True,
        "household": False,
    }


def test_what_is_refused_stays_in_force(system: StaffedSystem) -> None:
    opted_out(system)
    leader = system.client("leader")
    propose(leader, days=1)
    assert decide(system.client("administrator"), "refuse").status_code == 200
    assert states(leader) == {"person": False, "number": False}
    assert leader.api("GET", "/suppressions/lifts").json()["lifts"] == []
    assert len(system.entries("lift_refused")) == 1


def test_the_author_undoes_a_mistake_within_ten_minutes(system: StaffedSystem) -> None:
    service, other = system.client("member_service"), system.client("supervisor")
    [no] = service.api("POST", "/suppressions", NOTE).json()["opt_outs"]
    assert no["undoable"]
    undo = {"number": ANNA, "id": no["id"]}
    assert other.api("POST", "/suppressions/undo", undo).status_code == 403
    assert service.api("POST", "/suppressions/undo", undo).json()["lifted"] == 1
    assert system.entries("lifted")[0]["undone"] is True
    [late] = service.api("POST", "/suppressions", NOTE).json()["opt_outs"][:1]
    system.clock.set(system.clock.now() + timedelta(minutes=10, seconds=1))
    assert service.api("POST", "/suppressions/undo", {**undo, "id": late["id"]}).status_code == 403
    assert states(service)["person"] is False


def test_a_correction_does_not_undo_a_no(system: StaffedSystem) -> None:
    opted_out(system)
    attempt = system.calls()[0].attempt
    body = {"attempt": attempt, "outcome": "hung_up"}
    leader = system.client("leader")
    assert leader.api("POST", "/correct", body).status_code == 200
    assert states(leader) == {"person": False, "number": False}
