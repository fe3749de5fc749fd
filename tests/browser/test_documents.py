"""The organisation's own PDF file, in a browser: fetched beside its text, and signed."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from callserver import texts
from callserver.cli.simulated_stack import StackPlan
from tests.browser import looking
from tests.browser.conftest import ROOT, Visit
from tests.browser.looking import look
from tests.console.test_book_files import FILE, name_file
from tests.harness.threaded import BrowserSystem, open_system

pytestmark = [pytest.mark.skipif(bool(looking.WHY_NOT), reason=looking.WHY_NOT)]


@pytest.fixture
def system(tmp_path: Path) -> Iterator[BrowserSystem]:
    config = Path(shutil.copytree(ROOT / "config", tmp_path / "config"))
    name_file(config, FILE, key="magazine")
    with open_system(StackPlan(tmp_path, config, 1, 20, first_week=True)) as opened:
        yield opened


@pytest.mark.parametrize("language", ["da", "en"])
def test_it_is_fetched_and_signed(visit: Visit, system: BrowserSystem, language: str) -> None:
    page = visit("maja", "/training", language=language)
    page.locator("[data-document=magazine]").click()
    link = page.get_by_role("link", name=texts.say(language, "books.pdf", name="magazine.pdf"))
    link.focus()
    with page.expect_download() as started:
        page.keyboard.press("Enter")
    assert Path(started.value.path()).read_bytes() == FILE
    assert started.value.suggested_filename == "magazine.pdf"
    expect(page).to_have_url(f"{system.url}/training")
    assert look(page, language, "once") == []
    page.locator("#sign").focus()
    page.keyboard.press("Enter")
    signed = texts.say(language, "training.signed", date="§").split("§")[0]
    expect(page.locator("[data-document=magazine] .badge")).to_contain_text(signed)
