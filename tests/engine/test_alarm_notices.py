"""Alarms leave the house: what a way out is given, and what happens while it does not take anything."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from callserver.domain.alarm_notices import AGAIN_AFTER, OVER_AFTER, Notice
from callserver.engine.reporting.alarm_notices import AlarmNotices
from tests.harness.simulated import SimulatedSystem
from tests.harness.waiting import eventually


class WayOut:
    """Takes notices, or does not."""

    def __init__(self) -> None:
        self.takes = True
        self.given: list[tuple[str, str, str]] = []

    async def tell(self, notice: Notice) -> bool:
        self.given.append((notice.kind.value, *notice.key))
        return self.takes


async def test_one_notice_of_each_alarm_until_it_is_over(tmp_path: Path) -> None:
    system = SimulatedSystem(tmp_path)
    way_out = WayOut()
    notices = AlarmNotices(system.server.ctx, [way_out])

    async def looks() -> list[tuple[str, str, str]]:
        way_out.given.clear()
        await notices.look(system.clock.now())
        await system.server.ctx.background.idle()
        return list(way_out.given)

    await system.pass_time(5)
    assert await looks() == []
    await system.server.scheduler.release()
    system.clock.set(system.clock.now() + timedelta(seconds=30))
    way_out.takes = False
    assert await looks() == [("raised", "scheduler_stalled", "")]
    assert await looks() == [("raised", "scheduler_stalled", "")]  # nobody has it yet
    way_out.takes = True
    assert await looks() == [("raised", "scheduler_stalled", "")]
    assert await looks() == []
    system.clock.set(system.clock.now() + AGAIN_AFTER)
    assert ("lasts", "scheduler_stalled", "") in await looks()
    await system.pass_time(1)  # the scheduler is back
    assert ("over", "scheduler_stalled", "") not in await looks()
    system.clock.set(system.clock.now() + OVER_AFTER)
    await system.pass_time(1)
    assert ("over", "scheduler_stalled", "") in await looks()
    assert await looks() == []


async def a_stalled_scheduler(system: SimulatedSystem) -> None:
    """An alarm, and no scheduler that would look for alarms itself."""
    await system.pass_time(5)
    await system.server.scheduler.release()
    system.clock.set(system.clock.now() + timedelta(seconds=30))


class Broken(WayOut):
    """Fails in a way that nobody has thought of."""

    async def tell(self, notice: Notice) -> bool:
        await super().tell(notice)
        raise LookupError


@pytest.mark.parametrize("refusing", [WayOut, Broken])
async def test_one_way_that_takes_nothing_floods_no_other(
    tmp_path: Path, refusing: type[WayOut]
) -> None:
    """A wrong address, or a webhook that is down for a night: the other gets each notice once."""
    system = SimulatedSystem(tmp_path)
    well, ill = WayOut(), refusing()
    ill.takes = False
    notices = AlarmNotices(system.server.ctx, [ill, well])

    async def looks(count: int) -> list[tuple[str, str, str]]:
        well.given.clear()
        ill.given.clear()
        for _ in range(count):
            await notices.look(system.clock.now())
            await system.server.ctx.background.idle()
        return list(well.given)

    await a_stalled_scheduler(system)
    assert await looks(10) == [("raised", "scheduler_stalled", "")]
    assert len(ill.given) == 10  # it is tried again each time: nothing is lost
    system.clock.set(system.clock.now() + AGAIN_AFTER)
    assert (await looks(10)).count(("raised", "scheduler_stalled", "")) == 1  # it lasts
    await system.pass_time(1)  # the scheduler is back
    await looks(1)
    system.clock.set(system.clock.now() + OVER_AFTER)
    await system.pass_time(1)
    assert (await looks(10)).count(("over", "scheduler_stalled", "")) == 1
    await a_stalled_scheduler(system)
    assert (await looks(10)).count(("raised", "scheduler_stalled", "")) == 1


class Slow(WayOut):
    """Takes a notice, but not before it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may_take = asyncio.Event()

    async def tell(self, notice: Notice) -> bool:
        await super().tell(notice)
        await self.may_take.wait()
        return True


async def test_a_slow_way_gets_one_notice_at_a_time_and_holds_up_no_other(tmp_path: Path) -> None:
    """A mail server that takes a minute for each mail."""
    system = SimulatedSystem(tmp_path)
    slow, well = Slow(), WayOut()
    notices = AlarmNotices(system.server.ctx, [slow, well])
    await a_stalled_scheduler(system)
    for _ in range(10):
        await notices.look(system.clock.now())
        await asyncio.sleep(0)
    await eventually(lambda: bool(well.given))
    slow.may_take.set()
    await system.server.ctx.background.idle()
    for _ in range(3):
        await notices.look(system.clock.now())
        await system.server.ctx.background.idle()
    assert slow.given == well.given == [("raised", "scheduler_stalled", "")]
