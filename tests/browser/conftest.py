"""The demonstration in real time, and users who open its pages in Chromium.

Each test has a `system` of its own, so that a second try starts where the first one did; `visit("maja")` is
somebody's window, signed in. A page that throws an error fails its test.
"""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Response,
    expect,
    sync_playwright,
)

from callserver.cli.simulated_stack import StackPlan
from callserver.simulator.population import BehaviourRates
from tests.harness.threaded import BrowserSystem, open_system

pytest.register_assert_rewrite(
    *(f"tests.browser.evening_{name}" for name in ("maja", "sigrid", "afterwards")),
    *("tests.browser.dial_paths", "tests.browser.training_days"),
)

ROOT = Path(__file__).parents[2]
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser")
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
"""The first that is here: the shell draws no window around a page, and takes less processor time."""
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
    "net::ERR_FAILED",  # a test refused the request
    "net::ERR_INCOMPLETE_CHUNKED_ENCODING",
)
"""Chromium's own lines about answers that are no error of the page's: it says so itself."""


SCRIPTS_HAVE_RUN = """() => Promise.all(
  [...document.querySelectorAll("script[type=module]")].map(({ src }) => import(src)))"""
"""A page counts as loaded while its scripts wait for their first answers, before all of its keys and buttons work."""


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
def system(tmp_path: Path) -> Iterator[BrowserSystem]:
    """Two robots, one free seat, and a town in which everybody answers and talks."""
    with open_system(StackPlan(tmp_path, ROOT / "config", 2, 300, rates=EVERYBODY_TALKS)) as opened:
        yield opened


Visit = Callable[..., Page]


@pytest.fixture
def visit(chromium: Browser, system: BrowserSystem) -> Iterator[Visit]:
    """Somebody's own window: `visit("sigrid", "/floor", language="da")`."""
    with windows(chromium, system) as window:

        def come(handle: str, path: str = "/", **more: Any) -> Page:
            page = window(**more)
            sign_in_without_page(page, system, handle)
            page.goto(system.url + path)
            return page

        yield come


@contextlib.contextmanager
def windows(chromium: Browser, system: BrowserSystem) -> Iterator[Visit]:
    """Windows that are closed at the end; an error in a page is the test's."""
    opened_: list[BrowserContext] = []
    wrong: list[str] = []

    def noted(said: ConsoleMessage) -> None:
        if said.type == "error" and not any(phrase in said.text for phrase in QUIET):
            wrong.append(said.text)

    def window(language: str = "en", **more: Any) -> Page:
        at_home = {"locale": LOCALES[language], "timezone_id": "Europe/Copenhagen"}
        wide: Any = {"viewport": {"width": 1280, "height": 800}}
        context = chromium.new_context(**{**wide, **at_home, **more})
        context.add_cookies([{"name": "language", "value": language, "url": system.url}])
        context.set_default_timeout(WAIT_MS)
        opened_.append(context)
        page = context.new_page()
        wait_for_scripts(page)
        page.on("dialog", lambda asked: asked.accept())  # to leave a page during a talk
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", noted)
        return page

    yield window
    for context in opened_:
        context.close()
    assert not wrong, wrong


def wait_for_scripts(page: Page) -> None:
    """Let `goto` and `reload` return when the page has fetched and drawn what it begins with."""

    def complete(load: Callable[..., Response | None], *args: Any, **more: Any) -> Response | None:
        response = load(*args, **more)
        page.evaluate(SCRIPTS_HAVE_RUN)
        return response

    for method in ("goto", "reload"):
        setattr(page, method, partial(complete, getattr(page, method)))


def sign_in_without_page(page: Page, system: BrowserSystem, handle: str) -> None:
    """By the API, as the sign-in page does it: two pages less to load, in most tests of other pages."""

    def post(path: str, csrf: str, **values: str) -> dict[str, str]:
        url = f"{system.url}/api/v1{path}"
        reply = page.context.request.post(url, data=values, headers={"x-csrf": csrf})
        assert reply.ok, reply.text()
        answer: dict[str, str] = reply.json()
        return answer

    answer = post("/sign-in", "", handle=handle, password=system.stage.staff.password)
    if answer["next"] == "code":
        answer = post("/sign-in/code", answer["csrf"], code=system.code(handle))
    assert answer["next"] == "ready", answer


def sign_in(page: Page, system: BrowserSystem, handle: str, password: str = "") -> None:
    """Name, password (by default the invented users'), and the one-time code where the role needs one."""
    page.goto(f"{system.url}/sign-in")
    page.fill("#credentials [name=handle]", handle)
    page.fill("#credentials [name=password]", password or system.stage.staff.password)
    page.click("#credentials button:not([type=button])")
    page.locator("#code:visible, #sign-out").first.wait_for()
    if page.url.endswith("/sign-in"):
        page.fill("#code [name=code]", system.code(handle))
        page.click("#code button:not([type=button])")
        page.locator("#sign-out").wait_for()
