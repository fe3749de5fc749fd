"""Training in both languages: a new phoner reads and signs; a supervisor records; experience is credited."""

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import delete

from callserver import texts
from callserver.database import accounts
from callserver.database.tables import signatures
from callserver.ports import Tx
from tests.browser import looking
from tests.browser.conftest import Visit
from tests.browser.looking import look
from tests.harness.threaded import BrowserSystem

pytestmark = [
    pytest.mark.skipif(bool(looking.WHY_NOT), reason=looking.WHY_NOT),
]


def begins(system: BrowserSystem, credited: int) -> int:
    """Maja has signed nothing, and has worked so many shifts."""

    def work(tx: Tx) -> int:
        user = accounts.by_handle(tx, "maja")
        assert user is not None
        tx.execute(delete(signatures).where(signatures.c.user == user.id))
        accounts.change(tx, user.id, credited=credited, trained_at=None)
        return user.id

    return int(system.write(work))


def sign_everything(page: Page) -> int:
    """Read and sign one document after the other, by keyboard; how many."""
    signed = 0
    while page.locator("#documents .badge.bad").count():
        left = page.locator("#documents .badge.bad").count()
        expect(page.locator("#sign")).to_be_visible()
        page.locator("#sign").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#documents .badge.bad")).to_have_count(left - 1)
        signed += 1
    return signed


@pytest.mark.parametrize("language", ["da", "en"])
def test_a_new_phoner_signs_and_the_supervisor_sees_it(
    visit: Visit, system: BrowserSystem, language: str
) -> None:
    def say(key: str, **values: object) -> str:
        return texts.say(language, key, **values)

    user = begins(system, credited=2)
    sigrid = visit("sigrid", "/training", language=language)
    row = sigrid.locator("#members tr", has_text="Maja")
    expect(row).to_contain_text(say("training.shift_title", number=3))
    assert look(sigrid, language, "once") == []

    maja = visit("maja", "/phone", language=language)
    expect(maja.locator("#documents-reminder")).to_be_visible()
    maja.locator("#documents-reminder a").click()
    expect(maja.locator("#standing")).to_be_visible()
    assert look(maja, language, "once") == []
    assert sign_everything(maja) >= 8
    expect(maja.locator("#summary")).to_have_text(say("training.all_signed"))
    expect(maja.locator("#summary")).to_be_focused()
    expect(row).not_to_contain_text(say("training.step_sign", titles=""))

    row.get_by_role("button").click()
    sigrid.locator("#dialog textarea").fill("Tal lidt langsommere.")
    sigrid.locator("#dialog button.main").click()
    expect(maja.locator("#words")).to_have_text("Tal lidt langsommere.")
    maja.locator("#talk").click()
    expect(maja.locator("#talk")).to_be_hidden()
    expect(row).to_contain_text(say("training.nothing_missing"))

    sigrid.locator("#plan [name=activity]").select_option("course")
    sigrid.locator("#plan [name=day]").fill("2026-05-11")
    sigrid.locator("#participants label", has_text="Maja").locator("input").check()
    sigrid.locator("#plan button.main").click()
    box = sigrid.locator(f"#planned [data-key$='-{user}']")
    box.check()
    expect(maja.locator("#sessions")).to_contain_text(say("training.attended"))
    assert look(sigrid, language, "once") == []


def test_experience_is_credited_with_a_reason(visit: Visit, system: BrowserSystem) -> None:
    begins(system, credited=0)
    asger = visit("asger", "/training", language="en")
    row = asger.locator("#members tr", has_text="Maja")
    row.get_by_role("button").click()
    asger.locator("#dialog select").select_option("3")
    asger.locator("#dialog button.main").click()
    expect(asger.locator("#dialog .wrong")).to_be_visible()  # a reason is needed
    asger.locator("#dialog textarea").fill("Has made calls for us since 2019.")
    asger.locator("#dialog button.main").click()
    expect(row).to_contain_text("Trained")
    expect(row).to_contain_text("since 2019")
