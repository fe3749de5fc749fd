"""Member service decides who is on a register: both records side by side, in both languages, by keyboard."""

import io

import pytest
from playwright.sync_api import expect

from callserver.database.side_connection import side_engine
from callserver.domain.register_match import Match
from callserver.engine.lists.importer import import_list
from callserver.engine.suppressions import official_register
from callserver.ports import Tx
from tests.browser import looking
from tests.browser.conftest import Visit
from tests.browser.looking import DEPTHS, look
from tests.harness.robinson import Invented, official
from tests.harness.threaded import BrowserSystem

pytestmark = [
    pytest.mark.skipif(bool(looking.WHY_NOT), reason=looking.WHY_NOT),
]

LISTED = (
    "ref;navn;telefon;adresse;postnr;kilde\n"
    "U1;Bo Prøve;32209901;Andenvej 3;8000;gade\n"
    "U2;Å. Prøve;32209902;Prøvevej 12, 1. tv;8000;gade\n"
)
OFFICIAL = official(
    [
        Invented("Prøve,Åse Marie", "Prøvevej 12,1 TV", place="Prøveby"),
        Invented("Prøve,Bo", "Andenvej 3", mark="*"),
    ]
)


def load(system: BrowserSystem) -> None:
    """A list, and the official file beside it."""
    server = system.stage.server
    now = server.ctx.clock.now()

    def people(tx: Tx) -> None:
        import_list(tx, server.ctx.rules.campaign("kanvas"), LISTED.encode(), now)

    system.write(people)
    with side_engine(server.settings.database, server.settings.key.encode()) as engine:
        loaded = official_register.load(
            engine,
            io.BytesIO(OFFICIAL),
            "robinson",
            now,
            now,
            server.ctx.rules.current,
            by="test",
            smaller=True,
        )
    assert loaded.results[Match.UNSURE] >= 2


def test_a_colleague_decides(visit: Visit, system: BrowserSystem) -> None:
    load(system)
    page = visit("mads", "/suppressions")
    wrong: list[str] = []
    for language, depth in DEPTHS.items():
        cookie = {"name": "language", "value": language, "url": system.url}
        page.context.add_cookies([cookie])  # type: ignore[list-item]
        page.reload()
        page.locator("#unsure-show").click()
        expect(page.locator(".unsure li").first).to_be_visible()
        wrong += look(page, language, depth)
    assert not wrong
    bo = page.locator(".unsure li", has_text="Bo Prøve")
    expect(bo).to_contain_text("Andenvej 3")
    expect(bo).to_contain_text("former address")
    count = page.locator(".unsure li").count()
    button = bo.get_by_role("button", name="No, somebody else")
    button.focus()
    page.keyboard.press("Enter")
    expect(bo).to_have_count(0)
    assert page.evaluate("() => document.activeElement !== document.body")
    ase = page.locator(".unsure li", has_text="Å. Prøve")
    expect(ase).to_contain_text("Prøveby")
    ase.get_by_role("button", name="Yes, the same person").click()
    expect(page.locator("#toasts")).to_contain_text("the person is on the register")
    expect(ase).to_have_count(0)
    if count > 2:
        expect(page.locator(".unsure li")).to_have_count(count - 2)
    else:
        expect(page.locator("#unsure")).to_contain_text("There is nobody to decide about.")
    page.reload()
    page.locator("#unsure-show").click()
    expect(page.locator("#unsure p").first).to_be_visible()
    expect(page.locator("#unsure")).not_to_contain_text("Bo Prøve")


def test_a_supervisor_does_not_decide(visit: Visit) -> None:
    page = visit("sigrid", "/suppressions")
    expect(page.locator("#search")).to_be_visible()
    expect(page.locator("#unsure-card")).to_have_count(0)
