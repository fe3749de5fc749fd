"""A shift goes on through another exchange: two real ones, one of them killed, the phoner's telephone in a browser."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser import test_sip
from tests.browser.test_sip import grows, on_shift, page_of
from tests.harness.exchange.real import await_trunk, running
from tests.harness.exchange.several import Pair, SeveralSystem, several
from tests.harness.exchange.system import SUPERVISOR, people

pytestmark = [*test_sip.pytestmark, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def other_exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with running(tmp_path_factory.mktemp("other_exchange")) as pair:
        yield pair


@contextlib.asynccontextmanager
async def waits_at_a_dead_one(
    folder: Path, exchange: Pair, other: Pair
) -> AsyncIterator[tuple[SeveralSystem, Page]]:
    """A phoner is ready at an exchange that has been killed; it is alive again at the end."""
    async with (
        several(folder, {"nord": exchange, "syd": other}, people("00", "00"), 1) as system,
        page_of(system, "p1", "/phone") as page,
    ):
        await on_shift(page)
        assert system.seat_row().exchange == "nord"
        await asyncio.to_thread(exchange[0].stop, signal.SIGKILL)
        try:
            await system.wait_for(lambda: not system.events["nord"].owns.is_set())
            await page.keyboard.press("r")
            await system.wait_for(lambda: system.seat_row().reason == "another_exchange")
            yield system, page
        finally:
            await asyncio.to_thread(exchange[0].start)
            await asyncio.to_thread(await_trunk, exchange[0], "online")


async def talks_at_the_other(system: SeveralSystem, page: Page) -> None:
    await system.wait_for(lambda: system.seat_row().state == "talking")
    assert system.seat_row().exchange == "syd"
    assert (len(system.rang_at("nord")), len(system.rang_at("syd"))) == (0, 1)
    assert await grows(page, "sent")
    assert await grows(page, "heard")


async def test_a_phoner_goes_on_by_a_button(
    exchange: Pair, other_exchange: Pair, tmp_path: Path
) -> None:
    async with waits_at_a_dead_one(tmp_path, exchange, other_exchange) as (system, page):
        await page.locator("#elsewhere").click()
        await talks_at_the_other(system, page)


async def test_a_supervisor_moves_a_shift(
    exchange: Pair, other_exchange: Pair, tmp_path: Path
) -> None:
    """The phoner's telephone signs in at the other exchange by itself, and the phoner presses Ready."""
    async with waits_at_a_dead_one(tmp_path, exchange, other_exchange) as (system, page):
        system.employ()
        async with page_of(system, f"u{SUPERVISOR}", "/floor") as floor:
            await floor.locator("#seats .seat").first.click()
            await floor.locator("[data-key=exchange]").click()
            await floor.locator("dialog[open] .main").click()
            await expect(floor.locator("[data-key=exchange]")).to_have_count(0)
        await system.wait_for(lambda: system.seat_row().connected)
        assert system.seat_row().state == "paused", "nobody is called for a phoner who may be away"
        await expect(page.locator("#seat")).to_have_attribute("data-state", "paused")
        (moved,) = system.entries("exchange_changed")
        assert (moved["phoner"], moved["by"]) == (1, f"user:{SUPERVISOR}")
        await page.keyboard.press("r")
        await talks_at_the_other(system, page)
        # Once the phoner's exchange answers there is nothing to move.
        status, _ = await system.api("POST", "/floor/seats/1/exchange", {}, phoner=SUPERVISOR)
        assert status == 409
