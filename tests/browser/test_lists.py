"""A list imported on its page: columns that may say no are chosen, and the history fits a small screen."""

import pytest
from playwright.sync_api import Route, expect

from callserver import texts
from tests.browser.conftest import Visit
from tests.browser.looking import settle
from tests.browser.test_late_answers import FirstAnswer

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
    preview = FirstAnswer(page, "/lists/*/preview")
    page.locator("#file-step .main").click()
    preview.wait()
    expect(page.locator("#columns-step")).to_be_visible()
    expect(page.locator("#import-now")).to_be_hidden()  # nobody has seen how the file is read
    preview.release()
    doubtful = page.locator("#columns tr.doubtful")
    expect(doubtful).to_have_count(1)
    expect(doubtful).to_contain_text("Samtykke")
    expect(page.locator("#problem")).to_contain_text("Samtykke")
    expect(page.locator("#import-now")).to_be_hidden()
    doubtful.locator("select").select_option("ignore")
    expect(page.locator("#problem")).to_contain_text("»Status« siger på linje 4: »Ring ikke«.")
    expect(doubtful).to_contain_text("Status")
    expect(page.locator("#import-now")).to_be_hidden()
    doubtful.locator("select").select_option("do_not_call")
    expect(page.locator("#problem")).to_be_hidden()
    expect(page.locator("#rows .refused")).to_have_count(1)
    expect(page.locator("#source")).to_have_value("listen »messe« fra 12. maj 2026")
    page.locator("#import-now").click()
    expect(page.locator("#done table").first).to_be_visible()
    expect(page.locator("#history")).to_contain_text("Asger Prøve")
    settle(page)
    assert page.evaluate(WIDTHS) == [0]


@pytest.mark.parametrize(
    ("language", "button", "empty", "missing", "region"),
    [
        ("da", "Vælg fil …", "Ingen fil valgt", "Vælg en fil.", "to store bogstaver"),
        ("en", "Choose a file …", "No file chosen", "Choose a file.", "Write the country"),
    ],
)
def test_a_form_speaks_the_pages_language_whatever_the_browsers(
    visit: Visit, language: str, button: str, empty: str, missing: str, region: str
) -> None:
    page = visit("asger", language=language)
    page.goto(page.url.replace("/floor", "/lists"))
    form = page.locator("#file-step")
    expect(form.locator(".picked")).to_have_text(f"{button} {empty}")
    page.locator("#file-step .main").click()
    expect(form.locator(".wrong")).to_have_text(missing)
    expect(form.locator("[type=file]")).to_be_focused()
    expect(form.locator("[type=file]")).to_have_attribute("aria-invalid", "true")
    with page.expect_file_chooser() as chooser:
        form.locator("[type=file]").click()  # it lies over the button
    file = {"name": "messe.csv", "mimeType": "text/csv", "buffer": DOUBTFUL.encode()}
    chooser.value.set_files(file)  # type: ignore[arg-type]
    expect(form.locator(".picked")).to_have_text(f"{button} messe.csv")
    form.locator("[name=region]").fill("dk")
    page.locator("#file-step .main").click()
    expect(form.locator(".wrong")).to_contain_text(region)
    expect(form.locator("[name=region]")).to_be_focused()
    form.locator("[name=region]").fill("DK")
    page.locator("#file-step .main").click()
    expect(page.locator("#columns tr").first).to_be_visible()
    expect(form.locator(".wrong")).to_be_hidden()


@pytest.mark.parametrize(("status", "says"), [(413, "page.too_large"), (403, "page.error")])
@pytest.mark.parametrize(
    ("path", "address", "form"),
    [
        ("/lists", "**/api/v1/uploads", "#file-step"),
        ("/suppressions", "**/api/v1/suppressions/import?*", "#import-list"),
    ],
)
def test_a_proxys_answer_is_said_in_the_pages_words(
    visit: Visit, status: int, says: str, path: str, address: str, form: str
) -> None:
    def answer(route: Route) -> None:
        page_ = "<html><h1>Request Entity Too Large</h1><hr>nginx</html>"
        route.fulfill(status=status, body=page_, content_type="text/html")

    page = visit("asger", path, language="da")
    page.route(address, answer)
    file = {"name": "liste.csv", "mimeType": "text/csv", "buffer": b"tlf\n32209101\n"}
    page.locator(f"{form} [type=file]").set_input_files(file)  # type: ignore[arg-type]
    if form == "#import-list":
        page.locator(f"{form} [name=name]").fill("liste")
    page.locator(f"{form} button:not([type=button])").click()
    expect(page.locator(f"{form} .wrong")).to_have_text(texts.say("da", says))
