"""The phoner's page under a hand: buttons keep their places, a call is dialed only when Ready was pressed."""

from dataclasses import replace

from playwright.sync_api import Page, Route, expect
from sqlalchemy import select, update

from callserver.database import accounts, exchange_states
from callserver.database.tables import seats
from callserver.ports import Tx
from tests.browser.conftest import Visit
from tests.browser.looking import SIDEWAYS
from tests.browser.shift import on_shift, state
from tests.harness.threaded import BrowserSystem

PLACES = """() => Object.fromEntries([...document.querySelectorAll("#seat button")]
  .filter((one) => one.checkVisibility({ checkVisibilityCSS: true }))
  .map((one) => [one.id, [one.offsetLeft, one.offsetTop].map((pixels) => Math.round(pixels / 2))]))"""
LARGE = {"width": 1440, "height": 900}
NARROW = {"width": 390, "height": 844}

BROKEN_WORDS = """() => [...document.querySelectorAll("#outcomes button, #outcomes h3")].flatMap((element) => {
  const text = [...element.childNodes].find((node) => node.nodeType === Node.TEXT_NODE);
  return [...text.data.matchAll(/\\S+/g)].filter(({ 0: word, index }) => {
    const range = document.createRange();
    range.setStart(text, index);
    range.setEnd(text, index + word.length);
    const boxes = [...range.getClientRects()];
    return boxes.length > 1 || boxes[0].right > element.getBoundingClientRect().right;
  }).map(([word]) => word);
})"""
"""Words of the outcomes that are on two lines, or stick out."""


def test_a_talk_from_ready_to_saved(visit: Visit) -> None:
    page = visit("maja", language="da", viewport=LARGE)
    arrive(page)
    paused = page.evaluate(PLACES)
    fits(page)
    page.keyboard.press("r")
    state(page, "talking")
    for seen in (".ask", "#script-body", "#outcomes", "#questions-title"):
        expect(page.locator(seen)).to_be_visible()
    expect(page.locator(".ask")).to_be_in_viewport(ratio=1)
    expect(page.locator("#script-body")).to_be_in_viewport(ratio=1)
    talking = page.evaluate(PLACES)
    assert page.evaluate(BROKEN_WORDS) == []
    fits(page)
    agree(page)
    expect(page.locator(".read-back [data-way=next]")).to_contain_text("ring videre")
    page.keyboard.press("x")
    state(page, "wrapping_up")
    wrapping_up = page.evaluate(PLACES)
    a_pause_comes_first(page)
    for before, after in ((paused, talking), (talking, wrapping_up)):
        stayed = before.keys() & after.keys()
        assert stayed >= {"mute", "pause", "breather", "hand", "books", "off", "help"}
        assert [(name, after[name]) for name in stayed] == [(name, before[name]) for name in stayed]


def fits(page: Page) -> None:
    """On a telephone's screen, nothing is beside it."""
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    assert page.evaluate(SIDEWAYS) == 0
    page.set_viewport_size(LARGE)  # type: ignore[arg-type]


def arrive(page: Page) -> None:
    """On shift, at rest."""
    page.locator("#shift-form:visible, #ready:visible").first.wait_for()
    if page.locator("#shift-form").is_visible():
        on_shift(page)


def agree(page: Page) -> None:
    page.locator("[data-outcome=member]").click()
    page.locator("#chosen [type=number]").fill("75")
    page.locator("#chosen [type=radio]").first.check()
    page.locator("#chosen .main").click()


