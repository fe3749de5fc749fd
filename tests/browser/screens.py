"""python -m tests.browser.screens: pictures of each page, in docs/screens. Nobody in them is real."""

import contextlib
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright
from sqlalchemy import select

from callserver import log
from callserver.cli.simulated_stack import StackPlan
from callserver.database import contacts
from callserver.database.tables import calls
from callserver.simulator.population import BehaviourRates
from tests.browser import conftest, looking
from tests.browser.conftest import sign_in, windows
from tests.browser.shift import on_shift, state
from tests.harness.threaded import BrowserSystem, open_system

SCREENS = conftest.ROOT / "docs" / "screens"
EVENING = BehaviourRates(
    answers=0.6,
    hangs_up_early=0,
    voicemail=0,
    talk_seconds=45,
    shortest_talk=30,
    returns_missed=0.05,
    wraps_up=(5, 12),
)
"""Everybody who answers talks for a while: a supervisor needs time to listen."""
WARM_UP_S = 90
"""So long the robots work before the first picture: empty pages show nothing."""
WIDE = {"width": 1440, "height": 900}

Visit = Callable[[str, str], Page]


def main() -> None:
    log.set_up("error")
    if conftest.WHY_NOT:
        raise SystemExit(conftest.WHY_NOT)
    SCREENS.mkdir(exist_ok=True)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        plan = StackPlan(folder, conftest.ROOT / "config", 12, 600, rates=EVENING)
        system = stack.enter_context(open_system(plan))
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(
            executable_path=conftest.CHROMIUM,
            args=[*conftest.FLAGS, "--lang=da"],
            env={**os.environ, "LANGUAGE": "da"},
        )
        window = stack.enter_context(windows(browser, system))

        def visit(handle: str, path: str) -> Page:
            page = window("da", viewport=WIDE)
            sign_in(page, system, handle)
            page.goto(system.url + path)
            return page

        take_all(system, window("da", viewport=WIDE), visit)
        browser.close()


def take_all(system: BrowserSystem, stranger: Page, visit: Visit) -> None:
    stranger.goto(f"{system.url}/sign-in")
    shoot(stranger, "sign-in")
    began = time.monotonic()
    for handle, names in {
        "asger": ("lists", "accounts", "suppressions"),
        "lea": ("books",),
    }.items():
        page = visit(handle, "/books")
        for name in names:
            page.goto(f"{system.url}/{name}")
            shoot(page, name)
        if handle == "asger":
            rules(system, page)
    time.sleep(max(0, began + WARM_UP_S - time.monotonic()))
    a_call(visit("maja", "/phone"), visit("sigrid", "/floor"))
    mads = visit("mads", "/who-called")
    who_called(system, mads)
    person(system, mads)
    cases(system, mads, visit("lea", "/cases"))
    lea = visit("lea", "/reports")
    lea.locator("main form .main").click()
    shoot(lea, "reports")
    lea.goto(f"{system.url}/log")
    lea.locator("#search .main").click()
    shoot(lea, "log")


def shoot(page: Page, name: str) -> None:
    page.mouse.move(0, 0)
    page.emulate_media(reduced_motion="reduce")
    looking.settle(page)
    page.screenshot(path=SCREENS / f"{name}.png")


def rules(system: BrowserSystem, page: Page) -> None:
    page.goto(f"{system.url}/rules")
    shoot(page, "rules")


def a_call(maja: Page, sigrid: Page) -> None:
    """A shift with a listening supervisor: the phoner's page in its states, and the floor."""
    shoot(maja, "phone-before")
    on_shift(maja, "kanvas")
    for _ in range(20):
        maja.keyboard.press("r")
        with contextlib.suppress(AssertionError):
            state(maja, "talking", 60)
            break
    sigrid.locator("#seats .seat", has_text="Maja Prøve").click()
    sigrid.locator("#panel [data-key=silent]").click()
    expect(sigrid.locator("#listening-text")).to_contain_text("Du hører samtalen nu.")
    expect(maja.locator("#line li").first).to_be_visible(timeout=20_000)
    shoot(maja, "phone-call")
    shoot(sigrid, "floor")
    maja.keyboard.press("a")
    maja.locator("#chosen [type=number]").fill("75")
    maja.locator("#chosen [type=radio]").first.check()
    maja.locator("#chosen .main").click()
    shoot(maja, "phone-read-back")
    if maja.locator("#hang-up").is_visible():
        maja.locator("#hang-up").click()
    state(maja, "wrapping_up")
    maja.keyboard.press("b")
    expect(maja.locator("#breather")).to_be_hidden()
    maja.locator(".read-back .main").click()
    state(maja, "breather")
    shoot(maja, "phone-breather")
    sigrid.locator("#panel [data-key^=form]").first.click()
    sigrid.locator("#dialog [value='5']").first.check()
    shoot(sigrid, "floor-form")


def who_called(system: BrowserSystem, page: Page) -> None:
    """Somebody whom the evening has rung."""
    answered = select(calls.c.number).where(calls.c.outcome.is_not(None)).limit(1)
    number = system.read(lambda tx: tx.execute(answered).scalar())
    page.locator("main input").first.fill(str(number))
    page.keyboard.press("Enter")
    page.wait_for_timeout(1000)
    shoot(page, "who-called")


def person(system: BrowserSystem, page: Page) -> None:
    """Somebody on a list: what may be done next, and why."""
    name = system.read(lambda tx: contacts.get(tx, 5)).name
    page.goto(f"{system.url}/person")
    page.locator("#search [name=text]").fill(name)
    page.locator("#search .main").click()
    expect(page.locator("#search-results button").first).to_be_visible()
    if page.locator("#record").is_hidden():
        page.locator("#search-results button").first.click()
    expect(page.locator("#person-name")).to_be_focused()
    shoot(page, "person")


def cases(system: BrowserSystem, mads: Page, lea: Page) -> None:
    """A complaint that came by letter, and is the project leader's to answer."""
    mads.goto(f"{system.url}/cases")
    form = mads.locator("#new")
    form.locator("[name=kind]").select_option("complaint")
    form.locator("[name=number]").fill("32209156")
    form.locator("[name=words]").fill("I ringede to gange, mens vi spiste.")
    form.locator("[name=reply_by]").select_option("letter")
    form.locator("button.main").click()
    expect(mads.locator("#receipt")).to_be_visible()
    lea.locator("#list tbody button").first.click()
    expect(lea.locator("#case-title")).to_be_focused()
    lea.locator("#case").scroll_into_view_if_needed()
    shoot(lea, "cases")


if __name__ == "__main__":
    main()
