"""A talk whose end is never told: no callback arrives any more."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from callserver.ports import Leg as PortLeg
from callserver.ports import LegState
from tests.harness.simulated import SimulatedSystem, in_a_talk


@pytest.fixture
def system(tmp_path: Path) -> Iterator[SimulatedSystem]:
    made = SimulatedSystem(tmp_path)
    yield made
    made.close()


def falls_silent(system: SimulatedSystem) -> None:
    faults = replace(system.plan.faults, dropped=1.0)
    system.network.faults = system.network.callbacks.faults = faults


def is_away(system: SimulatedSystem) -> Callable[[], None]:
    """The provider answers no question about a call, until the returned function is called."""
    telephony: Any = system.server.ctx.telephony
    asks = telephony.look_up

    async def silent(*_: object) -> PortLeg:
        return PortLeg(LegState.NO_ANSWER)

    def answers() -> None:
        telephony.look_up = asks

    telephony.look_up = silent
    return answers


async def test_the_page_leaves_the_talk_within_a_minute(system: SimulatedSystem) -> None:
    leg = await in_a_talk(system)
    await system.pass_time(40)
    falls_silent(system)
    system.network.hang_up_by_person(leg)
    await system.pass_time(55)
    # Paused: its time was over.
    assert (await system.seat())["state"] in ("wrapping_up", "paused")
    assert system.calls()[0].cause == "completed"


@pytest.mark.parametrize("then", ["ready", "pause"])
async def test_giving_the_outcome_leads_on_at_once(system: SimulatedSystem, then: str) -> None:
    leg = await in_a_talk(system)
    falls_silent(system)
    system.network.hang_up_by_person(leg)
    await system.pass_time(2)
    assert (await system.outcome("no_thanks", then=then))[0] == 200
    await system.pass_time(1)
    assert system.calls()[0].cause == "completed"
    assert (await system.seat())["state"] != "talking"
    if then == "ready":
        assert len(system.calls()) == 2


async def test_an_outcome_during_the_talk_cuts_nobody_off(system: SimulatedSystem) -> None:
    """The person is still there: nobody else is dialed before they have hung up."""
    leg = await in_a_talk(system)
    falls_silent(system)
    assert (await system.outcome("no_thanks"))[0] == 200
    await system.pass_time(20)
    assert leg.live
    assert (await system.seat())["state"] == "talking"
    assert len(system.calls()) == 1
    system.network.hang_up_by_person(leg)
    await system.pass_time(6)
    assert len(system.calls()) == 2


async def test_a_provider_that_does_not_answer_is_asked_again_soon(system: SimulatedSystem) -> None:
    leg = await in_a_talk(system)
    falls_silent(system)
    system.network.hang_up_by_person(leg)
    answers = is_away(system)
    await system.pass_time(30)
    answers()
    await system.pass_time(12)
    assert system.calls()[0].cause == "completed"


async def test_whose_line_is_dead_records_the_outcome_and_ends_the_shift(
    system: SimulatedSystem,
) -> None:
    """The provider is away for ten minutes: the call stays open, so that nobody calls the person again."""
    leg = await in_a_talk(system)
    falls_silent(system)
    system.network.hang_up_by_person(leg)
    answers = is_away(system)
    await system.pass_time(120)
    assert (await system.outcome("no_thanks"))[0] == 200
    assert (await system.api("POST", "/off", {}))[0] == 200
    await system.pass_time(600)
    (call,) = system.calls()
    assert (call.outcome, call.ended_at) == ("no_thanks", None)
    assert (await system.seat())["state"] == "talking"
    answers()
    await system.pass_time(12)
    assert system.calls()[0].cause == "completed"
    assert (await system.seat())["state"] == "off"


async def test_that_a_talk_goes_on_is_no_news(system: SimulatedSystem) -> None:
    await in_a_talk(system)
    before = len(system.entries())
    await system.pass_time(300)
    assert len(system.entries()) == before
