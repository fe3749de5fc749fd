"""Two exchanges, each with a carrier of its own, behind two servers that are restarted while people are called."""

import asyncio
import contextlib
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.harness.exchange.real import running
from tests.harness.exchange.several import Pair, several
from tests.harness.exchange.system import people
from tests.harness.waiting import PATIENCE_S

pytestmark = pytest.mark.timeout(290)

RATE = 1.0
"""Calls a second for both carriers together."""

RESTARTS = 10 if os.environ.get("CALLSERVER_FULL") else 2
BUSY = "17"


@pytest.fixture(scope="module")
def other_exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with running(tmp_path_factory.mktemp("other_exchange")) as pair:
        yield pair


async def test_one_budget_for_two_carriers_through_ten_restarts(
    exchange: Pair, other_exchange: Pair, tmp_path: Path, postgres_url: str
) -> None:
    """In no window do more telephones ring than the budget allows, and nobody's rings twice."""
    each = {"nord": exchange, "syd": other_exchange}
    rang: list[tuple[float, str]] = []
    list_ = people(*[BUSY] * 60)

    async def watch() -> None:
        while True:
            for name in each:
                known = sum(at == name for _, at in rang)
                now = asyncio.get_running_loop().time()
                rang.extend((now, name) for _ in system.rang_at(name)[known:])
            await asyncio.sleep(0.02)

    async with (
        several(tmp_path, each, list_, 2, postgres_url, RATE) as system,
        contextlib.AsyncExitStack() as other,
    ):
        watching = asyncio.ensure_future(watch())
        for phoner in (1, 2):
            await system.on_shift(phoner)
            await system.ready(phoner)
        for restart in range(RESTARTS):
            before = len(rang)
            await system.wait_for(partial(_has_grown, rang, before + 3), 2 * PATIENCE_S)
            if restart % 2:
                await system.stop()
                await system.open()
            else:
                await other.aclose()
                app = system.another_app()
                await other.enter_async_context(app.router.lifespan_context(app))
        await system.wait_for(partial(_has_grown, rang, len(rang) + 5), 2 * PATIENCE_S)
        watching.cancel()
    numbers = [number for name in each for number in system.rang_at(name)]
    assert len(numbers) == len(set(numbers))
    assert {name for _, name in rang} == set(each)
    times = [at for at, _ in rang]
    for window in (2, 5, 10, 20):  # an order may ring up to two seconds after its slot
        most = max(sum(begin <= at < begin + window for at in times) for begin in times)
        assert most <= (window + 2) * RATE + 1, window


def _has_grown(rang: list[tuple[float, str]], to: int) -> bool:
    return len(rang) >= to
