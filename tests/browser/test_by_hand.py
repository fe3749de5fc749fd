"""Ringing by hand, and again, on the phoner's page: what the gate permits rings, what it refuses is said."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from callserver.cli.simulated_stack import SEED, StackPlan
from callserver.database.tables import calls, contacts
from callserver.domain.facts import Scope
from callserver.engine.suppressions import opt_outs
from callserver.engine.suppressions.opt_outs import Origin
from callserver.simulator.legs import Behaviour
from callserver.simulator.population import Population
from callserver.texts import say
from tests.browser import looking
from tests.browser.conftest import EVERYBODY_TALKS, ROOT, Visit
from tests.browser.looking import look
from tests.browser.shift import finish, go_home, state
from tests.browser.test_keyboard import focused, press, tab_to
from tests.harness.threaded import BrowserSystem, open_system

HALF = replace(EVERYBODY_TALKS, answers=0.5, busy=0, unreachable=0)
CAMPAIGN = "kanvas"


@pytest.fixture
def system(tmp_path: Path) -> Iterator[BrowserSystem]:
    """A town in which the half of the people answer, and which of them can be told beforehand."""
    with open_system(StackPlan(tmp_path, ROOT / "config", 2, 400, rates=HALF)) as opened:
        yield opened


@pytest.fixture
def numbers(system: BrowserSystem) -> Iterator[str]:
    """Contacts whom nobody has rung, the list's last first, as they would be typed."""
    query = select(contacts.c.number).where(contacts.c.campaign == CAMPAIGN)
    rows = system.read(lambda tx: tx.execute(query.order_by(contacts.c.id.desc())).scalars().all())
    rung = {ring.number for ring in system.stage.world.network.record}
    return (f"{number}"[2:] for number in rows if f"+{number}" not in rung)


def one_who(numbers: Iterator[str], *, answers: bool) -> str:
    def does(number: str) -> Behaviour:
        return Population(SEED, HALF).rings(f"+45{number}")

    return next(number for number in numbers if (does(number) != Behaviour()) == answers)


def rings(system: BrowserSystem, number: str) -> int:
    """How often the telephone has rung, as the network has it."""
    return [ring.number for ring in system.stage.world.network.record].count(f"+45{number}")


def on_shift(page: Page) -> None:
    """Of the campaign whose numbers are typed here, on pause."""
    page.locator(f"#campaigns label:has([value={CAMPAIGN}])").click()
    page.locator("#lines label").first.click()
    page.locator("#shift-form .main").click()
    state(page, "paused")
    expect(page.locator("#softphone")).to_have_class("badge good")


def dial(page: Page, number: str) -> None:
    if not page.locator("#dial-dialog").is_visible():
        page.locator("#dial").click()
    page.locator("#dial-number").fill(number)
    page.locator("#dial-form .main").click()


def opt_out(system: BrowserSystem, number: str) -> None:
    server = system.stage.server
    origin = Origin(by="user:test", at=server.clock.now())

    def work(tx: Any) -> None:
        opt_outs.add(tx, [Scope.NUMBER], int(f"45{number}"), [], b"", origin)

    system.run(server.store.run(work))


def test_a_number_that_may_be_called(
    visit: Visit, system: BrowserSystem, numbers: Iterator[str]
) -> None:
    number = one_who(numbers, answers=True)
    maja = visit("maja")
    sent: list[str] = []
    maja.on("request", lambda request: sent.append(request.url))
    on_shift(maja)
    dial(maja, f" {number[:4]} {number[4:]} ")
    state(maja, "talking")
    expect(maja.locator("#dial-dialog")).to_be_hidden()
    expect(maja.locator("#dial")).to_be_hidden()
    expect(maja.locator("#card-body")).to_contain_text("by hand")
    assert rings(system, number) == 1
    expect(maja.locator("#dial-number")).to_have_value("")
    assert not [url for url in sent if number[4:] in url]
    kept = maja.evaluate("() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }])")
    assert number[4:] not in kept
    maja.keyboard.press("x")
    maja.locator("[data-outcome=hung_up]").click()
    maja.locator("#chosen [data-way=pause]").click()
    state(maja, "paused")
    expect(maja.locator("#redial")).to_be_visible()  # it was cut off
    dial(maja, one_who(numbers, answers=True))
    state(maja, "talking")
    maja.keyboard.press("x")
    finish(maja)
    expect(maja.locator("#evening-body tbody tr")).to_have_count(2)
    expect(maja.locator("#redial")).to_be_hidden()  # a no is a no
    go_home(maja)


def test_a_person_who_opted_out_is_not_called(
    visit: Visit, system: BrowserSystem, numbers: Iterator[str]
) -> None:
    number = next(numbers)
    opt_out(system, number)
    maja = visit("maja")
    on_shift(maja)
    dial(maja, number)
    expect(maja.locator("#dial-wrong")).to_have_text("The number is opted out.")
    expect(maja.locator("#dial-number")).to_have_attribute("aria-invalid", "false")
    state(maja, "paused")
    maja.locator("#dial-dialog").get_by_text("Cancel").click()
    expect(maja.locator("#dial-number")).to_have_value("")
    maja.wait_for_timeout(1000)
    assert rings(system, number) == 0
    go_home(maja)


