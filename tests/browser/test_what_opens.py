"""What opens in a page when somebody acts there: dialogs, answers to a search, a change of the rules with
its effect, the later steps of signing in. Looked at as test_pages looks at pages.
"""

import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from callserver.cli.simulated_stack import StackPlan
from callserver.database import accounts
from callserver.database.tables import calls
from callserver.domain.role import Role
from callserver.engine.accounts.authentication import new_password
from tests.browser import looking
from tests.browser.conftest import EVERYBODY_TALKS, ROOT, Visit, windows
from tests.browser.looking import DEPTHS, look
from tests.harness.threaded import BrowserSystem, open_system

pytestmark = [
    pytest.mark.skipif(bool(looking.WHY_NOT), reason=looking.WHY_NOT),
]

Looks = Callable[[str], None]
"""Look at the page as it stands; `what` it is, for the failure's message."""

UNFOLD = "(what) => document.querySelectorAll(what).forEach((one) => (one.open = true))"
POLICY = re.compile("Danmark: husets regler|Denmark: our own rules")
HOURS = '["09:00-21:00"]'
CODE = re.compile("[a-z]_[a-z]")


@pytest.fixture
def system(tmp_path: Path) -> Iterator[BrowserSystem]:
    """With a configuration of its own, which is changed here."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    with open_system(
        StackPlan(tmp_path, tmp_path / "config", 2, 100, rates=EVERYBODY_TALKS)
    ) as opened:
        yield opened


def test_in_each_page(visit: Visit, system: BrowserSystem) -> None:
    """Each of them signed in once: a one-time code is good for one signing in."""
    wrong: list[str] = []
    asger, lea, mads = visit("asger"), visit("lea"), visit("mads")
    for language in DEPTHS:

        def looks_at(page: Page, path: str, language: str = language) -> Looks:
            cookie = {"name": "language", "value": language, "url": system.url}
            page.context.add_cookies([cookie])  # type: ignore[list-item]
            page.goto(system.url + path)

            def looks(what: str) -> None:
                wrong.extend(
                    f"{what}: {problem}" for problem in look(page, language, DEPTHS[language])
                )

            return looks

        accounts_page(asger, looks_at(asger, "/accounts"), f"ny.{language}.{secrets.token_hex(2)}")
        suppressions_page(asger, looks_at(asger, "/suppressions"))
        rules_page(asger, looks_at(asger, "/rules"))
        proposals(lea, looks_at(lea, "/rules"))
        log_page(lea, looks_at(lea, "/log"))
        reports_page(lea, looks_at(lea, "/reports"))
        who_page(mads, looks_at(mads, "/who-called"), a_called_number(system))
    assert not wrong, "\n".join(wrong)


def accounts_page(page: Page, looks: Looks, handle: str) -> None:
    people = page.locator("#people tr", has_text="Maja Prøve").locator("button")
    page.locator("#open-add").click()
    page.locator("#add [name=handle]").fill("maja")
    page.locator("#add [name=name]").fill("Nora Prøve")
    page.locator("#add .main").click()
    expect(page.locator("#add .wrong")).to_be_visible()
    looks("a new account, refused")
    page.locator("#add [name=handle]").fill(handle)
    page.locator("#add .main").click()
    expect(page.locator("#secret")).to_be_visible()
    looks("their password")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.locator("#secret-value")).not_to_be_empty()  # shown only once
    expect(page.locator("#secret")).to_be_visible()
    page.locator("#secret .close").click()
    for position, dialog in enumerate(("#edit", "#reset", "#leave")):
        people.nth(position).click()
        expect(page.locator(dialog)).to_be_visible()
        looks(dialog)
        page.locator(f"{dialog} .close").click()
    page.locator("#open-token").click()
    looks("a new token")
    page.locator("#token [name=name]").fill("the dialer of a test")
    page.locator("#token .main").click()
    expect(page.locator("#secret")).to_be_visible()
    page.locator("#secret .close").click()
    expect(page.locator("#tokens table")).to_be_visible()
    looks("tokens")


def suppressions_page(page: Page, looks: Looks) -> None:
    search = page.locator("#search")
    search.locator("[name=number]").fill("12")
    search.locator(".main").click()
    expect(search.locator(".wrong")).to_be_visible()
    looks("no number")
    search.locator("[name=number]").fill("32200045")
    search.locator(".main").click()
    expect(page.locator("#result")).to_be_visible()
    looks("a number")
    page.locator("#add [name=scope]").select_option("org")
    page.locator("#add .main").click()
    expect(page.locator("#opt-outs table")).to_be_visible()
    looks("a no")
    page.locator("#opt-outs button").last.click()  # the first one undoes it
    expect(page.locator("#lift")).to_be_visible()
    looks("a no to be lifted")
    page.locator("#lift [name=asked_on]").fill("2000-01-01")
    page.locator("#lift [name=why]").fill("Asked for it in a letter")
    page.locator("#lift .main").click()
    expect(page.locator("#lift .wrong")).to_be_visible()
    looks("a request that is older than the opt-out")
    page.locator("#lift-cancel").click()


def rules_page(page: Page, looks: Looks) -> None:
    """A campaign in words, then a mistake, then looser hours with their effect, then the proposal."""
    page.locator("#files [data-group=campaigns] button", has_text="Kanvas").or_(
        page.locator("#files [data-group=campaigns] button", has_text="Canvass")
    ).click()
    expect(page.locator("#words")).to_contain_text(POLICY)
    page.locator("#files [data-group=policies] button", has_text=POLICY).click()
    expect(page.locator("#source-title")).to_be_in_viewport()  # above the words
    unfold(page, "#source")
    text = page.locator("#text")
    before = text.input_value()
    text.fill(before.replace(HOURS, '["09:00-26:00"]', 1))
    expect(page.locator("#problems li").first).to_be_visible()
    looks("a mistake")
    text.fill(before.replace(HOURS, '["08:00-21:30"]'))
    expect(page.locator("#looser li").first).to_be_visible()
    unfold(page, "#effect")
    page.locator("#effect button").click()
    expect(page.locator("#effect table").first).to_be_visible()
    looks("a looser rule, its effect compared")
    page.locator("#new").click()
    looks("a new file")
    page.locator("#new-cancel").click()
    page.locator("#propose [name=why]").fill("Many ask to be called before work.")
    page.locator("#propose [name=ethics]").fill("Sound: nobody is called earlier than they ask.")
    page.locator("#activate").click()
    compared(page)
    looks("my own proposal")


def compared(page: Page) -> None:
    """The proposal that waits, all of it unfolded."""
    proposal = page.locator("#open-proposals .proposal")
    expect(proposal).to_be_visible()
    unfold(page, "#open-proposals details")
    proposal.locator(".effect-form button").click()
    expect(proposal.locator("table.effect")).to_be_visible()
    expect(proposal.locator("table.diff").first).to_be_visible()


def unfold(page: Page, what: str) -> None:
    """Open, also what a look has opened already."""
    page.evaluate(UNFOLD, what)


def proposals(page: Page, looks: Looks) -> None:
    compared(page)
    page.locator("#open-proposals .proposal > .row button").nth(1).click()  # refuse
    refusal = page.locator("#open-proposals form", has=page.locator("textarea"))
    expect(refusal).to_be_visible()
    looks("somebody else's proposal")
    refusal.locator("textarea").fill("Nobody is called before nine.")
    refusal.locator("button").click()
    expect(page.locator("#decided-proposals .decided").first).to_be_visible()
    looks("decided")


def log_page(page: Page, looks: Looks) -> None:
    search = page.locator("#search")
    search.locator("[name=call]").fill("nothing")
    search.locator(".main").click()
    expect(page.locator("#empty")).to_be_visible()
    looks("nothing found")
    search.locator("[name=call]").fill("")
    search.locator(".main").click()
    expect(page.locator("#entries tr").first).to_be_visible()
    expect(page.locator("#entries tr p", has_text="Lea Prøve").first).to_be_visible()
    expect(page.locator("#entries tr p", has_text="user:")).to_have_count(0)
    expect(page.locator("#entries tr p", has_text=CODE)).to_have_count(0)
    page.locator("#verify").click()
    expect(page.locator("#verdict .badge")).to_be_visible()
    looks("entries, and seals that hold")


def reports_page(page: Page, looks: Looks) -> None:
    """Each of the last fourteen days has its place on the axis, in letters that can be read."""
    expect(page.locator("#days text[text-anchor=middle]")).to_have_count(14)
    assert min(page.evaluate(LETTERS)) >= 12
    for chart in ("outcomes", "ends", "refused"):
        expect(page.locator(f"#{chart}")).not_to_be_empty()
    looks("figures")


LETTERS = """() => [...document.querySelectorAll("figure text, figure li")].map((one) =>
  parseFloat(getComputedStyle(one).fontSize) * (one.getCTM?.()?.a ?? 1))"""


def who_page(page: Page, looks: Looks, number: str) -> None:
    look_up = page.locator("#look-up")
    look_up.locator("[name=number]").fill("12")
    look_up.locator(".main").click()
    expect(look_up.locator(".wrong")).to_be_visible()
    looks("no number")
    look_up.locator("[name=number]").fill(number)
    look_up.locator(".main").click()
    expect(page.locator("#stop")).to_be_visible()
    looks("who called")
    page.locator("[data-reach=never]").click()
    looks("asked before it is recorded")
    page.locator("#dialog .main").click()
    expect(page.locator("#receipt")).to_be_visible()
    looks("never again")


def a_called_number(system: BrowserSystem) -> str:
    """Somebody whom the robots have rung."""
    query = select(calls.c.number).where(calls.c.ended_at.is_not(None)).limit(1)
    while (key := system.read(lambda tx: tx.execute(query).scalar())) is None:
        system.run(system.stage.clock.sleep(0.2))
    return f"+{key}"


@pytest.mark.parametrize(("language", "depth"), DEPTHS.items())
def test_each_step_of_signing_in(
    chromium: Browser, system: BrowserSystem, language: str, depth: looking.Depth
) -> None:
    """A new user: a password of their own, one-time codes set up, and asked for the next time."""
    wrong: list[str] = []
    once, kept = new_password()
    handle = f"nina.{language}.{secrets.token_hex(2)}"  # a second try is another account
    new: dict[str, Any] = {"handle": handle, "name": "Nina Prøve", "role": Role.SUPERVISOR.value}
    new |= {"password": kept, "password_once": True, "department": "nord"}
    store = system.stage.server.store
    system.run(store.run(lambda tx: accounts.add(tx, **new)))

    with windows(chromium, system) as window:
        page = window(language)

        def looks(what: str) -> None:
            wrong.extend(f"{what}: {problem}" for problem in look(page, language, depth))

        def enters(password: str) -> None:
            page.locator("#credentials [name=handle]").fill(handle)
            page.locator("#credentials [name=password]").fill(password)
            page.locator("#credentials .main").click()

        page.goto(f"{system.url}/sign-in")
        enters(once)
        expect(page.locator("#password")).to_be_visible()
        looks("a new password")
        page.locator("[name=new]").fill("a green bicycle in the rain")
        page.locator("[name=again]").fill("another")
        page.locator("#password .main").click()
        expect(page.locator("#password .wrong")).to_be_visible()
        looks("two that differ")
        page.locator("[name=again]").fill("a green bicycle in the rain")
        page.locator("#password .main").click()

        expect(page.locator("#key")).not_to_be_empty()
        looks("codes set up")
        page.locator("#code_setup [name=code]").fill("000 000")
        page.locator("#code_setup .main").click()
        expect(page.locator("#code_setup .wrong")).to_be_visible()
        looks("not the right code")
        page.locator("#code_setup [name=code]").fill(code(page, system))
        page.locator("#code_setup .main").click()
        expect(page.locator("#refused")).to_be_visible()
        looks("the refused attempt is told")
        page.locator("#refused .main").click()
        page.locator("#sign-out").click()

        enters("a green bicycle in the rain")
        expect(page.locator("#code")).to_be_visible()
        looks("a code asked")
        page.locator("#code [name=code]").fill("000000")
        page.locator("#code .main").click()
        expect(page.locator("#code .wrong")).to_be_visible()
        looks("a wrong code")
    assert not wrong, "\n".join(wrong)


def code(page: Page, system: BrowserSystem) -> str:
    """What an authenticator would show that has read the key."""
    key = page.locator("#key").inner_text().replace(" ", "")
    return pyotp.TOTP(key).at(system.stage.clock.device_time())
