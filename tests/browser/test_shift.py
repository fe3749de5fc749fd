"""A short shift in the browser, with a listening supervisor: two windows, one system."""

import re
from typing import Any

import pytest
from playwright.sync_api import Route, expect
from sqlalchemy import select

from callserver.database.tables import audit, calls
from tests.browser.conftest import Visit
from tests.browser.shift import finish, go_home, on_shift, state
from tests.harness.threaded import BrowserSystem

SEEN = """
window.asked = 0;
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = (wanted) => { window.asked += 1; return ask(wanted); };
"""


def test_a_short_shift_with_a_listening_supervisor(visit: Visit, system: BrowserSystem) -> None:
    maja = visit("maja")
    sigrid = visit("sigrid", "/floor")
    expect(sigrid.locator("#softphone")).to_have_text("The browser phone is ready")
    expect(maja.locator("#lines input").first).to_be_enabled()
    on_shift(maja)
    expect(maja.locator("#softphone")).to_have_text("The browser phone is on the line")
    expect(maja.locator("#line")).to_contain_text("You hear nobody.")

    maja.keyboard.press("r")
    state(maja, "talking")
    expect(maja.locator("#line")).to_contain_text("You hear the person. The person hears you.")
    expect(maja.locator("#line li").first).to_contain_text("Hello?")

    sigrid.get_by_role("button", name=re.compile("Maja Prøve")).first.click()
    sigrid.locator("#panel [data-key=silent]").click()
    expect(sigrid.locator("#listening-text")).to_contain_text("You are listening to Maja Prøve.")
    heard = sigrid.locator("#line")
    expect(heard).to_contain_text("You hear the person. You hear the phoner. Nobody hears you.")
    expect(heard.locator("li").first).to_contain_text("Person:")

    # The phoner's page shows nothing of it, now or in what the server has sent to it.
    expect(maja.locator("#line")).to_contain_text("You hear the person. The person hears you.")
    expect(maja.locator("#line")).not_to_contain_text("upervisor")

    sigrid.locator("#panel [data-key=coach]").click()
    expect(heard).to_contain_text("The phoner hears you.")
    expect(heard).not_to_contain_text("The person hears you.")
    expect(maja.locator("#line")).to_contain_text("You hear your supervisor.")

    maja.keyboard.press("m")
    expect(maja.locator("#softphone")).to_have_text("Your microphone is off: nobody hears you")
    expect(maja.locator("#mute")).to_have_attribute("aria-pressed", "true")
    expect(maja.locator("#line")).to_contain_text("Nobody hears you.")
    maja.keyboard.press("m")
    expect(maja.locator("#line")).to_contain_text("The person hears you.")

    sigrid.locator("#panel [data-key=stop]").click()
    expect(sigrid.locator("#listening")).to_be_hidden()
    expect(heard).to_be_hidden()
    expect(maja.locator("#line")).not_to_contain_text("upervisor")

    if maja.locator("#seat").get_attribute("data-state") == "talking":
        maja.keyboard.press("x")
    finish(maja)
    maja.keyboard.press("r")
    state(maja, "talking")
    maja.keyboard.press("x")
    finish(maja)
    go_home(maja)
    assert "Sigrid Prøve" in maja.locator("#evening").inner_text()

    def look(tx: Any) -> tuple[list[Any], bytes]:
        mine = select(calls.c.outcome, calls.c.answered_at).where(calls.c.phoner == 9101)
        return list(tx.execute(mine)), b"\n".join(tx.execute(select(audit.c.body)).scalars())

    rows, log = system.read(look)
    assert [call.outcome for call in rows if call.answered_at] == ["no_thanks", "no_thanks"]
    assert b'"mode":"coach"' in log.replace(b" ", b"")


