"""A whole evening shift of a phoner, and a supervisor who listens from its first call on.

Maja comes a quarter of an hour before the evening's hours and works until they are over; Sigrid has the
floor open all the time. Everything is done in their pages, as people do it. The network's own
record, the database and the seals are held against it afterwards.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from callserver.simulator.legs import Behaviour
from tests.browser import evening_afterwards as afterwards
from tests.browser.conftest import sign_in, windows
from tests.browser.evening import Evening, evening
from tests.browser.evening_maja import TOLD, Maja
from tests.browser.evening_sigrid import ALARMS, Sigrid
from tests.browser.shift import go_home, on_shift, state

TOGETHER = "You hear the person. The person hears you."
WITH_SIGRID = "You hear your supervisor. You hear the person. Your supervisor hears you. The person hears you."

PRAISE = "You let him finish, and you promised no more than we can keep."


@pytest.fixture
def people(chromium: Browser, tmp_path: Path) -> Iterator[tuple[Evening, Maja, Sigrid]]:
    """The system at a quarter to five, before the two sign in."""
    with evening(tmp_path) as shift, windows(chromium, shift.system) as window:
        maja, sigrid = shift.comes(window()), shift.comes(window())
        maja.add_init_script(TOLD)
        yield shift, Maja(shift, maja), Sigrid(shift, sigrid)


@pytest.mark.timeout(600)
def test_a_whole_evening(people: tuple[Evening, Maja, Sigrid]) -> None:
    shift, maja, sigrid = people
    before_the_hours(shift, maja, sigrid)
    first_talks(shift, maja, sigrid)
    wishes(shift, maja, sigrid)
    hard_talks(shift, maja, sigrid)
    a_stopped_campaign(shift, maja, sigrid)
    a_promise_is_kept(shift, maja, sigrid)
    members(shift, maja, sigrid)
    former_members(shift, maja, sigrid)
    the_end_of_listening(shift, maja, sigrid)
    the_hours_are_over(shift, maja, sigrid)
    afterwards.everything_was_used(shift, maja)
    afterwards.my_evening_lists_it(shift, maja)
    afterwards.the_database_has_it(shift, maja)
    afterwards.the_seals_hold(shift)
    afterwards.nobody_was_wronged(shift, maja, sigrid)
    afterwards.she_heard_each_talk(shift, maja, but={"Svend Vestervang"})


def heard(maja: Maja, sigrid: Sigrid, name: str) -> None:
    """The next talk has begun; Sigrid hears it, and Maja is not told."""
    maja.talks_to(name)
    sigrid.hears_the_talk()
    expect(maja.line).to_have_text(TOGETHER)
    assert not maja.learns_of_a_listener()


def before_the_hours(shift: Evening, maja: Maja, sigrid: Sigrid) -> None:
    page = maja.page
    sign_in(page, shift.system, "maja")
    expect(page.locator("#campaigns .badge").first).to_have_text(
        "Calls may be made again today at 17:00."
    )
    page.locator("#sound-test").click()
    expect(page.locator("#sound-result")).to_have_text("You can be heard.")
    page.locator("#tone").click()
    page.locator("#sound-test").click()
    on_shift(page, "kanvas")
    expect(page.locator("#reason")).to_have_text(
        "You are on shift. Press Ready when you are ready."
    )
    page.keyboard.press("r")
    state(page, "waiting")
    expect(page.locator("#reason")).to_contain_text(
        "Calls may be made again today at 17:00. There is 14:"
    )

    sign_in(sigrid.page, shift.system, "sigrid")
    expect(sigrid.page.locator("#softphone")).to_have_text("The browser phone is ready")
    sigrid.page.evaluate(ALARMS)
    expect(sigrid.tile).to_contain_text("waiting")
    expect(sigrid.tile).to_contain_text("Calls may be made again today at 17:00.")
    sigrid.listens()
    expect(sigrid.ear).to_contain_text("You will hear the next call when it begins.")
    sigrid.hears_nobody()
    shift.passes(10)
    expect(page.locator("#reason")).to_contain_text(
        "Calls may be made again today at 17:00. There is 4:"
    )
    assert not shift.system.stage.world.network.record, "nobody is called before the hours"


def first_talks(shift: Evening, maja: Maja, sigrid: Sigrid) -> None:
    """Five o'clock: the phoner is ready, and the first call is placed."""
    page = maja.page
    shift.until(17)
    heard(maja, sigrid, "Alma Agerbæk")
    shift.passes(4)
    maja.hangs_up()
    state(page, "wrapping_up")
    maja.gives("no_thanks")

    heard(maja, sigrid, "Bodil Birkelund")
    shift.passes(6)
    maja.gives("not_now", mouse=True)  # while they still talk
    expect(page.locator("#chosen")).to_contain_text("Saved: Not now")
    shift.hangs_up()

    heard(maja, sigrid, "Carlo Dalsgaard")
    shift.passes(5)
    maja.choose("call_back")
    page.get_by_role("button", name="tonight at 19:00").click()
    expect(page.locator("#chosen")).to_contain_text(
        "The time, Wednesday 13 May at 19:00, is within calling hours."
    )
    maja.saves("call_back")
    shift.town.next_number(Behaviour())  # Dagny is not at home,
    maja.hangs_up()
    state(page, "ringing")
    expect(page.locator(".who-name")).to_have_text("Dagny Engstrøm")
    shift.town.next_number(Behaviour(ends="busy"))  # and Ebbe is on the telephone
    shift.passes(0.6)


