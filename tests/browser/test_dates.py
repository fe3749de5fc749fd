"""Dates are typed and shown in the page's language, whatever the browser's own is."""

from datetime import timedelta

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.harness.threaded import BrowserSystem


def test_a_date_is_typed_in_the_language_of_the_page(visit: Visit, system: BrowserSystem) -> None:
    page = visit("lea")
    assert page.evaluate("navigator.language").startswith("en")
    page.context.add_cookies([{"name": "language", "value": "da", "url": system.url}])
    page.goto(f"{system.url}/log")
    since = page.locator("[name=since]")
    expect(since).to_have_attribute("placeholder", "28-11-2026 16.30")
    since.fill("3.5.2026 kl. 9.05")
    with page.expect_request("**/api/v1/log") as search:
        since.press("Enter")
    expect(since).to_have_value("03-05-2026 09.05")
    assert (search.value.post_data_json or {})["since"] == "2026-05-03T07:05:00.000Z"

    since.fill("31-02-2026 9.05")
    since.blur()
    assert since.evaluate("(field) => field.validationMessage").startswith("Datoen kan ikke læses")
    since.fill("2026-05-03 09:05")
    since.blur()
    assert since.evaluate("(field) => field.validationMessage") == ""
    expect(since).to_have_value("03-05-2026 09.05")

    page.goto(f"{system.url}/reports")
    first = page.locator("[name=first]")
    fourteen_days = system.stage.clock.now() - timedelta(days=13)
    expect(first).to_have_value(f"{fourteen_days:%d-%m-%Y}")
