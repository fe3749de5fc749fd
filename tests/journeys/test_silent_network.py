"""A talk whose end is never told: no callback arrives any more."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from callserver.ports import Leg as PortLeg
from callserver.ports import LegState
from tests.house import TestHouse, in_a_talk, play


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    made = TestHouse(tmp_path)
    yield made
    made.close()


def falls_silent(house: TestHouse) -> None:
    faults = replace(house.plan.faults, dropped=1.0)
    house.network.faults = house.network.callbacks._faults = faults


async def test_the_page_leaves_the_talk_within_a_minute(house: TestHouse) -> None:
    leg = await in_a_talk(house)
    await house.until(40)
    falls_silent(house)
    house.network.hang_up_by_person(leg)
    await house.until(55)
    assert (await house.seat())["state"] in (
        "wrapping_up",
        "paused",
    )  # paused: its time was over
    assert house.calls()[0].cause == "completed"


@pytest.mark.parametrize("then", ["ready", "pause"])
async def test_giving_the_outcome_leads_on_at_once(house: TestHouse, then: str) -> None:
    leg = await in_a_talk(house)
    falls_silent(house)
    house.network.hang_up_by_person(leg)
    await house.until(2)
    assert (await house.outcome("no_thanks", then=then))[0] == 200
    await house.until(1)
    assert house.calls()[0].cause == "completed"
    assert (await house.seat())["state"] != "talking"
    if then == "ready":
        assert len(house.calls()) == 2


async def test_an_outcome_during_the_talk_cuts_nobody_off(house: TestHouse) -> None:
    """The person is still there: nobody else is dialed before they have hung up."""
    leg = await in_a_talk(house)
    falls_silent(house)
    assert (await house.outcome("no_thanks"))[0] == 200
    await house.until(20)
    assert leg.live
    assert (await house.seat())["state"] == "talking"
    assert len(house.calls()) == 1
    house.network.hang_up_by_person(leg)
    await house.until(6)
    assert len(house.calls()) == 2


def test_a_provider_that_does_not_answer_is_asked_again_soon(house: TestHouse) -> None:
    async def work() -> None:
        leg = await in_a_talk(house)
        falls_silent(house)
        house.network.hang_up_by_person(leg)
        telephony: Any = house.server.ctx.telephony
        asks = telephony.look_up

        async def silent(*_: object) -> PortLeg:
            return PortLeg(LegState.NO_ANSWER)

        telephony.look_up = silent
        await house.until(30)
        telephony.look_up = asks
        await house.until(12)
        assert house.calls()[0].cause == "completed"

    play(work())


async def test_that_a_talk_goes_on_is_no_news(house: TestHouse) -> None:
    await in_a_talk(house)
    before = len(house.entries())
    await house.until(300)
    assert len(house.entries()) == before
