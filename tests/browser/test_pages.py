"""Every page in Danish and English, in light and dark, wide and on a tablet: no WCAG 2.2 AA violation."""

import pytest
from playwright.sync_api import Browser, Route

from callserver.console.pages import PAGES
from tests.browser import looking
from tests.browser.conftest import Visit, sign_in_without_page, windows
from tests.browser.looking import DEPTHS, look
from tests.harness.threaded import BrowserSystem

pytestmark = [
    pytest.mark.skipif(bool(looking.WHY_NOT), reason=looking.WHY_NOT),
]

WHO = {
    "floor": "sigrid",
    "who_called": "mads",
    "person": "mads",
    "cases": "lea",
    "reports": "lea",
    "rules": "asger",
    "lists": "asger",
    "suppressions": "asger",
    "applicants": "asger",
    "support": "sigrid",
    "accounts": "asger",
    "log": "lea",
    "books": "lea",
    "notices": "lea",
    "survey": "lea",
    "training": "sigrid",
}


def test_every_page(visit: Visit, system: BrowserSystem) -> None:
    """Each of them signed in once: a one-time code is good for one signing in."""
    wrong: list[str] = []
    for handle in sorted(set(WHO.values())):
        page = visit(handle)
        paths = [page.path for page in PAGES if WHO.get(page.name) == handle]
        for path in [*paths, *(["/nowhere"] if handle == "mads" else [])]:
            for language, depth in DEPTHS.items():
                cookie = {"name": "language", "value": language, "url": system.url}
                page.context.add_cookies([cookie])  # type: ignore[list-item]
                page.goto(system.url + path)
                wrong += look(page, language, depth)
    assert not wrong


@pytest.mark.parametrize(("language", "depth"), DEPTHS.items())
def test_before_signing_in(
    chromium: Browser, system: BrowserSystem, language: str, depth: looking.Depth
) -> None:
    with windows(chromium, system) as window:
        page = window(language)
        page.goto(f"{system.url}/role-play")
        assert not look(page, language, depth)
        page.goto(f"{system.url}/sign-in")
        wrong = look(page, language, depth)
        page.locator("#credentials [name=handle]").fill("maja")
        page.locator("#credentials [name=password]").fill("not this")
        page.locator("#credentials .main").click()
        page.locator("#credentials .wrong").wait_for()
        assert not wrong + look(page, language, depth)


def test_a_page_that_was_opened_is_drawn(chromium: Browser, system: BrowserSystem) -> None:
    """Also where its first answer comes after it has loaded."""
    with windows(chromium, system) as window:
        page = window()
        sign_in_without_page(page, system, "sigrid")

        def after_loading(route: Route) -> None:
            page.wait_for_load_state()
            for _ in range(20):  # are answered first
                page.request.get(f"{system.url}/livez")
            route.continue_()

        page.route("**/api/v1/floor", after_loading)
        page.goto(f"{system.url}/floor")
        assert page.locator("#campaigns [data-name]").count()


def test_no_page_is_left_out() -> None:
    others = {"sign_in", "phone", "role_play"}  # test_before_signing_in, test_call_states
    assert {*others, *WHO} == {page.name for page in PAGES}


def test_the_look_finds_what_is_wrong(visit: Visit, system: BrowserSystem) -> None:
    page = visit("mads")
    page.evaluate(SPOILED)
    wrong = "\n".join(look(page, "en", "whole"))
    for defect in (
        "image-alt",
        "color-contrast",
        "sideways",
        "not a text: phone.title",
        "not in en",
    ):
        assert defect in wrong


SPOILED = """() => document.querySelector("main").insertAdjacentHTML("beforeend", `
  <img src="/nothing.png"><p class="grey">pale</p><p>phone.title</p><p>Log ud</p>
  <div class="broad">broad</div>`) ||
  Object.assign(document.querySelector(".grey").style, { color: "#999", background: "#aaa" }) &&
  Object.assign(document.querySelector(".broad").style, { width: "2000px" })"""
