"""The server is restarted under open pages: they say so, catch up by themselves, and are right."""

import re
from typing import Any

from playwright.sync_api import Page, Route, expect
from sqlalchemy import select

from callserver.database.tables import calls, seats
from tests.browser.conftest import Visit
from tests.browser.shift import on_shift, state
from tests.harness.threaded import BrowserSystem

LOST = "The connection is lost"
ON_THE_LINE = "The browser phone is on the line"
BACK = "The connection is back"

SLOW_DETAILS = """() => {
  const plain = window.fetch;
  window.fetch = async (path, ...more) => {
    if (path.includes("/floor/seats/")) await new Promise((done) => setTimeout(done, 1500));
    return plain(path, ...more);
  };
}"""
"""What the panel fetches by itself meets a server that is already away."""


def kept(system: BrowserSystem) -> Any:
    """Maja's seat, as the database has it."""
    return system.read(lambda tx: tx.execute(select(seats).where(seats.c.phoner == 9101)).one())


def restarted(system: BrowserSystem, *pages: Page) -> None:
    """Away and back; each page says both."""
    with system.away():
        for page in pages:
            expect(page.locator("#banner")).to_contain_text(LOST)
    for page in pages:
        expect(page.locator("#banner")).to_contain_text(BACK, timeout=30_000)


def test_pages_that_were_open_catch_up(visit: Visit, system: BrowserSystem) -> None:
    maja, sigrid = visit("maja"), visit("sigrid", "/floor")
    sigrid.evaluate(SLOW_DETAILS)
    on_shift(maja)
    sigrid.get_by_role("button", name=re.compile("^Maja Prøve")).click()
    expect(sigrid.locator("#panel")).to_contain_text("No calls today.")

    # On pause. The telephone that the server simulates is lost with it, and calls in again.
    restarted(system, maja, sigrid)
    expect(maja.locator("#softphone")).to_have_text(ON_THE_LINE, timeout=30_000)
    state(maja, "paused")
    expect(sigrid.locator("#panel")).to_contain_text("on a break")
    assert (kept(system).state, kept(system).connected) == ("paused", True)

    # In a talk with a listener: it ends with the telephone, and the phoner still saves its outcome.
    maja.keyboard.press("r")
    state(maja, "talking")
    expect(sigrid.locator("#panel")).to_contain_text("on a call")
    sigrid.locator("#panel [data-key=silent]").click()
    expect(sigrid.locator("#listening-text")).to_contain_text("You are listening to Maja Prøve.")
    attempt = kept(system).call
    restarted(system, maja, sigrid)
    state(maja, "wrapping_up")
    assert (kept(system).call, kept(system).outcome_owed) == (attempt, True)
    maja.locator("[data-outcome=no_thanks]").click()
    maja.locator("#chosen [data-way=pause]").click()
    expect(maja.locator("#softphone")).to_have_text(ON_THE_LINE, timeout=30_000)
    state(maja, "paused")
    expect(sigrid.locator("#panel")).to_contain_text("on a break")
    given = system.read(
        lambda tx: tx.execute(select(calls).where(calls.c.attempt == attempt)).one()
    )
    assert (given.outcome, given.phoner) == ("no_thanks", 9101)


def test_a_page_that_cannot_catch_up_at_once_tries_again(
    visit: Visit, system: BrowserSystem
) -> None:
    sigrid = visit("sigrid", "/floor")
    # Everything is fetched.
    expect(sigrid.locator("#softphone")).to_have_text("The browser phone is ready")
    failed: list[str] = []

    def fail_twice(route: Route) -> None:
        if len(failed) == 2:
            return route.fallback()
        failed.append(route.request.url)
        return route.abort("connectionrefused")

    with system.away():
        expect(sigrid.locator("#banner")).to_contain_text(LOST)
        sigrid.route("**/api/v1/floor", fail_twice)
    expect(sigrid.locator("#banner")).to_contain_text(BACK, timeout=30_000)
    assert len(failed) == 2
    expect(sigrid.locator("#banner")).to_be_hidden()


def test_a_stream_that_has_gone_silent_is_opened_again(visit: Visit) -> None:
    """The computer has slept, or a router has forgotten the connection: neither side has closed it."""
    page = visit("maja")
    page.clock.install()
    page.reload()
    expect(page.locator("#shift-form .main")).to_be_visible()
    with page.expect_request(re.compile("/api/v1/events.*after=.")):
        page.clock.fast_forward(3_600_000)
    on_shift(page)
    expect(page.locator("#banner")).to_be_hidden()
