"""The person page: found, opened with a reason, everything on one page, bounded by department and pace."""

import json
from datetime import timedelta
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from callserver.cli import why
from callserver.domain.role import Role
from callserver.engine.lists.importer import import_list
from callserver.simulator.legs import Behaviour
from tests.harness.staffed import Client, StaffedSystem

ANNA = "32200000"
LAPSED = "ref;navn;telefon;født;kilde\nK0;Person 0;32200000;1980-01-01;messe\n"


async def called(system: StaffedSystem) -> None:
    """The first person of the list is called and does not answer."""
    system.people.default = Behaviour(answers_after=None)
    await system.on_shift()
    await system.ready()
    await system.pass_time(40)


def on_lapsed(system: StaffedSystem) -> None:
    """The same person stands on a list of another campaign as well."""
    lapsed = system.server.ctx.rules.campaign("lapsed")
    system.write(lambda tx: import_list(tx, lapsed, LAPSED.encode(), system.clock.now()))


async def search(client: Client, text: str) -> list[dict[str, Any]]:
    reply = await client.api("POST", "/person/search", {"text": text})
    assert reply.status_code == 200, reply.text
    hits: list[dict[str, Any]] = reply.json()["hits"]
    return hits


async def view(client: Client, contact: int = 1) -> dict[str, Any]:
    reply = await client.api("POST", "/person", {"contact": contact, "why": "asked"})
    assert reply.status_code == 200, reply.text
    shown: dict[str, Any] = reply.json()
    return shown


async def test_a_person_is_found_by_number_reference_and_name(system: StaffedSystem) -> None:
    on_lapsed(system)
    client = await system.client("member_service")
    for text in (ANNA, f"+45 {ANNA}", "K0"):
        [hit] = await search(client, text)
        assert (hit["contact"], hit["name"], hit["refs"]) == (1, "Person 0", ["K0"])
        assert hit["numbers"] == ["•••••• 00"]
        assert len(hit["campaigns"]) == 2
    hits = await search(client, "perso 1")  # the beginnings of words, in any order
    assert {hit["name"] for hit in hits} == {"Person 1", *(f"Person {n}" for n in range(10, 20))}
    many = (await client.api("POST", "/person/search", {"text": "Person"})).json()
    assert (len(many["hits"]), many["more"]) == (20, True)
    assert await search(client, "Nobody") == []
    assert await search(client, "k0") == []  # references keep their case
    entries = system.look_ups()
    assert {entry["what"] for entry in entries} == {"search"}
    assert "Person" not in json.dumps(entries)
    assert ANNA not in json.dumps(entries)


async def test_one_page_shows_everything_known(system: StaffedSystem) -> None:
    on_lapsed(system)
    await called(system)
    service, leader = await system.client("member_service"), await system.client("leader")
    body = {"contact": 1, "scope": "never", "received_by": "letter"}
    assert (await service.api("POST", "/person/opt-out", body)).status_code == 200
    guardian = {"contact": 1, "fact": "guardian"}
    told = await service.api("POST", "/person/facts", guardian)
    assert told.json()["contacts"] == [1, 41]
    shown = await view(service)
    assert shown["name"] == "Person 0"
    assert [row["contact"] for row in shown["campaigns"]] == [1, 41]
    assert [row["allowed"] for row in shown["campaigns"]] == [False, False]
    assert "Personen har frabedt sig opkald" in shown["campaigns"][1]["next"]
    assert shown["campaigns"][1]["source"] == "messe"
    assert shown["campaigns"][0]["tries"] == 1
    texts = [row["text"] for row in shown["calls"]]
    assert any("ringede" in text for text in texts)
    assert any("messe" in text for text in texts)
    assert [(row["how"], row["by"]) for row in shown["opt_outs"]] == [
        ("i et brev", "medlemsservice"),
        ("i et brev", "medlemsservice"),
    ]
    [mark] = shown["marks"]
    assert (mark["kind"], mark["by"], mark["undoable"]) == ("guardian", "medlemsservice", True)
    again = await view(leader)
    assert again["marks"][0]["by"] == "Member_Service Prøve (medlemsservice)"
    looked = [(row["by"], row["why"]) for row in again["look_ups"]]
    assert ("Member_Service Prøve (medlemsservice)", "et spørgsmål fra personen") in looked
    assert ANNA not in json.dumps(shown)
    entries = [entry for entry in system.look_ups() if entry["what"] == "person"]
    assert {entry["contact"] for entry in entries} == {1, 41}
    assert {entry["why"] for entry in entries} == {"asked"}


