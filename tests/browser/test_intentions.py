"""One intention is one change, of what the user saw: double clicks, dialogs that are closed early, and answers
that come in another order than they were asked for."""

import re
from collections import Counter
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect
from sqlalchemy import select, update

from callserver.database import audit
from callserver.database.tables import contacts
from callserver.domain.audit import EntryKind
from callserver.ports import Tx
from tests.browser.conftest import Visit
from tests.browser.shift import finish, on_shift, state
from tests.browser.test_cases import typed_in
from tests.browser.test_late_answers import FirstAnswer
from tests.browser.test_who_called import look_up
from tests.harness.threaded import BrowserSystem


def row(page: Page, name: str) -> Callable[[str], None]:
    """Presses a button of somebody's row."""
    return lambda button: (
        page.locator("#people tr", has_text=name).get_by_role("button", name=button).click()
    )


@pytest.mark.parametrize(
    ("button", "path", "title"),
    [
        ("Close access", "/accounts/*/leaving", "#leave-title"),
        ("Checklist", "/accounts/*/checklist", "#checklist-title"),
    ],
)
def test_access_is_closed_for_whom_the_page_names(
    visit: Visit, button: str, path: str, title: str
) -> None:
    page = visit("asger", "/accounts")
    if button == "Checklist":
        for name in ("Maja Prøve", "Sigrid Prøve"):
            row(page, name)("Close access")
            page.locator("#announce").click()
            expect(page.locator("#checklist-title")).to_contain_text(name)
            page.locator("#checklist-close").click()
    first = FirstAnswer(page, path)
    row(page, "Maja Prøve")(button)
    first.wait()
    row(page, "Sigrid Prøve")(button)
    expect(page.locator(title)).to_contain_text("Sigrid Prøve")
    first.release()
    page.wait_for_timeout(300)
    expect(page.locator(title)).to_contain_text("Sigrid Prøve")


def test_the_entries_of_two_searches_do_not_mix(visit: Visit, system: BrowserSystem) -> None:
    page = visit("asger", "/log")

    def more_than_a_page(tx: Tx) -> None:
        for _ in range(150):
            audit.append(tx, system.clock.now(), EntryKind.HAND, seat=1, up=True, by="user:1")

    system.write(more_than_a_page)
    page.locator("#search .main").click()
    expect(page.locator("#more")).to_be_visible()
    first = FirstAnswer(page, "/log")
    page.locator("#more").click()
    first.wait()
    page.locator("#search [name=contact]").fill("999999")
    page.locator("#search .main").click()
    expect(page.locator("#empty")).to_be_visible()
    first.release()
    page.wait_for_timeout(300)
    expect(page.locator("#entries tr")).to_have_count(0)


def test_the_person_who_was_opened_last_is_shown(visit: Visit, system: BrowserSystem) -> None:
    page = visit("mads", "/person")
    named = Counter(
        name.split()[0]
        for name in system.read(lambda tx: tx.execute(select(contacts.c.name)).scalars())
    )
    page.locator("#search [name=text]").fill(named.most_common(1)[0][0])
    page.locator("#search .main").click()
    hits = page.locator("#search-results li")
    first = FirstAnswer(page, "/person")
    hits.nth(0).get_by_role("button").click()
    first.wait()
    hits.nth(1).get_by_role("button").click()
    name = page.locator("#person-name")
    expect(name).to_be_focused()
    shown = name.inner_text()
    first.release()
    page.wait_for_timeout(300)
    expect(name).to_have_text(shown)


def test_opt_outs_are_lifted_of_the_number_that_the_dialog_is_about(visit: Visit) -> None:
    page = visit("asger", "/suppressions")
    number, look_up = page.locator("#search [name=number]"), page.locator("#search .main")
    number.fill("32 20 91 56")
    look_up.click()
    expect(page.locator("#about")).to_contain_text("56")
    page.locator("#add .main, #add button").first.click()
    expect(page.locator("#lift-all")).to_be_visible()
    second = FirstAnswer(page, "/suppressions/search")
    number.fill("32 20 91 57")
    look_up.click()
    second.wait()
    page.locator("#lift-all").click()
    second.release()
    expect(page.locator("#about")).to_contain_text("57")
    page.locator("#lift [name=asked_on]").fill("2026-05-12")
    page.locator("#lift [name=why]").fill("tastet forkert")
    with page.expect_request("**/api/v1/suppressions/lift") as lifted:
        page.locator("#lift .main").click()
    body = lifted.value.post_data_json
    assert body is not None
    assert body["number"] == "32 20 91 56"