def wishes(shift: Evening, maja: Maja, sigrid: Sigrid) -> None:
    """Each holds while they still talk."""
    page = maja.page
    heard(maja, sigrid, "Elna Grønholt")
    maja.lets_hold_now("not_this_number")
    maja.saves("not_this_number")
    shift.passes(3)
    maja.hangs_up()

    heard(maja, sigrid, "Frode Havbakke")
    shift.passes(3)
    maja.lets_hold_now("not_this_household", mouse=True)
    shift.hangs_up()
    state(page, "wrapping_up")
    maja.saves("not_this_household")

    heard(maja, sigrid, "Helge Isager")  # Gudrun lives with Frode
    maja.lets_hold_now("not_about_this")
    maja.saves("not_about_this")
    shift.passes(4)
    maja.hangs_up()

    heard(maja, sigrid, "Inger Kildemose")
    shift.passes(3)
    maja.lets_hold_now("never")
    expect(page.locator(".ask")).to_contain_text("The person wants no calls.")
    expect(page.locator("[data-outcome=member]")).to_have_count(0)
    shift.passes(2)
    maja.saves("never")
    state(page, "talking")  # and they say goodbye
    maja.hangs_up()

    heard(maja, sigrid, "Jytte Lyngvig")
    maja.hangs_up()
    maja.gives("wrong_number")
    heard(maja, sigrid, "Knud Møllehave")
    shift.passes(2)
    maja.gives("deceased", mouse=True)
    maja.hangs_up()


def hard_talks(shift: Evening, maja: Maja, sigrid: Sigrid) -> None:
    """A breather without a reason shown, a raised hand, coaching, a form."""
    page = maja.page
    heard(maja, sigrid, "Laura Nordhøj")
    maja.lets_hold_now("vulnerable")
    page.locator("#breather").click()
    expect(page.locator("#reason")).to_have_text("Next: breather.")
    maja.saves("vulnerable", "pause")
    shift.passes(5)
    maja.hangs_up()
    state(page, "breather")
    expect(page.locator("#reason")).to_contain_text("Others only see that you are on a break")
    expect(sigrid.tile).to_contain_text("on a break")
    assert "reather" not in sigrid.page.inner_text("main")
    sigrid.hears_nobody()
    shift.passes(8)
    expect(page.locator("#timer")).to_have_text(re.compile("^08:"))
    expect(sigrid.tile).to_contain_text("08:")

    page.keyboard.press("r")
    heard(maja, sigrid, "Malte Overbæk")
    maja.sends_the_privacy_notice()
    shift.hangs_up()
    state(page, "wrapping_up")
    maja.gives("hung_up")
    heard(maja, sigrid, "Nanna Ravnsborg")
    maja.hangs_up()
    maja.gives("voicemail")

    heard(maja, sigrid, "Otto Skovlund")
    page.keyboard.press("h")
    expect(page.locator("#kind-words")).to_contain_text("Your hand has been up since")
    sigrid.sees_the_hand()
    expect(page.locator("#hand")).to_contain_text("Raise your hand")
    sigrid.louder("coach")
    expect(maja.line).to_have_text(WITH_SIGRID)
    expect(sigrid.line).to_have_text(
        "You hear the person. You hear the phoner. The phoner hears you."
    )
    shift.passes(3)
    sigrid.silent_again()
    expect(maja.line).to_have_text(TOGETHER)
    maja.forgets_what_she_was_told()
    shift.passes(6)
    maja.hangs_up()
    state(page, "wrapping_up")
    shift.passes(2)  # longer than the time for it: nobody is called, and nothing is lost
    state(page, "owed")
    maja.writes("complaint", "Three calls from others this week, and wants an answer.", "pause")
    state(page, "paused")
    assert not maja.learns_of_a_listener()

    malte, _, otto = maja.talks[-3:]
    sigrid.fills_in_a_form(otto, PRAISE)
    sigrid.corrects(malte, "no_thanks")
    maja.given[malte] = "no_thanks"


