"""What a phoner does on their page, and what it looks like when it is done."""

import re

from playwright.sync_api import Page, expect


def on_shift(page: Page, campaign: str = "leads") -> None:
    """Choose a campaign and the browser's telephone; be there, on pause."""
    page.check(f"[name=campaign][value={campaign}]")
    page.locator("#lines label").first.click()
    page.locator("#shift-form .main").click()
    state(page, "paused")


def state(page: Page, wanted: str, seconds: float = 30) -> None:
    expect(page.locator("#seat")).to_have_attribute("data-state", wanted, timeout=seconds * 1000)


def finish(page: Page) -> None:
    """No, thank you; and a pause."""
    page.get_by_role("button", name=re.compile("^No, thank you")).click()
    page.locator("#chosen [data-way=pause]").click()
    state(page, "paused")


def go_home(page: Page) -> None:
    page.locator("#off").click()
    page.locator("#off-dialog [value=off]").click()
    expect(page.locator("#shift")).to_be_visible()
