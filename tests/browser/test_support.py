"""Support in a browser: a private message, a booked conversation, and a report during a call."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from callserver import texts
from tests.browser import looking
from tests.browser.conftest import Visit
from tests.browser.looking import look
from tests.browser.shift import on_shift, state
from tests.browser.test_phone_page import POST
from tests.harness.threaded import BrowserSystem

pytestmark = [pytest.mark.skipif(bool(looking.WHY_NOT), reason=looking.WHY_NOT)]


def test_a_reminder_ends_with_what_it_is_about(visit: Visit, system: BrowserSystem) -> None:
    sigrid, maja = visit("sigrid", "/support"), visit("maja", "/books")
    at = (system.clock.now() + timedelta(hours=3)).isoformat()
    sigrid.evaluate(POST, ["/support/talks", {"at": at, "minutes": 30}])
    maja.clock.install()
    maja.reload()
    maja.locator("#support-open").click()
    maja.locator("#support-box").get_by_role("button", name="Book").click()
    expect(maja.locator("#support-reminder")).to_be_visible()
    maja.route("**/api/v1/support/mine", lambda route: route.fulfill(status=429), times=1)
    maja.reload()
    expect(maja.locator("#support-reminder")).to_be_visible()  # fetched again
    maja.clock.fast_forward("04:00:00")
    expect(maja.locator("#support-reminder")).to_be_hidden()


@pytest.mark.parametrize("language", ["da", "en"])
def test_a_phoner_is_supported(visit: Visit, system: BrowserSystem, language: str) -> None:
    def say(key: str, **values: object) -> str:
        return texts.say(language, key, **values)

    maja = visit("maja", "/books", language=language)
    sigrid = visit("sigrid", "/support", language=language)
    expect(sigrid.locator("#messages")).to_contain_text(say("support.no_messages"))
    assert look(sigrid, language, "once") == []

    maja.locator("#support-open").focus()
    maja.keyboard.press("Enter")
    box = maja.locator("#support-box")
    box.locator("textarea").fill("Kan vi tale sammen?")
    assert look(maja, language, "once") == []
    maja.reload()  # what was typed is kept
    maja.locator("#support-open").click()
    expect(box.locator("textarea")).to_have_value("Kan vi tale sammen?")
    box.locator("form button").click()
    expect(box).to_contain_text(say("support.state.open"))
    maja.keyboard.press("Escape")

    expect(sigrid.locator("#messages")).to_contain_text("Kan vi tale sammen?")  # live
    sigrid.locator("#messages").get_by_role("button").first.click()
    sigrid.locator("#dialog textarea").fill("Ja, book en tid.")
    sigrid.locator("#dialog button").first.click()
    expect(sigrid.locator("#messages")).to_contain_text("Ja, book en tid.")
    at = system.clock.now().astimezone(ZoneInfo("Europe/Copenhagen")) + timedelta(hours=3)
    sigrid.locator("#offer [name=at]").fill(f"{at:%Y-%m-%d %H:%M}")
    sigrid.locator("#offer button").click()
    expect(sigrid.locator("#talks")).to_contain_text(say("support.free"))
    assert look(sigrid, language, "once") == []

    maja.goto(maja.url.replace("/books", "/phone"))
    on_shift(maja)
    maja.locator("#support-open").click()
    expect(box).to_contain_text("Ja, book en tid.")
    box.get_by_role("button", name=say("support.book")).click()
    expect(maja.locator("#support-reminder")).to_contain_text("Sigrid Prøve")
    assert look(maja, language, "once") == []
    maja.keyboard.press("Escape")
    expect(sigrid.locator("#talks")).to_contain_text(say("support.booked_by", name="Maja Prøve"))

    maja.locator("#ready").click()
    state(maja, "talking")
    maja.locator("#support-open").click()
    expect(box).to_contain_text(say("support.in_call"))
    maja.keyboard.press("Escape")
    maja.locator("#harassment").click()
    maja.locator("#dialog textarea").fill("Han truede mig.")
    assert look(maja, language, "once") == []
    maja.locator("#dialog button.bad").click()
    state(maja, "breather")
    expect(maja.locator("#support-reminder")).to_contain_text(
        say("support.break", when="X").split("X")[0]
    )
    expect(maja.locator("#harassment")).to_be_hidden()
    expect(sigrid.locator("#hard")).to_contain_text("Maja Prøve")
    expect(sigrid.locator("#messages")).to_contain_text("Han truede mig.")
    assert look(sigrid, language, "once") == []
    sigrid.locator("#hard button").first.click()
    expect(sigrid.locator("#hard")).not_to_contain_text("Maja Prøve")
