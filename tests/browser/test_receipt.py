"""Member service gives a person the receipt of their request never to be called again."""

from playwright.sync_api import expect

from callserver.database import audit
from callserver.engine.audit_log.publishing import Publisher
from callserver.engine.audit_log.sealing import load_key
from callserver.settings import log_origin, published_folder
from tests.browser.conftest import Visit
from tests.browser.looking import look
from tests.harness.threaded import BrowserSystem
from tests.harness.waiting import until

NUMBER = "32 20 91 55"


def sealed(system: BrowserSystem) -> bool:
    rows = system.read(lambda tx: list(audit.unsealed(tx, 1)))
    return not rows


def test_the_receipt_is_one_press_away(visit: Visit, system: BrowserSystem) -> None:
    page = visit("mads", "/suppressions")
    page.locator("#search [name=number]").fill(NUMBER)
    page.locator("#search .main").click()
    page.locator("#add .main").click()
    expect(page.locator("#toasts")).to_contain_text("Recorded: the number.")
    receipt = page.get_by_role("button", name="Receipt").first
    expect(receipt).to_be_visible()
    until(lambda: sealed(system))
    settings = system.stage.server.settings
    publisher = Publisher(
        published_folder(settings), log_origin(settings), load_key(settings.seal_key)
    )
    system.read(publisher.publish)
    with page.expect_download() as started:
        receipt.click()
    assert started.value.suggested_filename.startswith("receipt-")
    assert look(page, "en") == []
