"""A button that works keeps the focus; one that is gone with what it did hands it on.

One test, because a one-time code is good for one signing in.
"""

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Visit
from tests.browser.test_keyboard import focused, press, tab_to
from tests.harness.threaded import BrowserSystem


def test_the_focus_is_never_lost_to_what_works(visit: Visit, system: BrowserSystem) -> None:
    lea = visit("lea", "/log")
    the_seals_are_verified(lea)
    asger = visit("asger", "/rules")
    a_rule_is_proposed(asger)
    lea.goto(system.url + "/rules")
    refuse = lea.locator("#open-proposals .row button:not(.main)")
    expect(refuse).to_be_visible()
    refuse.focus()
    press(lea, "Enter")
    tab_to(lea, "#open-proposals textarea")
    lea.keyboard.type("Eight are enough.")
    tab_to(lea, "#open-proposals .bad")
    lea.keyboard.press("Enter")
    expect(lea.locator("#waiting")).to_be_hidden()
    expect(lea.locator("#name")).to_be_focused()


def the_seals_are_verified(page: Page) -> None:
    """The answer is held back: meanwhile the button is busy, has the focus, and works no second time."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/api/v1/log/verify", hold)
    verify = page.locator("#verify")
    tab_to(page, "#verify", "Shift+Tab")
    press(page, "Enter")
    expect(verify).to_have_attribute("aria-busy", "true")
    expect(verify).to_be_focused()
    press(page, "Enter", "Space")
    assert len(held) == 1
    held[0].continue_()
    expect(page.locator("#verdict .badge")).to_be_visible()
    expect(verify).not_to_have_attribute("aria-busy", "true")
    expect(verify).to_be_focused()


def a_rule_is_proposed(page: Page) -> None:
    """Unready, its button says why; ready, it is gone with the change."""
    page.locator("#files button", has_text="Canvass").click()
    page.locator("#source summary").click()
    activate, wrong = page.locator("#activate"), page.locator("#propose .wrong")
    write(page, "priority: 3", "priority: three")
    expect(page.locator("#check-result")).to_contain_text("1 error")
    expect(activate).to_have_attribute("aria-disabled", "true")
    page.locator("#propose [name=why]").fill("One more try.")
    page.locator("#propose [name=ethics]").fill("Sound: attempts stay rare.")
    tab_to(page, "#activate")
    press(page, "Enter")
    expect(wrong).to_contain_text("1 error")
    expect(activate).to_be_focused()
    write(page, "priority: three", "priority: 3\nmost_tries: 9")
    expect(activate).to_have_attribute("aria-disabled", "false")
    expect(wrong).to_be_hidden()
    tab_to(page, "#activate")
    page.keyboard.press("Enter")
    expect(page.locator("#change")).to_be_hidden()
    focused(page)
    expect(page.locator("#files .badge")).to_have_count(0)  # what was proposed is not in force
    assert "most_tries: 9" not in page.locator("#text").input_value()


def write(page: Page, old: str, new: str) -> None:
    text = page.locator("#text")
    text.fill(text.input_value().replace(old, new))