def a_stopped_campaign(shift: Evening, maja: Maja, sigrid: Sigrid) -> None:
    """Talks go on; then the phoner waits, and the page says why."""
    page = maja.page
    shift.passes(3)
    page.keyboard.press("r")
    heard(maja, sigrid, "Poula Tangager")
    sigrid.stops_campaign("kanvas", "The list is looked through")
    shift.passes(4)
    maja.hangs_up()
    maja.writes("data_wish", "Wants to see what we have written down.")
    state(page, "waiting")
    expect(page.locator("#reason")).to_contain_text(
        "The campaign is paused: The list is looked through"
    )
    shift.passes(7)
    state(page, "waiting")
    sigrid.resumes_campaign("kanvas")

    heard(maja, sigrid, "Rigmor Uglebjerg")
    sigrid.louder("join")
    expect(maja.line).to_have_text(WITH_SIGRID)
    expect(sigrid.line).to_have_text(
        "You hear the person. You hear the phoner. The person hears you. The phoner hears you."
    )
    shift.passes(2)
    sigrid.silent_again()
    expect(maja.line).to_have_text(TOGETHER)
    maja.forgets_what_she_was_told()
    maja.agrees(
        "member",
        75,
        "every month",
        "pause",
        "You pay 75 kr. (seventy-five kroner) every month.",
        "That is 900 kr. a year.",
    )
    maja.hangs_up()
    state(page, "paused")


