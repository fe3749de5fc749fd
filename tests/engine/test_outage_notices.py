"""A database that takes no writes, and rounds that fail, are told without the database."""

from pathlib import Path

import pytest

from callserver.domain.alarm_notices import OVER_AFTER
from callserver.engine.reporting import outage_notices
from callserver.engine.reporting.notice_delivery import NoticeDelivery
from callserver.engine.reporting.outage_notices import OutageNotices
from callserver.engine.write_probe import WriteProbe
from tests.engine.test_alarm_notices import WayOut
from tests.harness.simulated import SimulatedSystem


class House:
    """A server whose database and rounds fail on demand, and a way out."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.system = SimulatedSystem(folder)
        self.well, self.stalled_for, self.way_out = True, 0.0, WayOut()
        delivery = NoticeDelivery([self.way_out])
        self.notices = OutageNotices(self.system.server.ctx, delivery, lambda: self.stalled_for)

        async def takes_writes(_: WriteProbe, __: float) -> bool:
            return self.well

        patch.setattr(WriteProbe, "takes_writes", takes_writes)

    async def looks(self) -> list[tuple[str, str, str]]:
        self.way_out.given.clear()
        await self.notices.look()
        return list(self.way_out.given)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    return House(tmp_path, monkeypatch)


async def test_a_database_that_takes_no_writes(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await house.looks() == []
    house.well = False
    assert await house.looks() == []  # it may be over before anybody could look
    monkeypatch.setattr(outage_notices, "LASTS_S", 0)
    house.way_out.takes = False
    assert await house.looks() == [("raised", "database_down", "")]
    house.way_out.takes = True
    assert await house.looks() == [("raised", "database_down", "")]  # nobody had it yet
    assert await house.looks() == []
    house.well = True
    assert await house.looks() == []
    house.system.clock.set(house.system.clock.now() + OVER_AFTER)
    assert await house.looks() == [("over", "database_down", "")]
    assert await house.looks() == []
    house.system.close()


async def test_rounds_that_fail(house: House) -> None:
    house.stalled_for = 30
    assert await house.looks() == []
    house.stalled_for = 75
    assert await house.looks() == [("raised", "scheduler_stalled", "")]
    assert await house.looks() == []
    house.stalled_for = 0.5
    house.system.clock.set(house.system.clock.now() + OVER_AFTER)
    assert await house.looks() == [("over", "scheduler_stalled", "")]
    house.system.close()
