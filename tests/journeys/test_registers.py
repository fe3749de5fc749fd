"""A policy that respects a public register, and a house that never imported one."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from callserver.domain.role import Role
from tests.harness.staffed import Client, StaffedSystem

OFFICIAL = (
    "20261001#ROBINSONLISTEN\r\n"
    + "#".join(
        (
            *("Prøve,Åse".ljust(34), "Prøvevej 12 1 tv".ljust(34), "".ljust(34)),
            *("8000 Aarhus C".ljust(25), "   ", "751", "1234", "012", "01"),
        )
    )
    + "\r\n"
).encode("latin-1") * 3


@pytest.fixture
def system(tmp_path: Path) -> Iterator[StaffedSystem]:
    made = StaffedSystem(tmp_path, registers=False)
    made.add_user("asger", Role.ADMINISTRATOR, None)
    made.add_user("sigrid", Role.SUPERVISOR)
    yield made
    made.close()


async def send(client: Client, path: str, raw: bytes) -> tuple[int, str]:
    reply = await client.upload(path, raw, "text/csv")
    return reply.status_code, reply.text


async def kinds(client: Client) -> set[str]:
    client.system.clock.set(client.system.clock.now() + timedelta(seconds=30))
    found = (await client.api("GET", "/floor/figures")).json()["alarms"]
    return {one["kind"] for one in found}


async def test_nobody_is_called_before_the_register_is_imported(system: StaffedSystem) -> None:
    asger, sigrid = await system.client("asger"), await system.client("sigrid")

    await system.on_shift()
    await system.ready()
    await system.until(20)
    seat = await system.seat()
    assert (seat["state"], seat["reason"]) == ("waiting", "SYS_EXTLIST_STALE")
    assert system.network.record == []
    assert {one.status for one in system.contacts()} == {"ready"}  # it is about us, not about them
    assert "register_missing" in await kinds(sigrid)
    found = (await asger.api("GET", "/registers")).json()
    assert (found["registers"], found["missing"]) == ([], ["robinson"])
    # Another register is not the one that the policy goes by.
    assert (await send(asger, "/registers/import?name=another", b"32209998\n"))[0] == 200
    assert (await asger.api("GET", "/registers")).json()["missing"] == ["robinson"]
    assert (await send(asger, "/registers/import?name=robinson", b"32209999\n32200000\n"))[0] == 200
    assert "register_missing" not in await kinds(sigrid)
    await system.until(40)
    rang = [ring.number for ring in system.network.record]
    assert "+4532200001" in rang
    assert "+4532200000" not in rang  # she stands on it
    assert system.contacts()[0].reason == "SUP_EXTERNAL"


async def test_a_register_that_has_grown_too_old_stops_the_calls_again(tmp_path: Path) -> None:
    system = StaffedSystem(tmp_path)

    system.clock.set(system.clock.now() + timedelta(days=104))  # a Monday
    await system.on_shift()
    await system.ready()
    await system.until(20)
    assert (await system.seat())["reason"] == "SYS_EXTLIST_STALE"
    assert system.network.record == []
    system.close()


@pytest.mark.parametrize("path", ["/registers/import?name=robinson", "/suppressions/import?name=x"])
async def test_the_official_layout_is_not_taken_for_numbers(
    system: StaffedSystem, path: str
) -> None:
    asger = await system.client("asger")
    _, said = await send(asger, path, OFFICIAL)
    assert "faste kolonner" in said
    assert system.entries("register") == system.entries("suppressed") == []
    assert (await asger.api("GET", "/registers")).json()["missing"] == ["robinson"]


async def test_a_file_that_is_mostly_something_else_replaces_no_register(
    system: StaffedSystem,
) -> None:
    asger = await system.client("asger")
    _, said = await send(
        asger, "/registers/import?name=robinson", b"20261001\nPETERSEN,PETER\nJENSEN,J\nHANSEN,H\n"
    )
    assert "rækker" in said
    assert system.entries("register") == []
