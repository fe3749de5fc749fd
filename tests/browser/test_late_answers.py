"""Answers that come late or not at all: a page ends up showing what is, without a further event."""

import re

from playwright.sync_api import APIResponse, Page, Route, expect
from sqlalchemy import select

from callserver.database.tables import users
from tests.browser.conftest import Visit
from tests.browser.shift import on_shift, state
from tests.browser.test_phone_page import POST
from tests.browser.test_restart import BACK, LOST
from tests.harness.threaded import BrowserSystem


class FirstAnswer:
    """Holds the first answer of a path until it is released."""

    def __init__(self, page: Page, path: str) -> None:
        self._page = page
        self._held: list[tuple[Route, APIResponse]] = []
        page.route(f"**/api/v1{path}", self._hold)

    def _hold(self, route: Route) -> None:
        if self._held:
            return route.fallback()
        self._held.append((route, route.fetch()))
        return None

    def wait(self) -> None:
        while not self._held:
            self._page.wait_for_timeout(20)

    def release(self) -> None:
        ((route, answer),) = self._held
        route.fulfill(response=answer)


def announce(page: Page, system: BrowserSystem, handle: str) -> None:
    """That somebody leaves: the page learns of it from its stream, as if another had done it."""
    user = system.read(
        lambda tx: tx.execute(select(users.c.id).where(users.c.handle == handle)).scalar_one()
    )
    page.evaluate(POST, [f"/accounts/{user}/checklist/announcement", {"leaves": True}])


def shows_announced(page: Page, name: str) -> None:
    expect(page.locator("#people tr", has_text=name)).to_contain_text("leaves soon")


def test_an_earlier_answer_does_not_overwrite_a_later_one(
    visit: Visit, system: BrowserSystem
) -> None:
    page = visit("asger", "/accounts")
    first = FirstAnswer(page, "/accounts")
    announce(page, system, "maja")
    first.wait()
    announce(page, system, "mads")
    page.wait_for_timeout(1000)  # a page that asks again at once has its answer
    first.release()
    shows_announced(page, "Maja Prøve")
    shows_announced(page, "Mads")


def test_a_page_that_got_no_answer_asks_again(visit: Visit, system: BrowserSystem) -> None:
    page = visit("asger", "/accounts")
    failed: list[str] = []

    def fail_once(route: Route) -> None:
        if failed:
            return route.fallback()
        failed.append(route.request.url)
        return route.abort("connectionrefused")

    page.route("**/api/v1/accounts", fail_once)
    announce(page, system, "maja")
    shows_announced(page, "Maja Prøve")
    assert len(failed) == 1


def test_what_comes_while_a_page_catches_up_is_not_overwritten(
    visit: Visit, system: BrowserSystem
) -> None:
    maja, sigrid = visit("maja"), visit("sigrid", "/floor")
    on_shift(maja)
    with system.away():
        for page in (maja, sigrid):
            expect(page.locator("#banner")).to_contain_text(LOST)
        floor = FirstAnswer(sigrid, "/floor")
    expect(maja.locator("#banner")).to_contain_text(BACK, timeout=30_000)
    state(maja, "paused")
    floor.wait()
    maja.keyboard.press("h")
    seat = sigrid.locator("#seats .seat", has_text="Maja Prøve")
    expect(seat).to_have_class(re.compile("hand"))
    floor.release()
    expect(sigrid.locator("#banner")).to_contain_text(BACK, timeout=30_000)
    sigrid.wait_for_timeout(200)
    expect(seat).to_have_class(re.compile("hand"))
