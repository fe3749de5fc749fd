"""The system of a whole evening shift: its hours, its lists, what its people do, and how time passes there.

Nobody waits for the hours of an evening: `Evening.passes` moves the system's clock forward between two
things that happen, and the clocks of the open pages with it, as all clocks move. What fell due
meanwhile is done at once, by the server and by its network, and the pages are right again.
"""

import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from playwright.sync_api import Page

from callserver.adapters.clock import ShiftedClock
from callserver.cli.simulated_stack import StackPlan
from callserver.database import floor
from callserver.engine.lists.importer import import_list
from callserver.simulator.population import NUMBERS_FROM, BehaviourRates
from tests.browser.conftest import ROOT
from tests.browser.town import Town
from tests.harness.threaded import BrowserSystem, open_system

HOME = ZoneInfo("Europe/Copenhagen")
COMES = datetime(2026, 5, 13, 16, 45, tzinfo=HOME)
"""A Wednesday; the day after it is a holiday."""

TALKS_ON = BehaviourRates(
    answers=1,
    rings_for=(0.3, 0.3),
    hangs_up_early=0,
    voicemail=0,
    talk_seconds=1,
    shortest_talk=3 * 3600,
)
"""Everybody answers, and nobody ends a talk by the clock: it is over when somebody hangs up."""

KANVAS = (
    *("Alma Agerbæk", "Bodil Birkelund", "Carlo Dalsgaard", "Dagny Engstrøm", "Ebbe Fjordby"),
    *("Elna Grønholt", "Frode Havbakke", "Gudrun Havbakke", "Helge Isager", "Inger Kildemose"),
    *("Jytte Lyngvig", "Knud Møllehave", "Laura Nordhøj", "Malte Overbæk", "Nanna Ravnsborg"),
    *("Otto Skovlund", "Poula Tangager", "Rigmor Uglebjerg", "Svend Vestervang", "Tove Agerbæk"),
)
NO_MORE = (
    *("Elna Grønholt", "Frode Havbakke", "Gudrun Havbakke", "Inger Kildemose", "Jytte Lyngvig"),
    *("Knud Møllehave", "Laura Nordhøj", "Otto Skovlund"),
)
"""They stand in every list, and first: people who opted out are called from none of them."""

LEADS = (*NO_MORE, "Helge Isager", "Ulla Birkelund", "Viggo Dalsgaard")
MEMBERS = (
    *(*NO_MORE, "Walther Engstrøm", "Ylva Fjordby", "Aage Grønholt", "Ellen Overbæk"),
    *("Folmer Isager", "Grethe Kildemose", "Hakon Lyngvig"),
)
LISTS = {
    "kanvas": KANVAS,
    "leads": LEADS,
    "opgradering": MEMBERS,
    "lapsed": (*NO_MORE, "Ingolf Møllehave"),
    "afmeldte": (*NO_MORE, "Karla Nordhøj"),
}
EVERYBODY = tuple(dict.fromkeys(who for people in LISTS.values() for who in people))
NUMBER_OF = {who: f"+45{NUMBERS_FROM + place}" for place, who in enumerate(EVERYBODY)}
KNOWN_BY_NUMBER = ("Elna Grønholt", "Inger Kildemose")
"""Each list has a reference of its own for them: it is their number alone that is the same."""


class HandClock(ShiftedClock):
    """Runs like any clock, and is moved forward by hand."""

    def forward(self, by: timedelta) -> None:
        self._shift += by


