"""Somebody rings the number we showed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from callserver.domain.instruction import Say
from callserver.simulator.legs import Behaviour
from tests.house import TestHouse, play

FIRST = "+4532200000"
INBOUND = "http://calls.test/twilio/voice/inbound"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    made = TestHouse(tmp_path, people="ref;navn;telefon;kilde\n1;A;32200000;x\n")
    made.people.default = Behaviour(answers_after=None)
    yield made
    made.close()


async def missed_and_rang_back(house: TestHouse, key: str) -> None:
    await house.on_shift()
    await house.ready()
    await house.until(60)
    house.people.keys[FIRST] = key
    await house.network.call_in(FIRST, "+4532123400", INBOUND)
    await house.until(60)


def test_nine_means_never(house: TestHouse) -> None:
    async def work() -> None:
        await missed_and_rang_back(house, "9")
        await house.jump(86_400 * 7)

    play(work())
    assert len(house.network.record) == 1
    assert house.contacts()[0].reason == "SUP_PERSON"
    assert [entry.get("key") for entry in house.entries("inbound")] == [None, "9"]


def test_one_means_please_call(house: TestHouse) -> None:
    play(missed_and_rang_back(house, "1"))
    assert [ring.number for ring in house.network.record] == [FIRST, FIRST]
    assert house.calls()[1].path == "call_back"


def test_no_key_changes_nothing(house: TestHouse) -> None:
    play(missed_and_rang_back(house, ""))
    assert len(house.network.record) == 1
    assert house.contacts()[0].status == "waiting"


def test_a_stranger_may_say_never_too(house: TestHouse) -> None:
    house.people.keys["+4532200099"] = "9"

    async def work() -> None:
        await house.network.call_in("+4532200099", "+4532123400", INBOUND)
        await house.until(30)

    play(work())
    assert house.entries("suppressed")[0]["scope"] == "number"


@pytest.mark.parametrize("caller", ["anonymous", "+266696687", "Restricted", ""])
def test_who_withholds_the_number_is_not_told_that_it_is_noted(
    house: TestHouse, caller: str
) -> None:
    async def work() -> None:
        inbound = house.server.inbound
        greeted = await inbound.greet(caller, "+4532123400", "CA1")
        assert greeted == Say("inbound_withheld", greeted.values)  # type: ignore[union-attr]
        assert await inbound.pressed(caller, "+4532123400", "CA1", "9") == Say("inbound_not_noted")

    play(work())
    assert not house.entries("suppressed")


def test_one_at_night_means_when_the_calling_hours_begin(house: TestHouse) -> None:
    async def work() -> None:
        await missed_and_rang_back(house, "")
        await house.jump(6 * 3600)  # eleven in the evening
        house.people.keys[FIRST] = "1"
        await house.network.call_in(FIRST, "+4532123400", INBOUND)
        await house.until(9 * 3600)
        assert len(house.network.record) == 1
        await house.until(2 * 3600)

    play(work())
    rung = [ring.rang_at.isoformat() for ring in house.network.record]
    assert len(rung) == 2
    assert rung[1].startswith("2026-05-13T07:00")  # nine o'clock
