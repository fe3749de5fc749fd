"""The phoner's page in each state of a shift, and the floor that listens: as test_pages looks at pages.

In Danish and deeply; in English the same states pass by in test_keyboard.
"""

import pytest
from playwright.sync_api import expect

from tests.browser import looking
from tests.browser.conftest import House, Visit
from tests.browser.looking import look
from tests.browser.shift import on_shift, state

pytestmark = [
    pytest.mark.skipif(bool(looking.WHY_NOT), reason=looking.WHY_NOT),
]


def test_each_state(visit: Visit, house: House) -> None:
    maja, sigrid = visit("maja", language="da"), visit("sigrid", "/floor", language="da")
    wrong: list[str] = []

    def looks(what: str, page: object = maja) -> None:
        wrong.extend(f"{what}: {one}" for one in look(page, "da"))  # type: ignore[arg-type]

    looks("before the shift")
    on_shift(maja, "kanvas")
    looks("pause")
    maja.keyboard.press("p")
    looks("why a pause")
    maja.keyboard.press("Escape")
    maja.locator("#help").click()
    looks("keys")
    maja.keyboard.press("Escape")
    maja.keyboard.press("l")
    looks("books")
    maja.keyboard.press("Escape")

    maja.keyboard.press("r")
    state(maja, "talking")
    sigrid.locator("#seats .seat", has_text="Maja Prøve").click()
    sigrid.locator("#panel [data-key=silent]").click()
    expect(sigrid.locator("#ear-text")).to_be_visible()
    looks("talking")
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
    state(maja, "wrapping_up")
    looks("wrapping up")
    maja.keyboard.press("b")
    expect(maja.locator("#breather")).to_be_hidden()  # heard: what is saved now ends in a rest
    maja.locator(".read-back .main").click()
    state(maja, "breather")
    looks("breather")
    sigrid.locator("#panel [data-key^=form]").first.click()
    expect(sigrid.locator("#dialog")).to_be_visible()
    looks("listening form", sigrid)
    maja.locator("#off").click()
    looks("end of the shift")
    maja.locator("#off-dialog [value=off]").click()
    expect(maja.locator("#shift")).to_be_visible()
    assert not wrong
