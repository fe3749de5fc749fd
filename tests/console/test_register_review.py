"""Member service and the project leader decide who is on a register of names and addresses."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from callserver.domain.role import Role
from tests.harness.robinson import Invented, official
from tests.harness.staffed import StaffedSystem

LISTED = (
    "ref;navn;telefon;adresse;postnr;kilde\n"
    "R0;Aase Proeve;32200000;Prøvevej 12, 1. tv;8000;gade\n"
    "R1;Bo Prøve;32200001;Andenvej 3;8000;gade\n"
    "R2;Å. Prøve;32200002;Prøvevej 12;8000;gade\n"
    "R3;;32200003;Prøvevej 12;8000;gade\n"
)
OFFICIAL = official(
    [
        Invented("Prøve,Åse Marie", "Prøvevej 12,1 TV", place="Prøveby"),
        Invented("Prøve,Bo", "Andenvej 3", mark="*"),
    ]
)


@pytest.fixture
def system(tmp_path: Path) -> Iterator[StaffedSystem]:
    made = StaffedSystem(tmp_path, registers=False, people=LISTED)
    made.add_user("asger", Role.ADMINISTRATOR, None)
    made.add_user("mads", Role.MEMBER_SERVICE, None)
    made.add_user("syd", Role.MEMBER_SERVICE, "syd")
    made.add_user("lea", Role.LEADER, None)
    yield made
    made.close()


async def imported(system: StaffedSystem) -> None:
    asger = await system.client("asger")
    reply = await asger.upload("/registers/import?name=robinson", OFFICIAL, "text/plain")
    assert json.loads(reply.text.splitlines()[-1])["people"] == {
        "listed": 1,
        "unsure": 3,
        "clear": 0,
    }


async def test_both_records_are_shown_and_the_look_up_is_logged(system: StaffedSystem) -> None:
    mads = await system.client("mads")
    before = (await mads.api("GET", "/registers/unsure")).json()
    assert (before["people"], before["unsure"]) == ([], 0)
    assert system.look_ups() == []
    await imported(system)
    review = (await mads.api("GET", "/registers/unsure")).json()
    assert (review["unsure"], review["incomparable"]) == (3, 1)
    people = {person["own"][0]["name"]: person for person in review["people"]}
    assert people.keys() == {"Bo Prøve", "Å. Prøve"}
    [own] = people["Å. Prøve"]["own"]
    assert own.pop("title")["da"].startswith("Kanvas")
    assert own == {
        "campaign": "kanvas",
        "name": "Å. Prøve",
        "address": "Prøvevej 12",
        "postcode": "8000",
    }
    assert people["Å. Prøve"]["entries"] == [
        {
            "name": "Prøve,Åse Marie",
            "address": "Prøvevej 12,1 TV",
            "place": "Prøveby",
            "postal": "8000 Aarhus C",
            "is_former": False,
        }
    ]
    assert people["Bo Prøve"]["entries"][0]["is_former"]
    entries = system.look_ups()
    shown = sorted(person["contact"] for person in review["people"])
    assert [entry["contact"] for entry in entries] == shown
    assert all(entry["by"].startswith("user:") for entry in entries)
    elsewhere = (await (await system.client("syd")).api("GET", "/registers/unsure")).json()
    assert elsewhere["people"] == []


@pytest.mark.parametrize(("listed", "reason"), [(True, "SUP_EXTERNAL"), (False, None)])
async def test_a_decision_holds_at_the_next_dial(
    system: StaffedSystem, *, listed: bool, reason: str | None
) -> None:
    await imported(system)
    await system.on_shift()
    await system.ready()
    await system.pass_time(20)
    assert system.network.record == []
    assert {contact.reason for contact in system.contacts()[1:]} == {"SUP_EXTERNAL_UNSURE"}
    lea = await system.client("lea")
    people = (await lea.api("GET", "/registers/unsure")).json()["people"]
    [bo] = [person for person in people if person["own"][0]["name"] == "Bo Prøve"]
    body = {"contact": bo["contact"], "listed": listed, "state": bo["state"]}
    other = await system.client("syd")
    assert (await other.api("POST", "/registers/decide", body)).status_code == 404
    assert (await lea.api("POST", "/registers/decide", {**body, "state": "1"})).status_code == 409
    assert (await lea.api("POST", "/registers/decide", body)).status_code == 200
    again = await lea.api("POST", "/registers/decide", {**body, "state": "1"})
    assert again.json()["detail"].startswith("Der er ikke noget at afgøre")
    await system.pass_time(40)
    assert system.contacts()[1].reason == reason
    rang = {ring.number for ring in system.network.record}
    assert rang == (set() if listed else {"+4532200001"})
    [entry] = system.entries("register_decided")
    assert (entry["contact"], entry["listed"]) == (bo["contact"], listed)
    assert "Prøve" not in json.dumps(system.entries(), ensure_ascii=False)
