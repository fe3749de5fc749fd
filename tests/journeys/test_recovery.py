"""The server dies between any two steps, and another takes over: nobody is called twice or for ever."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from callserver.database.tables import legs_to_end
from callserver.simulator.faults import Faults
from callserver.simulator.legs import Behaviour, Callback, Leg
from tests.harness.simulated import SimulatedSystem

ONE = "ref;navn;telefon;kilde\n1;A;32200000;x\n"
RINGS_OUT = Behaviour(answers_after=None)


@pytest.fixture
def system(tmp_path: Path) -> Iterator[SimulatedSystem]:
    made = SimulatedSystem(tmp_path, people=ONE)
    yield made
    made.close()


async def take_over(system: SimulatedSystem) -> None:
    """A new process starts, as serve does."""
    system.restart()
    await system.server.scheduler.start()
    await system.pass_time(0.1)


def dies_before_the_order(system: SimulatedSystem) -> None:
    """The permit is durable, and the process is gone before its order leaves."""

    async def gone(*_: Any) -> None:
        return None

    system.server.dialer.place = gone  # type: ignore[method-assign,assignment]


def rings(system: SimulatedSystem) -> int:
    return sum(ring.label is not None for ring in system.network.record)


async def test_after_the_permit_before_the_order(system: SimulatedSystem) -> None:
    await system.on_shift()
    dies_before_the_order(system)
    await system.ready()
    assert system.calls()[0].state == "placing"
    assert rings(system) == 0
    await take_over(system)
    await system.pass_time(120)
    call = system.calls()[0]
    assert (call.cause, rings(system), len(system.calls())) == ("never_placed", 0, 1)
    assert system.seats()[0].state == "waiting"
    assert system.contacts()[0].tries == 1  # it counts, although nothing rang


@pytest.mark.parametrize("news", ["told", "lost"])
async def test_after_the_order_before_its_answer_is_stored(
    system: SimulatedSystem, news: str
) -> None:
    """The telephone rings, and the server that ordered it is gone; its word may be lost too."""
    system.people.default = RINGS_OUT

    async def forget(*_: Any, **__: Any) -> None:
        return None

    await system.on_shift()
    system.server.call_flow.receive = forget  # type: ignore[method-assign]
    await system.ready()
    assert system.calls()[0].state == "placing"
    assert system.live_legs()
    if news == "lost":
        system.live_legs()[0].callback.url = None
    await take_over(system)
    await system.pass_time(150)
    assert rings(system) == 1
    assert len(system.calls()) == 1
    assert system.calls()[0].cause == "no_answer"
    assert system.seats()[0].state == "waiting"


async def test_in_mid_call_nobody_loses_the_conversation(system: SimulatedSystem) -> None:
    await system.on_shift()
    await system.ready()
    await system.pass_time(5)
    await take_over(system)
    await system.pass_time(30)
    assert (await system.seat())["state"] == "talking"
    person = system.live_legs()[0]
    assert person.conference == system.phoner_leg().conference
    system.network.hang_up_by_person(person)
    await system.pass_time(2)
    assert (await system.seat())["state"] == "wrapping_up"


async def test_an_end_that_happened_while_nobody_listened(system: SimulatedSystem) -> None:
    await system.on_shift()
    await system.ready()
    await system.pass_time(5)
    system.world.app = None  # down: callbacks fail, and their repeats too
    system.network.hang_up_by_person(system.live_legs()[0])
    await system.pass_time(0.2)
    for _ in range(60):
        due = system.world.agenda.next_at()
        if due is None or (due - system.clock.now()).total_seconds() > 20:
            break
        system.clock.set(due)
        await system.world.agenda.pop()()
    await take_over(system)
    await system.pass_time(5)
    assert (await system.seat())["state"] == "wrapping_up"
    assert system.calls()[0].cause == "completed"


async def test_in_wrap_up_the_outcome_is_still_owed(system: SimulatedSystem) -> None:
    await system.on_shift()
    await system.ready()
    await system.pass_time(5)
    system.network.hang_up_by_person(system.live_legs()[0])
    await system.pass_time(2)
    await take_over(system)
    status, _ = await system.outcome("no_thanks")
    assert status == 200
    assert system.calls()[0].outcome == "no_thanks"


async def test_the_phoner_vanished_with_the_server(system: SimulatedSystem) -> None:
    """Both are lost while a telephone rings: the new server finds out and silences it."""
    system.people.default = RINGS_OUT
    await system.on_shift()
    await system.ready()
    await system.pass_time(3)
    leg = system.phoner_leg()
    system.network.rooms[leg.conference or ""].callback.url = leg.callback.url = None
    await system.network.end(leg, "completed")
    assert system.live_legs()
    await take_over(system)
    await system.pass_time(1)
    assert not system.live_legs()
    await system.pass_time(60)
    assert system.seats()[0].connected  # the phoner's telephone was called again


async def test_a_seat_that_never_connects_leaves_the_shift(system: SimulatedSystem) -> None:
    system.people.phoners_answer = False
    await system.on_shift()
    await system.pass_time(400)
    assert system.seats()[0].state == "off"


async def test_a_seat_that_joined_unheard_is_found(system: SimulatedSystem) -> None:
    """Every callback of the phoner's leg is lost; the provider is asked."""
    system.world.callbacks.faults = Faults(dropped=1.0)
    await system.on_shift()
    assert not system.seats()[0].connected
    system.world.callbacks.faults = Faults()
    await system.pass_time(40)
    assert system.seats()[0].connected


