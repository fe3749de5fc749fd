"""Member service opts somebody out: asked once before it is recorded, and erasure as well."""

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import insert

from callserver.database import cases, contacts, former_identifiers, marks, suppressions
from callserver.database.former_identifiers import Because, Identifier
from callserver.database.tables import calls
from callserver.domain import subject
from tests.browser.conftest import Visit, sign_in
from tests.harness.threaded import BrowserSystem

NUMBER = 4532209155


def rows(system: BrowserSystem) -> int:
    about = [subject.of_number(NUMBER)]
    return len(system.read(lambda tx: list(suppressions.on_record(tx, about))))


def look_up(page: Page) -> None:
    page.locator("#look-up [name=number]").fill(f"+{NUMBER}")
    page.locator("#look-up .main").click()
    expect(page.locator("#stop")).to_be_visible()


def test_nothing_is_recorded_with_one_click(visit: Visit, system: BrowserSystem) -> None:
    page = visit("mads", "/who-called")
    look_up(page)
    before = rows(system)
    never = page.locator("[data-reach=never]")
    never.click()
    expect(page.locator("#dialog")).to_contain_text("32 20 91 55")
    page.locator("#dialog .quiet").click()
    expect(never).to_be_focused()
    assert rows(system) == before
    never.click()
    page.locator("#dialog .main").click()
    expect(page.locator("#receipt")).to_contain_text("Thank you for telling us")
    expect(page.locator("#receipt h2")).to_be_focused()
    expect(page.locator("#receipt p")).to_be_in_viewport()
    assert rows(system) > before
    page.locator("#fact [name=fact]").select_option("erased")
    page.locator("#fact button").click()
    expect(page.locator("#dialog")).to_contain_text("cannot be undone")
    page.locator("#dialog .bad").click()
    expect(page.locator("#receipt")).to_contain_text("recorded")
    expect(page.locator("#result")).to_contain_text("erased")


@pytest.mark.parametrize("where", ["/who-called", "/person"])
def test_what_nobody_chose_is_not_recorded(visit: Visit, system: BrowserSystem, where: str) -> None:
    someone = system.read(lambda tx: contacts.get(tx, 5))
    page = visit("mads", where)
    page.locator("#look-up [name=number], #search [name=text]").fill(f"+{someone.number}")
    page.locator("#look-up .main, #search .main").click()
    page.locator("#fact button").click()
    expect(page.locator("#fact .wrong")).to_be_visible()
    expect(page.locator("#fact [name=fact]")).to_be_focused()
    about = [subject.of_number(someone.number), subject.of_person(someone.person)]
    assert not system.read(lambda tx: marks.on_record(tx, about))


@pytest.mark.parametrize("where", ["/who-called", "/person"])
def test_an_agreement_on_wrong_information_is_undone(
    visit: Visit, system: BrowserSystem, where: str
) -> None:
    """A phoner has recorded it in a call; the person tells member service what they were told."""
    someone = system.read(lambda tx: contacts.get(tx, 5))
    page = visit("mads", where)
    page.locator("#look-up [name=number], #search [name=text]").fill(f"+{someone.number}")
    page.locator("#look-up .main, #search .main").click()
    expect(page.locator("#fact [name=words]")).to_be_hidden()
    page.locator("#fact [name=fact]").select_option("misinformed")
    page.locator("#fact [name=words]").fill("That it was free.")
    page.locator("#fact button").click()
    expect(page.locator("#fact .wrong")).to_contain_text("We know of no agreement")
    campaign = system.stage.server.ctx.rules.current.campaigns[someone.campaign]
    agreed = next(key for key, outcome in campaign.outcomes.items() if outcome.agreement)
    call = dict.fromkeys(("attempt", "caller_id", "room", "revision"), "a")
    call |= {"campaign": campaign.name, "path": "list", "state": "ended", "outcome": agreed}
    ids = {"contact": someone.id, "person": someone.person, "household": someone.household}
    at = system.clock.now()
    values = {**call, **ids, "number": someone.number, "permit_at": at, "ended_at": at}
    values |= {"seat": 1, "phoner": 1}
    system.write(lambda tx: tx.execute(insert(calls).values(values)))
    page.locator("#fact button").click()
    told = "#receipt p" if where == "/who-called" else "#toasts"
    expect(page.locator(told)).to_contain_text("recorded", ignore_case=True)
    assert [case.words for case in system.read(cases.listed)] == ["That it was free."]
    expect(page.locator("#fact [name=words]")).to_be_hidden()
    expect(page.locator("#fact [name=words]")).to_have_value("")
    expect(page.locator("#fact [name=fact]")).to_have_value("")


def test_who_had_the_number_formerly_is_chosen_by_name(visit: Visit, system: BrowserSystem) -> None:
    """Somebody else may have it now, so a fact is recorded about nobody by the number alone."""
    someone = system.read(lambda tx: contacts.get(tx, 1))
    assert someone is not None
    had = Identifier(someone.person, 4532209999, someone.household, someone.name or "")
    now = system.clock.now()
    system.write(lambda tx: former_identifiers.add(tx, [had], Because.CHANGED, now))
    page = visit("mads", "/who-called")
    page.locator("#look-up [name=number]").fill("32209999")
    page.locator("#look-up .main").click()
    choice = page.locator("#person select")
    expect(choice).to_contain_text("had this number formerly")
    page.locator("#fact [name=fact]").select_option("guardian")
    choice.select_option(str(someone.id))
    page.locator("#fact button").click()
    expect(page.locator("#receipt")).to_contain_text("recorded")
    about = [subject.of_person(someone.person)]
    assert [mark.kind for mark in system.read(lambda tx: marks.marks_of(tx, about))] == ["guardian"]


def test_a_number_that_is_none_leaves_no_answer_about_another(visit: Visit) -> None:
    page = visit("mads", "/who-called")
    look_up(page)
    page.locator("#look-up [name=number]").fill("12345678")
    page.locator("#look-up .main").click()
    expect(page.locator("#look-up .wrong")).to_contain_text("does not exist")
    for part in ("#result", "#stop", "#record"):
        expect(page.locator(part)).to_be_hidden()


def test_a_number_never_ends_up_in_an_address(chromium: Browser, system: BrowserSystem) -> None:
    """Enter is pressed before the page's script is there: the browser may not send the form itself."""
    context = chromium.new_context()
    page = context.new_page()
    sign_in(page, system, "mads")
    page.route("**/who_called.js", lambda route: route.abort())
    page.goto(f"{system.url}/who-called")
    page.locator("#look-up [name=number]").fill(f"+{NUMBER}")
    with page.expect_console_message(lambda said: "form-action" in said.text):
        page.keyboard.press("Enter")
    assert page.url == f"{system.url}/who-called"
    context.close()
