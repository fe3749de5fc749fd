"""The card: what this call needs and no more; whose opening is written down."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from callserver.console import markup
from callserver.database import accounts, contacts, marks
from callserver.database.tables import contacts as contact_table
from callserver.domain import subject
from callserver.domain.marks import MarkKind
from callserver.domain.role import Role
from tests.harness.staffed import StaffedSystem

MEMBERS = (
    "ref;navn;telefon;født;medlem;kilde;by;helbred\n"
    "K1;Karla **Fed** <b>Juul</b>;32200001;1980-01-01;ja;gademøde;Fjordby;hemmeligt\n"
    "K2;Svend Holm;32200002;1980-01-01;ja;gademøde;Fjordby;\n"
)
LEADS = (
    "ref;navn;telefon;født;kilde\n"
    "L1;Elna Isager;32200011;1980-01-01;underskrift 2025\n"
    "L2;Otto Ravn;32200012;1980-01-01;ukendt kilde\n"
)


@pytest.fixture
def members(tmp_path: Path) -> Iterator[StaffedSystem]:
    made = StaffedSystem(tmp_path, campaign="opgradering", people=MEMBERS)
    yield made
    made.close()


async def talking(system: StaffedSystem, phoner: int = 1) -> dict[str, Any]:
    """A shift with somebody on the line; the card."""
    await system.on_shift(phoner)
    await system.ready(phoner)
    await system.pass_time(6)
    assert (await system.seat(phoner))["state"] == "talking"
    return await card(system, phoner)


async def card(system: StaffedSystem, phoner: int = 1) -> dict[str, Any]:
    status, contact_card = await system.api("POST", "/card", {}, phoner=phoner)
    assert status == 200, contact_card
    return contact_card


async def test_the_number_is_whole_while_the_call_needs_it(members: StaffedSystem) -> None:
    assert (await talking(members))["number"] == "+4532200001"
    members.network.hang_up_by_person(members.live_legs()[0])
    await members.pass_time(2)
    assert (await members.seat())["state"] == "wrapping_up"
    assert (await card(members))["number"] == "•••••• 01"


async def test_opening_a_card_is_written_down(members: StaffedSystem) -> None:
    status, _ = await members.api("POST", "/card", {})
    assert status == 404  # there is no call: there is no card
    assert not members.entries("card")
    contact_card = await talking(members)
    entry = members.entries("card")[0]
    assert entry["by"] == "user:1"
    assert entry["call"] == contact_card["attempt"]
    assert entry["contact"] == members.contacts()[0].id
    assert "Karla" not in str(members.entries())


async def test_the_seat_and_its_news_hold_no_person(members: StaffedSystem) -> None:
    await talking(members)
    seat = str(await members.seat())
    assert "Karla" not in seat
    assert "322000" not in seat
    assert "gademøde" not in seat


async def test_only_declared_columns_are_shown(members: StaffedSystem) -> None:
    contact_card = await talking(members)
    assert contact_card["facts"] == {}
    assert "hemmeligt" not in str(contact_card)
    assert contact_card["last_gift"] is None  # nothing in this call asks for a gift


async def test_a_name_is_never_markup(members: StaffedSystem) -> None:
    script = (await talking(members))["script"]
    assert "Karla **Fed** &lt;b&gt;Juul&lt;/b&gt;" in script
    assert "det er Phoner fra Lysværk" in script
    assert "<b>" not in script


def test_html_in_a_script_is_text() -> None:
    assert "<script>" not in markup.rendered("Hej <script>alert(1)</script>")
    assert markup.merged("{name}", {"name": "[x](javascript:1)"}, "?") == (
        "<p>[x](javascript:1)</p>\n"
    )
    assert "(?)" in markup.merged("({source})", {"source": ""}, "?")


async def test_what_may_be_asked_and_what_not(members: StaffedSystem) -> None:
    contact_card = await talking(members)
    assert contact_card["may"] == ["raise"]
    assert {"topic": "gift", "why": "other_purpose"} in contact_card["may_not"]
    assert contact_card["ask_ended"] is None
    await members.api("POST", "/wish", {"wish": "never"})
    contact_card = await card(members)
    assert contact_card["may"] == []
    assert contact_card["ask_ended"] == "no_calls"


async def test_the_script_is_open_until_the_training_is_complete(members: StaffedSystem) -> None:
    contact_card = await talking(members)
    assert not contact_card["script_open"]
    members.write(lambda tx: accounts.change(tx, 1, trained_at=None))
    assert (await card(members))["script_open"]


async def test_honest_answers_know_the_source(members: StaffedSystem) -> None:
    questions = (await talking(members))["questions"]
    assert any("gademøde" in question["answer"] for question in questions)
    assert any("timeløn" in question["answer"] for question in questions)
    assert not any("{" in question["answer"] for question in questions)


async def test_a_lead_s_source_has_its_context_until_it_is_old(tmp_path: Path) -> None:
    async def context(start: str) -> Any:
        folder = tmp_path / start[:4]
        folder.mkdir()
        when = datetime.fromisoformat(start)
        system = StaffedSystem(folder, campaign="leads", people=LEADS, start=when)
        replies: list[Any] = []

        replies.append((await talking(system))["context"])
        system.close()
        return replies[0]

    assert "lys i skolen" in (await context("2026-05-12T17:00:00+02:00"))["da"]
    assert await context("2028-05-16T17:00:00+02:00") is None


async def test_earlier_calls_and_their_outcomes(members: StaffedSystem) -> None:
    await talking(members)
    at = (members.clock.now() + timedelta(hours=2)).isoformat()
    body = {"outcome": "call_back", "details": {"at": at}, "note": "vil høre om skolerne"}
    assert (await members.api("POST", "/outcome", {**body, "next": "pause"}))[0] == 200
    members.network.hang_up_by_person(members.live_legs()[0])
    await members.pass_time(2)
    members.clock.set(datetime.fromisoformat(at))
    await members.ready()
    await members.pass_time(6)
    contact_card = await card(members)
    assert contact_card["path"] == "call_back"
    assert contact_card["promised"]["mine"]
    assert contact_card["promised"]["note"] == "vil høre om skolerne"
    assert datetime.fromisoformat(contact_card["promised"]["at"]) == datetime.fromisoformat(at)
    (earlier,) = contact_card["earlier"]
    assert earlier["outcome"]["da"] == "Genopkald aftalt"


@pytest.mark.parametrize(
    ("local", "closed", "opens"),
    [
        ("2026-05-13T17:15", False, "2026-05-13T17:15:00+02:00"),
        ("2026-05-16T14:00", True, "2026-05-18T09:00:00+02:00"),  # a Saturday
        ("2026-05-13T22:00", True, "2026-05-15T09:00:00+02:00"),  # the 14th is Ascension Day
    ],
)
async def test_a_call_back_s_time_is_held_against_the_hours(
    members: StaffedSystem, local: str, closed: bool, opens: str
) -> None:
    await talking(members)
    _, limits = await members.api("GET", "/call-back")
    assert limits["zone"] == "Europe/Copenhagen"
    now, latest = (datetime.fromisoformat(limits[key]) for key in ("now", "latest"))
    assert latest - now == timedelta(days=60)
    status, proposed = await members.api("GET", f"/call-back?at={local}")
    assert status == 200
    assert bool(proposed["closed"]) == closed
    assert datetime.fromisoformat(proposed["opens"]) == datetime.fromisoformat(opens)
    assert proposed["refused"] == []  # an agreed time is kept, whatever the hour
    assert datetime.fromisoformat(proposed["at"]) == datetime.fromisoformat(f"{local}+02:00")


async def test_a_call_back_after_a_no_is_refused_beforehand(members: StaffedSystem) -> None:
    assert (await members.api("GET", "/call-back"))[0] == 404
    await talking(members)
    assert (await members.api("GET", "/call-back?at=tomorrow"))[0] == 409
    await members.api("POST", "/wish", {"wish": "never"})
    _, proposed = await members.api("GET", "/call-back?at=2026-05-13T17:15")
    assert proposed["refused"]


async def test_somebody_who_left_is_known_to_have_said_why(tmp_path: Path) -> None:
    lapsed = (
        "ref;navn;telefon;født;ophørt;kilde\nK1;Elna Isager;32200011;1980-01-01;2025-01-31;arkiv\n"
    )
    system = StaffedSystem(tmp_path, campaign="lapsed", people=lapsed)
    first = await talking(system)
    assert (first["ended"], first["left_at"], first["left_why"]) == ("2025-01-31", None, None)
    system.network.hang_up_by_person(system.live_legs()[0])
    await system.pass_time(1)
    told = {"reason": "flyttet til udlandet"}
    assert (await system.outcome("reason_told", told, then="pause"))[0] == 200
    contact = system.contacts()[0]
    about, left_at = subject.of_person(contact.person), system.clock.now()
    system.write(lambda tx: marks.mark(tx, about, MarkKind.LEFT, left_at))
    system.write(lambda tx: contacts.set_status(tx, contact.id, "ready"))
    await system.api("POST", "/off", {})
    system.write(lambda tx: marks.end(tx, [about], MarkKind.REFUSED, left_at, "test"))
    await system.jump(timedelta(days=1).total_seconds())
    again = await talking(system)
    assert again["left_why"] == "flyttet til udlandet"
    assert again["left_at"].startswith("2026-05-12")
    system.close()


async def test_a_corrected_call_back_is_on_the_persons_clock_too(members: StaffedSystem) -> None:
    """After the call, by those who may correct its outcome."""
    opened = await talking(members)
    path = f"/calls/{opened['attempt']}/call-back"
    members.write(lambda tx: tx.execute(update(contact_table).values(place="FO Atlantic/Faroe")))
    await members.api("POST", "/hang-up", {})
    await members.pass_time(2)
    await members.outcome("no_thanks", then="pause")
    assert (await members.api("GET", "/call-back"))[0] == 404
    status, proposed = await members.api("GET", f"{path}?at=2026-05-13T17:15")
    assert (status, proposed["zone"]) == (200, "Atlantic/Faroe")
    assert datetime.fromisoformat(proposed["at"]) == datetime(2026, 5, 13, 16, 15, tzinfo=UTC)
    members.add_user("other", Role.PHONER, "medlem")
    members.add_user("syd", Role.SUPERVISOR, "syd")
    members.add_user("leader", Role.LEADER, None)
    for handle, wanted in (("other", 403), ("syd", 404), ("leader", 200)):
        client = await members.client(handle)
        assert (await client.api("GET", path)).status_code == wanted
