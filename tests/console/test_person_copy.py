"""The copy of a person's own data: everything about them, and nothing about anybody else."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import typer
from typer.testing import CliRunner

from callserver.cli import person
from callserver.domain.role import Role
from callserver.engine.reporting.person_copy_model import PersonCopy
from callserver.simulator.legs import Behaviour
from tests.harness import second_reader
from tests.harness.simulated import after_a_talk
from tests.harness.staffed import StaffedSystem

SCHEMA = Path(__file__).parents[2] / "docs" / "person-copy.schema.json"
PEOPLE = (
    "ref;navn;telefon;født;kilde;adresse;ægtefælle;by\n"
    "K0;Anna Prøve;32200000;1980-01-01;gademøde;Birkevej 1;Torkild;Fjordby\n"
    "K1;Torkild Husmand;32200001;1979-01-01;gade;Birkevej 1;;Fjordby\n"
    "K2;Ludmilla Samnummer;32200000;1979-01-01;gade;Elmevej 2;;Fjordby\n"
)
HEADS = "ref;navn;telefon;født;kilde;tidszone\n"
OTHERS = ("Torkild", "Husmand", "Ludmilla", "Samnummer", "Sigismund", "Lytter")
NOTE = "Anna var glad. Torkild skal ikke vide det. Det er Torkilds nummer. Sigismund ringer igen."


@pytest.fixture
async def system(tmp_path: Path) -> Any:
    """Anna was called, refused once, listened to, looked up; a note names her husband and a colleague."""
    made = StaffedSystem(tmp_path, people=PEOPLE)
    for role in Role:
        made.add_user(role.value, role, "nord" if role is Role.SUPERVISOR else None)
    sigismund = made.add_user("sigismund", Role.SUPERVISOR, "nord", name="Sigismund Lytter")
    made.people.default = Behaviour(answers_after=2)
    await after_a_talk(made)
    [call] = made.calls()
    await made.api(
        "POST",
        "/outcome",
        {"outcome": "no_thanks", "details": {}, "note": NOTE, "next": "pause"},
    )
    await made.api("POST", "/dial", {"number": "32200000"})  # refused
    from callserver.database import audit
    from callserver.domain.audit import EntryKind

    made.write(
        lambda tx: audit.append(
            tx,
            made.clock.now(),
            EntryKind.HEARD,
            contact=call.contact,
            call=call.attempt,
            listening=1,
            listener=sigismund,
            mode="silent",
        )
    )
    client = await made.client("sigismund")
    await client.api("POST", "/who-called", {"number": "32200000"})
    leader = await made.client("leader")
    at = "2026-05-01T12:00:00+02:00"
    consent = {"contact": 1, "at": at, "proof": "formular 7 hos Sigismund"}
    assert (await leader.api("POST", "/person/consent", consent)).status_code == 200
    opt_out = {"contact": 1, "scope": "never", "received_by": "letter"}
    assert (await leader.api("POST", "/person/opt-out", opt_out)).status_code == 200
    yield made
    made.close()


async def copied(
    system: StaffedSystem, form: str, language: str, handle: str = "member_service"
) -> str:
    client = await system.client(handle)
    body = {"contact": 1, "format": form, "language": language}
    reply = await client.api("POST", "/person/copy", body)
    assert reply.status_code == 200, reply.text
    assert reply.headers["cache-control"] == "no-store"
    return reply.text


@pytest.mark.parametrize("language", ["da", "en"])
async def test_everything_about_the_person(system: StaffedSystem, language: str) -> None:
    copy = json.loads(await copied(system, "json", language))
    jsonschema.validate(copy, json.loads(SCHEMA.read_text("utf-8")))
    assert [row["number"].replace(" ", "") for row in copy["lists"]] == ["32200000"]
    assert copy["lists"][0]["source"] == "gademøde"
    assert copy["lists"][0]["own_columns"]["by"] == "Fjordby"
    [call] = copy["calls"]
    assert call["outcome"] == {"da": "Nej tak", "en": "No, thank you"}[language]
    assert call["note"].startswith("Anna var glad. […] skal ikke vide det.")
    assert len(copy["refused"]) == 1
    assert len(copy["refused"][0]["reasons"]) >= 1
    assert {row["received"] for row in copy["opt_outs"]} == {
        {"da": "i et brev", "en": "by letter"}[language]
    }
    assert len(copy["consents"]) == 1
    assert [row["by"] for row in copy["listened"]] == [
        {"da": "supervisor", "en": "supervisor"}[language]
    ]
    purposes = [row["purpose"] for row in copy["look_ups"]]
    assert len(purposes) >= 1
    assert set(copy["look_ups"][0]) == {"at", "purpose"}
    assert copy["recipients"]
    assert [row["days"] for row in copy["retention"]] == [180, 730, 730, 180, 365, 365]
    again = json.loads(await copied(system, "json", language))
    assert len(again["look_ups"]) == len(purposes) + 1  # making the copy is a look-up as well


async def test_what_lists_said_formerly_and_where_answers_go_is_in_it(
    system: StaffedSystem,
) -> None:
    asger, mads = await system.client("administrator"), await system.client("member_service")
    for name, number, other in (
        ("Anna Prøve", "32277441", "32277443"),
        ("Anna Gift", "32277442", "32277441"),
    ):
        rows = f"{HEADS}Z1;{name};{number};1980-01-01;gade;America/New_York\nZ2;Bo Naboslev;{other};1980-01-01;gade;\n"
        upload = (await asger.upload("/uploads", rows.encode())).json()["upload"]
        assert (
            await asger.api("POST", "/lists/leads/import", {"upload": upload})
        ).status_code == 200
    [contact] = [row.id for row in system.contacts() if row.ref == "Z1"]
    case = {"kind": "opt_out", "source": "letter", "number": "32277442", "words": "lad mig være"}
    reply_to = {"reply_by": "email", "reply_to": "anna@invented.example"}
    assert (await mads.api("POST", "/cases", case | reply_to)).status_code == 200
    body = {"contact": contact, "format": "json", "language": "en"}
    copy = (await mads.api("POST", "/person/copy", body)).json()
    jsonschema.validate(copy, json.loads(SCHEMA.read_text("utf-8")))
    assert [(row["number"], row["name"]) for row in copy["formerly"]] == [
        ("32 27 74 41", "Anna Prøve")
    ]
    assert copy["lists"][0]["time_zone"] == "America/New_York"
    [told] = copy["cases"]
    assert told["reply_to"] == "anna@invented.example"
    assert [message["to"] for message in told["messages"]] == ["anna@invented.example"]
    assert "Naboslev" not in str(copy)
    page = (await mads.api("POST", "/person/copy", body | {"format": "html"})).text
    for word in (
        "Anna Prøve",
        "America/New_York",
        "anna@invented.example",
        told["messages"][0]["text"][:30],
    ):
        assert word in page


async def test_every_entry_about_the_person_has_a_proof(system: StaffedSystem) -> None:
    await system.pass_time(120)
    copy = json.loads(await copied(system, "json", "en"))
    vkey = (system.folder / "published/vkey").read_text()
    proved = [second_reader.verify_proof(entry["proof"], vkey) for entry in copy["logged"]]
    assert [(number, entry.decode()) for number, entry, _ in proved] == [
        (entry["number"], entry["entry"]) for entry in copy["logged"]
    ]
    kinds = {json.loads(entry)["kind"] for _, entry, _ in proved}
    assert {"permitted", "outcome", "suppressed", "looked_up"} <= kinds
    named = [json.loads(entry) for _, entry, _ in proved]
    assert all(entry["contact"] == 1 for entry in named if entry["kind"] != "looked_up")
    assert all("contact" not in entry for entry in named if entry["kind"] == "looked_up")
    (system.folder / "published/checkpoint").write_text("damaged")
    assert json.loads(await copied(system, "json", "en"))["logged"] == []


@pytest.mark.parametrize("language", ["da", "en"])
@pytest.mark.parametrize("form", ["json", "html"])
async def test_nobody_else_is_in_it(system: StaffedSystem, form: str, language: str) -> None:
    said = await copied(system, form, language)
    assert "Anna Prøve" in said
    assert "gademøde" in said
    for name in OTHERS:
        assert name.casefold() not in said.casefold(), name
    for number in ("32200001", "32 20 00 01"):
        assert number not in said
    for word in (*Role, "Prøve"):
        assert f"{word.title()} Prøve" not in said  # colleagues of the test are called so


async def test_the_page_to_print_is_whole_and_needs_nothing(system: StaffedSystem) -> None:
    said = await copied(system, "html", "en")
    assert said.startswith("<!doctype html>")
    assert '<html lang="en">' in said
    assert "What we know about you" in said
    assert "http" not in said.replace("http-equiv", "")
    assert "<script" not in said
    assert "&lt;" not in said


async def test_it_is_logged_and_only_for_who_sees_the_whole_person(system: StaffedSystem) -> None:
    system.add_user("nordservice", Role.MEMBER_SERVICE, "nord")
    body = {"contact": 1, "format": "json"}
    for handle, status in (("supervisor", 403), ("nordservice", 403), ("member_service", 200)):
        client = await system.client(handle)
        assert (await client.api("POST", "/person/copy", body)).status_code == status
    [entry] = system.entries("exported")
    assert (entry["contact"], entry["what"]) == (1, "person")
    assert entry["by"].startswith("user:")


async def test_the_same_by_command(
    system: StaffedSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLSERVER_DATABASE", f"sqlite:///{system.folder}/system.db")
    monkeypatch.setenv("CALLSERVER_KEY", "test")
    monkeypatch.setenv("CALLSERVER_CLOCK", system.clock.now().isoformat())
    app = typer.Typer()
    person.register(app)
    folder = tmp_path / "answers"

    def run(*words: str) -> int:
        return CliRunner().invoke(app, ["person", "access", *words]).exit_code

    assert run("32200000", str(folder)) == 1  # two people are known at the number
    assert run("--contact", "1", str(folder)) == 0
    assert sorted(file.name for file in folder.iterdir()) == ["person-1.html", "person-1.json"]
    copy = json.loads((folder / "person-1.json").read_text("utf-8"))
    assert copy["lists"][0]["name"] == "Anna Prøve"
    assert "Anna Prøve" in (folder / "person-1.html").read_text("utf-8")
    assert [entry["by"] for entry in system.entries("exported")] == ["command"]


def test_the_schema_is_the_models() -> None:
    assert json.loads(SCHEMA.read_text("utf-8")) == PersonCopy.model_json_schema()