def test_what_was_typed_about_one_person_is_not_kept_for_the_next(visit: Visit) -> None:
    page = visit("asger", "/who-called")
    look_up(page)
    page.locator("#fact [name=fact]").select_option("consent_given")
    page.locator("#fact [name=proof]").fill("Optagelse 17")
    look_up(page)
    expect(page.locator("#fact [name=fact]")).to_have_value("")
    expect(page.locator("#consent")).to_be_hidden()
    expect(page.locator("#fact [name=proof]")).to_have_value("")


def test_a_dialog_that_was_closed_early_says_what_failed_and_closes_no_other(visit: Visit) -> None:
    page = visit("sigrid", "/floor")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(re.compile("/api/v1/campaigns/leads$"), hold)
    campaigns = page.locator("#campaigns .campaign")
    expect(campaigns).not_to_have_count(0)
    pause = campaigns.locator("button[data-key=leads]")
    pause.click()
    page.locator("#dialog [name=reason]").fill("Møde")
    page.locator("#dialog .bad").click()
    page.keyboard.press("Escape")
    pause.click()
    page.locator("#dialog [name=reason]").fill("Brand")
    while not held:
        page.wait_for_timeout(20)
    held[0].fulfill(
        status=429, content_type="application/problem+json", json={"detail": "Too many requests"}
    )
    expect(page.locator("#toasts")).to_contain_text("Too many requests")
    expect(page.locator("#dialog [name=reason]")).to_have_value("Brand")
    page.locator("#dialog .bad").click()
    while len(held) < 2:
        page.wait_for_timeout(20)
    page.keyboard.press("Escape")
    pause.click()
    held[1].fallback()
    expect(pause).to_have_text("Resume")
    expect(page.locator("#dialog")).to_be_visible()


def test_a_secret_is_shown_though_the_list_cannot_be_fetched(visit: Visit) -> None:
    page = visit("asger", "/accounts")
    page.locator("#open-token").click()
    page.locator("#token [name=name]").fill("Regneark")
    page.route("**/api/v1/accounts", lambda route: route.abort("connectionrefused"))
    page.locator("#token .main").click()
    expect(page.locator("#secret-value")).not_to_be_empty()


def test_hanging_up_names_the_call_that_is_shown(visit: Visit) -> None:
    page = visit("maja")
    on_shift(page)
    page.keyboard.press("r")
    expect(page.locator("#seat")).to_have_attribute("data-state", re.compile("ringing|talking"))
    with page.expect_request("**/api/v1/hang-up") as hung_up:
        page.locator("#hang-up").dblclick()
    body = hung_up.value.post_data_json
    assert body is not None
    assert body["attempt"] == page.evaluate(
        "async () => (await (await fetch('/api/v1/seat')).json()).call.attempt"
    )


def test_the_browser_asks_before_it_leaves_a_talk(visit: Visit) -> None:
    page = visit("maja")
    leave = "() => dispatchEvent(new Event('beforeunload', { cancelable: true }))"
    on_shift(page)
    assert page.evaluate(leave)
    page.keyboard.press("r")
    state(page, "talking")
    assert not page.evaluate(leave)


def test_a_call_in_hand_leaves_no_room_for_a_choice_that_came_late(visit: Visit) -> None:
    page = visit("maja")
    on_shift(page)
    first = FirstAnswer(page, "/shift")
    page.locator("#campaign").click()
    first.wait()
    page.keyboard.press("r")
    state(page, "talking")
    first.release()
    page.wait_for_timeout(300)
    expect(page.locator("#shift")).to_be_hidden()


def test_the_case_and_the_period_that_were_chosen_last_are_shown(visit: Visit) -> None:
    page = visit("lea", "/cases")
    for _ in range(2):
        typed_in(page, "complaint", {"source": "letter", "reply_by": "letter"})
    expect(page.locator("#list tbody tr")).to_have_count(2)
    first, title = FirstAnswer(page, "/cases/*"), page.locator("#case-title")
    page.locator("[data-key=case-1]").click()
    first.wait()
    page.locator("[data-key=case-2]").click()
    expect(title).to_contain_text("2")
    first.release()
    page.wait_for_timeout(300)
    expect(title).to_contain_text("2")
    first = FirstAnswer(page, "/reports?*")
    Page.goto(page, page.url.replace("/cases", "/reports"))
    first.wait()
    day = page.locator("#period [name=first]")
    day.fill("2026-01-05")
    page.locator("#period [name=last]").fill("2026-01-06")
    page.locator("#period button").click()
    expect(page.locator("#empty")).to_be_visible()
    first.release()
    page.wait_for_timeout(300)
    expect(day).to_have_value("2026-01-05")


