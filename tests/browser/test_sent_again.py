"""A form whose answer was lost is sent again: what it makes is made once."""

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import Visit, windows
from tests.browser.test_applicants import NAME, entered
from tests.browser.test_cases import NUMBER, WORDS
from tests.harness.threaded import BrowserSystem


def lose_first_answer(page: Page, path: str) -> None:
    """The server carries the request out, and its answer does not arrive."""
    lost: list[str] = []

    def lose_once(route: Route) -> None:
        if lost or route.request.method != "POST":
            return route.fallback()
        route.fetch()
        lost.append(route.request.url)
        return route.abort("connectionrefused")

    page.route(f"**/api/v1{path}", lose_once)


def test_a_case_whose_answer_was_lost_is_opened_once(visit: Visit) -> None:
    page = visit("mads", "/cases")
    lose_first_answer(page, "/cases")
    form = page.locator("#new")
    for number in (1, 2):
        form.locator("[name=kind]").select_option("complaint")
        form.locator("[name=source]").select_option("letter")
        form.locator("[name=number]").fill(NUMBER)
        form.locator("[name=words]").fill(WORDS)
        form.locator("button.main").click()
        if number == 1:
            expect(form.locator(".wrong")).to_be_visible()
            form.locator("button.main").click()
        expect(page.locator("#receipt")).to_be_visible()
        # The same words after an answer are a new case.
        expect(page.locator("#list tbody tr")).to_have_count(number)


@pytest.mark.parametrize("reloads", [False, True])
def test_an_applicant_whose_answer_was_lost_enters_the_code_again(
    visit: Visit, chromium: Browser, system: BrowserSystem, reloads: bool
) -> None:
    sigrid = visit("sigrid", "/applicants")
    entered(sigrid, sigrid.locator("#add"), name=NAME)
    entered(sigrid, sigrid.get_by_role("button", name=f"Role-play call: {NAME}"))
    code = sigrid.locator("#playing-code b").inner_text()
    with windows(chromium, system) as window:
        guest, stranger = window(), window()
        lose_first_answer(guest, "/role-play/enter")
        for page in (guest, stranger):
            page.goto(f"{system.url}/role-play")
            page.locator("#enter [name=code]").fill(code)
            page.locator("#enter button").click()
            expect(page.locator("#enter .wrong")).to_be_visible()
        expect(sigrid.locator("#playing-code")).to_be_hidden()  # somebody has entered it
        guest.context.clear_cookies(name="role_play")  # it came with the lost answer
        if reloads:
            guest.reload()
            guest.locator("#enter [name=code]").fill(code)
        guest.locator("#enter button").click()
        expect(guest.locator("#state")).to_have_text("You are connected. Begin when you are ready.")
