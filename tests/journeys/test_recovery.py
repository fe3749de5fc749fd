"""The server dies between any two steps, and another takes over: nobody is rung twice or for ever."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from callserver.simulator.faults import Faults
from callserver.simulator.legs import Behaviour
from tests.house import TestHouse, play

ONE = "ref;navn;telefon;kilde\n1;A;32200000;x\n"
RINGS_OUT = Behaviour(answers_after=None)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    made = TestHouse(tmp_path, people=ONE)
    yield made
    made.close()


async def take_over(house: TestHouse) -> None:
    """A new process starts, as serve does."""
    house.restart()
    await house.server.scheduler.start()
    await house.until(0.1)


def dies_before_the_order(house: TestHouse) -> None:
    """The permit is durable, and the process is gone before its order leaves."""

    async def gone(*_: Any) -> None:
        return None

    house.server.dialer.place = gone  # type: ignore[method-assign,assignment]


def rings(house: TestHouse) -> int:
    return sum(ring.label is not None for ring in house.network.record)


async def test_after_the_permit_before_the_order(house: TestHouse) -> None:
    await house.on_shift()
    dies_before_the_order(house)
    await house.ready()
    assert house.calls()[0].state == "placing"
    assert rings(house) == 0
    await take_over(house)
    await house.until(120)
    call = house.calls()[0]
    assert (call.cause, rings(house), len(house.calls())) == ("never_placed", 0, 1)
    assert house.seats()[0].state == "waiting"
    assert house.contacts()[0].tries == 1  # it counts, although nothing rang


@pytest.mark.parametrize("news", ["told", "lost"])
def test_after_the_order_before_its_answer_is_stored(house: TestHouse, news: str) -> None:
    """The telephone rings, and the server that ordered it is gone; its word may be lost too."""
    house.people.default = RINGS_OUT

    async def forget(*_: Any, **__: Any) -> None:
        return None

    async def work() -> None:
        await house.on_shift()
        house.server.call_flow.receive = forget  # type: ignore[method-assign]
        await house.ready()
        assert house.calls()[0].state == "placing"
        assert house.live_legs()
        if news == "lost":
            house.live_legs()[0].callback.url = None
        await take_over(house)
        await house.until(150)

    play(work())
    assert rings(house) == 1
    assert len(house.calls()) == 1
    assert house.calls()[0].cause == "no_answer"
    assert house.seats()[0].state == "waiting"


async def test_in_mid_call_nobody_loses_the_conversation(house: TestHouse) -> None:
    await house.on_shift()
    await house.ready()
    await house.until(5)
    await take_over(house)
    await house.until(30)
    assert (await house.seat())["state"] == "talking"
    person = house.live_legs()[0]
    assert person.conference == house.phoner_leg().conference
    house.network.hang_up_by_person(person)
    await house.until(2)
    assert (await house.seat())["state"] == "wrapping_up"


async def test_an_end_that_happened_while_nobody_listened(house: TestHouse) -> None:
    await house.on_shift()
    await house.ready()
    await house.until(5)
    house.world._app = None  # down: callbacks fail, and their repeats too
    house.network.hang_up_by_person(house.live_legs()[0])
    await house.until(0.2)
    for _ in range(60):
        due = house.world.agenda.next_at()
        if due is None or (due - house.clock.now()).total_seconds() > 20:
            break
        house.clock.set(due)
        await house.world.agenda.pop()()
    await take_over(house)
    await house.until(5)
    assert (await house.seat())["state"] == "wrapping_up"
    assert house.calls()[0].cause == "completed"


async def test_in_wrap_up_the_outcome_is_still_owed(house: TestHouse) -> None:
    await house.on_shift()
    await house.ready()
    await house.until(5)
    house.network.hang_up_by_person(house.live_legs()[0])
    await house.until(2)
    await take_over(house)
    status, _ = await house.outcome("no_thanks")
    assert status == 200
    assert house.calls()[0].outcome == "no_thanks"


async def test_the_phoner_vanished_with_the_server(house: TestHouse) -> None:
    """Both are lost while a telephone rings: the new server finds out and silences it."""
    house.people.default = RINGS_OUT
    await house.on_shift()
    await house.ready()
    await house.until(3)
    leg = house.phoner_leg()
    house.network.rooms[leg.conference or ""].callback.url = leg.callback.url = None
    await house.network.end(leg, "completed")
    assert house.live_legs()
    await take_over(house)
    await house.until(1)
    assert not house.live_legs()
    await house.until(60)
    assert house.seats()[0].connected  # her telephone was rung again


async def test_a_seat_that_never_connects_leaves_the_shift(house: TestHouse) -> None:
    house.people.phoners_answer = False
    await house.on_shift()
    await house.until(400)
    assert house.seats()[0].state == "off"


async def test_a_seat_that_joined_unheard_is_found(house: TestHouse) -> None:
    """Every callback of the phoner's leg is lost; the provider is asked."""
    house.world.callbacks._faults = Faults(dropped=1.0)
    await house.on_shift()
    assert not house.seats()[0].connected
    house.world.callbacks._faults = Faults()
    await house.until(40)
    assert house.seats()[0].connected
