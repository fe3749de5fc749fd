"""Without a mouse: a phoner's shift and a supervisor's listening. The focus is seen and never lost."""

import re

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import windows
from tests.browser.shift import state
from tests.harness.threaded import BrowserSystem

FOCUS = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return "lost";
  const box = at.getBoundingClientRect();
  const seen = box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight;
  if (!seen) return "out of sight: " + at.outerHTML.slice(0, 80);
  if (at.tabIndex < 0) return ""; // a heading, from where one goes on
  const { outlineStyle, outlineWidth } = getComputedStyle(at);
  return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2 ? "" : "unseen: " + at.outerHTML.slice(0, 80);
}"""


def focused(page: Page) -> None:
    """The focus is somewhere, in sight, and shown."""
    page.wait_for_timeout(50)
    assert page.evaluate(FOCUS) == ""


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)
        focused(page)


def tab_to(page: Page, selector: str, key: str = "Tab", most: int = 60) -> None:
    """Tab until it has the focus; each stop on the way is seen."""
    for _ in range(most):
        if page.evaluate("(one) => document.activeElement.matches(one)", selector):
            return
        press(page, key)
    raise AssertionError(f"no way to {selector} by keyboard")


def sign_in(page: Page, system: BrowserSystem, handle: str) -> None:
    page.goto(f"{system.url}/sign-in")
    tab_to(page, "#credentials [name=handle]")
    page.keyboard.type(handle)
    tab_to(page, "#credentials [name=password]")
    page.keyboard.type(system.stage.staff.password)
    page.keyboard.press("Enter")


def on_shift(maja: Page) -> None:
    """The first campaign, the browser's telephone."""
    expect(maja.locator("#campaigns input").first).to_be_visible()
    tab_to(maja, "#campaigns input")
    press(maja, "Space")
    tab_to(maja, "#lines input")
    press(maja, "Space")
    tab_to(maja, "#shift-form .main")
    maja.keyboard.press("Enter")
    state(maja, "paused")
    focused(maja)
    expect(maja.locator("#softphone")).to_have_text("The browser phone is on the line")


def agree(maja: Page) -> None:
    """An amount, how often, read back, confirmed."""
    tab_to(maja, "#outcomes button")  # an agreement is the first
    press(maja, "Enter")
    expect(maja.locator("#chosen [type=number]")).to_be_focused()
    maja.keyboard.type("50")
    tab_to(maja, "#chosen [type=radio]")
    press(maja, "Space")
    tab_to(maja, "#chosen .main")
    press(maja, "Enter")
    expect(maja.locator(".read-back blockquote")).to_contain_text("50")
    tab_to(maja, ".read-back .main")
    maja.keyboard.press("Enter")


def test_a_shift_and_a_listening_without_a_mouse(chromium: Browser, system: BrowserSystem) -> None:
    with windows(chromium, system) as window:
        maja, sigrid = window(), window()
        sign_in(maja, system, "maja")
        on_shift(maja)
        tab_to(maja, "#ready")
        maja.keyboard.press("Enter")
        state(maja, "talking")
        focused(maja)

        sign_in(sigrid, system, "sigrid")
        expect(sigrid.locator("#code")).to_be_visible()
        tab_to(sigrid, "#code [name=code]")
        sigrid.keyboard.type(system.code("sigrid"))
        sigrid.keyboard.press("Enter")
        tile = sigrid.get_by_role("button", name=re.compile("^Maja Prøve"))
        expect(tile).to_be_visible()
        tab_to(sigrid, "#seats button")
        press(sigrid, "Home")
        while not tile.evaluate("(one) => one === document.activeElement"):
            press(sigrid, "ArrowRight")
        press(sigrid, "ArrowRight")  # the listen button beside the tile
        sigrid.keyboard.press("Enter")
        expect(sigrid.locator("#listening-text")).to_contain_text(
            "You are listening to Maja Prøve."
        )
        focused(sigrid)

        agree(maja)
        if maja.locator("#seat").get_attribute("data-state") == "talking":
            press(maja, "x")
        focused(maja)

        tab_to(sigrid, "#listening-actions [data-key=stop]", "Shift+Tab")
        sigrid.keyboard.press("Enter")
        expect(sigrid.locator("#listening")).to_be_hidden()
        focused(sigrid)

        state(maja, "talking")  # the next call
        press(maja, "p", "2")  # a meal, once this is over
        expect(maja.locator("#reason")).to_contain_text("Next: break.")
        press(maja, "x", "1")
        tab_to(maja, "#chosen .main")
        maja.keyboard.press("Enter")
        state(maja, "paused")
        focused(maja)
        tab_to(maja, "#off")
        press(maja, "Enter")
        tab_to(maja, "#off-dialog [value=off]")
        maja.keyboard.press("Enter")
        expect(maja.locator("#shift")).to_be_visible()
        focused(maja)
