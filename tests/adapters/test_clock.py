"""The wall clock jumps, and is believed again when it has gone steadily for a while."""

import time
from datetime import timedelta

import pytest

from callserver.adapters.clock import STEADY_S, ShiftedClock, SystemClock


class Machine:
    """Its two clocks, as a test sets them."""

    def __init__(self) -> None:
        self.wall, self.monotonic = 1_800_000_000.0, 1000.0

    def passes(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine()
    monkeypatch.setattr(time, "time", lambda: made.wall)
    monkeypatch.setattr(time, "monotonic", lambda: made.monotonic)
    return made


@pytest.mark.parametrize("jump", [3.0, -3.0, 3600.0, -3600.0])
def test_a_correction_is_accepted_after_a_while(machine: Machine, jump: float) -> None:
    clock = SystemClock()
    machine.wall += jump
    for _ in range(int(STEADY_S)):
        assert clock.skew_ms() == round(jump * 1000)
        assert clock.accepted_ms() == 0
        machine.passes(1)
    assert clock.skew_ms() == 0
    assert clock.accepted_ms() == round(jump * 1000)
    assert clock.accepted_ms() == 0
    machine.passes(1000)
    assert clock.skew_ms() == 0


def test_two_looks_a_while_apart_are_enough(machine: Machine) -> None:
    clock = SystemClock()
    machine.wall += 5
    assert clock.skew_ms() == 5000
    machine.passes(STEADY_S)
    assert clock.skew_ms() == 0


def test_a_paused_machine_is_a_jump_of_the_wall_clock(machine: Machine) -> None:
    clock = SystemClock()
    machine.wall += 900  # the monotonic clock stands still meanwhile
    assert clock.skew_ms() == 900_000
    machine.passes(STEADY_S)
    assert (clock.skew_ms(), clock.accepted_ms()) == (0, 900_000)


def test_a_slip_that_is_over_is_no_correction(machine: Machine) -> None:
    clock = SystemClock()
    machine.wall -= 3600
    assert clock.skew_ms() == -3_600_000
    machine.passes(2)
    machine.wall += 3600
    assert (clock.skew_ms(), clock.accepted_ms()) == (0, 0)
    machine.wall -= 3600  # again: it does not count from the first time
    machine.passes(STEADY_S)
    assert clock.skew_ms() == -3_600_000


def test_a_clock_that_keeps_jumping_is_not_believed(machine: Machine) -> None:
    clock = SystemClock()
    for _ in range(20):
        machine.wall += 2
        machine.passes(STEADY_S / 2)
        assert clock.skew_ms() != 0
    assert clock.accepted_ms() == 0


def test_the_time_service_s_ordinary_work_is_followed(machine: Machine) -> None:
    clock = SystemClock()
    for _ in range(1000):
        machine.wall += 0.01
        machine.passes(1)
        assert abs(clock.skew_ms()) <= 10
    assert clock.accepted_ms() == 0


def test_how_far_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SystemClock()
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)
    assert clock.behind_ms(now + timedelta(seconds=3)) == 3000
    assert clock.behind_ms(now - timedelta(seconds=3)) == 0
    shifted = ShiftedClock(now - timedelta(days=100))
    assert shifted.behind_ms(now) == 0  # a demonstration's clock is compared with nothing


HOUR = timedelta(hours=1)


def test_another_machine_s_clock_is_off_by_more_than_a_minute() -> None:
    clock = SystemClock()
    for off in (timedelta(0), timedelta(seconds=50), timedelta(seconds=-50)):
        assert clock.apart_ms(clock.now() + off) == 0
    for off in (HOUR, -HOUR):
        apart = timedelta(milliseconds=clock.apart_ms(clock.now() + off))
        assert abs(apart + off) < timedelta(seconds=30)
    assert clock.apart_ms(None) == 0
    shifted = ShiftedClock(clock.now() - timedelta(days=100))
    shifted.heard(clock.now(), clock.now())
    assert shifted.apart_ms(clock.now()) == 0  # a demonstration's clock is compared with nothing


def test_an_answer_that_comes_late_says_nothing_about_the_clock() -> None:
    """The machine was paused meanwhile: the carrier's time lies between the request and its answer."""
    clock = SystemClock()
    now = clock.now()
    for said in (now - HOUR, now - HOUR / 2, now):
        clock.heard(said, now - HOUR)
        assert clock.apart_ms(None) == 0
    clock.heard(now - 2 * HOUR, now - HOUR)
    assert clock.apart_ms(None) == 3_600_000


def test_what_the_carrier_said_counts_until_the_clock_is_put_right(machine: Machine) -> None:
    clock = SystemClock()
    clock.heard(clock.now() - HOUR, clock.now())
    assert clock.apart_ms(None) == 3_600_000
    machine.wall -= 3600
    clock.skew_ms()
    machine.passes(STEADY_S)
    assert (clock.skew_ms(), clock.apart_ms(None)) == (0, 0)


def test_what_the_carrier_said_during_a_slip_is_forgotten(machine: Machine) -> None:
    clock = SystemClock()
    machine.wall += 3600
    assert clock.skew_ms() == 3_600_000
    clock.heard(clock.now() - HOUR, clock.now())
    machine.wall -= 3600
    assert (clock.skew_ms(), clock.apart_ms(None)) == (0, 0)


def test_a_jump_that_lasts_is_compared_with_the_carrier_before_it_counts(machine: Machine) -> None:
    """The clock was set wrong, or the machine was paused: the carrier tells, however late it answers."""
    clock = SystemClock()
    assert clock.must_hear()
    clock.heard(clock.now(), clock.now())
    for answers in ("before", "after", ""):
        assert not clock.must_hear()
        machine.wall += 3600
        clock.skew_ms()
        if answers == "before":
            clock.heard(clock.now() - HOUR, clock.now())
        machine.passes(STEADY_S)
        assert (clock.skew_ms(), clock.apart_ms(None)) == (0, 3_600_000)
        if answers == "after":
            clock.heard(clock.now() - HOUR, clock.now())
        machine.passes(3600)
        assert clock.must_hear()
        assert clock.apart_ms(None) == 3_600_000
        clock.heard(clock.now(), clock.now())
        assert clock.apart_ms(None) == 0
