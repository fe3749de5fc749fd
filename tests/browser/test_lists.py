"""A list imported on its page: columns that may say no are chosen, and the history fits a small screen."""

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.looking import settle

DOUBTFUL = (
    "navn;tlf;Samtykke;Status;By\nAnna Prøve;32209101;x;;Skive\n"
    "Bo Prøve;12;x;;Hobro\nIda Prøve;32209102;x;Ring ikke;Skive\n"
)
WIDTHS = "() => [...document.querySelectorAll('#history .scroll')].map((one) => one.scrollWidth - one.clientWidth)"


def test_from_the_file_to_the_history(visit: Visit) -> None:
    page = visit("asger", "/lists", language="da")
    page.locator("#campaign").select_option("kanvas")
    file = {"name": "messe.csv", "mimeType": "text/csv", "buffer": DOUBTFUL.encode()}
    page.locator("#file-step [type=file]").set_input_files(file)  # type: ignore[arg-type]
    page.locator("#file-step .main").click()
    doubtful = page.locator("#columns tr.doubtful")
    expect(doubtful).to_have_count(1)
    expect(doubtful).to_contain_text("Samtykke")
    expect(page.locator("#problem")).to_contain_text("Samtykke")
    expect(page.locator("#take")).to_be_hidden()
    doubtful.locator("select").select_option("ignore")
    expect(page.locator("#problem")).to_contain_text("»Status« siger på linje 4: »Ring ikke«.")
    expect(doubtful).to_contain_text("Status")
    expect(page.locator("#take")).to_be_hidden()
    doubtful.locator("select").select_option("do_not_call")
    expect(page.locator("#problem")).to_be_hidden()
    expect(page.locator("#rows .refused")).to_have_count(1)
    expect(page.locator("#source")).to_have_value("listen »messe« fra 12. maj 2026")
    page.locator("#take").click()
    expect(page.locator("#done table").first).to_be_visible()
    expect(page.locator("#history")).to_contain_text("Asger Prøve")
    settle(page)
    assert page.evaluate(WIDTHS) == [0]
