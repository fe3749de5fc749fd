"""Answers that come late or not at all: a page ends up showing what is, without a further event."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import APIResponse, Browser, Page, Route, expect
from sqlalchemy import select

from callserver import texts
from callserver.database.tables import users
from tests.browser.conftest import Visit, windows
from tests.browser.shift import on_shift, state
from tests.browser.test_applicants import NAME, entered
from tests.browser.test_phone_page import POST
from tests.browser.test_restart import BACK, LOST
from tests.harness.threaded import BrowserSystem


class FirstAnswer:
    """Holds the first answer of a path until it is released."""

    def __init__(self, page: Page, path: str) -> None:
        self._page = page
        self._held: list[tuple[Route, APIResponse]] = []
        page.route(f"**/api/v1{path}", self._hold)

    def _hold(self, route: Route) -> None:
        if self._held:
            return route.fallback()
        self._held.append((route, route.fetch()))
        return None

    def wait(self) -> None:
        while not self._held:
            self._page.wait_for_timeout(20)

    def release(self) -> None:
        ((route, answer),) = self._held
        route.fulfill(response=answer)


COMES_BACK = """(selector) => {
  const part = document.querySelector(selector);
  window.cameBack = false;
  new MutationObserver(() => { window.cameBack ||= !part.hidden; }).observe(part, { attributes: true });
}"""
"""Notes whether a hidden part is shown, however briefly: a later answer may hide it again."""


def announce(page: Page, system: BrowserSystem, handle: str) -> None:
    """That somebody leaves: the page learns of it from its stream, as if another had done it."""
    user = system.read(
        lambda tx: tx.execute(select(users.c.id).where(users.c.handle == handle)).scalar_one()
    )
    page.evaluate(POST, [f"/accounts/{user}/checklist/announcement", {"leaves": True}])


def shows_announced(page: Page, name: str) -> None:
    expect(page.locator("#people tr", has_text=name)).to_contain_text("leaves soon")


def test_an_earlier_answer_does_not_overwrite_a_later_one(
    visit: Visit, system: BrowserSystem
) -> None:
    page = visit("asger", "/accounts")
    first = FirstAnswer(page, "/accounts")
    announce(page, system, "maja")
    first.wait()
    announce(page, system, "mads")
    page.wait_for_timeout(1000)  # a page that asks again at once has its answer
    first.release()
    shows_announced(page, "Maja Prøve")
    shows_announced(page, "Mads")


def test_a_page_that_got_no_answer_asks_again(visit: Visit, system: BrowserSystem) -> None:
    page = visit("asger", "/accounts")
    failed: list[str] = []

    def fail_once(route: Route) -> None:
        if failed:
            return route.fallback()
        failed.append(route.request.url)
        return route.abort("connectionrefused")

    page.route("**/api/v1/accounts", fail_once)
    announce(page, system, "maja")
    shows_announced(page, "Maja Prøve")
    assert len(failed) == 1


def test_what_comes_while_a_page_catches_up_is_not_overwritten(
    visit: Visit, system: BrowserSystem
) -> None:
    maja, sigrid = visit("maja"), visit("sigrid", "/floor")
    on_shift(maja)
    with system.away():
        for page in (maja, sigrid):
            expect(page.locator("#banner")).to_contain_text(LOST)
        floor = FirstAnswer(sigrid, "/floor")
    expect(maja.locator("#banner")).to_contain_text(BACK, timeout=30_000)
    state(maja, "paused")
    floor.wait()
    maja.keyboard.press("h")
    seat = sigrid.locator("#seats .seat", has_text="Maja Prøve")
    expect(seat).to_have_class(re.compile("hand"))
    floor.release()
    expect(sigrid.locator("#banner")).to_contain_text(BACK, timeout=30_000)
    sigrid.wait_for_timeout(200)
    expect(seat).to_have_class(re.compile("hand"))


def test_a_late_look_does_not_bring_back_a_listening_that_ended(visit: Visit) -> None:
    """The floor asks whether the listener's telephone is connected, and the listening ends before the answer."""
    maja, sigrid = visit("maja"), visit("sigrid", "/floor")
    on_shift(maja)
    maja.locator("#ready").click()
    state(maja, "talking")
    look = FirstAnswer(sigrid, "/listenings/mine")
    sigrid.get_by_role("button", name="Listen in: Maja Prøve").click()
    look.wait()
    expect(sigrid.locator("#listening-text")).to_be_visible()
    sigrid.locator("#listening-actions [data-key=stop]").click()
    expect(sigrid.locator("#listening")).to_be_hidden()
    sigrid.evaluate(COMES_BACK, "#listening")
    look.release()
    sigrid.wait_for_timeout(1000)
    assert not sigrid.evaluate("() => window.cameBack")


