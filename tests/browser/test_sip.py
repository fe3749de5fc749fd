"""The browser as a telephone of an own exchange: a real Asterisk, real sound both ways."""

import asyncio
import contextlib
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pyotp
import pytest
import uvicorn
from playwright.async_api import Page, async_playwright, expect

from callserver.adapters.asterisk.bridging import packets_received
from callserver.adapters.asterisk.client import Ari
from callserver.cli.simulated_stack import listening
from callserver.console.phone.softphone import bundled
from callserver.database import accounts
from callserver.domain.role import NEEDS_CODE, Role
from callserver.engine.accounts.authentication import new_password
from callserver.engine.accounts.offboarding import off_board
from tests.browser.conftest import CHROMIUM, FLAGS, SCRIPTS_HAVE_RUN, WHY_NOT
from tests.harness.exchange.real import Called, Exchange, await_trunk
from tests.harness.exchange.system import ExchangeSystem, opened, people
from tests.harness.waiting import eventually

pytestmark = [
    pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT),
    pytest.mark.skipif(not bundled("sip"), reason="no bundled softphone here (scripts/assets)"),
]

WATCHED = """
window.legs = [];
window.asked = 0;
const Plain = window.RTCPeerConnection;
window.RTCPeerConnection = class extends Plain {
  constructor(...args) { super(...args); window.legs.push(this); }
};
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = (wanted) => { window.asked += 1; return ask(wanted); };
"""
"""The page's legs and what it asks for, for the test to look at."""

ON_THE_LINE = "The browser phone is on the line"

ENERGY = """async () => {
  const found = { heard: 0, sent: 0 };
  for (const leg of window.legs) {
    if (leg.connectionState === "closed") continue;
    for (const one of (await leg.getStats()).values()) {
      if (one.type === "inbound-rtp") found.heard += one.totalAudioEnergy ?? 0;
      if (one.type === "media-source") found.sent += one.totalAudioEnergy ?? 0;
    }
  }
  return found;
}"""


@contextlib.asynccontextmanager
async def page_of(
    system: ExchangeSystem, handle: str, path: str, *flags: str
) -> AsyncIterator[Page]:
    """The system's pages on a local port, and a signed-in user."""
    door = listening()
    config = uvicorn.Config(system.app, log_config=None, access_log=False, lifespan="off")
    config.timeout_graceful_shutdown = 1
    serving = uvicorn.Server(config)
    task = asyncio.ensure_future(serving.serve([door]))
    url = f"http://127.0.0.1:{door.getsockname()[1]}"
    password, kept = new_password()
    key = pyotp.random_base32()

    def add_visitor_accounts(tx: Any) -> None:
        user = accounts.by_handle(tx, handle)
        assert user is not None
        code = system.server.authentication.keep(key) if user.role in NEEDS_CODE else None
        accounts.change(tx, user.id, password=kept, password_once=False, code_key=code)

    await system.server.store.run(add_visitor_accounts)
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=CHROMIUM, args=[*FLAGS, *flags]
            )
            context = await browser.new_context()
            await context.add_cookies([{"name": "language", "value": "en", "url": url}])
            page = await context.new_page()
            await page.add_init_script(WATCHED)
            await page.goto(f"{url}/sign-in")
            await page.fill("#credentials [name=handle]", handle)
            await page.fill("#credentials [name=password]", password)
            await page.click("#credentials button:not([type=button])")
            await page.locator("#code:visible, #sign-out").first.wait_for()
            if page.url.endswith("/sign-in"):
                await page.fill("#code [name=code]", pyotp.TOTP(key).at(system.clock.device_time()))
                await page.click("#code button:not([type=button])")
                await page.locator("#sign-out").wait_for()
            await page.goto(url + path)
            await page.evaluate(SCRIPTS_HAVE_RUN)
            yield page
            await browser.close()
    finally:
        system.server.feed.stop()
        serving.should_exit = True
        await task


async def on_shift(page: Page) -> None:
    await page.check("[name=campaign][value=kanvas]")
    await page.locator("#lines label").first.click()
    await page.locator("#shift-form .main").click()
    await expect(page.locator("#seat")).to_have_attribute("data-state", "paused", timeout=30_000)
    await expect(page.locator("#softphone")).to_have_text(ON_THE_LINE)


