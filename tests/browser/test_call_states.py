"""The phoner's page in each state of a shift, and the floor that listens: as test_pages looks at pages.

In Danish and deeply; in English the same states pass by in test_keyboard.
"""

import pytest
from playwright.sync_api import Page, expect

from callserver.simulator.legs import Behaviour
from tests.browser import looking
from tests.browser.conftest import Visit
from tests.browser.looking import look
from tests.browser.shift import state
from tests.browser.town import LINE, Town
from tests.harness.threaded import BrowserSystem

pytestmark = [
    pytest.mark.skipif(bool(looking.WHY_NOT), reason=looking.WHY_NOT),
]


CALLS_IN = "**/softphone/played/call"


def bar_height(page: Page) -> int:
    return int(page.evaluate("() => document.querySelector('#seat').offsetHeight"))


def test_each_state(visit: Visit, system: BrowserSystem) -> None:
    maja, sigrid = visit("maja", language="da"), visit("sigrid", "/floor", language="da")
    town = Town(system.stage.world.network)
    wrong: list[str] = []

    def looks(what: str, page: Page = maja) -> None:
        wrong.extend(f"{what}: {problem}" for problem in look(page, "da"))

    def looks_while(wanted: str) -> None:
        """In this state from the beginning of the look to its end."""
        state(maja, wanted)
        looks(wanted)
        assert maja.locator("#seat").get_attribute("data-state") == wanted

    looks("before the shift")
    maja.route(CALLS_IN, lambda route: route.fulfill(json={}))  # the telephone is not answered yet
    town.does = lambda leg: Behaviour() if leg.to == LINE else None
    maja.check("[name=campaign][value=kanvas]")
    maja.locator("#shift-form .main").click()
    looks_while("connecting")
    town.does = lambda _: None
    maja.unroute(CALLS_IN)
    looks_while("paused")
    before = bar_height(maja)
    maja.keyboard.press("p")
    looks("why a pause")
    maja.keyboard.press("Escape")
    maja.locator("#help").click()
    looks("keys")
    maja.keyboard.press("Escape")
    maja.keyboard.press("l")
    looks("books")
    maja.keyboard.press("Escape")

    campaign = sigrid.locator("#campaigns [data-key=kanvas]")
    campaign.click()
    sigrid.locator("#dialog [name=reason]").fill("Listen bliver set igennem")
    looks("a campaign to be stopped", sigrid)
    sigrid.locator("#dialog .bad").click()
    expect(sigrid.locator("#dialog")).to_be_hidden()  # stopped
    maja.keyboard.press("r")
    looks_while("waiting")
    expect(maja.locator("#reason")).to_contain_text("Listen bliver set igennem")
    looks("a stopped campaign", sigrid)
    town.does = lambda leg: Behaviour() if leg.to.startswith("+") else None
    campaign.click()
    looks_while("ringing")
    town.does = lambda _: None

    state(maja, "talking", 90)
    sigrid.locator("#seats .seat", has_text="Maja Prøve").click()
    sigrid.locator("#panel [data-key=silent]").click()
    expect(sigrid.locator("#listening-text")).to_be_visible()
    looks("talking")
    assert bar_height(maja) == before  # nothing below it moves when somebody answers
    looks("listening", sigrid)
    maja.keyboard.press("a")
    maja.locator("#chosen [type=number]").fill("75")
    maja.locator("#chosen [type=radio]").first.check()
    looks("agreement")
    maja.locator("#chosen .main").click()
    expect(maja.locator(".read-back")).to_be_visible()
    looks("read back")
    if maja.locator("#seat").get_attribute("data-state") == "talking":
        maja.locator("#hang-up").click()
    looks_while("wrapping_up")
    maja.keyboard.press("b")
    expect(maja.locator("#breather")).to_be_hidden()  # heard: what is saved now ends in a rest
    maja.locator(".read-back .main").click()
    looks_while("breather")
    sigrid.locator("#panel [data-key^=form]").first.click()
    expect(sigrid.locator("#dialog")).to_be_visible()
    looks("listening form", sigrid)
    sigrid.keyboard.press("Escape")
    sigrid.locator("#panel [data-key^=correct]").first.click()
    looks("a correction on the floor", sigrid)
    sigrid.keyboard.press("Escape")
    sigrid.locator("#panel [data-key=off]").click()
    looks("a shift to be ended", sigrid)
    sigrid.keyboard.press("Escape")
    maja.locator("#evening-body button").first.click()
    looks("a correction")
    maja.locator("#correct-body [type=number]").fill("50")
    maja.locator("#correct-body [type=radio]").first.check()
    maja.locator("#correct-body .main").click()
    expect(maja.locator("#correct-body .read-back")).to_be_visible()
    looks("a correction, read back")
    maja.keyboard.press("Escape")
    maja.locator("#campaign").click()
    looks("another campaign")
    maja.locator("#stay").click()
    maja.locator("#off").click()
    looks("end of the shift")
    maja.locator("#off-dialog [value=off]").click()
    expect(maja.locator("#shift")).to_be_visible()
    assert not wrong, "\n".join(wrong)
