"""One piece of work that fails or hangs keeps the scheduler from nothing else."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from callserver.database import leases
from callserver.database.inline_store import InlineStore
from callserver.domain.seat import SeatState
from callserver.engine.accounts.offboarding import Offboarding
from callserver.engine.calls import seat_moves
from callserver.engine.chores import Chore
from callserver.engine.scheduler import Scheduler
from tests.harness.simulated import SimulatedSystem, in_a_talk


@pytest.fixture
def system(tmp_path: Path) -> Iterator[SimulatedSystem]:
    made = SimulatedSystem(tmp_path)
    yield made
    made.close()


def scheduler(system: SimulatedSystem, seal: Any, *chores: Chore) -> Scheduler:
    server = system.server
    return Scheduler(
        server.ctx,
        server.reconciliation,
        server.phoner_legs,
        Offboarding(server.ctx),
        server.listener_legs,
        server.role_play_legs,
        seal,
        "test",
        chores,
    )


async def nothing_to_seal() -> None: ...


async def wrap_up_is_over(system: SimulatedSystem) -> None:
    leg = await in_a_talk(system)
    system.network.hang_up_by_person(leg)
    await system.pass_time(2)
    assert (await system.seat())["state"] == SeatState.WRAPPING_UP
    await system.server.scheduler.release()
    system.clock.set(system.clock.now() + timedelta(minutes=10))


async def test_a_look_at_which_nothing_is_due_is_one_transaction(system: SimulatedSystem) -> None:
    """It looks twice a second."""
    await system.on_shift()
    await system.server.scheduler.release()
    looks = scheduler(system, nothing_to_seal)
    await looks.tick()
    await system.server.ctx.background.idle()
    store = system.server.store
    assert isinstance(store, InlineStore)
    before = store.ran
    await looks.tick()
    assert store.ran == before + 1


async def test_a_scheduler_beside_another_only_reads_and_takes_over(
    system: SimulatedSystem,
) -> None:
    await system.on_shift()
    second, store = scheduler(system, nothing_to_seal), system.server.store

    def written(tx: Any) -> int:
        rows: int = tx.connection.dbapi_connection.total_changes
        return rows

    before = await store.read(written)
    await second.tick()
    assert await store.read(written) == before
    await system.server.scheduler.release()
    system.clock.set(system.clock.now() + timedelta(seconds=0.5))
    await second.tick()
    assert not await store.read(
        lambda tx: leases.acquire(tx, leases.SCHEDULER, "a third", system.clock.now())
    )


async def test_a_log_that_cannot_be_sealed_holds_no_phoner_up(system: SimulatedSystem) -> None:
    """The disk of the heads file is full."""

    async def full() -> datetime:
        raise OSError("no space left on device")

    await wrap_up_is_over(system)
    with pytest.raises(OSError, match="no space"):  # told by health and log
        await scheduler(system, full).tick()
    assert system.seats()[0].state != SeatState.WRAPPING_UP


async def test_a_chore_that_takes_long_holds_no_phoner_up(system: SimulatedSystem) -> None:
    begun: list[datetime] = []
    over = asyncio.Event()

    async def long(now: datetime) -> None:
        begun.append(now)
        await over.wait()

    async def fails(_: datetime) -> None:
        raise RuntimeError("a chore's own")

    await wrap_up_is_over(system)
    ticking = scheduler(system, nothing_to_seal, Chore(fails), Chore(long))
    await asyncio.wait_for(ticking.tick(), 5)
    assert system.seats()[0].state != SeatState.WRAPPING_UP
    system.clock.set(system.clock.now() + timedelta(hours=2))
    await ticking.tick()
    await asyncio.sleep(0)
    assert len(begun) == 1  # not a second time beside itself
    over.set()
    await system.server.ctx.background.idle()
    await ticking.tick()
    await system.server.ctx.background.idle()
    assert len(begun) == 2


async def test_a_chore_that_takes_long_holds_no_chore_up_that_is_apart(
    system: SimulatedSystem,
) -> None:
    """Alarms leave the house while the tables are compared with the log."""
    looks: list[datetime] = []
    over = asyncio.Event()

    async def long(_: datetime) -> None:
        await over.wait()

    async def look(now: datetime) -> None:
        looks.append(now)

    await system.server.scheduler.release()
    often = Chore(look, every=timedelta(seconds=30), apart=True)
    ticking = scheduler(system, nothing_to_seal, Chore(long), often)
    for minutes in range(3):
        system.clock.set(system.clock.now() + timedelta(minutes=1))
        await ticking.tick()
        await asyncio.sleep(0)
        assert len(looks) == minutes + 1
    over.set()
    await system.server.ctx.background.idle()


async def test_a_chore_that_fails_is_counted(system: SimulatedSystem) -> None:
    """Otherwise nobody learns that personal data is kept too long, unless they read the log."""

    class Forgetful:
        async def run(self, _: datetime) -> None:
            raise OSError("no space left on device")

    def counted() -> float | None:
        return REGISTRY.get_sample_value(
            "callserver_failed_chores_total", {"chore": Forgetful.__name__}
        )

    await system.server.scheduler.release()
    ticking = scheduler(system, nothing_to_seal, Chore(Forgetful().run))
    before = counted()
    assert before is not None  # a first failure is an increase
    await ticking.tick()
    await system.server.ctx.background.idle()
    assert counted() == before + 1


async def test_alarms_wait_for_no_other_chore(system: SimulatedSystem) -> None:
    chores = system.server.scheduler.chores.apart
    assert [chore.name for chore in chores] == ["AlarmNotices"]


async def test_a_seat_whose_work_fails_holds_no_other_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = SimulatedSystem(tmp_path, phoners=2)
    for number in (1, 2):
        await system.on_shift(number)
        await system.ready(number)
    await system.pass_time(5)
    for leg in system.live_legs():
        system.network.hang_up_by_person(leg)
    await system.pass_time(2)
    moves = seat_moves.move

    def move(tx: Any, ctx: Any, row: Any, *more: Any, **others: Any) -> Any:
        if row.id == 1:
            raise RuntimeError("a seat's own")
        return moves(tx, ctx, row, *more, **others)

    monkeypatch.setattr(seat_moves, "move", move)
    await system.server.scheduler.release()
    system.clock.set(system.clock.now() + timedelta(minutes=10))
    with pytest.raises(RuntimeError, match="own"):
        await scheduler(system, nothing_to_seal).tick()
    first, second = system.seats()
    assert first.state == SeatState.WRAPPING_UP
    assert second.state != SeatState.WRAPPING_UP
    system.close()
