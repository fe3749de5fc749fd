"""A budget of calls per second whose slots are taken, and a clock that waits for them."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from callserver.database import call_budget
from callserver.simulator.virtual_time import VirtualClock


def taken_for(system: Any, monkeypatch: pytest.MonkeyPatch, seconds: float) -> datetime:
    """Take every slot for so long. Returns when the next call may be ordered."""
    ctx = system.server.ctx
    free: datetime = ctx.clock.now() + timedelta(seconds=seconds)
    step = timedelta(seconds=1 / ctx.budgets.shared.per_second)
    with system.server.store.engine.begin() as tx:
        call_budget.take_slot(tx, free - step, ctx.budgets.shared)

    async def sleep(clock: VirtualClock, waits: float) -> None:
        clock.set(clock.now() + timedelta(seconds=waits))

    monkeypatch.setattr(VirtualClock, "sleep", sleep)
    return free
