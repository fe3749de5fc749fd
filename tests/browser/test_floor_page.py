"""The floor at a glance: a raised hand and an idle phoner stand out, and the panel covers no figures."""

import re
from functools import partial

from playwright.sync_api import Route, expect
from sqlalchemy import insert, select

from callserver.database import accounts, refused_numbers
from callserver.database import contacts as contact_rows
from callserver.database.tables import contacts, forms
from callserver.domain.contact_status import ContactStatus
from callserver.domain.reason import Reason
from callserver.engine.accounts import offboarding
from callserver.engine.outcomes import missing_outcomes
from callserver.ports import Tx
from callserver.simulator.legs import Behaviour
from tests.browser.conftest import Visit
from tests.browser.shift import go_home, on_shift, state
from tests.browser.test_keyboard import focused
from tests.browser.test_phone_page import POST
from tests.browser.town import Town
from tests.harness.threaded import BrowserSystem

COVERED = """() => {
  const figures = document.querySelector("#provider");
  figures.scrollIntoView({ block: "center" });
  return [...figures.querySelectorAll("dd")].filter((one) => {
    const { x, y, width, height } = one.getBoundingClientRect();
    return !figures.contains(document.elementFromPoint(x + width / 2, y + height / 2));
  }).length;
}"""


def test_what_needs_a_supervisor_stands_out(visit: Visit) -> None:
    maja, sigrid = visit("maja"), visit("sigrid", "/floor")
    on_shift(maja)
    sigrid.evaluate(POST, ["/campaigns/leads", {"paused": True, "reason": "a test"}])
    maja.keyboard.press("r")
    state(maja, "waiting")
    seat = sigrid.locator("#seats .seat", has_text="Maja Prøve")
    expect(seat).to_have_class(re.compile("idle"))
    expect(sigrid.locator("#tally .idle")).to_be_visible()
    maja.keyboard.press("h")
    expect(seat).to_have_class(re.compile("hand"))
    expect(sigrid.locator("#tally .hand b")).to_have_text("1")
    sigrid.evaluate(POST, ["/campaigns/leads", {"paused": False}])
    expect(sigrid.locator("#tally .idle")).to_be_hidden()


def test_a_listener_is_told_that_they_hear_when_they_do(
    visit: Visit, system: BrowserSystem
) -> None:
    maja, sigrid = visit("maja"), visit("sigrid", "/floor")
    on_shift(maja)
    maja.keyboard.press("r")
    state(maja, "talking", 60)
    Town(system.stage.world.network).does = lambda leg: (
        Behaviour(answers_after=4) if "listener" in leg.to else None
    )
    sigrid.locator("#seats .seat", has_text="Maja Prøve").click()
    sigrid.locator("#panel [data-key=silent]").click()
    expect(sigrid.locator("#listening-text")).to_contain_text("Your phone is being connected")
    expect(sigrid.locator("#listening-text")).to_contain_text("You can hear the call now.")
    sigrid.locator("#listening [data-key=stop]").click()


def test_the_focus_stays_in_the_panel_when_listening_stops_there(visit: Visit) -> None:
    sigrid = visit("sigrid", "/floor")
    sigrid.locator("#seats .seat").first.click()
    sigrid.locator("#panel [data-key=silent]").click()
    expect(sigrid.locator("#listening")).to_be_visible()
    sigrid.locator("#panel [data-key=stop]").focus()
    sigrid.keyboard.press("Enter")
    expect(sigrid.locator("#panel [data-key=stop]")).to_be_hidden()
    focused(sigrid)
    expect(sigrid.locator("#details")).to_be_focused()