def a_pause_comes_first(page: Page) -> None:
    """What was pressed before is waited for: nobody who asked for a breather gets the next call."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/api/v1/pause", hold)
    page.keyboard.press("b")
    page.locator(".read-back [data-way=next]").click()
    expect(page.locator("#chosen form")).to_have_attribute("aria-busy", "true")
    held[0].continue_()
    state(page, "breather")


POST = """async ([path, body]) =>
  (await import(`${document.body.dataset.assets}/api.js`)).post(path, body)"""


def test_a_double_click_presses_what_was_under_it_first(visit: Visit) -> None:
    """The form that opens moves the outcomes down, under the second click."""
    page = visit("maja")
    on_shift(page)
    page.keyboard.press("r")
    state(page, "talking")
    first = page.locator("#outcomes [data-outcome]").first
    moved = 0
    for outcome in page.locator("#outcomes [data-outcome]").all():
        words = str(outcome.get_attribute("data-outcome"))
        outcome.scroll_into_view_if_needed()
        before = first.bounding_box()
        outcome.dblclick()
        expect(page.locator(f"#outcomes [data-outcome={words}]")).to_have_attribute(
            "aria-pressed", "true"
        )
        moved += before != first.bounding_box()
    assert moved


def test_a_privacy_notice_by_sms_needs_no_address(visit: Visit) -> None:
    page = visit("maja")
    on_shift(page)
    page.keyboard.press("r")
    state(page, "talking")
    page.locator("#privacy-notice").click()
    dialog = page.locator("#dialog")
    dialog.locator("[name=reply_by]").select_option("email")
    dialog.locator(".main").click()
    expect(dialog.locator(".wrong")).to_contain_text("Fill in “E-mail address”.")
    dialog.locator("[name=email]").fill("karla")  # and then rather by SMS
    dialog.locator("[name=reply_by]").select_option("sms")
    expect(dialog.locator("[name=email]")).to_be_hidden()
    dialog.locator(".main").click()
    expect(page.locator("#toasts")).to_contain_text("The privacy notice is being sent now.")


def test_a_page_that_is_opened_again_waits_for_ready(visit: Visit, system: BrowserSystem) -> None:
    """The list is paused while the phoner closes the browser: nothing is dialed when they return."""
    page, sigrid = visit("maja"), visit("sigrid", "/floor")
    arrive(page)
    sigrid.evaluate(POST, ["/campaigns/leads", {"paused": True, "reason": "a test"}])
    page.keyboard.press("r")
    state(page, "waiting")
    page.goto("about:blank")
    seat = sigrid.locator("#seats .seat", has_text="Maja Prøve")
    expect(seat).to_contain_text("connecting")
    sigrid.evaluate(POST, ["/campaigns/leads", {"paused": False}])
    page.goto(f"{system.url}/phone")
    state(page, "paused")
    expect(page.locator("#reason")).to_contain_text("Press Ready")
    page.keyboard.press("r")
    state(page, "talking")


def test_the_shift_goes_on_through_another_exchange(visit: Visit, system: BrowserSystem) -> None:
    """The seat's exchange does not answer and another one does: one button, and the next call comes."""
    page = visit("maja", language="en")
    arrive(page)
    ctx, names = system.stage.server.ctx, ("nord", "")  # the simulated carrier is the nameless one
    before = ctx.exchanges
    object.__setattr__(ctx, "exchanges", names)
    object.__setattr__(ctx, "has_exchange", True)
    user = system.read(lambda tx: accounts.by_handle(tx, "maja"))
    own = seats.c.phoner == user.id

    def note(tx: Tx) -> None:
        tx.execute(update(seats).where(own).values(exchange="nord"))
        for name in names:
            exchange_states.note(tx, name, system.clock.now(), answers=not name)

    try:
        system.write(note)
        page.locator("#ready").click()
        expect(page.locator("#reason")).to_contain_text("another one does")
        page.locator("#elsewhere").click()
        expect(page.locator("#elsewhere")).to_be_hidden()
        expect(page.locator("#shift")).to_be_hidden()
        state(page, "talking")
        assert (
            system.read(lambda tx: tx.execute(select(seats.c.exchange).where(own)).scalar()) == ""
        )
    finally:
        object.__setattr__(ctx, "exchanges", before)
        object.__setattr__(ctx, "has_exchange", False)


def test_a_telephone_that_is_cut_off_in_a_talk_is_told_by_its_page(
    visit: Visit, system: BrowserSystem
) -> None:
    """The network reports nothing, and the person must not talk to nobody."""
    page = visit("maja")
    arrive(page)
    page.keyboard.press("r")
    state(page, "talking")
    network = system.stage.world.network
    usual = network.callbacks.faults
    phoner = next(leg for leg in network.legs.values() if leg.live and leg.to.startswith("client:"))
    phoner.action = None
    network.callbacks.faults = replace(usual, dropped=1.0)
    try:
        with page.expect_request("**/api/v1/line/over"):
            system.run(network.end(phoner, "completed"))
        expect(page.locator("#seat")).not_to_have_attribute("data-state", "talking")
    finally:
        network.callbacks.faults = usual
