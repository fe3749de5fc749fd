"""The source that a phoner reads out, and texts that promise no more than is done."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from callserver import texts
from callserver.database.tables import contacts
from callserver.domain import subject
from callserver.domain.role import Role
from tests.harness.staffed import StaffedSystem

NO_SOURCE = "ref;navn;telefon;født\nL1;Elna Isager;32200000;1980-01-01\n"


@pytest.fixture
def unknown(tmp_path: Path) -> Iterator[StaffedSystem]:
    """A list that an older server took in without a source of its own."""
    made = StaffedSystem(tmp_path, people=NO_SOURCE)
    made.write(lambda tx: tx.execute(update(contacts).values(source="import:1")))
    made.add_user("member_service", Role.MEMBER_SERVICE, None)
    yield made
    made.close()


async def test_a_source_that_the_server_made_up_is_never_read_out(unknown: StaffedSystem) -> None:
    await unknown.on_shift()
    await unknown.ready()
    await unknown.pass_time(6)
    status, card = await unknown.api("POST", "/card", {})
    assert status == 200
    assert "import:" not in str(card)
    assert card["source"] is None
    answers = " ".join(question["answer"] for question in card["questions"])
    assert texts.say("da", "phone.source_unknown") in answers
    reply = await (await unknown.client("member_service")).api(
        "POST", "/who-called", {"number": "32200000"}
    )
    said = [sentence["text"] for sentence in reply.json()["said"]]
    assert not any("import:" in sentence for sentence in said)
    assert texts.say("da", "why.source_unknown") in said


FIRST_IMPORT = "en liste fra 12. maj 2026"


async def told_source(folder: Path, people: str) -> str:
    """What the phoner's page says about the source of the first person's number."""
    system = StaffedSystem(folder, people=people)
    await system.on_shift()
    await system.ready()
    await system.pass_time(6)
    _, card = await system.api("POST", "/card", {})
    system.close()
    source: str = card["source"]
    return source


async def test_a_list_without_a_source_is_told_by_its_date(tmp_path: Path) -> None:
    assert await told_source(tmp_path, NO_SOURCE) == FIRST_IMPORT


@pytest.mark.parametrize("written", ["-", "ukendt", "n/a", "0", "Ingen"])
async def test_a_placeholder_is_no_source(tmp_path: Path, written: str) -> None:
    """A list's own date is told instead; where the list itself must say the source, nobody is called."""
    people = f"ref;navn;telefon;født;kilde\nL1;Elna Isager;32200000;1980-01-01;{written}\n"
    assert await told_source(tmp_path, people) == FIRST_IMPORT
    leads = StaffedSystem(tmp_path / "leads", people=people, campaign="leads")
    await leads.on_shift()
    await leads.ready()
    await leads.pass_time(6)
    assert leads.network.record == []
    assert "BASIS_SOURCE_UNKNOWN" in str(leads.entries("refused"))
    leads.close()


async def test_a_placeholder_of_an_earlier_import_is_no_source(unknown: StaffedSystem) -> None:
    unknown.write(lambda tx: tx.execute(update(contacts).values(source="-")))
    await unknown.on_shift()
    await unknown.ready()
    await unknown.pass_time(6)
    assert unknown.network.record == []
    assert "BASIS_SOURCE_UNKNOWN" in str(unknown.entries("refused"))


def test_which_sources_are_told() -> None:
    assert subject.told_source("gademøde") == "gademøde"
    assert subject.told_source("import:7") is None
    assert subject.told_source("") is None
    assert subject.told_source("ukendt") is None
    assert subject.told_source(None) is None


async def test_a_receipt_for_an_unknown_number_promises_the_number_only(
    unknown: StaffedSystem,
) -> None:
    client = await unknown.client("member_service")
    body = {"number": "20304050", "reach": "never"}
    said = (await client.api("POST", "/who-called/opt-out", body)).json()["text"]
    assert "Vi kender ingen på nummeret" in said
    known = (
        await client.api("POST", "/who-called/opt-out", {**body, "number": "32200000"})
    ).json()["text"]
    assert "Vi kender ingen" not in known
