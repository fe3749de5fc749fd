"""Notices in both languages: a talk written by the project leader, asked about by a phoner before their shift."""

import pytest
from playwright.sync_api import expect

from callserver import texts
from tests.browser import looking
from tests.browser.conftest import Visit
from tests.browser.looking import look
from tests.browser.shift import on_shift, state
from tests.harness.threaded import BrowserSystem

pytestmark = [
    pytest.mark.skipif(bool(looking.WHY_NOT), reason=looking.WHY_NOT),
]

TITLE = "How a case begins"
QUESTION = "Who reads the letters?"


@pytest.mark.parametrize("language", ["da", "en"])
def test_a_talk_from_the_notice_to_the_question(
    visit: Visit, system: BrowserSystem, language: str
) -> None:
    def say(key: str, **values: object) -> str:
        return texts.say(language, key, **values)

    maja = visit("maja", "/phone", language=language)
    expect(maja.locator("#notices li")).to_have_count(2)  # the demonstration's
    lea = visit("lea", "/notices", language=language)
    form = lea.locator("#write")
    form.locator("[name=kind]").select_option("talk")
    expect(lea.locator("#day")).to_be_hidden()
    form.locator("[name=begins]").fill("13-05-2026 15.30")
    form.locator("[name=expert]").fill("Ebbe Prøve")
    form.locator("[name=title]").fill(TITLE)
    form.locator("[name=text]").fill("About letters. See file 32 20 00 00.")
    form.locator("button.main").press("Enter")
    expect(form.locator(".wrong")).to_have_text(say("error.notice_number"))
    assert look(lea, language, "once") == []
    form.locator("[name=has_no_number]").check()
    form.locator("button.main").press("Enter")
    expect(lea.locator("#list h3")).to_contain_text([TITLE])
    expect(lea.locator("#list-title")).to_be_focused()

    expect(maja.locator("#notices li")).to_have_count(3)  # live
    expect(maja.locator("#notices li").first).to_contain_text(TITLE)
    assert look(maja, language, "once") == []
    maja.locator("#notices li a").first.press("Enter")  # the look has left the menu open above it
    article = maja.locator("#list article", has_text=TITLE)
    expect(article).to_be_focused()
    article.locator("textarea").fill(QUESTION)
    article.locator("[name=anonymous]").check()
    article.locator("form button").press("Enter")
    expect(maja.locator("#toasts")).to_contain_text(say("notices.asked"))
    assert look(maja, language) == []
    maja.locator("#search [name=words]").fill("letters ebbe")
    maja.locator("#search [name=words]").press("Enter")
    expect(maja.locator("#list article")).to_have_count(1)
    maja.locator("#search [name=words]").fill("nothing has this")
    maja.locator("#search [name=words]").press("Enter")
    expect(maja.locator("#list")).to_have_text(say("notices.nothing"))

    lea.reload()
    article = lea.locator("#list article", has_text=TITLE)
    article.get_by_role("button", name=say("notices.show_questions", count=1)).click()
    expect(article).to_contain_text(QUESTION)
    expect(article).to_contain_text(say("notices.no_sender"))
    article.get_by_role("button", name=say("notices.change")).click()
    expect(form.locator("[name=title]")).to_be_focused()
    form.locator("[name=text]").fill("About letters.")
    form.locator("button.main").click()
    expect(article).not_to_contain_text("32 20")
    article.get_by_role("button", name=say("notices.remove")).click()
    lea.locator("#dialog button.bad").click()
    expect(article).to_have_count(0)
    expect(lea.locator("#list-title")).to_be_focused()


def test_a_call_leaves_room_for_neither_notices_nor_the_survey(visit: Visit) -> None:
    maja = visit("maja", "/phone")
    on_shift(maja, "kanvas")
    expect(maja.locator("#notices")).to_be_visible()
    expect(maja.locator("#survey-reminder")).to_be_visible()
    maja.keyboard.press("r")
    state(maja, "talking", 60)
    expect(maja.locator("#notices")).to_be_hidden()
    expect(maja.locator("#survey-reminder")).to_be_hidden()
