"""The agenda in real time, as servers in processes of their own have it."""

import asyncio
from datetime import datetime, timedelta

import pytest

from callserver.simulator.virtual_time import Agenda, VirtualClock

START = datetime.fromisoformat("2026-05-12T17:00:00+02:00")


async def nothing() -> None: ...


@pytest.mark.parametrize("turns", range(5))
async def test_it_ends_when_cancelled_just_as_something_is_added(turns: int) -> None:
    """Else the network would go on after the evening, and its process would never end."""
    agenda = Agenda(VirtualClock(START))
    agenda.at(START + timedelta(hours=2), nothing)
    running = asyncio.ensure_future(agenda.run())
    await asyncio.sleep(0.01)
    agenda.at(START + timedelta(hours=1), nothing)
    for _ in range(turns):
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait([running], timeout=1)
    ended = running.done()
    running.cancel()
    assert ended
