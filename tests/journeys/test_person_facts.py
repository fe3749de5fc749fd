"""Consents, guardians and erasure, recorded by page and command; each is in force at the next dial."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from callserver.cli import person
from callserver.domain.role import Role
from callserver.engine.identity import decisions
from callserver.engine.lists.importer import import_list
from callserver.ports import Tx
from callserver.simulator.legs import Behaviour
from tests.harness.staffed import Client, StaffedSystem
from tests.journeys.test_every_reason import DK, Edit, edited

NUMBER = "32200000"
RANG = f"+45{NUMBER}"
ONE = f"ref;navn;telefon;født;kilde\nK0;Anna Prøve;{NUMBER};1980-01-01;gade\n"


def a_system(folder: Path, *edits: Edit, people: str = ONE) -> StaffedSystem:
    made = StaffedSystem(folder, config=edited(folder, edits), people=people)
    made.add_user("lea", Role.LEADER, None)
    made.add_user("mads", Role.MEMBER_SERVICE, None)
    return made


@pytest.fixture
def system(tmp_path: Path) -> Iterator[StaffedSystem]:
    made = a_system(tmp_path)
    yield made
    made.close()


async def dial(system: StaffedSystem) -> list[str]:
    """The phoner, on shift already, dials the number by hand: the gate's reasons, or none: it rings."""
    system.people.default = Behaviour(answers_after=None)
    status, reply = await system.api("POST", "/dial", {"number": NUMBER})
    if status == 409:
        return list(reply["reasons"])
    assert status == 200, reply
    await system.pass_time(40)
    return []


def rang(system: StaffedSystem) -> int:
    return sum(ring.number == RANG for ring in system.network.record)


async def consent(system: StaffedSystem, client: Client, days_ago: float = 1, **more: Any) -> Any:
    at = system.clock.now() - timedelta(days=days_ago)
    body = {"number": NUMBER, "at": at.isoformat(), **more}
    return await client.api("POST", "/person/consent", body)


@pytest.mark.parametrize("needs_proof", [False, True])
async def test_where_consent_is_needed_nobody_is_called_without(
    tmp_path: Path, needs_proof: bool
) -> None:
    mode = "mode: express\n  proof: true" if needs_proof else "mode: opt_in"
    system = a_system(tmp_path, (DK, "mode: not_needed", mode))
    lea = await system.client("lea")

    await system.on_shift()
    await system.ready()
    await system.pass_time(5)
    assert system.contacts()[0].reason == "SUP_CONSENT_MISSING"
    assert system.network.record == []
    # One to be written to is none to be called.
    assert (await consent(system, lea, telephone=False)).json()["contacts"] == [1]
    await system.pass_time(40)
    assert system.contacts()[0].reason == "SUP_CONSENT_MISSING"
    assert (await consent(system, lea)).json()["contacts"] == [1]
    await system.pass_time(40)
    if needs_proof:
        assert system.contacts()[0].reason == "SUP_CONSENT_UNPROVEN"
        assert system.network.record == []
        assert (await consent(system, lea, proof="formular 2026, mappe 7")).json()["contacts"] == [
            1
        ]
        await system.pass_time(40)
    assert rang(system) == 1
    marked = system.entries("marked")
    assert {entry["mark"] for entry in marked} == {"consent_given"}
    assert "mappe" not in str(system.entries())
    system.close()


async def test_a_consent_that_is_taken_back(system: StaffedSystem) -> None:
    lea, mads = await system.client("lea"), await system.client("mads")
    await system.on_shift()
    assert (await consent(system, lea)).status_code == 200
    told = await mads.api("POST", "/person/facts", {"number": NUMBER, "fact": "consent_revoked"})
    assert told.json()["contacts"] == [1]
    assert await dial(system) == ["SUP_CONSENT_REVOKED"]
    system.clock.set(system.clock.now() + timedelta(minutes=5))
    assert (await consent(system, lea, days_ago=0.001)).status_code == 200
    assert await dial(system) == []
    assert rang(system) == 1


async def test_a_consent_ends_no_opt_out(system: StaffedSystem) -> None:
    """An opt-out is lifted in another way; a consent of an earlier day changes nothing."""
    lea = await system.client("lea")
    await system.on_shift()
    stopped = {"number": NUMBER, "reach": "never"}
    assert (await lea.api("POST", "/who-called/opt-out", stopped)).status_code == 200
    assert (await consent(system, lea, days_ago=3)).status_code == 200
    assert await dial(system) == ["SUP_NUMBER", "SUP_PERSON"]
    system.clock.set(system.clock.now() + timedelta(minutes=5))
    refused = await consent(system, lea, days_ago=0)
    assert refused.status_code == 409
    assert "spærring" in refused.json()["detail"]
    assert await dial(system) == ["SUP_NUMBER", "SUP_PERSON"]
    assert rang(system) == 0


async def test_a_consent_of_tomorrow_is_none(system: StaffedSystem) -> None:
    assert (await consent(system, await system.client("lea"), days_ago=-1)).status_code == 409


async def test_who_may_record_what(system: StaffedSystem) -> None:
    mads = await system.client("mads")
    assert (await consent(system, mads)).status_code == 403
    wrong = await mads.api("POST", "/person/facts", {"number": NUMBER, "fact": "left"})
    assert wrong.status_code == 422


