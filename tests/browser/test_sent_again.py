"""A form whose answer was lost is sent again: what it makes is made once."""

from playwright.sync_api import Route, expect

from tests.browser.conftest import Visit
from tests.browser.test_cases import NUMBER, WORDS


def test_a_case_whose_answer_was_lost_is_opened_once(visit: Visit) -> None:
    page = visit("mads", "/cases")
    lost: list[str] = []

    def lose_once(route: Route) -> None:
        if lost or route.request.method != "POST":
            return route.fallback()
        route.fetch()  # the server carries it out
        lost.append(route.request.url)
        return route.abort("connectionrefused")

    page.route("**/api/v1/cases", lose_once)
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
