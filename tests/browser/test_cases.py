"""A complaint on the cases page, in both languages: typed in, answered by the project leader, confirmed."""

from collections.abc import Mapping

import pytest
from playwright.sync_api import Page, expect

from callserver import texts
from tests.browser import looking
from tests.browser.conftest import Visit
from tests.browser.looking import look

pytestmark = [
    pytest.mark.skipif(bool(looking.WHY_NOT), reason=looking.WHY_NOT),
]

NUMBER = "32209156"
WORDS = "In the middle of dinner."
ANSWER = "We are sorry. We have talked about it, and it will not happen again."


def typed_in(page: Page, kind: str, values: Mapping[str, str]) -> None:
    form = page.locator("#new")
    form.locator("[name=kind]").select_option(kind)
    form.locator("[name=number]").fill(NUMBER)
    form.locator("[name=words]").fill(WORDS)
    for name, value in values.items():
        field = form.locator(f"[name={name}]")
        if name == "reply_to":
            field.fill(value)
        else:
            field.select_option(value)
    form.locator("button.main").click()
    expect(page.locator("#receipt")).to_be_visible()


def last_day(page: Page) -> str:
    """Beyond which the open case's deadline is not extended, as the API says it."""
    case = page.locator("#list tbody button").first.inner_text()
    return str(
        page.evaluate(f"fetch('/api/v1/cases/{case}').then((reply) => reply.json())")["last_day"]
    )


@pytest.mark.parametrize("language", ["da", "en"])
def test_a_complaint_from_the_letter_to_the_closing(visit: Visit, language: str) -> None:
    def say(key: str, **values: object) -> str:
        return texts.say(language, key, **values)

    mads = visit("mads", "/cases", language=language)
    by_mail = {"source": "letter", "reply_by": "email", "reply_to": "anna@example.org"}
    typed_in(mads, "complaint", by_mail)
    expect(mads.locator("#receipt")).to_contain_text(say("cases.created", case=1))
    expect(mads.locator("#list tbody tr")).to_have_count(1)
    expect(mads.locator("#list")).to_contain_text("Lea Prøve")
    typed_in(mads, "opt_out", {"source": "telephone", "reply_by": "spoken", "language": language})
    expect(mads.locator("#receipt pre")).to_contain_text("32 20 91 56")
    expect(mads.locator("#list tbody tr")).to_have_count(1)

    lea = visit("lea", "/cases", language=language)
    lea.locator("#list tbody button").click()
    expect(lea.locator("#case-title")).to_be_focused()
    expect(lea.locator("#about")).to_contain_text(WORDS)
    text = lea.locator("#draft textarea")
    lea.locator("#draft button").click()
    expect(lea.locator("#draft .wrong")).to_have_text(say("error.case_only_template"))
    text.fill(ANSWER)
    lea.locator("#draft button").click()
    expect(lea.locator("#answer")).to_contain_text(say("cases.waits_second"))
    expect(lea.locator("#case-title")).to_be_focused()
    expect(lea.locator("#send")).to_have_count(0)
    assert look(lea, language, "once") == []

    asger = visit("asger", "/cases", language=language)
    asger.locator("#list tbody button").click()
    expect(asger.locator("#draft textarea")).to_have_value(ANSWER)
    asger.get_by_role("button", name=say("cases.confirm")).click()
    expect(asger.locator("#answer")).to_contain_text(say("cases.confirmed_by", name="Asger Prøve"))
    expect(asger.locator("#case-title")).to_be_focused()
    expect(asger.locator("#send [name=to]")).to_have_value("anna@example.org")
    assert look(asger, language, "once") == []
    asger.locator("#send button").click()
    expect(asger.locator("#messages li")).to_have_count(2)
    asger.get_by_role("button", name=say("cases.close")).click()
    expect(asger.locator("#about")).to_contain_text(say("cases.state.closed"))
    expect(asger.locator("#history li")).to_have_count(5)
    for page in (asger, lea, mads):  # live, in every window
        expect(page.locator("#list")).to_contain_text(say("cases.none"))
    asger.locator("#closed").check()
    expect(asger.locator("#list tbody tr")).to_have_count(2)
    asger.locator("#back").click()
    expect(asger.locator("#case")).to_be_hidden()


@pytest.mark.parametrize("language", ["da", "en"])
def test_a_case_that_somebody_else_changes_keeps_what_was_typed(
    visit: Visit, language: str
) -> None:
    def say(key: str, **values: object) -> str:
        return texts.say(language, key, **values)

    mads = visit("mads", "/cases", language=language)
    typed_in(mads, "access", {"source": "letter", "reply_by": "letter"})
    lea = visit("lea", "/cases", language=language)
    for page in (mads, lea):
        page.locator("#list tbody button").first.click()
        expect(page.locator("#case-title")).to_be_focused()
    lea.locator("#note textarea").fill("Has moved.")
    lea.locator("#note button").click()
    expect(mads.locator("#history")).to_contain_text("Has moved.")

    draft = mads.locator("#draft textarea")
    draft.fill("Half of an answer")
    lea.locator("#draft textarea").fill(ANSWER)
    lea.locator("#draft button").click()
    expect(mads.locator("#draft .said")).to_have_text(ANSWER)
    expect(mads.locator("#draft .note")).to_contain_text("Lea Prøve")
    expect(draft).to_have_value("Half of an answer")
    expect(draft).to_be_focused()

    extend = mads.locator("#extend")
    extend.locator("[name=until]").fill("2027-01-01")
    extend.locator("[name=why]").fill("the recordings are missing")
    extend.locator("button").click()
    expect(extend.locator(".wrong")).to_have_text(say("error.case_extension"))
    day = mads.evaluate("document.querySelector('#extend span').textContent")
    assert look(mads, language, "once") == [], day
    extend.locator("[name=until]").fill(last_day(mads))
    extend.locator("button").click()
    expect(mads.locator("#history")).to_contain_text(say("cases.event.extended"))
    expect(extend).to_be_hidden()
    expect(lea.locator("#history")).to_contain_text(say("cases.event.extended"))