def test_the_grid_is_reached_by_tab_when_a_phoner_goes_home(visit: Visit) -> None:
    maja, sigrid = visit("maja"), visit("sigrid", "/floor")
    on_shift(maja)
    sigrid.locator("#filters [name=off]").check()
    seat = sigrid.locator("#seats .seat", has_text="Maja Prøve")
    listen = sigrid.locator("#seats li", has_text="Maja Prøve").locator(".listen")
    expect(listen).to_be_visible()
    seat.focus()
    sigrid.keyboard.press("ArrowRight")
    expect(listen).to_be_focused()
    go_home(maja)
    expect(listen).to_be_hidden()
    expect(seat).to_be_focused()
    expect(seat).to_have_attribute("tabindex", "0")


def test_a_choice_of_a_trainee_outlasts_the_call(visit: Visit) -> None:
    maja, sigrid = visit("maja"), visit("sigrid", "/floor")
    on_shift(maja)
    sigrid.locator("#seats .seat", has_text="Maja Prøve").click()
    sigrid.locator("#panel details summary", has_text="Training").click()
    trainee = sigrid.locator("#panel [name=trainee]")
    trainee.select_option(index=1)
    chosen = trainee.input_value()
    maja.keyboard.press("r")
    state(maja, "talking", 60)
    expect(sigrid.locator("#panel td", has_text="in progress")).to_be_visible()
    expect(trainee).to_be_visible()
    expect(trainee).to_have_value(chosen)


def test_the_panel_covers_no_figures(visit: Visit) -> None:
    sigrid = visit("sigrid", "/floor")
    for width in (820, 1280, 1440):
        sigrid.set_viewport_size({"width": width, "height": 800})
        sigrid.locator("#seats .seat").first.click()
        expect(sigrid.locator("#panel h3").first).to_be_visible()
        expect(sigrid.locator("#provider dd").first).to_be_visible()
        assert sigrid.evaluate(COVERED) == 0, width


def test_numbers_that_the_carrier_refused_are_released(visit: Visit, system: BrowserSystem) -> None:
    now = system.stage.server.clock.now()
    last = select(contacts.c.number, contacts.c.id).where(contacts.c.campaign == "leads")

    def refuse(tx: Tx, skipped: int = 0) -> None:
        newest = last.order_by(contacts.c.id.desc()).limit(2).offset(skipped)
        for number, contact in tx.execute(newest):
            refused_numbers.add(tx, number, contact, "leads", 21215, now)
            reason = Reason.NUM_REFUSED.value
            contact_rows.set_status(tx, contact, ContactStatus.CLOSED, reason=reason)

    system.write(refuse)
    sigrid = visit("sigrid", "/floor")
    alarm = sigrid.locator("#alarms li", has_text="refuses these contacts' numbers (2)")
    expect(alarm).to_have_class("grave")
    alarm.get_by_role("button", name="Release the numbers").focus()
    system.write(partial(refuse, skipped=2))
    alarm = sigrid.locator("#alarms li", has_text="refuses these contacts' numbers (4)")
    release = alarm.get_by_role("button", name="Release the numbers")
    expect(release).to_be_focused()  # though the alarm was drawn again
    release.click()
    expect(sigrid.get_by_text("Contacts that are dialed again: 4")).to_be_visible()
    expect(alarm).to_be_hidden()
    assert system.read(refused_numbers.not_released) == []


def test_an_outcome_whose_phoner_left_is_entered(visit: Visit, system: BrowserSystem) -> None:
    """Nothing is chosen in the supervisor's place."""
    maja, sigrid = visit("maja"), visit("sigrid", "/floor")
    on_shift(maja)
    maja.keyboard.press("r")
    state(maja, "talking", 60)

    def leaves(tx: Tx) -> None:
        user = accounts.by_handle(tx, "maja")
        assert user is not None
        offboarding.off_board(tx, user, system.clock.now(), "test")

    system.write(leaves)
    alarm = sigrid.locator("#alarms li", has_text="has no outcome")
    expect(alarm).to_be_visible(timeout=20_000)
    alarm.get_by_role("button", name="Save the outcome").click()
    dialog = sigrid.locator("#correct-dialog")
    expect(dialog).to_contain_text("Maja Prøve")
    chosen = dialog.locator("#correct-outcome")
    expect(chosen).to_have_value("")
    chosen.select_option("never")
    dialog.get_by_role("button", name="Save").click()
    expect(alarm).to_be_hidden()
    assert system.read(missing_outcomes.every) == []