def test_a_shift_begins_after_the_server_did_not_answer_the_telephone(visit: Visit) -> None:
    page = visit("maja")
    page.route("**/api/v1/softphone", lambda route: route.abort("connectionrefused"), times=1)
    page.check("[name=campaign][value=leads]")
    page.locator("#lines label").first.click()
    page.locator("#shift-form .main").click()
    expect(page.locator("#shift-form .wrong")).to_be_visible()
    page.locator("#shift-form .main").click()
    state(page, "paused")


def unreachable_once(page: Page, path: str) -> None:
    page.route(f"**/api/v1{path}", lambda route: route.abort("connectionrefused"), times=1)


def test_a_telephone_that_got_no_answer_at_first_asks_again(
    visit: Visit, chromium: Browser, system: BrowserSystem
) -> None:
    """A phoner whose page is opened in a shift, a listener, and both sides of a role-play call."""
    maja = visit("maja")
    on_shift(maja)
    unreachable_once(maja, "/softphone")
    maja.reload()
    expect(maja.locator("#softphone")).to_have_text("The browser phone is on the line")

    sigrid = visit("sigrid", "/applicants")
    entered(sigrid, sigrid.locator("#add"), name=NAME)
    unreachable_once(sigrid, "/role-plays/*/softphone")
    entered(sigrid, sigrid.get_by_role("button", name=f"Role-play call: {NAME}"))
    code = sigrid.locator("#playing-code b").inner_text()
    with windows(chromium, system) as window:
        guest = window("en")
        guest.goto(f"{system.url}/role-play")
        unreachable_once(guest, "/role-play/softphone")
        guest.locator("#enter [name=code]").fill(code)
        guest.keyboard.press("Enter")
        talks = texts.say("en", "role_play.talks")
        expect(guest.locator("#state")).to_have_text(talks, timeout=40_000)
        guest.locator("#end").click()
        expect(guest.locator("#over-title")).to_be_visible()

    unreachable_once(sigrid, "/softphone/listener")
    sigrid.goto(f"{system.url}/floor")
    expect(sigrid.locator("#softphone")).to_have_text("The browser phone is ready")


def test_an_opt_out_is_recorded_for_the_number_that_is_shown(visit: Visit) -> None:
    """A second search gets no answer: the page still shows, and changes, the first number."""
    page = visit("mads", "/suppressions")
    number, look_up = page.locator("#search [name=number]"), page.locator("#search .main")
    number.fill("32 20 91 56")
    look_up.click()
    expect(page.locator("#about")).to_contain_text("56")
    page.route(
        "**/api/v1/suppressions/search", lambda route: route.abort("connectionrefused"), times=1
    )
    number.fill("32 20 91 57")
    look_up.click()
    expect(page.locator("#search .wrong")).to_be_visible()
    with page.expect_request("**/api/v1/suppressions") as recorded:
        page.locator("#add .main, #add button").first.click()
    body = recorded.value.post_data_json
    assert body is not None
    assert body["number"] == "32 20 91 56"


def test_a_late_failure_of_a_check_does_not_overwrite_a_later_result(visit: Visit) -> None:
    page = visit("asger", "/rules")
    page.locator("#files button", has_text="Canvass").click()
    page.locator("#source summary").click()
    held: list[Route] = []

    def hold(route: Route) -> None:
        if held:
            return route.fallback()
        held.append(route)
        return None

    page.route("**/api/v1/rules/check", hold)
    text = page.locator("#text")
    text.fill(text.input_value().replace("priority: 3", "priority: 4"))
    while not held:
        page.wait_for_timeout(20)
    text.fill(text.input_value().replace("priority: 4", "priority: 5"))
    expect(page.locator("#check-result")).to_contain_text("No errors")
    held[0].abort("connectionrefused")
    page.wait_for_timeout(300)
    expect(page.locator("#check-result")).to_contain_text("No errors")


def test_a_column_that_was_chosen_stays_whichever_answer_comes_first(
    visit: Visit, tmp_path: Path
) -> None:
    page = visit("asger", "/lists")
    people = tmp_path / "people.csv"
    people.write_text("telefon;a;b\n32209156;x;y\n", "utf-8")
    page.locator("#file-step [name=file]").set_input_files(people)
    page.locator("#file-step .main").click()
    columns = page.locator("#columns select")
    expect(columns).to_have_count(3)
    first = FirstAnswer(page, "/lists/*/preview")
    columns.nth(1).select_option("name")
    first.wait()
    columns.nth(2).focus()
    columns.nth(2).select_option("ref")
    expect(columns.nth(2)).to_be_focused()
    page.wait_for_timeout(500)
    first.release()
    page.wait_for_timeout(300)
    expect(columns.nth(1)).to_have_value("name")
    expect(columns.nth(2)).to_have_value("ref")


