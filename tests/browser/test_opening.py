"""A page that is opened while the server does not answer everything: it says so, and is there a moment later."""

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Visit
from tests.browser.shift import on_shift
from tests.browser.test_restart import LOST
from tests.harness.threaded import BrowserSystem


@pytest.mark.parametrize(
    ("handle", "path", "asked", "there"),
    [
        ("maja", "/phone", "/books", "#campaigns label"),
        ("maja", "/phone", "/own-calls", "#campaigns label"),
        ("sigrid", "/floor", "/floor/figures", "#campaigns .campaign"),
        ("asger", "/accounts", "/accounts", "#people tr"),
        ("asger", "/suppressions", "/registers", "#registers table"),
        ("maja", "/books", "/books", "#book-list article"),
        ("maja", "/role-play", "/role-play", "#enter"),
    ],
)
def test_it_comes_up_by_itself(
    visit: Visit, system: BrowserSystem, handle: str, path: str, asked: str, there: str
) -> None:
    page = visit(handle, "/survey")
    refused: list[str] = []

    def refuse_once(route: Route) -> None:
        if refused:
            return route.fallback()
        refused.append(route.request.url)
        return route.fulfill(
            status=429, content_type="application/problem+json", json={"detail": "Busy"}
        )

    page.route(f"**/api/v1{asked}", refuse_once)
    opened(page, system.url + path)
    expect(page.locator("#banner")).to_contain_text(LOST)
    expect(page.locator(there).first).to_be_visible()
    expect(page.locator("#banner")).to_be_hidden()
    if path == "/phone":
        on_shift(page)  # the stream tells of it


def opened(page: Page, url: str) -> None:
    """Without waiting for its scripts: they fail in a page that gives up."""
    Page.goto(page, url)
