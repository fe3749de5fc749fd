"""Alarms leave the house: what a way out is given, and what happens while it does not take anything."""

from datetime import timedelta
from pathlib import Path

from callserver.domain.alarm_notices import AGAIN_AFTER, OVER_AFTER, Notice
from callserver.engine.reporting.alarm_notices import AlarmNotices
from tests.harness.simulated import SimulatedSystem


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