OPENED = """() => {
  window.opened = [];
  const { mediaDevices } = navigator;
  const open = mediaDevices.getUserMedia.bind(mediaDevices);
  mediaDevices.getUserMedia = async (wanted) => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    const stream = await open(wanted);
    window.opened.push(...stream.getTracks());
    return stream;
  };
}"""


def test_no_microphone_stays_open_after_the_sound_test(visit: Visit) -> None:
    page = visit("maja")
    page.evaluate(OPENED)
    test = page.locator("#sound-test")
    test.dblclick()
    expect(test).to_have_text("Stop the test")
    test.click()
    page.wait_for_timeout(500)
    assert page.evaluate("() => window.opened.map((track) => track.readyState)") == ["ended"]


def test_the_draft_of_the_next_call_outlasts_a_late_answer(visit: Visit) -> None:
    """The outcome is saved, and its answer comes when the phoner has begun the outcome of the next call."""
    page = visit("maja")
    on_shift(page)
    page.keyboard.press("r")
    state(page, "talking")
    first = page.evaluate("fetch('/api/v1/seat').then((reply) => reply.json())")["call"]["attempt"]
    saved = FirstAnswer(page, "/outcome")
    page.locator("#hang-up").click()
    state(page, "wrapping_up")
    page.locator("[data-outcome=no_thanks]").click()
    page.locator("#chosen [data-way=next]").click()
    saved.wait()
    page.wait_for_function(
        """async (first) => {
          const seat = await (await fetch("/api/v1/seat")).json();
          return seat.state === "talking" && seat.call.attempt !== first;
        }""",
        arg=first,
        timeout=60_000,
    )
    state(page, "talking")
    page.locator("[data-outcome=no_thanks]").click()
    page.locator("#chosen textarea").fill("Ring ikke om aftenen")
    saved.release()
    page.wait_for_timeout(500)
    expect(page.locator("#chosen textarea")).to_have_value("Ring ikke om aftenen")
    assert "Ring ikke" in page.evaluate("sessionStorage.getItem('outcome')")


def test_the_card_comes_without_being_asked_for_again(visit: Visit) -> None:
    page = visit("maja")
    on_shift(page)
    page.route("**/api/v1/card", lambda route: route.abort("connectionrefused"), times=2)
    page.keyboard.press("r")
    state(page, "talking")
    expect(page.locator(".who-name")).to_be_visible()


def test_what_is_typed_into_a_rule_while_it_is_proposed_stays(visit: Visit) -> None:
    page = visit("asger", "/rules")
    page.locator("#files button", has_text="Canvass").click()
    page.locator("#source summary").click()
    text = page.locator("#text")
    text.fill(f"{text.input_value()}most_tries: 30\n")
    expect(page.locator("#check-result")).to_contain_text("No errors")
    expect(page.locator("#activate")).to_have_text("Propose")  # it does not come into force here
    page.locator("#propose [name=why]").fill("More tries")
    page.locator("#propose [name=ethics]").fill("Nobody is called more often")
    first = FirstAnswer(page, "/rules/proposals")
    page.locator("#activate").click()
    first.wait()
    text.fill(f"{text.input_value()}\n# a later thought\n")
    page.locator("#propose [name=why]").fill("A later thought")
    first.release()
    expect(page.locator("#open-proposals .proposal")).to_have_count(1)
    expect(text).to_have_value(re.compile("a later thought"))
    expect(page.locator("#propose [name=why]")).to_have_value("A later thought")
    expect(page.locator("#propose [name=ethics]")).to_have_value("")
    page.reload()
    page.locator("#files button", has_text="Canvass").click()
    expect(text).to_have_value(re.compile("a later thought"))


def test_a_page_follows_a_server_whose_clock_was_set_back(
    visit: Visit, system: BrowserSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = visit("maja")
    on_shift(page)
    now = system.clock.now
    monkeypatch.setattr(system.clock, "now", lambda: now() - timedelta(minutes=5))
    page.keyboard.press("b")
    state(page, "breather")
    monkeypatch.setattr(system.clock, "now", lambda: now() - timedelta(minutes=10))
    visit("sigrid", "/floor").evaluate(POST, ["/floor/seats/1/off", {}])
    expect(page.locator("#seat")).to_be_hidden()
