"""Words that are typed and not sent yet: kept for what they are about, and lost neither to another page nor to a closed
dialog nor to a session that has ended."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit, sign_in_without_page
from tests.browser.shift import on_shift, state
from tests.browser.test_cases import typed_in
from tests.browser.test_signed_out import SIGN_IN, sign_out_everybody
from tests.harness.threaded import BrowserSystem

NOTE = "Rang tilbage, ingen hjemme."
HALF = "Tak for dit brev. Vi har"


def case_opened(page: Page, number: int) -> None:
    page.locator("#list [data-key]", has_text=str(number)).click()
    expect(page.locator("#case-title")).to_contain_text(str(number))


def has_typed(page: Page, note: str, answer: str | None) -> None:
    expect(page.locator("#note textarea")).to_have_value(note)
    draft = page.locator("#draft textarea")
    if answer is None:
        expect(draft).not_to_have_value(HALF)
    else:
        expect(draft).to_have_value(answer)


def a_letter_is_pasted(page: Page) -> None:
    """The field holds its beginning, and the page says so; what fits is pasted without a word."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    words = page.locator("#new [name=words]")
    for length, missing in ((4000, 0), (4001, 1)):
        words.fill("")
        page.evaluate("(length) => navigator.clipboard.writeText('a'.repeat(length))", length)
        words.focus()
        page.keyboard.press("Control+V")
        expect(words).to_have_value("a" * 4000)
        expect(page.locator(".toast", has_text="holds at most 4,000 characters")).to_have_count(
            missing
        )


def test_what_is_typed_for_one_case_is_not_the_next_ones(
    visit: Visit, system: BrowserSystem
) -> None:
    page = visit("mads", "/cases")
    for _ in range(2):
        typed_in(page, "access", {"source": "letter", "reply_by": "letter"})
    expect(page.locator("#list tbody tr")).to_have_count(2)
    case_opened(page, 1)
    page.locator("#note textarea").fill(NOTE)
    page.locator("#draft textarea").fill(HALF)
    page.locator("#extend [name=why]").fill("The recordings are missing")
    case_opened(page, 2)
    has_typed(page, "", None)
    expect(page.locator("#extend [name=why]")).to_have_value("")
    case_opened(page, 1)
    has_typed(page, NOTE, HALF)

    page.locator("#new [name=words]").fill("Half of a letter")
    sign_out_everybody(system, page)
    expect(page).to_have_url(SIGN_IN, timeout=30_000)
    sign_in_without_page(page, system, "mads")
    page.goto(f"{system.url}/cases")
    expect(page.locator("#new [name=words]")).to_have_value("Half of a letter")
    case_opened(page, 1)
    has_typed(page, NOTE, HALF)

    a_letter_is_pasted(page)
    page.locator("#note button").click()
    expect(page.locator("#history")).to_contain_text(NOTE)
    page.locator("#draft button").click()
    expect(page.locator("#answer")).to_contain_text("Mads Prøve")
    page.reload()
    case_opened(page, 1)
    has_typed(page, "", HALF)
    expect(page.locator("#draft .note")).to_have_count(0)


def test_a_closed_dialog_keeps_what_was_typed_until_it_is_cancelled(visit: Visit) -> None:
    maja = visit("maja", "/books")
    maja.locator("#support-open").click()
    maja.locator("#support-box textarea").fill("Det er svært for tiden")
    maja.locator("#support-box form button.main").click()
    expect(maja.locator("#support-box ul").first).to_contain_text("Det er svært for tiden")

    page = visit("sigrid", "/support")
    opener = page.locator("[data-key^=answer-]")
    words = page.locator("#dialog textarea")
    opener.click()
    words.fill("Lad os tale om det")
    page.keyboard.press("Escape")
    opener.click()
    expect(words).to_have_value("Lad os tale om det")
    page.reload()
    opener.click()
    expect(words).to_have_value("Lad os tale om det")
    page.locator("#dialog button[type=button]").click()
    opener.click()
    expect(words).to_have_value("")


def test_a_notice_is_not_lost_to_the_correction_of_another(visit: Visit) -> None:
    page = visit("lea", "/notices")
    form = page.locator("#write")
    form.locator("[name=kind]").select_option("talk")
    form.locator("[name=text]").fill("Half of a notice")
    page.locator("#list article > .row button").first.click()
    expect(form.locator("[name=text]")).not_to_have_value("Half of a notice")
    page.locator("#stop").click()
    expect(form.locator("[name=text]")).to_have_value("Half of a notice")
    page.reload()
    expect(form.locator("[name=text]")).to_have_value("Half of a notice")
    expect(page.locator("#begins")).to_be_visible()


def test_a_note_about_a_call_stays_when_another_outcome_is_chosen(visit: Visit) -> None:
    page = visit("maja")
    on_shift(page)
    page.keyboard.press("r")
    state(page, "talking")
    words = page.locator("#chosen textarea")
    page.locator("[data-outcome=no_thanks]").click()
    words.fill("Har travlt om aftenen")
    page.locator("[data-outcome=not_now]").click()
    expect(words).to_have_value("Har travlt om aftenen")
    words.press("Escape")
    expect(page.locator("#chosen form")).to_have_count(0)
    page.reload()
    page.locator("[data-outcome=no_thanks]").click()
    expect(words).to_have_value("Har travlt om aftenen")
    page.locator("#chosen [data-way=pause]").click()
    state(page, "paused")


def test_who_signs_out_leaves_nothing_typed_in_the_window(visit: Visit) -> None:
    page = visit("mads", "/cases")
    page.locator("#new [name=words]").fill("Half of a letter")
    page.locator("#sign-out").click()
    expect(page).to_have_url(SIGN_IN)
    assert page.evaluate("Object.keys(sessionStorage)") == []
