"""Maja on a whole evening: what they do in their page, and what a test compares later.

What the pages promised is compared with the network's own record afterwards.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from playwright.sync_api import Locator, Page, expect

from callserver.database import calls, seats
from callserver.database.calls import CallRow
from tests.browser.evening import Evening
from tests.browser.shift import state

MAJA, SIGRID = 9101, 9102
"""Their ids in the database."""

TOLD = """
window.told = [];
const tell = (text) => window.told.push(text);
const ask = window.fetch;
window.fetch = async (...asked) => {
  const answer = await ask(...asked);
  const reader = answer.clone().body?.pipeThrough(new TextDecoderStream()).getReader();
  const read = ({ done, value }) => done || (tell(value), reader.read().then(read));
  reader?.read().then(read).catch(() => {});
  return answer;
};
const Source = window.EventSource;
window.EventSource = class extends Source {
  addEventListener(name, does) {
    super.addEventListener(name, (event) => (event.data && tell(event.data), does(event)));
  }
};
"""
"""Notes down everything that the server tells a page, whether the page shows it or not."""

OF_SUPPORT = re.compile(r'"in_call":.*"supervisors":')
"""The box in which phoners write to their supervisors names them, whether they listen or not."""

GIVES_AWAY = re.compile(rf'Sigrid|"listener"|[:,\[] ?{SIGRID}[,\]}}]')


@dataclass
class Maja:
    """The phoner."""

    evening: Evening
    page: Page
    talks: list[str] = field(default_factory=list)  # attempts, in their order
    given: dict[str, str] = field(default_factory=dict)  # attempt -> outcome
    opt_outs: list[tuple[str, datetime]] = field(default_factory=list)  # number, acknowledged at
    used: set[str] = field(default_factory=set)  # outcomes whose button was pressed

    @property
    def line(self) -> Locator:
        """Whom this user hears, and who hears them."""
        return self.page.locator("#line [role=status]")

    def call(self) -> CallRow:
        """The current call."""

        def look(tx: Any) -> CallRow | None:
            seat = seats.peek(tx, MAJA)
            return None if seat is None or seat.call is None else calls.get(tx, seat.call)

        call: CallRow | None = self.evening.system.read(look)
        assert call is not None
        return call

    def talks_to(self, name: str) -> None:
        """The next talk has begun, and it is with this person."""
        state(self.page, "talking")
        expect(self.page.locator(".who-name")).to_have_text(name)
        self.talks.append(self.call().attempt)

    def learns_of_a_listener(self) -> list[str]:
        """What gives away that somebody listens, in what the page shows or has received."""
        received = [
            text for text in self.page.evaluate("window.told") if not OF_SUPPORT.search(text)
        ]
        told = "\n".join([*received, self.page.inner_text("main")])
        return GIVES_AWAY.findall(told)

    def forgets_what_she_was_told(self) -> None:
        self.page.evaluate("window.told = []")

    def sends_the_privacy_notice(self) -> None:
        """To the number of the call, by SMS."""
        self.page.locator("#privacy-notice").click()
        self.page.locator("#dialog .main").click()
        expect(self.page.locator("#toasts")).to_contain_text(
            "The privacy notice is being sent now."
        )

    def comments(self, form: str, words: str) -> None:
        """On a form that has just come to her page."""
        received = self.page.locator("#listened-to-me li").filter(has_text=form)
        received.get_by_role("button", name="Comment").click()
        self.page.locator("#dialog [name=comment]").fill(words)
        self.page.locator("#dialog .main").click()
        expect(received).to_contain_text(words)

    def hangs_up(self) -> None:
        self.page.keyboard.press("x")

    def choose(self, outcome: str, *, mouse: bool = False) -> None:
        """By its key, or with the mouse."""
        button = self.page.locator(f"[data-outcome={outcome}]")
        if mouse:
            button.click()
        else:
            self.page.keyboard.press(button.get_attribute("aria-keyshortcuts") or "")
        expect(button).to_have_attribute("aria-pressed", "true")
        self.used.add(outcome)

    def lets_hold_now(self, outcome: str, *, mouse: bool = False) -> None:
        """A wish takes effect while the talk goes on."""
        call = self.call()
        self.choose(outcome, mouse=mouse)
        with self.page.expect_response("**/wish"):
            self.page.keyboard.press("Enter")  # the button has the focus already
        self.opt_outs.append((f"+{call.number}", self.evening.now()))
        expect(self.page.locator("#chosen")).to_contain_text("It now applies in every department.")
        state(self.page, "talking")

    def saves(self, outcome: str, then: str = "next") -> None:
        """What is chosen and filled in."""
        attempt = self.call().attempt
        with self.page.expect_response("**/outcome") as saved:
            self.page.locator(f"#chosen [data-way={then}]").click()
        assert saved.value.ok
        self.given[attempt] = outcome

    def gives(self, outcome: str, then: str = "next", *, mouse: bool = False) -> None:
        """An outcome that asks for nothing more."""
        self.choose(outcome, mouse=mouse)
        self.saves(outcome, then)

    def writes(self, outcome: str, words: str, then: str = "next") -> None:
        """An outcome that asks for a few words."""
        self.choose(outcome)
        expect(self.page.locator("#chosen textarea[required]")).to_be_focused()
        self.page.keyboard.type(words)
        self.saves(outcome, then)

    def agrees(self, outcome: str, amount: int, often: str, then: str, *said: str) -> None:
        """An amount and how often, read back before it is saved."""
        attempt = self.call().attempt
        self.choose(outcome)
        expect(self.page.locator("#chosen [type=number]")).to_be_focused()
        self.page.keyboard.type(str(amount))
        self.page.get_by_label(often, exact=True).check()
        self.page.get_by_role("button", name="Read the agreement back").click()
        for sentence in said:
            expect(self.page.locator(".read-back blockquote")).to_contain_text(sentence)
        assert self.call().outcome is None, "nothing is saved before the person says yes"
        with self.page.expect_response("**/outcome") as saved:
            self.page.locator(f".read-back [data-way={then}]").click()
        assert saved.value.ok
        self.given[attempt] = outcome

    def changes_campaign(self, campaign: str) -> None:
        self.page.locator("#campaign").click()
        self.page.check(f"[name=campaign][value={campaign}]")
        self.page.locator("#shift-form .main").click()
        expect(self.page.locator("#shift")).to_be_hidden()