def test_what_is_no_contacts_number_is_said_at_the_field(
    visit: Visit, system: BrowserSystem
) -> None:
    maja = visit("maja")
    on_shift(maja)
    for written, says in {
        "3220": say("en", "error.number_invalid"),
        "32 20 00 07 / 32 20 00 08": say("en", "error.number_several"),
        "32999999": "The campaign has no contact with this number.",
        "": "Enter a telephone number.",
    }.items():
        dial(maja, written)
        expect(maja.locator("#dial-wrong")).to_have_text(says)
        expect(maja.locator("#dial-number")).to_have_attribute("aria-invalid", "true")
        expect(maja.locator("#dial-number")).to_have_accessible_description(
            f"{say('en', 'phone.dial.text')} {says}"
        )
    assert rings(system, "32999999") == 0
    maja.keyboard.press("Escape")
    maja.keyboard.press("n")
    expect(maja.locator("#dial-wrong")).to_be_hidden()
    maja.keyboard.press("Escape")
    go_home(maja)


def test_ringing_again_without_a_mouse(
    visit: Visit, system: BrowserSystem, numbers: Iterator[str]
) -> None:
    """A number typed, nobody there, too soon to ring again: by keys alone, and the focus never lost."""
    number = one_who(numbers, answers=False)
    maja = visit("maja")
    on_shift(maja)
    press(maja, "n")
    press(maja, "Escape")
    expect(maja.locator("#dial")).to_be_focused()
    press(maja, "n")
    expect(maja.locator("#dial-number")).to_be_focused()
    maja.keyboard.type(number)
    maja.keyboard.press("Enter")
    state(maja, "ringing")
    focused(maja)
    expect(maja.locator(".who-name")).to_be_visible()
    expect(maja.locator("#privacy-notice")).to_be_hidden()  # nobody has asked for it yet
    expect(maja.locator("#toasts")).to_contain_text("was not answered", timeout=45_000)
    state(maja, "paused")
    focused(maja)

    tab_to(maja, "#redial")
    press(maja, "g")
    expect(maja.locator("#redial-of")).to_contain_text("was not answered")
    press(maja, "Enter")
    rung = select(calls.c.permit_at).where(calls.c.number == int(f"45{number}"))
    again = system.read(lambda tx: tx.execute(rung).scalar_one()) + timedelta(hours=4)
    at = maja.evaluate(
        "at => new Intl.DateTimeFormat('en-GB', { timeStyle: 'short' }).format(new Date(at))",
        again.isoformat(),
    )
    expect(maja.locator("#redial-form .wrong")).to_have_text(
        f"We called too recently. Not before today at {at}."
    )
    focused(maja)
    press(maja, "Tab", "Enter")
    expect(maja.locator("#redial-dialog")).to_be_hidden()
    expect(maja.locator("#redial")).to_be_focused()
    press(maja, "?")
    for words in ("phone.do.dial", "phone.do.redial"):
        expect(maja.locator("#keys")).to_contain_text(say("en", words))
    press(maja, "Escape")
    assert rings(system, number) == 1
    press(maja, "b")
    state(maja, "breather")
    expect(maja.locator("#dial")).to_be_hidden()  # left in peace
    go_home(maja)


def test_a_call_that_comes_takes_the_dialog_and_the_number_away(
    visit: Visit, system: BrowserSystem
) -> None:
    maja, sigrid = visit("maja"), visit("sigrid", "/floor")

    def campaign(*, paused: bool) -> None:
        headers = {"x-csrf": sigrid.locator("meta[name=csrf]").get_attribute("content") or ""}
        reply = sigrid.request.post(
            f"{system.url}/api/v1/campaigns/{CAMPAIGN}",
            data={"paused": paused, "reason": "a test"},
            headers=headers,
        )
        assert reply.ok, reply.text()

    campaign(paused=True)
    on_shift(maja)
    maja.keyboard.press("r")
    expect(maja.locator("#reason")).to_contain_text("The campaign is paused: a test")
    maja.keyboard.press("n")
    maja.keyboard.type("3220")
    campaign(paused=False)
    expect(maja.locator("#card-body .who-name")).to_be_visible()
    expect(maja.locator("#dial-dialog")).to_be_hidden()
    expect(maja.locator("#dial-number")).to_have_value("")
    focused(maja)
    maja.locator("#off").click()  # the shift is over after this call, which ends here and now
    maja.locator("#off-dialog [value=off]").click()
    maja.keyboard.press("x")
    no = maja.get_by_role("button", name=re.compile("^No, thank you"))
    expect(maja.locator("#shift").or_(no).first).to_be_visible()
    if no.is_visible():  # somebody had answered
        no.click()
        maja.locator("#chosen [data-way=pause]").click()
    expect(maja.locator("#shift")).to_be_visible()


@pytest.mark.skipif(bool(looking.WHY_NOT), reason=looking.WHY_NOT)
@pytest.mark.parametrize("language", ["da", "en"])
def test_the_dialogs_look(
    visit: Visit, system: BrowserSystem, numbers: Iterator[str], language: str
) -> None:
    number = next(numbers)
    opt_out(system, number)
    maja = visit("maja", language=language)
    on_shift(maja)
    maja.keyboard.press("n")
    wrong = look(maja, language)
    dial(maja, "3220")
    expect(maja.locator("#dial-wrong")).to_be_visible()
    wrong += look(maja, language)
    dial(maja, number)
    expect(maja.locator("#dial-wrong")).to_have_class("wrong no")
    wrong += look(maja, language)
    maja.keyboard.press("Escape")
    assert not wrong
    go_home(maja)
