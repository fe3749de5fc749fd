"""A phoner's leg drops in mid-talk and nobody reports it: the person hears an apology, not silence."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from callserver.cli.invented_data import enter_line
from callserver.simulator.faults import NONE
from callserver.simulator.legs import Leg
from tests.harness.simulated import SimulatedSystem, in_a_talk


@pytest.fixture
def system(tmp_path: Path) -> Iterator[SimulatedSystem]:
    made = SimulatedSystem(tmp_path)
    yield made
    made.close()


async def cut_off(system: SimulatedSystem) -> Leg:
    """The person on the line of a phoner whose leg has just dropped."""
    person = await in_a_talk(system)
    system.network.callbacks.faults = replace(NONE, dropped=1.0)
    phoner = system.phoner_leg()
    phoner.action = None
    await system.network.end(phoner, "completed")
    await system.server.ctx.background.idle()
    assert not person.spoken
    return person


async def test_the_phoners_page_tells(system: SimulatedSystem) -> None:
    person = await cut_off(system)
    await system.do("POST", "/line/over", {})
    assert person.spoken
    assert system.seats()[0].leg is None


async def test_the_provider_is_asked(system: SimulatedSystem) -> None:
    person = await cut_off(system)
    await system.pass_time(26)
    assert person.spoken


async def test_a_leg_that_is_still_up_is_left_alone(system: SimulatedSystem) -> None:
    person = await in_a_talk(system)
    await system.do("POST", "/line/over", {})
    await system.pass_time(60)
    assert person.live
    assert not person.spoken
    assert (await system.seat())["state"] == "talking"


async def test_without_a_shift_there_is_nothing_to_ask(system: SimulatedSystem) -> None:
    assert (await system.api("POST", "/line/over", {}))[0] in (404, 409)


async def test_at_an_ordinary_telephone_the_provider_is_asked_sooner(
    system: SimulatedSystem,
) -> None:
    """No browser tells that it was cut off."""
    number = "+4532209999"
    system.write(lambda tx: enter_line(tx, 1, number, system.clock.now()))
    await system.do("POST", "/shift", {"campaign": "kanvas", "line": number})
    await system.pass_time(4)
    await system.ready()
    await system.pass_time(14)
    assert (await system.seat())["state"] == "talking"
    (person,) = (leg for leg in system.live_legs() if leg.to != number)
    (phoner,) = system.live_legs(number)
    system.network.callbacks.faults = replace(NONE, dropped=1.0)
    phoner.action = None
    await system.network.end(phoner, "completed")
    await system.server.ctx.background.idle()
    assert not person.spoken
    await system.pass_time(9)
    assert person.spoken
