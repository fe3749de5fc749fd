"""A department is a boundary: in the log, and in what is said about a number."""

from typing import Any

from sqlalchemy import update

from callserver.database import audit as audit_rows
from callserver.database.tables import contacts
from callserver.domain.audit import EntryKind
from callserver.domain.role import Role
from callserver.simulator.legs import Behaviour
from tests.harness.staffed import StaffedSystem


async def happened(system: StaffedSystem) -> None:
    """A call of the north's campaign."""

    await system.on_shift(1)
    await system.ready()
    await system.pass_time(30)


async def seen_by(system: StaffedSystem, handle: str) -> list[dict[str, Any]]:
    client, seen = await system.client(handle), list[dict[str, Any]]()
    before = None
    while True:
        body: dict[str, Any] = {} if before is None else {"before": before}
        reply = (await client.api("POST", "/log", body)).json()
        seen += reply["entries"]
        before = reply["before"]
        if before is None:
            return seen


async def test_the_log_shows_a_department_its_own_entries_only(system: StaffedSystem) -> None:
    system.add_user("nordadmin", Role.ADMINISTRATOR, "nord")
    syd = system.add_user("sydadmin", Role.ADMINISTRATOR, "syd")
    await happened(system)
    calls = {"permitted", "placed", "reported", "seat"}
    kinds = {entry["kind"] for entry in await seen_by(system, "nordadmin")}
    assert calls <= kinds
    assert "configuration" not in kinds
    others = await seen_by(system, "sydadmin")
    assert others, "their own sign-in"
    assert not calls & {other["kind"] for other in others}
    assert {other["details"].get("user", syd) for other in others} == {syd}
    whole = {entry["kind"] for entry in await seen_by(system, "leader")}
    assert calls <= whole
    # Asking for it by name shows no more.
    call = system.calls()[0]
    system.add_user("sydleader", Role.LEADER, "syd")
    client = await system.client("sydleader")
    for wanted in ({"call": call.attempt}, {"contact": call.contact}, {"kinds": ["placed"]}):
        assert (await client.api("POST", "/log", wanted)).json()["entries"] == []


async def test_pages_go_on_past_what_may_not_be_seen(system: StaffedSystem) -> None:
    """Hundreds of others' entries lie between: nothing is left out, nothing comes twice."""
    system.add_user("sydadmin", Role.ADMINISTRATOR, "syd")
    syd = system.add_user("sydphoner", Role.PHONER, "syd")
    nord = system.add_user("nordphoner", Role.PHONER, "nord")

    def fill(tx: Any) -> None:
        for n in range(1500):
            user = syd if n % 10 == 0 else nord
            audit_rows.append(tx, system.clock.now(), EntryKind.USER, user=user, did="x", n=n)

    system.write(fill)
    entries = [entry["details"] for entry in await seen_by(system, "sydadmin")]
    numbers = [entry["n"] for entry in entries if "n" in entry]
    assert numbers == list(range(1490, -1, -10))


async def test_where_a_number_comes_from_is_told_by_its_own_department(
    system: StaffedSystem,
) -> None:
    system.people.default = Behaviour()
    await happened(system)
    call = system.calls()[0]
    system.write(
        lambda tx: tx.execute(
            update(contacts).where(contacts.c.id == call.contact).values(source="skiferie i Alta")
        )
    )
    system.add_user("syd", Role.SUPERVISOR, "syd")
    body = {"number": f"{call.number}"[2:]}
    for handle, told in (("supervisor", True), ("member_service", True), ("syd", False)):
        said = (await (await system.client(handle)).api("POST", "/who-called", body)).json()["said"]
        assert ("skiferie" in str(said)) is told, handle
