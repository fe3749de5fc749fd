"""A policy that respects a public register, and a house that never imported one."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from callserver.domain.role import Role
from tests.console.conftest import Browser, House, hashed
from tests.house import play

__all__ = ["hashed"]

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
def house(tmp_path: Path, hashed: str) -> Iterator[House]:
    made = House(tmp_path, registers=False)
    made.hashed = hashed
    made.add_user("asger", Role.ADMINISTRATOR, None)
    made.add_user("sigrid", Role.SUPERVISOR)
    yield made
    made.close()


def send(browser: Browser, path: str, raw: bytes) -> tuple[int, str]:
    async def work() -> tuple[int, str]:
        transport = httpx.ASGITransport(browser.house.app, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://calls.test", cookies=browser.cookies
        ) as http:
            sent = {"x-csrf": browser.csrf, "content-type": "text/csv"}
            reply = await http.post(f"/api/v1{path}", content=raw, headers=sent)
            return reply.status_code, reply.text

    return asyncio.run(work())


def kinds(browser: Browser) -> set[str]:
    browser.house.clock.set(browser.house.clock.now() + timedelta(seconds=30))
    found = browser.api("GET", "/floor/figures").json()["alarms"]
    return {one["kind"] for one in found}


def test_nobody_is_called_before_the_register_is_imported(house: House) -> None:
    asger, sigrid = house.browser("asger"), house.browser("sigrid")

    async def work() -> None:
        await house.on_shift()
        await house.ready()
        await house.until(20)
        seat = await house.seat()
        assert (seat["state"], seat["reason"]) == ("waiting", "SYS_EXTLIST_STALE")

    play(work())
    assert house.network.record == []
    assert {one.status for one in house.contacts()} == {"ready"}  # it is about us, not about them
    assert "register_missing" in kinds(sigrid)
    found = asger.api("GET", "/registers").json()
    assert (found["registers"], found["missing"]) == ([], ["robinson"])
    # Another register is not the one that the policy goes by.
    assert send(asger, "/registers/import?name=another", b"32209998\n")[0] == 200
    assert asger.api("GET", "/registers").json()["missing"] == ["robinson"]
    assert send(asger, "/registers/import?name=robinson", b"32209999\n32200000\n")[0] == 200
    assert "register_missing" not in kinds(sigrid)
    play(house.until(40))
    rang = [ring.number for ring in house.network.record]
    assert "+4532200001" in rang
    assert "+4532200000" not in rang  # she stands on it
    assert house.contacts()[0].reason == "SUP_EXTERNAL"


def test_a_register_that_has_grown_too_old_stops_the_calls_again(tmp_path: Path) -> None:
    house = House(tmp_path)

    async def work() -> None:
        house.clock.set(house.clock.now() + timedelta(days=104))  # a Monday
        await house.on_shift()
        await house.ready()
        await house.until(20)
        assert (await house.seat())["reason"] == "SYS_EXTLIST_STALE"

    play(work())
    assert house.network.record == []
    house.close()


@pytest.mark.parametrize("path", ["/registers/import?name=robinson", "/suppressions/import?name=x"])
def test_the_official_layout_is_not_taken_for_numbers(house: House, path: str) -> None:
    asger = house.browser("asger")
    _, said = send(asger, path, OFFICIAL)
    assert "faste kolonner" in said
    assert house.entries("register") == house.entries("suppressed") == []
    assert asger.api("GET", "/registers").json()["missing"] == ["robinson"]


def test_a_file_that_is_mostly_something_else_replaces_no_register(house: House) -> None:
    asger = house.browser("asger")
    _, said = send(
        asger, "/registers/import?name=robinson", b"20261001\nPETERSEN,PETER\nJENSEN,J\nHANSEN,H\n"
    )
    assert "rækker" in said
    assert house.entries("register") == []