async def test_the_command_and_the_pages_say_the_same(
    system: StaffedSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    await called(system)
    client = await system.client("member_service")
    await client.api("POST", "/person/facts", {"contact": 1, "fact": "guardian"})
    shown = await view(client)
    page = [row["text"] for row in shown["calls"]]
    asked = (await client.api("POST", "/who-called", {"number": ANNA})).json()["said"]
    assert page == [question["text"] for question in asked]
    monkeypatch.setenv("CALLSERVER_DATABASE", f"sqlite:///{system.folder}/system.db")
    monkeypatch.setenv("CALLSERVER_KEY", "test")
    monkeypatch.setenv("CALLSERVER_CLOCK", system.clock.now().isoformat())
    app = typer.Typer()
    why.register(app)

    def run(*words: str) -> str:
        result = CliRunner().invoke(app, [ANNA, *words])
        assert result.exit_code == 0, result.output
        return result.stdout

    lines = run().splitlines()
    assert lines[: len(page)] == page
    [row] = shown["campaigns"]
    assert lines[len(page)] == f"{row['campaign']}: {row['status']} {row['next']}"
    assert any(line.startswith("Personen har en værge (noteret ") for line in lines)
    said = json.loads(run("--json"))
    assert said["contacts"][0]["refused_now"][0] == "PERSON_INCAPABLE"
    assert [mark["mark"] for mark in said["marks"]] == ["guardian"]


async def test_a_department_is_a_boundary(system: StaffedSystem) -> None:
    on_lapsed(system)
    await called(system)
    system.add_user("syd", Role.SUPERVISOR, "syd")
    campaigns = system.server.ctx.rules.current.campaigns
    assert (campaigns["kanvas"].department, campaigns["lapsed"].department) == ("nord", "syd")
    syd = await system.client("syd")
    [hit] = await search(syd, ANNA)
    assert hit["contact"] == 41
    assert len(hit["campaigns"]) == 1
    shown = await view(syd, 41)
    assert [row["contact"] for row in shown["campaigns"]] == [41]
    assert shown["elsewhere"] >= 2
    assert not any("ringede" in row["text"] for row in shown["calls"])
    assert not any("ikke registreret" in row["text"] for row in shown["calls"]), "there are some"
    assert (await syd.api("POST", "/person", {"contact": 1, "why": "asked"})).status_code == 404
    hidden = (await syd.api("POST", "/person/search", {"text": "Person 7"})).json()
    assert (hidden["hits"], hidden["elsewhere"]) == ([], 1)
    fact = {"contact": 1, "fact": "guardian"}
    assert (await syd.api("POST", "/person/facts", fact)).status_code == 404
    body = {"contact": 1, "scope": "number", "received_by": "letter"}
    assert (await syd.api("POST", "/person/opt-out", body)).status_code == 404


async def test_many_look_ups_are_slowed_and_raise_an_alarm(system: StaffedSystem) -> None:
    limit = system.server.ctx.rules.current.organisation.look_ups
    client = await system.client("supervisor")
    statuses = []
    for n in range(limit.most // 2 + 1):
        statuses.append((await client.api("POST", "/person/search", {"text": f"K{n}"})).status_code)
        body = {"contact": n + 1, "why": "asked"}
        statuses.append((await client.api("POST", "/person", body)).status_code)
    assert statuses == [200] * limit.most + [429] * 2
    alarms = (await client.api("GET", "/floor/figures")).json()["alarms"]
    assert "pace" in [alarm["kind"] for alarm in alarms]
    system.clock.set(system.clock.now() + timedelta(minutes=limit.within_minutes))
    assert (await client.api("POST", "/person", {"contact": 1, "why": "asked"})).status_code == 200


async def test_who_may_be_the_same_person_is_shown_and_decided(system: StaffedSystem) -> None:
    lapsed = system.server.ctx.rules.campaign("lapsed")
    other = "ref;navn;telefon;født;kilde\nX9;Bo Prøve;32200000;1980-01-01;gade\n"
    system.write(lambda tx: import_list(tx, lapsed, other.encode(), system.clock.now()))
    service = await system.client("member_service")
    vulnerable = {"contact": 41, "fact": "guardian"}
    assert (await service.api("POST", "/person/facts", vulnerable)).status_code == 200
    shown = await view(service)
    assert [row["contact"] for row in shown["campaigns"]] == [1]
    assert shown["may_decide"]
    [unsure] = shown["others"]
    assert (unsure["contact"], unsure["name"], unsure["ref"]) == (41, "Bo Prøve", "X9")
    assert "nummer" in unsure["shares"]
    assert unsure["facts"] == ["Personen har en værge"]
    assert "værge" in shown["campaigns"][0]["next"]  # in doubt it is them
    different = {"contact": 1, "other": 41, "verdict": "different", "why": "to personer"}
    assert (await service.api("POST", "/person/decide", different)).status_code == 200
    split = await view(service)
    assert split["others"] == []
    assert "værge" not in split["campaigns"][0]["next"]
    same = {**different, "verdict": "same", "why": "samme fødselsdag"}
    assert (await service.api("POST", "/person/decide", same)).status_code == 200
    merged = await view(service)
    assert [row["contact"] for row in merged["campaigns"]] == [1, 41]
    assert [mark["kind"] for mark in merged["marks"]] == ["guardian"]
    unnamed = {**different, "why": "Bo siger nej"}
    assert (await service.api("POST", "/person/decide", unnamed)).status_code == 409


async def test_a_complaint_from_the_page_is_a_case(system: StaffedSystem) -> None:
    service = await system.client("member_service")
    body = {"contact": 1, "scope": "complaint", "received_by": "letter"}
    assert (await service.api("POST", "/person/opt-out", body)).status_code == 200
    shown = await view(service)
    [case] = shown["cases"]
    assert (case["kind"], case["owner"]) == ("Klage", "projektleder")
    assert "klage" in shown["campaigns"][0]["next"]


async def test_the_page_of_an_erased_person_names_nobody(system: StaffedSystem) -> None:
    service = await system.client("member_service")
    for contact in (1, 2):
        erased = {"contact": contact, "fact": "erased"}
        assert (await service.api("POST", "/person/facts", erased)).status_code == 200
    shown = await view(service)
    assert (shown["name"], shown["numbers"], shown["others"]) == (None, [], [])
    assert [mark["kind"] for mark in shown["marks"]] == ["erased"]
    assert not any(row["allowed"] for row in shown["campaigns"])
    assert await search(service, ANNA) == []


async def test_decisions_are_listed_and_undone(system: StaffedSystem) -> None:
    lapsed = system.server.ctx.rules.campaign("lapsed")
    other = "ref;navn;telefon;født;kilde\nX9;Bo Prøve;32200000;1980-01-01;gade\n"
    system.write(lambda tx: import_list(tx, lapsed, other.encode(), system.clock.now()))
    service = await system.client("member_service")
    different = {"contact": 1, "other": 41, "verdict": "different", "why": "to personer"}
    assert (await service.api("POST", "/person/decide", different)).status_code == 200
    for contact, name in ((1, "Bo Prøve"), (41, "Person 0")):
        [made] = (await view(service, contact))["decisions"]
        assert (made["in_force"], made["undoable"], made["why"]) == (True, True, "to personer")
        assert name in made["text"]
        assert {made["contact"], made["other"]} == {1, 41}
    supervisor = await system.client("supervisor")
    assert not (await view(supervisor))["decisions"][0]["undoable"]
    undo = {**different, "verdict": "undecided", "why": "samme fødselsdag"}
    assert (await supervisor.api("POST", "/person/decide", undo)).status_code == 403
    assert (await service.api("POST", "/person/decide", undo)).status_code == 200
    shown = await view(service)
    assert [row["in_force"] for row in shown["decisions"]] == [False, False]
    assert [other["contact"] for other in shown["others"]] == [41]  # unsure again


async def test_who_was_never_called_can_be_removed_by_who_may_import(
    system: StaffedSystem,
) -> None:
    administrator = await system.client("administrator")
    service = await system.client("member_service")
    assert [row["removable"] for row in (await view(administrator))["campaigns"]] == [True]
    assert [row["removable"] for row in (await view(service))["campaigns"]] == [False]
    await called(system)
    assert [row["removable"] for row in (await view(administrator))["campaigns"]] == [False]
