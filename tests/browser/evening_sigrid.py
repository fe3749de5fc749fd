"""Sigrid on a whole evening: what they do on the floor, and what they were granted."""

import re
from dataclasses import dataclass, field

from playwright.sync_api import Locator, Page, expect

from callserver.database import seats
from callserver.simulator.robots import ListeningGrant
from callserver.simulator.supervisors import MODES, Supervisor
from tests.browser.evening import Evening
from tests.browser.evening_maja import MAJA, SIGRID

ALARMS = """() => {
  const list = document.querySelector("#alarms");
  window.alarms = [];
  new MutationObserver(() => window.alarms.push(list.innerText)).observe(list, { childList: true });
}"""
"""Remembers every alarm that the floor shows, however shortly."""


@dataclass
class Sigrid:
    """The supervisor, with the floor open."""

    evening: Evening
    page: Page
    me: Supervisor = field(default_factory=lambda: Supervisor(SIGRID, "", "nord", frozenset(MODES)))
    seat: int = 0  # Maja's

    @property
    def line(self) -> Locator:
        """Whom this user hears, and who hears them."""
        return self.page.locator("#line [role=status]")

    @property
    def tile(self) -> Locator:
        """Maja's, on the floor."""
        return self.page.get_by_role("button", name=re.compile("^Maja Prøve"))

    @property
    def ear(self) -> Locator:
        return self.page.locator("#listening-text")

    def granted(self, mode: str | None) -> None:
        """Note what was asked for; None: nothing more."""
        level = -1 if mode is None else MODES.index(mode)
        now = self.evening.clock.now()
        self.me.granted.append(ListeningGrant(self.me.line, now, now, level, self.seat))

    def hears_the_talk(self) -> None:
        """Both voices, and nobody hears the listener's."""
        expect(self.line).to_have_text(
            "You hear the person. You hear the phoner. Nobody hears you."
        )
        expect(self.page.locator("#line li").first).to_contain_text("Person:")
        expect(self.ear).to_contain_text("You are listening to Maja Prøve.")

    def hears_nobody(self) -> None:
        expect(self.line).to_have_text("You hear nobody. Nobody hears you.")

    def listens(self) -> None:
        """One click, on the ear beside the tile."""
        self.seat = self.evening.system.read(lambda tx: seats.peek(tx, MAJA)).id
        self.granted("silent")
        self.page.get_by_role("button", name="Listen in: Maja Prøve").click()
        expect(self.ear).to_contain_text("You are listening to Maja Prøve.")

    def louder(self, mode: str) -> None:
        """Coach, or join."""
        self.granted(mode)
        self.page.locator(f"#listening-actions [data-key={mode}]").click()

    def silent_again(self) -> None:
        self.page.locator("#listening-actions [data-key=silent]").click()
        expect(self.ear).to_contain_text("You are listening to Maja Prøve.")
        self.granted("silent")

    def stops(self) -> None:
        self.page.locator("#listening-actions [data-key=stop]").click()
        expect(self.page.locator("#listening")).to_be_hidden()
        self.granted(None)

    # -- other actions ---------------------------------------------------------------------------

    def sees_the_hand(self) -> None:
        """Raised; and lowered by the supervisor."""
        expect(self.tile).to_contain_text("hand raised")
        self.tile.click()
        self.page.locator("#panel [data-key=hand]").click()
        expect(self.tile).not_to_contain_text("hand raised")

    def fills_in_a_form(self, attempt: str, words: str) -> None:
        self.page.locator(f"#panel [data-key=form-{attempt}]").click()
        for name, value in {"respectful": 5, "serious": 5, "positive": 4}.items():
            self.page.locator(f"#dialog [name={name}][value='{value}']").check()
        self.page.locator("#dialog [name=words]").fill(words)
        self.page.locator("#dialog .main").click()
        expect(self.page.locator("#panel .forms")).to_contain_text(words)

    def reads_the_comment(self, words: str) -> None:
        self.tile.click()
        expect(self.page.locator("#panel .forms")).to_contain_text(words)

    def corrects(self, attempt: str, outcome: str) -> None:
        self.page.locator(f"#panel [data-key=correct-{attempt}]").click()
        self.page.locator("#correct-outcome").select_option(outcome)
        self.page.locator("#correct-body .main").click()
        expect(self.page.locator("#toasts")).to_contain_text("The outcome has been corrected.")

    def campaign(self, name: str) -> Locator:
        """What the floor says of it."""
        return self.page.locator(f"#campaigns [data-name={name}]")

    def stops_campaign(self, name: str, why: str) -> None:
        self.campaign(name).get_by_role("button").click()
        self.page.locator("#dialog [name=reason]").fill(why)
        self.page.locator("#dialog .bad").click()
        expect(self.campaign(name)).to_contain_text(why)

    def resumes_campaign(self, name: str) -> None:
        self.campaign(name).get_by_role("button").click()
        expect(self.campaign(name)).to_contain_text("running")
