"""Somebody rings the number we showed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

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
