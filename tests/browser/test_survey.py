"""The survey in both languages: reminded and answered by a phoner, counted, followed up by the project leader."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from callserver import texts
from callserver.database import accounts
from callserver.engine.surveys import answers
from callserver.engine.surveys.envelopes import PrivateKeys
from callserver.engine.surveys.quarters import SurveyQuarters
from callserver.ports import Tx
from callserver.settings import survey_keys
from tests.browser import looking
from tests.browser.conftest import Visit
from tests.browser.looking import look
from tests.harness.threaded import BrowserSystem

pytestmark = [
    pytest.mark.skipif(bool(looking.WHY_NOT), reason=looking.WHY_NOT),
]

QUARTER = "2026-Q2"
DECISION = "Every Thursday begins with a talk."
WORDS = "More time between two calls."


def answered_by_keyboard(page: Page) -> None:
    """Answers from 1 upwards with the arrow keys, a choice, and words."""
    page.locator("#questions [name=respect][value='1']").focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    expect(page.locator("#questions [name=respect][value='5']")).to_be_checked()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")
    page.locator("#questions [name=pressure][value=never]").check()
    page.locator("#questions [name=change]").fill(WORDS)
    page.locator("#answer button.main").focus()
    page.keyboard.press("Enter")


@pytest.mark.parametrize("language", ["da", "en"])
def test_a_quarter_from_the_reminder_to_the_decision(
    visit: Visit, system: BrowserSystem, language: str
) -> None:
    def say(key: str, **values: object) -> str:
        return texts.say(language, key, **values)

    maja = visit("maja", "/phone", language=language)
    expect(maja.locator("#survey-reminder")).to_be_visible()
    maja.locator("#survey-reminder a").click()
    expect(maja.locator("#answer")).to_be_visible()
    assert look(maja, language, "once") == []
    maja.locator("#answer button.main").click()
    expect(maja.locator("#answer .wrong")).to_have_text(say("error.survey_empty"))
    answered_by_keyboard(maja)
    expect(maja.locator("#toasts")).to_contain_text(say("survey.thanks"))
    expect(maja.locator("#answer")).to_be_hidden()
    expect(maja.locator("#answer-title")).to_be_focused()
    maja.goto(system.url + "/phone")
    expect(maja.locator("#shift")).to_be_visible()
    expect(maja.locator("#survey-reminder")).to_be_hidden()

    def four_more(tx: Tx) -> None:
        now = system.clock.now()
        for number in range(4):
            key = accounts.add(tx, handle=f"p{number}", name="P", role="phoner", department="syd")
            user = accounts.user(tx, key)
            assert user is not None
            given: dict[str, int | str] = {
                "respect": number + 2,
                "pressure": "seldom",
                "change": f"Words {number}",
            }
            answers.answer(tx, user, QUARTER, given, now)

    system.write(four_more)
    lea = visit("lea", "/survey", language=language)
    quarter = say("survey.quarter", number="2", year="2026")
    expect(lea.locator("#results")).to_contain_text(say("survey.quarter", number="1", year="2026"))
    expect(lea.locator("#results")).not_to_contain_text(quarter)
    server = system.stage.server
    keys = PrivateKeys(survey_keys(server.settings))
    system.run(SurveyQuarters(server.ctx, keys).run(system.clock.now() + timedelta(days=30)))
    expect(lea.locator("#results")).to_contain_text(quarter)  # live
    expect(lea.locator("#results .series").first.locator("tbody tr")).to_have_count(2)
    expect(lea.locator("#texts li", has=lea.locator("button"))).to_have_count(5)
    assert look(lea, language) == []
    item = lea.locator("#texts li", has_text=WORDS)
    item.get_by_role("button", name=say("survey.show")).click()
    expect(item.get_by_role("button")).to_have_count(0)
    expect(lea.locator("#texts-title")).to_be_focused()
    expect(maja.locator("#shift")).to_be_visible()
    maja.goto(system.url + "/survey")
    expect(maja.locator("#texts")).to_contain_text(WORDS)
    lea.locator("#texts li", has_text="Words 0").get_by_role(
        "button", name=say("survey.withhold")
    ).click()
    lea.locator("#dialog button.bad").click()
    expect(maja.locator("#texts")).to_contain_text(say("survey.withheld", count=1))  # live
    form = lea.locator("#decide")
    form.locator("[name=quarter]").select_option(QUARTER)
    form.locator("[name=text]").fill(DECISION)
    form.locator("button").click()
    expect(maja.locator("#decisions li").first).to_contain_text(DECISION)
    few = maja.locator("#results .series").nth(1).locator("tbody tr").first
    expect(few).to_contain_text(say("survey.few", count=5))  # Maja alone answered it
    assert look(maja, language) == []
    maja.locator("#department").select_option("nord")
    expect(maja.locator("#results .series").first.locator("tbody tr")).to_have_count(1)
