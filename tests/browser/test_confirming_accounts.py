"""A new colleague waits at the sign-in until a second person has confirmed their account, in a browser."""

import pytest
from playwright.sync_api import Page, Route, expect

from callserver import texts
from callserver.database import accounts
from tests.browser import looking
from tests.browser.conftest import Visit
from tests.browser.looking import look
from tests.harness.threaded import BrowserSystem

pytestmark = [pytest.mark.skipif(bool(looking.WHY_NOT), reason=looking.WHY_NOT)]


def change_role(administrator: Page, user: int) -> None:
    """The administrator makes a phoner a colleague of member service."""
    body = {"name": "Maja Prøve", "role": "member_service", "department": None}
    administrator.evaluate(
        """async ([path, body]) => {
            const page = document.querySelector("script[src$='/accounts.js']").src;
            await (await import(new URL("api.js", page))).post(path, body);
        }""",
        [f"/accounts/{user}", body],
    )


def test_a_change_between_a_page_and_its_stream_is_shown(
    visit: Visit, system: BrowserSystem
) -> None:
    maja = system.read(lambda tx: accounts.by_handle(tx, "maja"))
    colleague, administrator = visit("asger", "/accounts"), visit("asger", "/accounts")

    def says_so(page: Page) -> None:
        row = page.locator("#people tr", has_text="Maja Prøve")
        expect(row).to_contain_text(texts.say("en", "accounts.waits"))

    def change_first(route: Route) -> None:
        change_role(colleague, maja.id)
        says_so(colleague)
        route.continue_()

    administrator.route("**/api/v1/events?*", change_first, times=1)
    administrator.reload()
    says_so(administrator)


@pytest.mark.parametrize("language", ["da", "en"])
def test_a_colleague_confirms_the_account(
    visit: Visit, system: BrowserSystem, language: str
) -> None:
    def say(key: str, **values: object) -> str:
        return texts.say(language, key, **values)

    newcomer = visit("maja", "/training", language=language)
    colleague = visit("lea", "/training", language=language)
    expect(colleague.locator("#colleagues")).to_be_hidden()
    administrator = visit("asger", "/accounts", language=language)
    maja = system.read(lambda tx: accounts.by_handle(tx, "maja"))
    change_role(administrator, maja.id)
    newcomer.goto(f"{system.url}/phone")
    expect(newcomer.locator("#confirmation h1")).to_have_text(say("sign_in.confirmation_title"))
    assert look(newcomer, language, "once") == []
    again = newcomer.get_by_role("button", name=say("sign_in.confirmation_again"))
    again.click()
    expect(newcomer.locator("#confirmation .wrong")).to_have_text(
        say("sign_in.confirmation_not_yet")
    )

    row = administrator.locator("#people tr", has_text="Maja Prøve")
    expect(row).to_contain_text(say("accounts.waits"))

    expect(colleague.locator("#colleagues")).to_contain_text("Maja Prøve")  # live
    assert look(colleague, language, "once") == []
    colleague.get_by_role(
        "button", name=say("training.colleague_confirm", name="Maja Prøve")
    ).focus()
    colleague.keyboard.press("Enter")
    expect(colleague.locator("#colleagues-done")).to_be_focused()
    expect(colleague.locator("#colleagues")).to_be_hidden()

    again.click()
    expect(newcomer.locator("#sign-out")).to_be_visible()


def test_a_one_time_code_may_be_typed_in_groups(visit: Visit, system: BrowserSystem) -> None:
    page = visit("maja")
    page.context.clear_cookies()
    page.goto(f"{system.url}/sign-in")
    page.fill("#credentials [name=handle]", "lea")
    page.fill("#credentials [name=password]", system.stage.staff.password)
    page.keyboard.press("Enter")
    code = system.code("lea")
    page.fill("#code [name=code]", f"{code[:2]} {code[2:4]} {code[4:]}")
    page.keyboard.press("Enter")
    expect(page.locator("#sign-out")).to_be_visible()