@dataclass
class Evening:
    """The system, its clock, and its open pages."""

    system: BrowserSystem
    clock: HandClock
    town: Town
    pages: list[Page] = field(default_factory=list)

    def now(self) -> datetime:
        return self.clock.now().astimezone(HOME)

    def comes(self, page: Page) -> Page:
        """A page whose clock is the system's and moves with it."""
        page.clock.install(time=self.now())
        self.pages.append(page)
        return page

    def passes(self, minutes: float) -> None:
        """So much time passes for everybody; what fell due meanwhile has been looked at afterwards.

        The event loop waits while the clocks are moved: no code sees one moved and another not.
        """
        by = timedelta(minutes=minutes)
        held, moved = threading.Event(), threading.Event()

        def hold() -> None:
            held.set()
            moved.wait(30)
            # Wakes it: it sleeps by the old clock.
            self.system.stage.world.agenda.after(0, _nothing)

        self.system.loop.call_soon_threadsafe(hold)
        assert held.wait(30)
        try:
            for page in self.pages:
                page.evaluate("() => 0")  # what the server has sent has arrived
            self.clock.forward(by)
            at = self.clock.now()
            for page in self.pages:
                page.clock.fast_forward(round(by.total_seconds() * 1000))
        finally:
            moved.set()
        self._until_scheduler_has_run(at)

    def until(self, hour: int, minute: int = 0) -> None:
        """Time passes until then, this same evening."""
        at = self.now().replace(hour=hour, minute=minute, second=0, microsecond=0)
        left = (at - self.now()).total_seconds() / 60
        assert left > 0, f"it is {self.now():%H:%M} already"
        self.passes(left)

    def _until_scheduler_has_run(self, at: datetime) -> None:
        while True:
            until = self.system.read(lambda tx: floor.lease_until(tx, "scheduler"))
            if until is not None and until > at:
                return
            self.pages[0].wait_for_timeout(20)

    def hangs_up(self) -> None:
        """The person on Maja's line hangs up."""
        network = self.system.stage.world.network

        async def work() -> None:
            for leg in network.legs.values():
                if leg.live and leg.to.startswith("+"):
                    network.hang_up_by_person(leg)

        self.system.run(work())


async def _nothing() -> None: ...


@contextmanager
def evening(folder: Path, begins: datetime = COMES) -> Iterator[Evening]:
    """A system that calls from five to nine, without robots; its lists are imported."""
    clock = HandClock(begins)
    plan = StackPlan(folder, _config(folder), phoners=0, contacts=0, rates=TALKS_ON)
    with open_system(plan, clock) as system:
        system.run(_take_in(system))
        yield Evening(system, clock, Town(system.stage.world.network))


def _config(folder: Path) -> Path:
    """The example configuration with evening hours and one department for all campaigns."""
    config = folder / "config"
    shutil.copytree(ROOT / "config", config)
    hours = ("policies/dk.yaml", r'\["09:00-21:00"\]', '["17:00-21:00"]')
    theirs = [(f"campaigns/{name}.yaml", "department: .*", "department: nord") for name in LISTS]
    for name, was, becomes in (hours, *theirs):
        text, replaced = re.subn(was, becomes, (config / name).read_text("utf-8"))
        assert replaced, name
        (config / name).write_text(text, "utf-8")
    return config


async def _take_in(system: BrowserSystem) -> None:
    server, now = system.stage.server, system.stage.clock.now()
    for name, people in LISTS.items():
        campaign = server.ctx.rules.campaign(name)
        rows = [_row(who, name) for who in people]
        raw = "\n".join(["ref;navn;telefon;husstand;født;medlem;ophørt;kilde", *rows]).encode()
        await server.store.run(partial(import_list, campaign=campaign, raw=raw, now=now))


def _row(who: str, campaign: str) -> str:
    place = EVERYBODY.index(who)
    ref = f"{campaign}-{place}" if who in KNOWN_BY_NUMBER else f"K{place}"
    home = "Havbakke" if "Havbakke" in who else f"Vej {place}"
    member = "ja" if campaign in ("opgradering", "afmeldte") else "nej"
    ended = "2026-03-01" if campaign in ("lapsed", "afmeldte") else ""
    return f"{ref};{who};{NUMBER_OF[who]};{home};01-02-1980;{member};{ended};gademøde"
