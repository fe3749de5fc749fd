"""The applicants page in both languages: from the interview over the role-play call to the account."""

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from callserver import texts
from callserver.simulator import role_play_record
from tests.browser import looking
from tests.browser.conftest import Visit, windows
from tests.browser.looking import look
from tests.harness.threaded import BrowserSystem

pytestmark = [
    pytest.mark.skipif(bool(looking.WHY_NOT), reason=looking.WHY_NOT),
]

NAME = "Ane Prøvesen"
DATE = {"da": "12-05-2026 17.00", "en": "2026-05-12 17:00"}


def entered(page: Page, opener: Locator, **values: str) -> None:
    """Open a dialog, fill it in and send it, all by keyboard."""
    opener.focus()
    page.keyboard.press("Enter")
    form = page.locator("#dialog form")
    for name, value in values.items():
        field = form.locator(f"[name={name}]")
        if field.evaluate("(one) => one.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
    form.locator("button:not([type=button])").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#dialog")).to_be_hidden()


def played(system: BrowserSystem, sigrid: Page, guest: Page, language: str) -> None:
    """The role-play call: each hears the other, and both leave when one ends."""

    def say(key: str, **values: object) -> str:
        return texts.say(language, key, **values)

    entered(sigrid, sigrid.get_by_role("button", name=f"{say('applicants.play')}: {NAME}"))
    expect(sigrid.locator("#playing-title")).to_be_focused()
    code = sigrid.locator("#playing-code b").inner_text()
    assert look(sigrid, language, "once") == []
    guest.goto(f"{system.url}/role-play")
    guest.locator("#enter [name=code]").fill("AAAA-AAAA")
    guest.keyboard.press("Enter")
    expect(guest.locator("#enter .wrong")).to_have_text(say("error.role_play_code"))
    guest.locator("#enter [name=code]").fill(code.lower())
    guest.keyboard.press("Enter")
    expect(guest.locator("#hello")).to_be_focused()
    expect(guest.locator("#script")).to_contain_text("Ane fra")
    expect(guest.locator("#line")).to_contain_text(say("played.hears.interviewer"))
    expect(guest.locator("#state")).to_have_text(say("role_play.talks"))
    expect(sigrid.locator("#line")).to_contain_text(say("played.hears.applicant"))
    expect(sigrid.locator("#playing-state")).to_have_text(say("applicants.playing_now"))
    expect(sigrid.locator("#playing-code")).to_be_hidden()
    assert code not in guest.url
    assert look(guest, language, "once") == []
    assert look(sigrid, language, "once") == []
    guest.locator("#end").focus()
    guest.keyboard.press("Enter")
    expect(guest.locator("#over-title")).to_be_focused()
    expect(sigrid.locator("#playing")).to_be_hidden()
    assert look(guest, language, "once") == []
    guest.reload()
    expect(guest.locator("#enter")).to_be_visible()


def interviewed(sigrid: Page, language: str, at: str) -> None:
    """An applicant is added, and is present at a group interview of each module."""

    def say(key: str) -> str:
        return texts.say(language, key)

    expect(sigrid.locator("#people")).to_contain_text(say("applicants.none"))  # drawn
    entered(sigrid, sigrid.locator("#add"), name=NAME)
    expect(sigrid.locator("#add")).to_be_focused()
    for module in ("1", "2"):
        entered(sigrid, sigrid.locator("#plan"), module=module, at=at)
        interview = sigrid.locator(".interview").nth(int(module) - 1)
        interview.locator("form button").click()
        present = f"{say('applicants.present')}: {NAME}"
        interview.get_by_role("button", name=present, exact=True).click()
        pressed = interview.locator("[aria-pressed=true]")
        expect(pressed).to_have_text(say("applicants.present"))
        expect(pressed).to_be_focused()


def described(sigrid: Page, language: str) -> None:
    """The form about the role-play call is filled in."""
    form = sigrid.get_by_role("button", name=f"{texts.say(language, 'applicants.form')}: {NAME}")
    answers = {f"answer-{at}": "With calm and warmth." for at in range(3)}
    entered(sigrid, form, **answers)
    expect(form).to_be_focused()


def accepted(sigrid: Page, language: str, handle: str) -> str:
    """The applicant gets an account; its first password, which is shown once."""

    def say(key: str, **values: object) -> str:
        return texts.say(language, key, **values)

    sigrid.get_by_role("button", name=f"{say('applicants.accept')}: {NAME}").click()
    expect(sigrid.locator("#dialog")).to_contain_text(say("applicants.accept_text", name=NAME))
    assert look(sigrid, language, "once") == []
    sigrid.locator("#dialog [name=handle]").fill(handle)
    sigrid.locator("#dialog button.main").click()
    expect(sigrid.locator("#secret")).to_be_visible()
    return sigrid.locator("#secret-value").inner_text()


@pytest.mark.parametrize("language", ["da", "en"])
def test_from_the_interview_to_the_account(
    visit: Visit, chromium: Browser, system: BrowserSystem, language: str
) -> None:
    def say(key: str, **values: object) -> str:
        return texts.say(language, key, **values)

    sigrid = visit("sigrid", "/applicants", language=language)
    asger = visit("asger", "/applicants", language=language)
    interviewed(sigrid, language, DATE[language])
    with windows(chromium, system) as window:
        played(system, sigrid, window(language), language)
    missing = say("applicants.missing", steps=say("applicants.step.form"))
    for page in (sigrid, asger):  # live
        expect(page.locator("#people tbody")).to_contain_text(missing)
    described(sigrid, language)
    expect(asger.locator("#people tbody")).to_contain_text(say("applicants.ready"))
    assert look(asger, language, "once") == []
    password = accepted(sigrid, language, "ane")
    sigrid.keyboard.press("Escape")
    expect(sigrid.locator("#secret")).to_be_visible()
    sigrid.locator("#secret .close").click()
    for page in (sigrid, asger):
        expect(page.locator("#people")).to_contain_text(say("applicants.none"))
    asger.locator("#decided").check()
    expect(asger.locator("#people tbody")).to_contain_text(say("applicants.state.accepted"))
    sigrid.locator("#sign-out").click()
    sigrid.fill("#credentials [name=handle]", "ane")
    sigrid.fill("#credentials [name=password]", password)
    sigrid.click("#credentials button:not([type=button])")
    expect(sigrid.locator("#password")).to_be_visible()
    stays = system.stage.world.network.listening_record.role_plays.stays
    assert stays
    assert role_play_record.wrongs(stays) == []


def test_who_was_chosen_is_invited_whatever_a_colleague_changes(visit: Visit) -> None:
    sigrid, asger = visit("sigrid", "/applicants"), visit("asger", "/applicants")
    for name in ("Bodil Prøvesen", "Carl Prøvesen"):
        entered(sigrid, sigrid.locator("#add"), name=name)
    entered(sigrid, sigrid.locator("#plan"), module="1", at=DATE["en"])
    whom = sigrid.locator(".interview select")
    whom.select_option(label="Carl Prøvesen")
    entered(asger, asger.locator("#add"), name=NAME, department="nord")
    expect(whom.locator("option")).to_have_count(3)
    expect(whom.locator("option:checked")).to_have_text("Carl Prøvesen")

    asger.locator(".interview select").select_option(label="Carl Prøvesen")
    asger.locator(".interview form button").click()
    expect(whom.locator("option")).to_have_count(2)
    expect(whom).to_have_value("")
