"""What one scheduler costs as the organisation grows: a look when nothing is due, and each seat that is due."""

import asyncio
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, insert, text, update

from callserver.database.tables import seats, users
from callserver.domain.seat import SeatState
from tests.bench.measuring import Figure, percentile
from tests.bench.storing import people
from tests.harness.simulated import SimulatedSystem

LOOKS = 40
DUE = 200
DIALS = 60
LOOKS_PER_S = 2
CALL_S = 100
"""Seconds from one dial of a phoner to the next: a wait for a slot and a pause after the call each time."""


def scheduling(sizes: tuple[int, ...] = (100, 1_000, 10_000)) -> list[Figure]:
    """Idle looks by the number of seats on shift, and the cost of a seat whose pause is over."""
    idle = []
    with tempfile.TemporaryDirectory() as folder:
        system = SimulatedSystem(Path(folder))
        for size in sizes:
            _seat(system, size)
            idle.append(asyncio.run(_look(system, LOOKS)))
        each = asyncio.run(_due(system))
        system.close()
    with tempfile.TemporaryDirectory() as folder:
        system = SimulatedSystem(Path(folder), people=people(2 * DIALS), calls_per_second=1000)
        dial = asyncio.run(_dials(system))
        system.close()
    busy = sizes[-1] / CALL_S * (each + dial) + LOOKS_PER_S * idle[-1]
    return [
        Figure(
            f"a look of the scheduler, {sizes[-1]:,} seats, nothing due",
            f"{idle[-1] * 1000:.1f} ms",
            ", ".join(
                f"{size:,} seats {took * 1000:.1f} ms"
                for size, took in zip(sizes[:-1], idle[:-1], strict=True)
            ),
            f"{LOOKS_PER_S} looks a second",
            "≤ 5 % of a core",
            LOOKS_PER_S * idle[-1] <= 0.05,
        ),
        Figure(
            "a seat whose pause is over",
            f"{each * 1000:.1f} ms",
            "-",
            f"every {CALL_S} s for each phoner",
            "-",
            True,
        ),
        Figure(
            "a dial that waited for its slot: claim, decision, order",
            f"{dial * 1000:.1f} ms, with the simulated carrier's own work",
            "-",
            f"every {CALL_S} s for each phoner, if every dial waits",
            "-",
            True,
        ),
        Figure(
            f"one scheduler for {sizes[-1]:,} phoners whose dials all wait for a slot",
            f"{busy:.2f} of a core",
            "-",
            f"{sizes[-1] / busy:,.0f} phoners a core",
            "≤ 1 core",
            busy <= 1,
        ),
    ]


def _seat(system: SimulatedSystem, count: int) -> None:
    """So many phoners on shift and in a call, in ten departments."""
    now = system.clock.now()
    people: list[dict[str, Any]] = [
        {"id": 1000 + n, "name": f"u{n}", "handle": f"u{n}", "role": "phoner", "added_at": now}
        for n in range(count)
    ]
    taken: list[dict[str, Any]] = [
        {
            "phoner": 1000 + n,
            "department": f"d{n % 10}",
            "campaign": "kanvas",
            "state": SeatState.TALKING.value,
            "connected": True,
            "wants": SeatState.PAUSED.value,
            "since": now,
        }
        for n in range(count)
    ]

    def fill(tx: Any) -> None:
        tx.execute(delete(seats).where(seats.c.phoner >= 1000))
        tx.execute(delete(users).where(users.c.id >= 1000))
        tx.execute(insert(users), people)
        tx.execute(insert(seats), taken)

    system.write(fill)


async def _look(system: SimulatedSystem, looks: int) -> float:
    """Processor seconds of one look, without sealing and chores of the first."""
    await system.server.scheduler.tick()
    await system.server.ctx.background.idle()
    began = time.process_time()
    for _ in range(looks):
        system.clock.set(system.clock.now() + timedelta(milliseconds=500))
        await system.server.scheduler.tick()
    return (time.process_time() - began) / looks


async def _due(system: SimulatedSystem) -> float:
    """Processor seconds of the scheduler for each seat whose pause after a call ends."""
    now = system.clock.now()

    def end_pauses(tx: Any) -> None:
        some = update(seats).where(seats.c.phoner.in_(range(1000, 1000 + DUE)))
        tx.execute(some.values(state=SeatState.WRAPPING_UP.value, wake_at=now, until=now))

    system.write(end_pauses)
    began = time.process_time()
    await system.server.scheduler.tick()
    await system.server.ctx.background.idle()
    took = time.process_time() - began
    states = [seat.state for seat in system.seats() if 1000 <= seat.phoner < 1000 + DUE]
    if SeatState.WRAPPING_UP in states:
        raise AssertionError("not every pause was ended")
    return took / DUE


async def _dials(system: SimulatedSystem) -> float:
    """Processor seconds of the scheduler for a seat whose slot has come, until its order was answered."""
    await system.on_shift()
    await system.api("POST", "/pause", {})
    now = system.clock.now()
    waiting = {"state": SeatState.WAITING.value, "wants": SeatState.WAITING.value, "call": None}

    def reset(tx: Any) -> None:
        tx.execute(text("UPDATE budgets SET next_at = 0"))  # the clock stands still here
        tx.execute(text("UPDATE calls SET ended_at = 1, cause = 'declined' WHERE ended_at IS NULL"))
        tx.execute(update(seats).values(**waiting, slot_at=now, wake_at=now))

    def ordered() -> int:
        return int(system.read(lambda tx: tx.execute(text("SELECT count(*) FROM calls")).scalar()))

    spent = []
    for _ in range(DIALS):
        before = ordered()
        system.write(reset)
        began = time.process_time()
        await system.server.scheduler.tick()
        await system.server.ctx.background.idle()
        spent.append(time.process_time() - began)
        if ordered() != before + 1:
            raise AssertionError("the scheduler did not dial")
    return percentile(spent, 0.5)