async def grows(page: Page, what: str) -> bool:
    """Whether there is sound of this kind just now."""
    before = (await page.evaluate(ENERGY))[what]
    for _ in range(30):
        await asyncio.sleep(0.1)
        if (await page.evaluate(ENERGY))[what] > before + 1e-6:
            return True
    return False


async def more_packets(ari: Ari, leg: str) -> None:
    """Wait until half a second of sound has arrived, or of silence."""
    before = await packets_received(ari, leg)

    async def received() -> bool:
        return await packets_received(ari, leg) > before + 30

    await eventually(received)


async def test_a_talk_in_the_browser(exchange: tuple[Exchange, Called], tmp_path: Path) -> None:
    """The called telephone sends back what it hears: so sound that comes has gone both ways."""

    async with (
        opened(tmp_path, *exchange, people("00")) as system,
        page_of(system, "p1", "/phone") as page,
    ):
        assert await page.evaluate("window.asked") == 0
        await on_shift(page)
        assert await page.evaluate("window.asked") == 1
        assert system.seat_row().connected
        await page.keyboard.press("r")
        await system.wait_for(lambda: system.seat_row().state == "talking")
        assert await grows(page, "sent")
        assert await grows(page, "heard")
        ari, leg = system.own.ari, system.seat_row().leg
        await more_packets(ari, leg)

        await page.keyboard.press("m")
        await expect(page.locator("#softphone")).to_have_text(
            "Your microphone is off: nobody hears you"
        )

        async def muted() -> bool:
            return not await grows(page, "sent")

        await eventually(muted)
        await more_packets(ari, leg)  # silence is sent: the telephone is alive
        await page.keyboard.press("m")
        assert await grows(page, "sent")

        await page.keyboard.press("x")
        await system.wait_for(lambda: system.seat_row().state == "wrapping_up")
        await expect(page.locator("#softphone")).to_have_text(ON_THE_LINE)


async def test_the_telephone_comes_back_after_a_reload(
    exchange: tuple[Exchange, Called], tmp_path: Path
) -> None:
    """It calls in by itself; where the browser wants a key or a click before any sound, it says so."""

    async with (
        opened(tmp_path, *exchange, people("00")) as system,
        page_of(system, "p1", "/phone") as page,
    ):
        await on_shift(page)
        before = system.seat_row().leg
        await page.reload()
        await page.locator("#seat h2").click()  # where Chromium wants one
        await system.wait_for(
            lambda: system.seat_row().connected and system.seat_row().leg != before
        )
        await expect(page.locator("#softphone")).to_have_text(ON_THE_LINE)


async def test_who_talks_when_the_exchange_dies_reads_what_to_do(
    exchange: tuple[Exchange, Called], tmp_path: Path
) -> None:
    """The outcome is kept at once; the call stays open until the exchange is back."""
    async with (
        opened(tmp_path, *exchange, people("00")) as system,
        page_of(system, "p1", "/phone") as page,
    ):
        await on_shift(page)
        await page.keyboard.press("r")
        await system.wait_for(lambda: system.seat_row().state == "talking")
        words = page.locator("#kind-words")
        await expect(words).not_to_contain_text("If the line is silent")
        await asyncio.to_thread(exchange[0].stop, signal.SIGKILL)
        try:
            await expect(words).to_contain_text("If the line is silent", timeout=60_000)
            await system.outcome("no_thanks", then="pause")
            assert system.calls()[0].ended_at is None
            assert system.calls()[0].outcome == "no_thanks"
        finally:
            await asyncio.to_thread(exchange[0].start)
            await asyncio.to_thread(await_trunk, exchange[0], "online")
        await system.wait_for(lambda: system.calls()[0].ended_at is not None)
        await expect(words).not_to_contain_text("If the line is silent", timeout=60_000)


