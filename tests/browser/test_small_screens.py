"""What stays at the top of a small screen leaves room for the page, and never covers what has the focus."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.shift import on_shift, state

LAPTOP = {"width": 1093, "height": 614}  # 1366 x 768 at 125 %
COVERED = """(bar) => {
  const [at, top] = [document.activeElement, document.querySelector(bar)];
  if (top.contains(at)) return null;
  return at.getBoundingClientRect().top < top.getBoundingClientRect().bottom ? at.outerHTML : "";
}"""
SHARE = (
    "(bar) => Math.max(0, document.querySelector(bar).getBoundingClientRect().bottom) / innerHeight"
)


def is_never_covered(page: Page, bar: str) -> None:
    """Shift+Tab from the page's end until the focus is in the bar."""
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    stops = 0
    while True:
        page.keyboard.press("Shift+Tab")
        covered = page.evaluate(COVERED, bar)
        if covered is None:
            break
        assert covered == ""
        stops += 1
    assert stops > 3


def test_a_talk_on_a_small_laptop(visit: Visit) -> None:
    maja = visit("maja", "/phone", viewport=LAPTOP)
    on_shift(maja)
    maja.locator("#hand").click()
    maja.locator("#ready").click()
    state(maja, "talking")
    expect(maja.locator("#kind-words")).to_be_visible()
    maja.locator("#outcomes button").last.focus()
    is_never_covered(maja, "#seat")
    for width, height in ((1093, 614), (820, 460), (640, 400)):
        maja.set_viewport_size({"width": width, "height": height})
        maja.evaluate("scrollTo(0, document.body.scrollHeight)")
        expect(maja.locator("#script")).to_be_visible()
        assert maja.evaluate(SHARE, "#seat") < 0.5


def test_a_listening_on_a_telephone(visit: Visit) -> None:
    sigrid = visit("sigrid", "/floor", viewport={"width": 390, "height": 560})
    sigrid.locator("#seats .seat").first.click()
    sigrid.locator("#panel [data-key=silent]").click()
    expect(sigrid.locator("#listening")).to_be_visible()
    sigrid.keyboard.press("Escape")
    sigrid.locator("main button, main summary").last.focus()
    is_never_covered(sigrid, "#listening")
