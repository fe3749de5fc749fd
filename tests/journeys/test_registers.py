"""A policy that respects a public register, and a house that never imported one."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from callserver.domain.role import Role
from tests.harness.simulated import play
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


def send(client: Client, path: str, raw: bytes) -> tuple[int, str]:
    async def work() -> tuple[int, str]:
        transport = httpx.ASGITransport(client.system.app, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://calls.test", cookies=client.cookies
        ) as http:
            sent = {"x-csrf": client.csrf, "content-type": "text/csv"}
            reply = await http.post(f"/api/v1{path}", content=raw, headers=sent)
            return reply.status_code, reply.text

    return asyncio.run(work())


def kinds(client: Client) -> set[str]:
    client.system.clock.set(client.system.clock.now() + timedelta(seconds=30))
    found = client.api("GET", "/floor/figures").json()["alarms"]
    return {one["kind"] for one in found}


def test_nobody_is_called_before_the_register_is_imported(system: StaffedSystem) -> None:
    asger, sigrid = system.client("asger"), system.client("sigrid")

    async def work() -> None:
        await system.on_shift()
        await system.ready()
        await system.until(20)
        seat = await system.seat()
        assert (seat["state"], seat["reason"]) == ("waiting", "SYS_EXTLIST_STALE")

    play(work())
    assert system.network.record == []
    assert {one.status for one in system.contacts()} == {"ready"}  # it is about us, not about them
    assert "register_missing" in kinds(sigrid)
    found = asger.api("GET", "/registers").json()
    assert (found["registers"], found["missing"]) == ([], ["robinson"])
    # Another register is not the one that the policy goes by.
    assert send(asger, "/registers/import?name=another", b"32209998\n")[0] == 200
    assert asger.api("GET", "/registers").json()["missing"] == ["robinson"]
    assert send(asger, "/registers/import?name=robinson", b"32209999\n32200000\n")[0] == 200
    assert "register_missing" not in kinds(sigrid)
    play(system.until(40))
    rang = [ring.number for ring in system.network.record]
    assert "+4532200001" in rang
    assert "+4532200000" not in rang  # she stands on it
    assert system.contacts()[0].reason == "SUP_EXTERNAL"


def test_a_register_that_has_grown_too_old_stops_the_calls_again(tmp_path: Path) -> None:
    system = StaffedSystem(tmp_path)

    async def work() -> None:
        system.clock.set(system.clock.now() + timedelta(days=104))  # a Monday
        await system.on_shift()
        await system.ready()
        await system.until(20)
        assert (await system.seat())["reason"] == "SYS_EXTLIST_STALE"

    play(work())
    assert system.network.record == []
    system.close()


@pytest.mark.parametrize("path", ["/registers/import?name=robinson", "/suppressions/import?name=x"])
def test_the_official_layout_is_not_taken_for_numbers(system: StaffedSystem, path: str) -> None:
    asger = system.client("asger")
    _, said = send(asger, path, OFFICIAL)
    assert "faste kolonner" in said
    assert system.entries("register") == system.entries("suppressed") == []
    assert asger.api("GET", "/registers").json()["missing"] == ["robinson"]


def test_a_file_that_is_mostly_something_else_replaces_no_register(system: StaffedSystem) -> None:
    asger = system.client("asger")
    _, said = send(
        asger, "/registers/import?name=robinson", b"20261001\nPETERSEN,PETER\nJENSEN,J\nHANSEN,H\n"
    )
    assert "rækker" in said
    assert system.entries("register") == []
