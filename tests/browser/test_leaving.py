"""The checklist of a person who leaves, in a browser: their own signature, and the receipt."""

import pytest
from playwright.sync_api import expect

from callserver import texts
from tests.browser import looking
from tests.browser.conftest import Visit
from tests.browser.looking import look
from tests.harness.threaded import BrowserSystem

pytestmark = [pytest.mark.skipif(bool(looking.WHY_NOT), reason=looking.WHY_NOT)]


@pytest.mark.parametrize("language", ["da", "en"])
def test_they_sign_themselves_before_they_leave(
    visit: Visit, system: BrowserSystem, language: str
) -> None:
    def say(key: str, **values: object) -> str:
        return texts.say(language, key, **values)

    maja = visit("maja", "/training", language=language)
    expect(maja.locator("#leaving")).to_be_hidden()
    page = visit("asger", "/accounts", language=language)
    row = page.locator("#people tr", has_text="Maja Prøve")
    row.get_by_role("button", name=say("accounts.leave")).click()
    assert look(page, language, "once") == []
    page.get_by_role("button", name=say("accounts.announce")).click()
    expect(page.locator("#checklist-title")).to_be_focused()
    expect(row).to_contain_text(say("accounts.announced"))
    expect(page.locator("#checklist-signed")).to_have_text(say("accounts.checklist_to_sign"))
    expect(page.locator("#checklist-complete")).to_be_hidden()

    expect(maja.locator("#leaving")).to_be_visible()  # live
    maja.locator("#leaving summary").focus()
    maja.keyboard.press("Enter")
    expect(maja.locator("#leaving-text h2").first).to_be_visible()
    assert look(maja, language, "once") == []
    maja.get_by_role("button", name=say("training.leaving_sign")).focus()
    maja.keyboard.press("Enter")
    expect(maja.locator("#leaving-state")).to_be_focused()
    expect(maja.locator("#leaving-sign")).to_be_hidden()

    signed = say("accounts.checklist_signed", when="§", version="").split("§")[0]
    expect(page.locator("#checklist-signed")).to_contain_text(signed)  # live
    row.get_by_role("button", name=say("accounts.leave")).click()
    expect(page.locator("#leave-announce")).to_be_hidden()
    page.locator("#leave button.bad").click()
    page.locator("#show-left").check()
    expect(page.locator("#checklist-complete")).to_be_visible()
    expect(page.locator("#checklist-letter")).to_be_hidden()
    assert look(page, language, "once") == []


@pytest.mark.parametrize("language", ["da", "en"])
def test_a_checklist_is_completed(visit: Visit, system: BrowserSystem, language: str) -> None:
    def say(key: str, **values: object) -> str:
        return texts.say(language, key, **values)

    page = visit("asger", "/accounts", language=language)
    row = page.locator("#people tr", has_text="Maja Prøve")
    row.get_by_role("button", name=say("accounts.leave")).click()
    page.locator("#leave button.bad").click()
    # The stream may show the row before the answer closes the dialog.
    expect(page.locator("#leave")).to_be_hidden()
    expect(page.locator("#search")).to_be_focused()
    page.locator("#show-left").check()
    expect(row).to_contain_text(say("accounts.checklist_open"))
    row.get_by_role("button", name=say("accounts.checklist")).focus()
    page.keyboard.press("Enter")
    checklist = page.locator("#checklist")
    expect(page.locator("#checklist-title")).to_be_focused()
    assert look(page, language, "once") == []

    complete = checklist.get_by_role("button", name=say("accounts.checklist_complete"))
    complete.click()
    expect(checklist.get_by_role("alert").last).to_have_text(say("error.leaving_open"))
    for key in ("keys", "material", "equipment"):
        box = checklist.locator(f"[data-item={key}]")
        box.focus()
        page.keyboard.press("Space")
        expect(checklist.locator("li", has=page.locator(f"[data-item={key}]"))).to_contain_text(
            "Asger"
        )
    today = f"{system.clock.now():%Y-%m-%d}"
    checklist.locator("[name=sent_on]").fill(today)
    checklist.get_by_role("button", name=say("accounts.checklist_record")).click()
    expect(page.locator("#checklist-signed")).to_contain_text("Asger")
    complete.click()
    expect(page.locator("#checklist-receipt")).to_contain_text("Asger")
    expect(complete).to_be_hidden()
    expect(row).to_contain_text(say("accounts.checklist_done"))
    assert look(page, language, "once") == []

    page.emulate_media(media="print")
    expect(page.locator("#people")).to_be_hidden()
    expect(checklist.locator("button").first).to_be_hidden()
    expect(page.locator("#checklist-receipt")).to_be_visible()
    page.emulate_media(media="screen")
    checklist.get_by_role("button", name=say("page.close")).click()
    expect(checklist).to_be_hidden()
    expect(row.get_by_role("button", name=say("accounts.checklist"))).to_be_focused()
