"""Member service finds a person, records something, undoes it and makes a copy, in both languages."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from callserver import texts
from callserver.database import contacts, marks
from callserver.domain import subject
from callserver.engine.lists.importer import import_list
from tests.browser import looking
from tests.browser.conftest import Visit
from tests.browser.looking import look
from tests.harness.threaded import BrowserSystem

SAID = {
    "da": ("Personen har en værge", "gælder", "fortrudt", "Det ved vi om dig"),
    "en": ("The person is under guardianship", "in force", "undone", "What we know about you"),
}


@pytest.mark.skipif(bool(looking.WHY_NOT), reason=looking.WHY_NOT)
@pytest.mark.parametrize("language", SAID)
def test_a_person_from_the_search_to_the_copy(
    visit: Visit, system: BrowserSystem, language: str, tmp_path: Path
) -> None:
    guardian, in_force, undone, title = SAID[language]
    contact = system.read(lambda tx: contacts.get(tx, 5))
    number = str(contact.number)
    page = visit("mads", "/person", language=language)
    page.locator("#search [name=text]").fill(f"+{number}")
    page.locator("#search .main").click()
    expect(page.locator("#person-name")).to_be_focused()
    assert number not in page.url
    expect(page.locator("#campaigns tbody tr")).not_to_have_count(0)
    wrong = look(page, language, "whole" if language == "da" else "once")

    page.locator("#fact [name=fact]").select_option("guardian")
    page.locator("#fact button").click()
    row = page.locator("#marks tbody tr", has_text=guardian)
    expect(row).to_contain_text(in_force)
    row.get_by_role("button").click()
    page.locator("#dialog [name=why]").fill("tastet forkert")
    wrong += look(page, language, "once")
    page.locator("#dialog .main").click()
    expect(page.locator("#marks tbody tr", has_text=guardian)).to_contain_text(undone)
    stored = system.read(lambda tx: marks.on_record(tx, [subject.of_person(contact.person)]))
    assert [mark.ended_at is not None for mark in stored if mark.kind == "guardian"] == [True]

    for form in ("html", "json"):
        with page.expect_download() as copied:
            page.locator(f"[data-format={form}]").click()
        file = tmp_path / copied.value.suggested_filename
        copied.value.save_as(file)
        said = file.read_text("utf-8")
        assert contact.name in said
        if form == "json":
            assert json.loads(said)["language"] == language
            continue
        assert title in said
        printed = page.context.new_page()
        printed.set_content(said)
        wrong += looking.axe(printed)
        printed.close()
    # The list's own columns are shown as the list heads them.
    assert not [problem for problem in wrong if not problem.endswith("not in en: husstand")]


@pytest.mark.skipif(bool(looking.WHY_NOT), reason=looking.WHY_NOT)
@pytest.mark.parametrize("language", SAID)
def test_decisions_a_removal_and_an_opt_out_are_confirmed(
    visit: Visit, system: BrowserSystem, language: str
) -> None:
    def say(key: str, **values: object) -> str:
        return texts.say(language, key, **values)

    rules, now = system.stage.server.ctx.rules, system.stage.server.ctx.clock.now()
    number = system.read(lambda tx: contacts.get(tx, 5)).number
    other = f"ref;navn;telefon;kilde\nX9;Bo Prøve;{number - 4500000000};gade\n"
    campaign = rules.campaign("leads")
    system.write(lambda tx: import_list(tx, campaign, other.encode(), now))

    page = visit("asger", "/person", language=language)
    page.locator("#search [name=text]").fill("X9")
    page.locator("#search .main").click()
    expect(page.locator("#person-name")).to_be_focused()
    page.locator("#others").get_by_role("button", name=say("person.different")).first.click()
    page.locator("#dialog [name=why]").fill("two people")
    page.locator("#dialog .main").click()
    decision = page.locator("#decisions tbody tr").first
    expect(decision).to_contain_text(say("person.in_force"))
    wrong = look(page, language, "once")
    decision.get_by_role("button").click()
    wrong += look(page, language, "once")
    page.locator("#dialog [name=why]").fill("one birthday")
    page.locator("#dialog .main").click()
    expect(page.locator("#decisions tbody tr")).to_have_count(2)
    expect(page.locator("#decisions").get_by_role("button")).to_have_count(0)
    expect(page.locator("#others tbody tr")).not_to_have_count(0)

    page.locator("#opt-out button").click()
    dialog = page.locator("#dialog")
    expect(dialog).to_contain_text(say("person.scope.never"))
    wrong += look(page, language, "once")
    dialog.get_by_role("button", name=say("page.cancel")).click()
    expect(page.locator("#opt_outs")).to_contain_text(say("person.no_opt_outs"))
    page.locator("#opt-out button").click()
    dialog.locator(".main").click()
    recorded = say("person.opted_out", scope=say("person.scope.never"))
    expect(page.locator("#toasts")).to_contain_text(recorded)
    expect(page.locator("#opt_outs tbody tr")).not_to_have_count(0)

    page.locator("#campaigns").get_by_role("button", name=say("person.remove")).click()
    wrong += look(page, language, "once")
    dialog.locator("[name=why]").fill("listed by mistake")
    dialog.locator(".bad").click()
    expect(page.locator("#record")).to_be_hidden()
    expect(page.locator("#search [name=text]")).to_be_focused()
    assert wrong == []
