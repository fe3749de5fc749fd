"""The navigation: one row at 1280 px for every role, its menus by mouse and keyboard."""

import pytest
from playwright.sync_api import Page, expect

from callserver.console.pages import PAGES
from callserver.domain.role import Action, Role, may
from tests.browser.conftest import Visit

USERS = {
    "asger": Role.ADMINISTRATOR,
    "lea": Role.LEADER,
    "sigrid": Role.SUPERVISOR,
    "mads": Role.MEMBER_SERVICE,
    "maja": Role.PHONER,
}
ONE_ROW_PX = 80


def header_height(page: Page) -> float:
    box = page.locator("header.top").bounding_box()
    assert box is not None
    return box["height"]


@pytest.mark.parametrize("handle", USERS)
def test_it_has_one_row_and_every_page_of_the_role(visit: Visit, handle: str) -> None:
    page = visit(handle, "/books", language="da")
    assert header_height(page) <= ONE_ROW_PX
    addresses = [link.get_attribute("href") for link in page.locator(".top nav a").all()]
    assert addresses == [
        listed.path
        for listed in PAGES
        if listed.listed
        and (not isinstance(listed.needs, Action) or may(USERS[handle], listed.needs))
    ]


def test_a_menu_by_mouse_and_keyboard(visit: Visit) -> None:
    page = visit("asger", "/books")
    menus, people = page.locator(".top details"), page.locator(".top summary", has_text="People")
    accounts = page.get_by_role("link", name="Accounts")
    people.click()
    expect(page.get_by_role("link", name="Opt-outs")).to_be_visible()
    page.locator(".top summary", has_text="Administration").click()
    expect(accounts).to_be_visible()
    expect(page.get_by_role("link", name="Opt-outs")).to_be_hidden()
    page.locator("main").click(position={"x": 5, "y": 300})
    expect(accounts).to_be_hidden()

    people.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Who called?")).to_be_focused()
    page.keyboard.press("Escape")
    expect(people).to_be_focused()
    expect(menus.first).not_to_have_attribute("open", "")
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+Tab")
    expect(menus.first).not_to_have_attribute("open", "")

    page.locator(".top summary", has_text="Administration").click()
    accounts.click()
    expect(page.locator(".top summary[aria-current]")).to_have_text("Administration")


def test_on_a_telephone_no_menu_leaves_the_page_or_covers_another(visit: Visit) -> None:
    page = visit("asger", "/books")
    page.set_viewport_size({"width": 390, "height": 844})
    for menu in page.locator(".top details").all():
        menu.locator("summary").click()
        for link in menu.locator("a").all():
            box = link.bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 390


def test_a_page_that_the_browser_has_kept_is_loaded_again(visit: Visit) -> None:
    page = visit("asger", "/accounts")
    page.evaluate("window.isKept = true")
    with page.expect_navigation():
        page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    assert page.evaluate("window.isKept") is None
