"""The days of a new phoner: windows of everybody who takes part, and the nights between them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import sign_in, windows
from tests.browser.evening import HOME, Evening
from tests.browser.shift import state

PASSWORD = "roligt og varmt i maj"

ASK = """async ([path, body]) => {
  const answer = await fetch(`/api/v1${path}`, {
    method: body === null ? "GET" : "POST",
    headers: {
      "content-type": "application/json",
      "x-csrf": document.querySelector('meta[name="csrf"]').content,
    },
    body: body === null ? undefined : JSON.stringify(body),
  });
  return [answer.status, await answer.json()];
}"""

Come = Callable[..., Page]


@dataclass
class Training:
    """The system, the browser, and the new phoner's account."""

    shift: Evening
    chromium: Browser
    ane: int = 0

    @contextmanager
    def day(self) -> Iterator[Come]:
        """Windows of one day; afterwards it is the same time on the next day."""
        with windows(self.chromium, self.shift.system) as window:

            def come(handle: str, path: str = "/", password: str = "") -> Page:
                page = self.shift.comes(window())
                sign_in(page, self.shift.system, handle, password)
                if path != "/":
                    page.goto(self.shift.system.url + path)
                return page

            yield come
        with windows(self.chromium, self.shift.system) as window:
            self.shift.pages[:] = [window()]  # empty; no page is open in the night
            ends = self.shift.now()
            tomorrow = (ends + timedelta(days=1)).replace(hour=17, minute=10)
            self.shift.pages[0].clock.install(time=ends)
            self.shift.passes((tomorrow - ends).total_seconds() / 60)
        self.shift.pages.clear()

    @contextmanager
    def window(self) -> Iterator[Page]:
        """One more window, whose clock is the system's."""
        with windows(self.chromium, self.shift.system) as window:
            page = self.shift.comes(window())
            yield page
            self.shift.pages.remove(page)

    def rung(self) -> list[tuple[date, str]]:
        """Every number that was dialed, and the day: the network's own record."""
        network = self.shift.system.stage.world.network
        return [(ring.rang_at.astimezone(HOME).date(), ring.number) for ring in network.record]


def ask(page: Page, path: str, body: Any = None) -> tuple[int, Any]:
    """A request to the API with the page's session; without a body, a GET."""
    status, answer = page.evaluate(ASK, [path, body])
    return status, answer


def first_sign_in(page: Page, training: Training, handle: str, password: str) -> None:
    """The password that was shown once is replaced."""
    page.goto(f"{training.shift.system.url}/sign-in")
    page.fill("#credentials [name=handle]", handle)
    page.fill("#credentials [name=password]", password)
    page.click("#credentials button:not([type=button])")
    page.fill("#password [name=new]", PASSWORD)
    page.fill("#password [name=again]", PASSWORD)
    page.click("#password button.main")
    page.locator("#sign-out").wait_for()


def ready(page: Page) -> None:
    """Ready, once the telephone is there."""
    expect(page.locator("#softphone")).to_contain_text("The browser phone is on the line")
    page.locator("#ready").click()


def take_a_break(page: Page) -> None:
    page.locator("#pause").click()
    page.locator("#pauses button").first.click()
    state(page, "paused")


def said_no(page: Page) -> None:
    """The phoner hangs up, records a no, and takes a break."""
    page.keyboard.press("x")
    state(page, "wrapping_up")
    page.locator("[data-outcome=no_thanks]").click()
    page.locator("#chosen [data-way=pause]").click()
    state(page, "paused")
