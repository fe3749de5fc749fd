"""Dates are typed and shown in the page's language, whatever the browser's own is."""

from datetime import timedelta

import pytest
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


def test_times_are_the_house_s_in_a_browser_of_another_zone(
    visit: Visit, system: BrowserSystem
) -> None:
    """Some browsers show everything in UTC, and people travel: what they type is in a message to others."""
    page = visit("lea", "/log", timezone_id="America/New_York")
    with page.expect_request("**/api/v1/log") as search:
        page.locator("[name=since]").fill("2026-05-03 09:05")
        page.locator("[name=since]").press("Enter")
    assert (search.value.post_data_json or {})["since"] == "2026-05-03T07:05:00.000Z"

    page.goto(f"{system.url}/notices")
    form = page.locator("#write")
    form.locator("[name=kind]").select_option("talk")
    form.locator("[name=title]").fill("Where the money goes")
    form.locator("[name=begins]").fill("2026-05-13 09:30")
    form.locator("[name=expert]").fill("Ebbe Prøve")
    form.locator("[name=text]").fill("Bring your questions.")
    with page.expect_request("**/api/v1/notices") as publishing:
        form.locator("button.main").press("Enter")
    assert (publishing.value.post_data_json or {})["at"] == "2026-05-13T07:30:00.000Z"
    expect(page.locator("main")).to_contain_text("13 May 2026 at 09:30")


@pytest.mark.parametrize("zone", ["Europe/Copenhagen", "America/New_York", "Pacific/Auckland"])
def test_every_local_time_is_an_instant(visit: Visit, system: BrowserSystem, zone: str) -> None:
    page = visit("lea", "/log", timezone_id=zone)
    script = "async ([url, texts]) => (({ instantOf }) => texts.map((text) => instantOf(text)))(await import(url))"
    [asset] = [
        address
        for address in page.evaluate("performance.getEntriesByType('resource').map((r) => r.name)")
        if address.partition("?")[0].endswith("/home.js")
    ]
    expected = {
        "2026-03-29T01:59": "2026-03-29T00:59",
        "2026-03-29T02:30": "2026-03-29T01:30",  # it does not exist, and is an hour later on the clock
        "2026-03-29T03:00": "2026-03-29T01:00",
        "2026-03-29": "2026-03-28T23:00",
        "2026-10-25": "2026-10-24T22:00",
        "2026-10-26": "2026-10-25T23:00",
        "2027-01-01": "2026-12-31T23:00",
        "2028-02-29T12:00": "2028-02-29T11:00",
    }
    found = page.evaluate(script, [asset, list(expected)])
    assert found == [f"{at}:00.000Z" for at in expected.values()]
