"""An agreement that was made on wrong information is undone, and the project leader looks into the call."""

from typing import Any

import pytest

from callserver.domain.role import Role
from callserver.engine.lists import export
from callserver.engine.lists.export import What
from tests.console.test_agreements import AGREED, given
from tests.harness.staffed import StaffedSystem

PATH = "/person/misinformed"
WORDS = "She was told that it was free."


def called(system: StaffedSystem) -> str:
    return system.rang()[-1]


def exported(system: StaffedSystem) -> dict[str, dict[str, str]]:
    """The outcomes as they leave, by attempt."""
    lines = system.read(lambda tx: list(export.rows(tx, What.OUTCOMES, "kanvas")))
    head, *rows = lines
    return {row["attempt"]: row for row in (dict(zip(head, row, strict=True)) for row in rows)}


async def ask(system: StaffedSystem, body: dict[str, Any], role: Role = Role.MEMBER_SERVICE) -> Any:
    return await (await system.client(role.value)).api("POST", PATH, body)


async def test_it_is_undone_and_reviewed(system: StaffedSystem) -> None:
    attempt = await given(system, "member", AGREED)
    assert exported(system)[attempt]["undone_at"] == ""
    body = {"number": called(system), "words": WORDS}
    assert (await ask(system, body, Role.PHONER)).status_code == 403
    reply = await ask(system, body)
    assert reply.status_code == 200, reply.text
    leader = await system.client(Role.LEADER.value)
    case = (await leader.api("GET", f"/cases/{reply.json()['id']}")).json()
    assert (case["kind"], case["owner_role"], case["words"]) == ("complaint", "leader", WORDS)
    row = exported(system)[attempt]
    assert row["outcome"] == "member"
    assert row["undone_at"] != ""
    (entry,) = system.entries("agreement_undone")
    assert (entry["call"], entry["case"]) == (attempt, reply.json()["id"])
    assert WORDS not in str(system.entries())
    # Nobody calls the person again.
    status, answer = await system.api("POST", "/dial", {"number": called(system)})
    assert (status, "SUP_COMPLAINT" in str(answer)) == (409, True), answer


async def test_it_is_undone_once(system: StaffedSystem) -> None:
    await given(system, "member", AGREED)
    body = {"number": called(system)}
    service = await system.client(Role.MEMBER_SERVICE.value)
    first = await service.api("POST", PATH, body, **{"idempotency-key": "a"})
    again = await service.api("POST", PATH, body, **{"idempotency-key": "a"})
    assert (
        (first.status_code, first.json())
        == (again.status_code, again.json())
        == (200, first.json())
    )
    assert (await ask(system, body)).status_code == 409
    assert len(system.entries("agreement_undone")) == 1


@pytest.mark.parametrize("number", ["called", "32200999"])
async def test_where_there_is_no_agreement_nothing_is_undone(
    system: StaffedSystem, number: str
) -> None:
    await given(system, "no_thanks")
    reply = await ask(system, {"number": called(system) if number == "called" else number})
    assert reply.status_code == 409
    assert "aftale" in reply.json()["detail"]
    assert system.entries("case") == []