def test_an_alarm_that_lasts_is_read_once(visit: Visit) -> None:
    """Its seconds pass in the same element, which a screen reader read when it was added."""
    page = visit("lea", "/floor")
    expect(page.locator("#alarms li")).to_have_count(1)
    values = {"seconds": 61}

    def stalled(route: Route) -> None:
        figures = route.fetch().json()
        alarm = {"kind": "scheduler_stalled", "campaign": None, "about": "", "values": values}
        figures["alarms"] = [alarm]
        route.fulfill(json=figures)

    page.route("**/api/v1/floor/figures", stalled)
    look = "() => document.dispatchEvent(new Event('visibilitychange'))"
    page.evaluate(look)
    alarm = page.locator("#alarms li")
    expect(alarm).to_contain_text("61 seconds")
    alarm.evaluate("(one) => void (window.first = one)")
    values["seconds"] = 69
    page.evaluate(look)
    expect(alarm).to_contain_text("69 seconds")
    assert alarm.evaluate("(one) => one === window.first")
    assert page.locator("[aria-relevant=additions] #alarms").count() == 1


def test_two_alarms_of_one_kind_are_two(visit: Visit) -> None:
    page = visit("lea", "/floor")
    names = ["robinson", "own"]

    def missing(route: Route) -> None:
        figures = route.fetch().json()
        about = {"kind": "register_missing", "campaign": None}
        figures["alarms"] = [
            {**about, "about": name, "values": {"register": name}} for name in names
        ]
        route.fulfill(json=figures)

    page.route("**/api/v1/floor/figures", missing)
    for another in ("third", "fourth"):
        page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
        shown = [re.compile(f"^{name} has never") for name in names]
        expect(page.locator("#alarms li")).to_have_text(shown)
        names.append(another)


def test_figures_that_change_all_the_time_are_not_read(visit: Visit) -> None:
    page = visit("lea", "/floor")
    live = page.evaluate(
        """async () => {
          const { progressBar } = await import(`${document.body.dataset.assets}/stream.js`);
          const { element } = progressBar();
          return [element.getAttribute("role"), element.getAttribute("aria-live")];
        }"""
    )
    assert live == [None, "off"]


def test_a_comment_on_a_form_is_read_as_it_was_written(visit: Visit, system: BrowserSystem) -> None:
    """With its lines, and without leaving the panel, on the phoner's page and on the floor."""
    by_name = (
        partial(accounts.by_handle, handle="maja"),
        partial(accounts.by_handle, handle="sigrid"),
    )
    phoner, listener = (system.read(look).id for look in by_name)
    values = {"call": "a", "phoner": phoner, "listener": listener, "words": ""}
    values |= {"at": system.clock.now(), "respectful": 4, "serious": 3, "positive": 5}
    system.write(lambda tx: tx.execute(insert(forms).values(values)))
    written = f"The line crackled.\n{'a' * 200}"
    maja = visit("maja")
    on_shift(maja)
    maja.get_by_role("button", name="Comment", exact=True).click()
    maja.locator("#dialog [name=comment]").fill(written)
    maja.locator("#dialog .main").click()
    sigrid = visit("sigrid", "/floor")
    sigrid.locator("#seats .seat").filter(has_text="Maja").click()
    for page, place in ((maja, "#listened-to-me q"), (sigrid, "#panel .forms p >> nth=-1")):
        read = page.locator(place)
        expect(read).to_contain_text("crackled")
        assert read.inner_text() == written
        assert read.evaluate("(words) => words.scrollWidth <= words.clientWidth")