def dies_before_hanging_up(system: SimulatedSystem) -> None:
    """What follows is durable, and the process is gone before it orders a leg to be hung up."""

    async def gone(*_: Any) -> None:
        return None

    system.server.hangups.hang_up = gone  # type: ignore[method-assign,assignment]


async def a_second_telephone(system: SimulatedSystem) -> Leg:
    """The network carries one order out twice: the second telephone rings, and its later reports are lost."""
    system.people.default = RINGS_OUT
    await system.on_shift()
    await system.ready()
    await system.pass_time(3)
    first = system.live_legs()[0]
    callback = Callback(first.callback.url, first.callback.events)
    second = replace(
        first, sid=system.network.sid("CA"), status="queued", timeout=600, callback=callback
    )
    system.network.order(second)
    while second.status != "ringing":
        await system.pass_time(0.5)
    second.callback.url = None
    return second


async def a_reloaded_page(system: SimulatedSystem) -> Leg:
    """The phoner's new leg has taken the place of the old one, which nobody asks about any more."""
    await system.on_shift()
    old = system.phoner_leg()
    url = f"{system.plan.public_url}/twilio/voice/client"
    await system.network.call_in("client:phoner_1", "", url)
    await system.pass_time(1)
    old.callback.url = None
    return old


@pytest.mark.parametrize("stray", [a_second_telephone, a_reloaded_page])
@pytest.mark.parametrize("who", ["restarted", "another"])
async def test_a_leg_that_belongs_to_nothing_is_hung_up_by_the_next_server(
    system: SimulatedSystem, stray: Any, who: str
) -> None:
    dies_before_hanging_up(system)
    leg = await stray(system)
    assert leg.live
    if who == "restarted":
        await take_over(system)
        await system.pass_time(2)
    else:  # one that has been running all the time
        del system.server.hangups.hang_up
        await system.pass_time(10)
    assert not leg.live
    assert system.read(lambda tx: tx.execute(select(legs_to_end)).all()) == []


async def test_a_leg_is_hung_up_however_long_the_network_refuses(system: SimulatedSystem) -> None:
    system.network.faults = replace(system.plan.faults, hang_up_refused=1.0)
    leg = await a_reloaded_page(system)
    await system.pass_time(1200)
    assert leg.live
    system.network.faults = system.plan.faults
    await system.pass_time(300)
    assert not leg.live