@pytest.mark.parametrize(
    ("fact", "reason"),
    [
        ("guardian", "PERSON_INCAPABLE"),
        ("deceased", "PERSON_DECEASED"),
        ("vulnerable", "PERSON_VULNERABLE"),
        ("reassigned", "NUM_REASSIGNED"),
    ],
)
async def test_what_was_learned_outside_a_call_ends_calls_until_it_is_undone(
    system: StaffedSystem, fact: str, reason: str
) -> None:
    await system.on_shift()
    assert await dial(system) == []  # rings: nobody knows yet
    mads, lea = await system.client("mads"), await system.client("lea")
    told = await mads.api("POST", "/person/facts", {"number": NUMBER, "fact": fact})
    assert told.json()["contacts"] == [1]
    assert reason in await dial(system)
    assert rang(system) == 1
    body = {"contact": 1, "mark": fact, "why": "somebody else was meant"}
    assert (await lea.api("POST", "/person/undo", body)).status_code == 200
    assert reason not in await dial(system)


async def test_what_ends_calls_silences_a_telephone_that_rings(system: StaffedSystem) -> None:
    mads = await system.client("mads")
    system.people.default = Behaviour(answers_after=None)

    await system.on_shift()
    await system.ready()
    await system.pass_time(3)
    assert system.live_legs(RANG)
    await mads.api("POST", "/person/facts", {"number": NUMBER, "fact": "consent_revoked"})
    await system.pass_time(1)
    assert not system.live_legs(RANG)


async def test_an_erased_person_is_known_again(system: StaffedSystem) -> None:
    """Another list brings the number, under another name: a keyed hash of it is all that was kept."""
    mads = await system.client("mads")
    await system.on_shift()
    told = await mads.api("POST", "/person/facts", {"number": NUMBER, "fact": "erased"})
    assert told.json()["contacts"] == [1]
    gone = system.contacts()[0]
    assert (gone.name, gone.ref, gone.born, gone.source, gone.fields) == (None,) * 5
    assert (gone.status, gone.reason, gone.number) == ("closed", "PERSON_ERASED", 0)
    leads = system.server.ctx.rules.campaign("leads")
    again = f"ref;navn;telefon;kilde\nX9;A. Prøve;{NUMBER};underskrift 2025\n"
    system.write(lambda tx: import_list(tx, leads, again.encode(), system.clock.now()))
    system.campaign = "leads"

    await system.api("POST", "/off", {})
    await system.on_shift()
    await system.ready()
    await system.pass_time(5)
    other = next(contact for contact in system.contacts() if contact.campaign == "leads")
    assert (other.status, other.reason) == ("closed", "PERSON_ERASED")
    refusals = [entry for entry in system.entries("refused") if entry["contact"] == other.id]
    assert refusals[0]["reasons"][:2] == ["PERSON_ERASED", "SUP_HASH"]
    assert rang(system) == 0


async def test_of_several_people_at_a_number_one_is_named(tmp_path: Path) -> None:
    two = ONE + f"K1;Bo Prøve;{NUMBER};1980-01-01;gade\n"
    system = a_system(tmp_path, people=two)
    mads = await system.client("mads")
    fact = {"number": NUMBER, "fact": "guardian"}
    unclear = await mads.api("POST", "/person/facts", fact)
    assert unclear.status_code == 409
    assert "1, 2" in unclear.json()["detail"]
    people = (await mads.api("POST", "/who-called", {"number": NUMBER})).json()["people"]
    assert [(person["contact"], person["name"]) for person in people][1] == (2, "Bo Prøve")
    assert (await mads.api("POST", "/person/facts", {**fact, "contact": 2})).json()["contacts"] == [
        2
    ]
    assert (await mads.api("POST", "/person/facts", {**fact, "contact": 3})).status_code == 404

    await system.on_shift()
    await system.ready()
    await system.pass_time(5)
    assert system.calls() == []  # by the number, the other may be the same person
    assert {contact.reason for contact in system.contacts()} == {"PERSON_INCAPABLE"}

    def split(tx: Tx) -> None:
        decisions.split(tx, 1, 2, by="user:1", why="two people", now=system.clock.now())

    system.write(split)
    await system.pass_time(60)
    assert [call.contact for call in system.calls()] == [1]
    system.close()


async def test_the_same_by_command(system: StaffedSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLSERVER_DATABASE", f"sqlite:///{system.folder}/system.db")
    monkeypatch.setenv("CALLSERVER_KEY", "test")
    monkeypatch.setenv("CALLSERVER_CLOCK", system.clock.now().isoformat())
    app = typer.Typer()
    person.register(app)

    def run(*words: str) -> str:
        result = CliRunner().invoke(app, ["person", *words])
        assert result.exit_code == 0, result.output
        return result.output

    await system.on_shift()
    assert "recorded" in run("consent", NUMBER, "--at", "2026-05-01T12:00:00+02:00")
    assert "contacts: 1" in run("revoke", NUMBER)
    assert await dial(system) == ["SUP_CONSENT_REVOKED"]
    assert "contacts: 1" in run("guardian", NUMBER)
    assert await dial(system) == ["PERSON_INCAPABLE", "SUP_CONSENT_REVOKED"]
    assert "contacts: 1" in run("erase", NUMBER)
    [gone] = system.contacts()
    assert (gone.reason, gone.number) == ("PERSON_ERASED", 0)
