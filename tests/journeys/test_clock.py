"""The clock steps while people work: nobody is dialed in doubt, and everything goes on by itself."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from callserver.database import call_budget
from callserver.simulator.virtual_time import VirtualClock
from tests.house import TUESDAY, TestHouse


class Stepping(VirtualClock):
    """A clock that is set, and knows of it as the system's does."""

    skew = 0
    accepted = 0

    def skew_ms(self) -> int:
        return self.skew

    def accepted_ms(self) -> int:
        found, self.accepted = self.accepted, 0
        return found

    def step(self, by: timedelta) -> None:
        self._now += by
        self.skew = round(by / timedelta(milliseconds=1))

    def accept(self) -> None:
        self.accepted, self.skew = self.skew, 0


def stepping(house: TestHouse) -> Stepping:
    """The house with such a clock, at the same instant."""
    clock = Stepping(house.clock.now())
    house.clock = house.world.clock = house.world.agenda.clock = clock
    house.restart()
    return clock


def refused(house: TestHouse) -> list[Any]:
    return [one["reasons"] for one in house.entries("refused")]


@pytest.mark.parametrize("by", [3, -3, -3600])
async def test_a_step_stops_dialing_until_it_is_accepted(tmp_path: Path, by: int) -> None:
    house = TestHouse(tmp_path)
    clock = stepping(house)
    await house.on_shift()
    await house.until(20)
    clock.step(timedelta(seconds=by))
    await house.ready()
    await house.until(1)
    assert refused(house)[0] == ["SYS_CLOCK"]
    assert house.calls() == []
    clock.accept()
    await house.until(1)
    assert [one["ms"] for one in house.entries("clock")] == [by * 1000]
    assert len(house.calls()) == 1
    house.close()


async def test_what_a_clock_ahead_put_off_is_brought_back(tmp_path: Path) -> None:
    house = TestHouse(tmp_path)
    clock = stepping(house)
    await house.on_shift()
    await house.ready()
    await house.until(5)
    call = house.calls()[0]
    house.network.hang_up_by_person(house.live_legs()[0])
    await house.until(0.5)
    seat = (await house.seat())["until"]
    house.write(lambda tx: call_budget.take_slot(tx, clock.now() + timedelta(seconds=100), 1))
    clock.step(timedelta(hours=-1))
    clock.accept()
    await house.until(1)
    assert datetime.fromisoformat((await house.seat())["until"]) < datetime.fromisoformat(seat)
    assert house.read(lambda tx: call_budget.next_slot(tx, clock.now())) <= clock.now()
    assert call.attempt == house.calls()[0].attempt
    house.close()


async def test_a_clock_behind_the_log_dials_nobody(tmp_path: Path) -> None:
    """At a start, too: the step happened while nobody looked. It goes on when it has caught up."""
    house = TestHouse(tmp_path)
    await house.on_shift()
    await house.until(10)
    house.clock._now -= timedelta(seconds=30)
    house.restart()
    await house.ready()
    await house.until(1)
    assert refused(house)[0] == ["SYS_CLOCK"]
    await house.until(15)
    assert house.calls() == []  # its own refusals are the log's last entries by now
    await house.until(60)
    assert len(house.calls()) == 1
    house.close()


async def test_a_clock_that_went_ahead_for_a_moment_leaves_nothing_behind(tmp_path: Path) -> None:
    house = TestHouse(tmp_path)
    clock = stepping(house)
    await house.on_shift()
    clock.step(timedelta(hours=1))
    await house.ready()
    await house.until(2)
    clock.step(timedelta(hours=-1))
    clock.skew = 0
    await house.until(60)
    assert house.calls()
    assert clock.now() < TUESDAY + timedelta(minutes=10)
    house.close()
