"""A whole house in real time (the demonstration's own), and people who open its pages in Chromium.

Each test has a `house` of its own, so that a second try starts where the first one did; `visit("maja")` is
somebody's window, signed in. A page that throws an error fails its test.
"""

import asyncio
import contextlib
import shutil
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)

from callserver.adapters.clock import ShiftedClock
from callserver.cli.simulated_stack import SimulatedStack, StackPlan, started
from callserver.ports import Tx
from callserver.simulator.population import BehaviourRates
from tests.harness.protocol import TestSystem

pytest.register_assert_rewrite(
    *(f"tests.browser.evening_{name}" for name in ("maja", "sigrid", "afterwards"))
)

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
WHY_NOT = "" if CHROMIUM else "no Chromium on this machine (apt-get install chromium)"

FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    *("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"),
    "--autoplay-policy=no-user-gesture-required",
)

EVERYBODY_TALKS = BehaviourRates(
    answers=1,
    hangs_up_early=0,
    voicemail=0,
    returns_missed=0,
    talk_seconds=25,
    rings_for=(1, 2),
    wraps_up=(2, 4),
)

WAIT_MS = 20_000
expect.set_options(timeout=WAIT_MS)
LOCALES = {"da": "da-DK", "en": "en-GB"}

QUIET = (
    "the server responded with a status of 4",
    "net::ERR_CONNECTION_REFUSED",
    "net::ERR_INCOMPLETE_CHUNKED_ENCODING",
)
"""Chromium's own lines about answers that are no error of the page's: it says so itself."""


@dataclass
class House(TestSystem):
    """A house that runs in a thread of its own."""

    stage: SimulatedStack
    loop: asyncio.AbstractEventLoop
    given: dict[str, datetime] = field(
        default_factory=dict
    )  # of each account, its last code's time

    @property
    def url(self) -> str:
        return self.stage.url

    def code(self, handle: str) -> str:
        """A one-time code that the account has not given yet: each counts once.

        The server takes the next code early, but not the one after: a third sign-in within a minute
        waits for its time.
        """
        last = self.given.get(handle)
        if last is not None:
            while last > self.stage.clock.device_time():
                time.sleep(0.2)
        now = self.stage.clock.device_time()
        self.given[handle] = now if last is None else max(now, last + timedelta(seconds=30))
        return self.stage.staff.code(self.given[handle])

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Do something in the house's own loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def read(self, work: Callable[[Tx], Any]) -> Any:
        return self.run(self.stage.server.store.read(work))

    def write(self, work: Callable[[Tx], Any]) -> Any:
        return self.run(self.stage.server.store.run(work))

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """The server is stopped; after the block a new one has its database and its address."""
        self.run(self.stage.close())
        yield
        self.run(self.stage.reopen())


@contextlib.contextmanager
def open_house(plan: StackPlan, clock: ShiftedClock | None = None) -> Iterator[House]:
    """The house, open until the block ends."""
    found: list[House] = []
    failed: list[BaseException] = []
    ready, over = threading.Event(), asyncio.Event()

    async def live() -> None:
        async with started(plan, clock) as stage:
            found.append(House(stage, asyncio.get_running_loop()))
            ready.set()
            await over.wait()

    def work() -> None:
        try:
            asyncio.run(live())
        except BaseException as error:
            failed.append(error)
            raise
        finally:
            ready.set()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert ready.wait(60)
    assert found, failed
    try:
        yield found[0]
    finally:
        found[0].loop.call_soon_threadsafe(over.set)
        thread.join(30)
        assert not thread.is_alive(), "the house did not close"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """For one module: while it is open, its thread has a running loop, where no other test may start one."""
    if WHY_NOT:
        pytest.skip(WHY_NOT)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Two robots, one free seat, and a town in which everybody answers and talks."""
    with open_house(StackPlan(tmp_path, ROOT / "config", 2, 300, rates=EVERYBODY_TALKS)) as found:
        yield found


Visit = Callable[..., Page]


@pytest.fixture
def visit(chromium: Browser, house: House) -> Iterator[Visit]:
    """Somebody's own window: `visit("sigrid", "/floor", language="da")`."""
    with windows(chromium, house) as window:

        def come(handle: str, path: str = "/", **more: Any) -> Page:
            page = window(**more)
            sign_in(page, house, handle)
            if path != "/":
                page.goto(house.url + path)
            return page

        yield come


@contextlib.contextmanager
def windows(chromium: Browser, house: House) -> Iterator[Visit]:
    """Windows that are closed at the end; an error in a page is the test's."""
    opened_: list[BrowserContext] = []
    wrong: list[str] = []

    def noted(said: ConsoleMessage) -> None:
        if said.type == "error" and not any(one in said.text for one in QUIET):
            wrong.append(said.text)

    def window(language: str = "en", **more: Any) -> Page:
        at_home = {"locale": LOCALES[language], "timezone_id": "Europe/Copenhagen"}
        wide: Any = {"viewport": {"width": 1280, "height": 800}}
        context = chromium.new_context(**{**wide, **at_home, **more})
        context.add_cookies([{"name": "language", "value": language, "url": house.url}])
        context.set_default_timeout(WAIT_MS)
        opened_.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", noted)
        return page

    yield window
    for context in opened_:
        context.close()
    assert not wrong, wrong


def sign_in(page: Page, house: House, handle: str) -> None:
    """Name, password, and the one-time code where the role needs one."""
    staff = house.stage.staff
    page.goto(f"{house.url}/sign-in")
    page.fill("#credentials [name=handle]", handle)
    page.fill("#credentials [name=password]", staff.password)
    page.click("#credentials button:not([type=button])")
    page.locator("#code:visible, #sign-out").first.wait_for()
    if page.url.endswith("/sign-in"):
        page.fill("#code [name=code]", house.code(handle))
        page.click("#code button:not([type=button])")
        page.locator("#sign-out").wait_for()