async def test_who_has_left_loses_the_telephone(
    exchange: tuple[Exchange, Called], tmp_path: Path
) -> None:
    async with (
        opened(tmp_path, *exchange, people("00")) as system,
        page_of(system, "p1", "/phone") as page,
    ):
        await on_shift(page)
        leg, now = system.seat_row().leg, system.clock.now()

        def leaves(tx: Any) -> None:
            user = accounts.user(tx, 1)
            assert user is not None
            off_board(tx, user, now, "test")

        await system.server.store.run(leaves)
        await system.wait_for(lambda: system.seat_row().state == "off")
        ari = system.own.ari

        async def gone() -> bool:
            return (await ari.get("channels", leg)).gone

        await eventually(gone)


async def test_a_trainee_in_the_browser_hears_and_is_not_heard(
    exchange: tuple[Exchange, Called], tmp_path: Path
) -> None:
    """The page never asks for the microphone, so there is no sound to send."""

    async with opened(tmp_path, *exchange, people("00"), phoners=2) as system:
        await system.server.store.run(lambda tx: accounts.change(tx, 2, mentor=1))
        mentor = await system.on_shift()
        mentor.speaks = lambda count: bytes((count * 7 + n) % 256 for n in range(160))
        async with page_of(system, "p2", "/phone") as page:
            await page.locator("#mentor-act").click()
            words = page.locator("#mentor-words")
            await expect(words).to_contain_text("Nobody hears you", timeout=20_000)
            await expect(page.locator("#mentor-line")).to_have_text(ON_THE_LINE)
            await system.ready()
            await system.wait_for(lambda: system.seat_row().state == "talking")
            assert await grows(page, "heard")
            assert (await page.evaluate(ENERGY))["sent"] == 0
            assert await page.evaluate("window.asked") == 0
            await page.locator("#mentor-act").click()
            await expect(page.locator("#mentor-act")).to_have_text("Listen in")
            assert system.seat_row().state == "talking"


async def test_a_role_play_call_in_two_browsers(
    exchange: tuple[Exchange, Called], tmp_path: Path
) -> None:
    """Interviewer and applicant hear each other; when one page is closed, both legs are gone."""
    async with opened(tmp_path, *exchange, people("00")) as system:
        await system.server.store.run(
            lambda tx: system.add_token_user(tx, 21, "u21", Role.SUPERVISOR, "nord")
        )
        async with page_of(system, "u21", "/applicants") as page:
            await page.locator("#add").click()
            await page.fill("#dialog [name=name]", "Ane Prøvesen")
            await page.locator("#dialog button.main").click()
            await page.locator("[data-key^='play-']").click()
            await page.locator("#dialog button.main").click()
            shown = page.locator("#playing-code b")
            await expect(shown).to_have_text(re.compile(r"\w{4}-\w{4}"))
            code = await shown.inner_text()
            guest = await applicants_page(page)
            await guest.fill("#enter [name=code]", code)
            await guest.keyboard.press("Enter")
            connected = "You are connected. Begin when you are ready."
            await expect(guest.locator("#state")).to_have_text(connected, timeout=30_000)
            await expect(page.locator("#playing-state")).to_contain_text("You talk.")
            for window in (page, guest):
                assert await grows(window, "sent")
                assert await grows(window, "heard")
            await guest.close()
            await expect(page.locator("#playing")).to_be_hidden(timeout=30_000)
            ari = system.own.ari

            async def nothing_is_left() -> bool:
                left = [*(await ari.get("channels")).body, *(await ari.get("bridges")).body]
                endpoints = (await ari.get("endpoints", "PJSIP")).body
                names = {endpoint["resource"] for endpoint in endpoints}
                return not left and not {"applicant_1", "interviewer_1"} & names

            await eventually(nothing_is_left)
            assert system.rang() == []


async def applicants_page(page: Page) -> Page:
    """Another browser, in which nobody is signed in."""
    assert page.context.browser is not None
    context = await page.context.browser.new_context()
    origin = page.url.removesuffix("/applicants")
    await context.add_cookies([{"name": "language", "value": "en", "url": origin}])
    guest = await context.new_page()
    await guest.add_init_script(WATCHED)
    await guest.goto(f"{origin}/role-play")
    await guest.evaluate(SCRIPTS_HAVE_RUN)
    return guest
