"""A session that has ended under an open page, and what was typed in a window that another user signs in from."""

import re

from playwright.sync_api import Page, Route, expect
from sqlalchemy import delete

from callserver.database.tables import sessions
from tests.browser.conftest import Visit, sign_in_without_page
from tests.browser.shift import on_shift, state
from tests.browser.test_restart import LOST
from tests.harness.threaded import BrowserSystem

SIGN_IN = re.compile("/sign-in$")


def sign_out_everybody(system: BrowserSystem, page: Page) -> None:
    """As after a night: the sessions are over, and the streams end."""
    system.write(lambda tx: tx.execute(delete(sessions)))
    with system.away():
        expect(page.locator("#banner")).to_contain_text(LOST)


def test_a_page_that_was_open_overnight_leads_to_the_sign_in(
    visit: Visit, system: BrowserSystem
) -> None:
    page = visit("asger", "/lists")
    sign_out_everybody(system, page)
    expect(page).to_have_url(SIGN_IN, timeout=30_000)


def test_who_talks_stays_on_the_page_and_signs_in_afterwards(
    visit: Visit, system: BrowserSystem
) -> None:
    page = visit("maja")
    on_shift(page)
    page.keyboard.press("r")
    state(page, "talking")
    page.locator("[data-outcome=no_thanks]").click()
    page.locator("#chosen textarea").fill("Ring ikke om aftenen")
    sign_out_everybody(system, page)
    expect(page.locator("#banner")).to_contain_text("Finish the call", timeout=30_000)
    page.locator("#banner a").click()
    expect(page).to_have_url(SIGN_IN)
    sign_in_without_page(page, system, "maja")
    page.goto(system.url)
    expect(page.locator("#chosen textarea")).to_have_value("Ring ikke om aftenen")


def test_a_private_message_is_not_shown_to_the_next_user_of_the_window(
    visit: Visit, system: BrowserSystem
) -> None:
    page = visit("maja", "/books")
    words = page.locator("#support-box textarea")
    page.locator("#support-open").click()
    words.fill("Det er svært for tiden")
    page.reload()
    expect(words).to_have_value("Det er svært for tiden")
    for handle in ("sigrid", "maja"):
        sign_in_without_page(page, system, handle)
        page.goto(f"{system.url}/books")
    expect(words).to_have_value("")


def test_a_page_of_an_earlier_version_asks_to_be_loaded_again(
    visit: Visit, system: BrowserSystem
) -> None:
    page = visit("maja")

    def newer(route: Route) -> None:
        if route.request.method != "HEAD":
            return route.fallback()
        return route.fulfill(headers={"x-revision": "newer"})

    page.route("**/phone", newer)
    expect(page.locator("#upgraded")).to_be_hidden()
    with system.away():
        expect(page.locator("#banner")).to_contain_text(LOST)
    expect(page.locator("#upgraded")).to_be_visible(timeout=30_000)
    with page.expect_navigation():
        page.locator("#reload").click()


def test_a_page_shows_nothing_to_the_next_user_of_the_browser(
    visit: Visit, system: BrowserSystem
) -> None:
    """Who signs in in another tab of the browser replaces the session of the first."""
    page = visit("asger", "/floor")
    expect(page.locator("#seats")).to_be_attached()
    sign_in_without_page(page, system, "sigrid")
    with system.away():
        expect(page.locator("#banner")).to_contain_text(LOST)
    expect(page.locator("#banner")).to_contain_text("out of date", timeout=30_000)
    page.reload()
    expect(page.locator(".who")).to_contain_text("Sigrid")


def test_who_talks_is_not_signed_out(visit: Visit) -> None:
    page = visit("maja")
    on_shift(page)
    page.keyboard.press("r")
    state(page, "talking")
    page.locator("#sign-out").click()
    expect(page.locator("#toasts")).to_contain_text("End it first")
    page.locator("[data-outcome=no_thanks]").click()
    page.locator("#chosen [data-way=pause]").click()
    expect(page.locator("#chosen")).to_contain_text("No, thank you")
