"""What must end does end: calls, and orders that the provider did not take."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from callserver.domain.call import Report
from callserver.ports import Leg, LegState, Result
from callserver.provider_events import CallReport
from callserver.simulator.faults import Faults
from callserver.simulator.legs import Behaviour
from tests.house import TestHouse, failing, in_a_talk, play, rings

FIRST = "+4532200000"
RINGS_OUT = Behaviour(answers_after=None)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    made = TestHouse(tmp_path)
    yield made
    made.close()


async def test_the_apology_is_said_though_its_order_failed(house: TestHouse) -> None:
    house.people.default = RINGS_OUT
    person = await rings(house)
    failing(house, "apologise", times=2)
    await house.network.end(house.phoner_leg(), "completed")
    await house.network._answer(person)
    await house.until(8)
    assert house.network.record[0].heard in ("apology", "silence")  # late, but it is said
    assert len(house.entries("apologised")) == 1


@pytest.mark.parametrize("seed", range(8))
async def test_who_answers_in_the_moment_in_which_her_phoner_is_lost_hears_an_apology(
    tmp_path: Path, seed: int
) -> None:
    """The loss is told before the answer, or after it: the order to stop may meet an answered call."""
    house = TestHouse(tmp_path, seed=seed)
    house.people.default = RINGS_OUT
    person = await rings(house)
    await house.network.end(house.phoner_leg(), "completed")
    await house.network._answer(person)
    await house.until(8)
    house.close()
    assert house.network.record[0].heard == "apology"


def test_what_rings_on_though_it_was_cancelled_is_silenced(house: TestHouse) -> None:
    house.people.default = RINGS_OUT

    async def work() -> None:
        person = await rings(house)
        telephony: Any = house.server.ctx.telephony

        async def nothing_follows(_: str) -> Result:
            return Result.DONE

        telephony.cancel = nothing_follows
        await house.network.end(house.phoner_leg(), "completed")
        await house.until(1)
        assert person.live
        await house.until(4)
        assert not person.live

    play(work())


async def test_one_that_cannot_be_silenced_holds_up_no_other(tmp_path: Path) -> None:
    house = TestHouse(tmp_path, phoners=2)
    house.people.default = RINGS_OUT
    for phoner in (1, 2):
        await house.on_shift(phoner)
        await house.ready(phoner)
    await house.until(3)
    first, second = house.live_legs()
    failing(house, "hang_up", times=1000, only=first.sid)
    for phoner in (1, 2):
        await house.api("POST", "/hang-up", {}, phoner=phoner)
    assert not second.live
    assert first.live
    house.close()


async def test_a_hang_up_that_failed_is_ordered_again(house: TestHouse) -> None:
    person = await in_a_talk(house)
    failing(house, "hang_up", times=4)
    await house.api("POST", "/hang-up", {})
    assert house.live_legs() == [person]
    await house.until(4)
    assert house.live_legs() == []
    assert (await house.seat())["state"] == "wrapping_up"


@pytest.mark.parametrize("pressed", [True, False])
async def test_a_talk_whose_end_was_never_told_ends_in_seconds(
    house: TestHouse, pressed: bool
) -> None:
    """She presses hang up; or the provider at least tells that the person has left the room."""
    person = await in_a_talk(house)
    person.callback.url = None
    if pressed:
        house.world.callbacks._faults = Faults(dropped=1.0)
    house.network.hang_up_by_person(person)
    await house.until(1)
    assert (await house.seat())["state"] == "talking"
    for _ in range(8):
        if pressed:  # again and again
            await house.api("POST", "/hang-up", {})
        await house.until(1)
    assert (await house.seat())["state"] == "wrapping_up"


def test_who_answers_is_not_left_alone_because_the_provider_did_not_say(house: TestHouse) -> None:
    """The phoner's loss went untold, and the first question about her leg failed too."""
    house.people.default = RINGS_OUT

    async def work() -> None:
        person = await rings(house)
        leg = house.phoner_leg()
        room = house.network.rooms[leg.conference or ""]
        room.callback.url = leg.callback.url = None
        await house.network.end(leg, "completed")
        telephony: Any = house.server.ctx.telephony
        really, telephony.leg = telephony.leg, None

        async def first_nothing(ref: str) -> Any:
            telephony.leg = really
            return Leg(LegState.NO_ANSWER, ref)

        telephony.leg = first_nothing
        await house.network._answer(person)
        await house.until(3)

    play(work())
    assert house.network.record[0].heard == "apology"


async def test_what_was_settled_as_never_placed_and_rings_is_silenced(house: TestHouse) -> None:
    await house.on_shift()
    house.people.default = RINGS_OUT
    await house.ready()
    await house.until(2)
    call, leg = house.calls()[0], house.live_legs()[0]
    receive = house.server.call_flow.receive
    await receive(CallReport(call.attempt, Report.NEVER_PLACED))
    assert leg.live
    await receive(CallReport(call.attempt, Report.RANG, leg=leg.sid))
    await house.server.ctx.background.idle()
    assert not leg.live


@pytest.mark.parametrize("off", [timedelta(days=200), timedelta(days=-9000)])
async def test_a_provider_whose_clock_is_wrong(house: TestHouse, off: timedelta) -> None:
    """Nothing happens before its permit or later than now: a talk of a minute was heard."""
    house.people.default = RINGS_OUT
    person = await rings(house)
    call = house.calls()[0]
    wrong = house.clock.now() + off
    report = CallReport(call.attempt, Report.ANSWERED, wrong, person.sid)
    await house.server.call_flow.receive(report)
    await house.network._answer(person)
    await house.until(60)
    await house.network.end(house.phoner_leg(), "completed")
    await house.until(5)
    call = house.calls()[0]
    assert call.permit_at <= call.answered_at <= call.ended_at
    assert not call.abandoned


async def test_nobody_owes_an_outcome_of_a_call_that_met_nobody(house: TestHouse) -> None:
    house.people.default = RINGS_OUT
    person = await rings(house)
    await house.network._answer(person)
    await house.until(0.5)
    await house.network.end(house.phoner_leg(), "completed")
    await house.until(10)
    assert house.calls()[0].abandoned
    assert not house.seats()[0].outcome_owed
    assert house.contacts()[0].status == "waiting"


def test_a_provider_that_is_slow_is_asked_once(house: TestHouse) -> None:
    house.people.default = RINGS_OUT
    asked: list[str] = []

    async def forgotten(call: Any) -> None:  # as long as the provider has not answered
        asked.append(call.attempt)

    async def work() -> None:
        await rings(house)
        house.server.reconciliation.settle = forgotten  # type: ignore[method-assign]
        house.clock.set(house.clock.now() + timedelta(minutes=5))
        for _ in range(5):
            await house.server.scheduler.tick()
            house.clock.set(house.clock.now() + timedelta(seconds=1))

    play(work())
    assert len(asked) == 1


async def test_an_answer_that_was_never_told_is_asked_for(house: TestHouse) -> None:
    """Every word of her leg is lost; the room tells that somebody came in."""
    house.people.default = RINGS_OUT
    person = await rings(house)
    person.callback.url = None
    await house.network._answer(person)
    await house.until(6)
    assert (await house.seat())["state"] == "talking"