def test_a_trainee_hears_their_mentor_from_a_pause(visit: Visit) -> None:
    maja = visit("maja")
    on_shift(maja)
    expect(maja.locator("#mentor-words")).to_contain_text("is on shift", timeout=30_000)
    maja.locator("#mentor-act").click()
    expect(maja.locator("#mentor-words")).to_contain_text("Nobody hears you")
    heard = maja.locator("#mentor-captions")
    expect(heard).to_contain_text("You hear the phoner. Nobody hears you.", timeout=60_000)
    expect(maja.locator("#line")).to_contain_text("You hear nobody.")  # on their own line
    maja.keyboard.press("r")  # their own work comes first
    expect(maja.locator("#mentor")).to_be_hidden()
    state(maja, "talking")
    expect(heard).to_be_hidden()
    maja.locator("#no-listener button").click()
    expect(maja.locator("#toasts")).to_contain_text("Recorded: nobody listens")
    maja.keyboard.press("x")
    finish(maja)
    go_home(maja)


def test_a_reloaded_page_comes_back_to_its_seat(visit: Visit) -> None:
    maja = visit("maja")
    on_shift(maja)
    maja.reload()
    expect(maja.locator("#softphone")).to_have_text(
        "The browser phone is on the line", timeout=30_000
    )
    state(maja, "paused")
    go_home(maja)


def test_a_second_window_takes_the_telephone_over(visit: Visit) -> None:
    first = visit("maja")
    on_shift(first)
    second = visit("maja")
    expect(second.locator("#softphone")).to_have_text(
        "The browser phone is on the line", timeout=30_000
    )
    expect(first.locator("#softphone")).to_contain_text("is open in another window")
    go_home(second)


def test_a_second_window_does_not_cut_the_talk(visit: Visit) -> None:
    """It has the telephone and the same call; the outcome that one window saves is saved in both."""
    first = visit("maja")
    on_shift(first)
    first.keyboard.press("r")
    state(first, "talking")
    second = visit("maja")
    state(second, "talking")
    expect(second.locator("#softphone")).to_have_text("The browser phone is on the line")
    expect(first.locator("#softphone")).to_contain_text("is open in another window")
    second.get_by_role("button", name=re.compile("^No, thank you")).click()
    second.locator("#chosen [data-way=pause]").click()
    second.locator("#hang-up").click()
    for window in (first, second):
        expect(window.locator("#seat")).to_have_attribute("data-state", "paused")
        expect(window.locator("#reason")).not_to_contain_text("connected again")
    go_home(second)


def test_a_browser_phone_whose_code_did_not_load_is_loaded_again(visit: Visit) -> None:
    maja = visit("maja")
    refused: list[str] = []

    def first_refused(route: Route) -> None:
        if refused:
            route.continue_()
        else:
            refused.append(route.request.url)
            route.abort()

    maja.route("**/softphones/simulated.js*", first_refused)
    on_shift(maja)
    assert refused
    go_home(maja)


def test_a_listener_in_silence_is_asked_for_no_microphone(visit: Visit) -> None:
    maja = visit("maja")
    on_shift(maja)
    sigrid = visit("sigrid")
    sigrid.add_init_script(SEEN)
    sigrid.reload()
    sigrid.get_by_role("button", name=re.compile("Maja Prøve")).first.click()
    sigrid.locator("#panel [data-key=silent]").click()
    expect(sigrid.locator("#listening-text")).to_contain_text("You are listening to Maja Prøve.")
    assert sigrid.evaluate("window.asked") == 0
    sigrid.locator("#panel [data-key=stop]").click()
    expect(sigrid.locator("#listening")).to_be_hidden()
    go_home(maja)


@pytest.mark.parametrize(("language", "said"), [("da", "Du hører personen."), ("en", "You hear")])
def test_both_languages(visit: Visit, language: str, said: str) -> None:
    maja = visit("maja", language=language)
    on_shift(maja)
    maja.keyboard.press("r")
    state(maja, "talking")
    expect(maja.locator("#line")).to_contain_text(said)
    maja.keyboard.press("x")
    maja.locator("#outcomes button", has_text=re.compile("Nej tak|No, thank you")).first.click()
    maja.locator("#chosen [data-way=pause]").click()
    state(maja, "paused")
    go_home(maja)