def a_promise_is_kept(shift: Evening, maja: Maja, sigrid: Sigrid) -> None:
    """A meal until seven; the first call after it is the promised call-back."""
    page = maja.page
    page.keyboard.press("p")
    page.keyboard.press("2")
    expect(page.locator("#reason")).to_have_text("Meal break")
    began = shift.now()
    shift.until(19, 1)
    minutes = int((shift.now() - began).total_seconds() // 60)
    expect(page.locator("#timer")).to_have_text(re.compile(f"^{minutes:02}:"))
    expect(sigrid.tile).to_contain_text(f"{minutes:02}:")
    page.keyboard.press("r")
    heard(maja, sigrid, "Carlo Dalsgaard")
    expect(page.locator("#card .note")).to_contain_text("You promised to call today at 19:00.")
    assert maja.call().path == "call_back"
    shift.passes(7)
    maja.hangs_up()
    maja.gives("no_thanks", "pause")


def members(shift: Evening, maja: Maja, sigrid: Sigrid) -> None:
    """Other campaigns. People who opted out stand first in their lists."""
    page = maja.page
    maja.changes_campaign("leads")
    page.keyboard.press("r")
    heard(maja, sigrid, "Ulla Birkelund")
    page.get_by_role("button", name="Does not want others to listen").click()
    sigrid.hears_nobody()
    expect(sigrid.ear).to_contain_text("The person does not want others to listen")
    shift.passes(5)
    maja.agrees(
        "member",
        600,
        "every year",
        "pause",
        "You pay 600 kr. (six hundred kroner) every year.",
    )
    maja.hangs_up()

    state(page, "paused")
    maja.changes_campaign("opgradering")
    page.keyboard.press("r")
    heard(maja, sigrid, "Walther Engstrøm")
    shift.passes(5)
    maja.agrees(
        "upgrade",
        1205,
        "every year",
        "next",
        "1,205 kr. (one thousand two hundred and five kroner)",
    )
    maja.hangs_up()
    heard(maja, sigrid, "Ylva Fjordby")
    maja.hangs_up()
    maja.agrees("lower", 50, "every quarter", "next", "That is 200 kr. a year.")
    heard(maja, sigrid, "Aage Grønholt")
    shift.passes(5)
    maja.choose("pause_dues")
    page.locator("#chosen [data-date=date]").fill("2026-06-01")
    page.locator("#chosen textarea").fill("Half a year.")
    maja.saves("pause_dues")
    maja.hangs_up()
    for name, outcome in (("Ellen Overbæk", "address"), ("Folmer Isager", "service")):
        heard(maja, sigrid, name)
        maja.hangs_up()
        maja.writes(outcome, "By letter.")
    heard(maja, sigrid, "Grethe Kildemose")
    shift.passes(6)
    maja.gives("leave", "pause")
    expect(page.locator(".ask")).to_contain_text("Thank them for their support")
    maja.hangs_up()


def former_members(shift: Evening, maja: Maja, sigrid: Sigrid) -> None:
    """Some have left, and some have only stopped paying."""
    page = maja.page
    state(page, "paused")
    maja.changes_campaign("lapsed")
    page.keyboard.press("r")
    heard(maja, sigrid, "Ingolf Møllehave")
    shift.passes(4)
    maja.hangs_up()
    maja.writes("reason_told", "Moved abroad for some years.", "pause")
    state(page, "paused")
    maja.changes_campaign("afmeldte")
    page.keyboard.press("r")
    heard(maja, sigrid, "Karla Nordhøj")
    shift.passes(4)
    maja.agrees("reinstated", 25, "every month", "pause", "That is 300 kr. a year.")
    maja.hangs_up()
    state(page, "paused")


def the_end_of_listening(shift: Evening, maja: Maja, sigrid: Sigrid) -> None:
    """Afterwards the phoner is told that somebody listened, and who."""
    page = maja.page
    shift.until(20, 40)
    assert not maja.learns_of_a_listener()
    sigrid.stops()
    expect(page.locator("#listened-to-me")).to_contain_text("Sigrid Prøve, today at 16:4")
    expect(page.locator("#listened-to-me")).to_contain_text("listened in, 17:00:0")
    expect(page.locator("#listened-to-me")).to_contain_text("to 20:40:")
    maja.comments(PRAISE, "Thank you. He spoke so softly.")
    sigrid.reads_the_comment("He spoke so softly.")


def the_hours_are_over(shift: Evening, maja: Maja, sigrid: Sigrid) -> None:
    """The last talk goes on past nine. The next day is a holiday."""
    page = maja.page
    maja.changes_campaign("kanvas")
    shift.until(20, 45)
    # No leg lives longer than four hours: the phoner's is reconnected first.
    page.keyboard.press("r")
    state(page, "connecting")
    expect(page.locator("#reason")).to_contain_text("Lines are cut after four hours")
    shift.until(20, 57)
    expect(page.locator("#softphone")).to_have_text("The browser phone is on the line")
    maja.talks_to("Svend Vestervang")
    shift.passes(5)
    maja.hangs_up()
    maja.gives("no_thanks")
    state(page, "waiting")
    # Ebbe, who was on the telephone, is due again at a quarter past nine: too late for tonight.
    opens = "Calls may be made again 15 May 2026 at 17:00."
    expect(page.locator("#reason")).to_have_text(opens)
    expect(sigrid.tile).to_contain_text(opens)
    expect(sigrid.campaign("kanvas")).to_contain_text("Resumes 15 May 2026 at 17:00")
    go_home(page)
    expect(page.locator("#toasts")).to_contain_text("Thank you for today.")
    expect(sigrid.tile).to_have_count(0)
    # Minutes in one step seem a standstill to the floor, until it looks again.
    expect(sigrid.page.locator("#alarms")).to_have_text("Everything is as it should be.")
    assert not [alarm for alarm in sigrid.page.evaluate("window.alarms") if "clock" in alarm]