def test_a_breather_after_ready_is_not_overtaken(visit: Visit) -> None:
    """Both are on their way at once, and Ready is held up: the breather still comes after it."""
    page = visit("maja")
    on_shift(page)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/api/v1/ready", hold, times=1)
    page.keyboard.press("r")
    while not held:
        page.wait_for_timeout(20)
    page.keyboard.press("b")
    page.wait_for_timeout(300)  # in which a breather that waits for nothing has its answer
    with page.expect_response("**/api/v1/pause"):
        held[0].continue_()
    seat = page.evaluate("fetch('/api/v1/seat').then((reply) => reply.json())")
    assert (seat["wants"], seat["reason"]) == ("paused", "breather")


def test_a_new_password_is_named_after_whom_it_is_for(visit: Visit) -> None:
    """The dialog is closed before the answer comes, and another one opened about somebody else."""
    page = visit("asger", "/accounts")
    first = FirstAnswer(page, "/accounts/*/reset")
    row(page, "Maja Prøve")("New password")
    page.locator("#reset form button:not([type=button])").click()
    first.wait()
    page.keyboard.press("Escape")
    row(page, "Sigrid Prøve")("Edit")
    first.release()
    expect(page.locator("#secret-text")).to_contain_text("Maja Prøve")
    expect(page.locator("#edit")).to_be_visible()


def test_an_opt_out_is_of_the_person_who_was_shown(visit: Visit, system: BrowserSystem) -> None:
    """Another hit is being opened, and comes on the page while the dialog asks."""
    names = system.read(lambda tx: tx.execute(select(contacts.c.name)).scalars().all())
    common = Counter(name.split()[0] for name in names if name)
    page = visit("mads", "/person")
    page.locator("#search [name=text]").fill(common.most_common(1)[0][0])
    page.locator("#search .main").click()
    hits = page.locator("#search-results li button")
    with page.expect_request("**/api/v1/person") as opened:
        hits.nth(0).click()
    expect(page.locator("#person-name")).to_be_focused()
    title = page.locator("#person-name").inner_text()
    other = FirstAnswer(page, "/person")
    hits.nth(1).click()
    other.wait()
    page.locator("#opt-out [name=received_by]").select_option("letter")
    page.locator("#opt-out button").click()
    expect(page.locator("#dialog")).to_contain_text(title)
    other.release()
    expect(page.locator("#person-name")).not_to_have_text(title)
    with page.expect_request("**/api/v1/person/opt-out") as sent:
        page.locator("#dialog form .main").click()
    (asked, told) = (request.value.post_data_json or {} for request in (opened, sent))
    assert told["contact"] == asked["contact"]


def test_an_item_is_ticked_of_the_checklist_that_is_shown(visit: Visit) -> None:
    page = visit("asger", "/accounts")
    for name in ("Maja Prøve", "Sigrid Prøve"):
        row(page, name)("Close access")
        page.locator("#announce").click()
        expect(page.locator("#checklist-title")).to_contain_text(name)
        page.locator("#checklist-close").click()
    row(page, "Maja Prøve")("Checklist")
    expect(page.locator("#checklist-title")).to_contain_text("Maja Prøve")
    other = FirstAnswer(page, "/accounts/*/checklist")
    row(page, "Sigrid Prøve")("Checklist")
    other.wait()
    with page.expect_request("**/checklist/item") as sent:
        page.locator("#checklist-items input").first.check()
    other.release()
    assert "/accounts/9101/" in sent.value.url


def test_a_correction_that_is_answered_late_closes_no_other_dialog(visit: Visit) -> None:
    page = visit("maja")
    on_shift(page)
    page.keyboard.press("r")
    state(page, "talking")
    page.locator("#hang-up").click()
    state(page, "wrapping_up")
    finish(page)
    correct = page.locator("#evening-body [data-key^=correct]").first
    correct.click()
    late = FirstAnswer(page, "/correct")
    page.locator("#correct-body .main").click()
    late.wait()
    page.keyboard.press("Escape")
    correct.click()
    late.release()
    page.wait_for_timeout(500)
    expect(page.locator("#correct-dialog")).to_be_visible()


def test_a_corrected_call_back_is_on_the_persons_clock(visit: Visit, system: BrowserSystem) -> None:
    page = visit("maja")
    on_shift(page)
    page.keyboard.press("r")
    state(page, "talking")
    system.write(lambda tx: tx.execute(update(contacts).values(place="FO Atlantic/Faroe")))
    page.locator("#hang-up").click()
    state(page, "wrapping_up")
    finish(page)
    page.locator("#evening-body [data-key^=correct]").first.click()
    page.locator("#correct-outcome").select_option("call_back")
    page.locator("#correct-body input[data-date]").fill("2026-05-13 17:15")
    expect(page.locator("#correct-body")).to_contain_text("Atlantic/Faroe")
    with page.expect_request("**/api/v1/correct") as sent:
        page.locator("#correct-body .main").click()
    told = sent.value.post_data_json or {}
    assert told["details"]["at"].startswith("2026-05-13T16:15")
