"""A page that opens shows what changed while it did."""

from playwright.sync_api import Route, expect

from tests.browser.conftest import Visit
from tests.browser.test_phone_page import POST
from tests.harness.threaded import BrowserSystem

NEW = {"handle": "ny", "name": "Ny Prøve", "role": "phoner", "department": "nord"}


def test_a_page_shows_what_changed_before_its_stream_was_open(
    visit: Visit, system: BrowserSystem
) -> None:
    page = visit("asger", "/books")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/api/v1/events?*", hold)
    page.goto(system.url + "/accounts")
    expect(page.locator("#people")).to_contain_text("Maja Prøve")
    page.evaluate(POST, ["/accounts", NEW])
    expect(page.locator("#people")).not_to_contain_text("Ny Prøve")
    for route in held:
        route.continue_()
    expect(page.locator("#people")).to_contain_text("Ny Prøve")
