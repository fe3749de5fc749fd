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
from callserver.engine.lists.importer import import_list
from callserver.simulator.legs import Behaviour
from tests.console.conftest import Browser, House, hashed
from tests.house import play
from tests.journeys.test_every_reason import DK, Edit, edited

__all__ = ["hashed"]

NUMBER = "32200000"
RANG = f"+45{NUMBER}"
ONE = f"ref;navn;telefon;født;kilde\nK0;Anna Prøve;{NUMBER};1980-01-01;gade\n"


def a_house(folder: Path, hashed: str, *edits: Edit, people: str = ONE) -> House:
    made = House(folder, config=edited(folder, edits), people=people)
    made.hashed = hashed
    made.add_user("lea", Role.LEADER, None)
    made.add_user("mads", Role.MEMBER_SERVICE, None)
    return made


@pytest.fixture
def house(tmp_path: Path, hashed: str) -> Iterator[House]:
    made = a_house(tmp_path, hashed)
    yield made
    made.close()


def dial(house: House) -> list[str]:
    """The phoner, on shift already, dials the number by hand: the gate's reasons, or none: it rings."""
    found: list[str] = []

    async def work() -> None:
        status, said = await house.api("POST", "/dial", {"number": NUMBER})
        if status == 409:
            found.extend(said["reasons"])
            return
        assert status == 200, said
        await house.until(40)

    house.people.default = Behaviour(answers_after=None)
    play(work())
    return found


def on_shift(house: House) -> None:
    play(house.on_shift())


def rang(house: House) -> int:
    return sum(ring.number == RANG for ring in house.network.record)


def consent(house: House, browser: Browser, days_ago: float = 1, **more: Any) -> Any:
    at = house.clock.now() - timedelta(days=days_ago)
    body = {"number": NUMBER, "at": at.isoformat(), **more}
    return browser.api("POST", "/person/consent", body)


@pytest.mark.parametrize("needs_proof", [False, True])
def test_where_consent_is_needed_nobody_is_called_without(
    tmp_path: Path, hashed: str, needs_proof: bool
) -> None:
    mode = "mode: express\n  proof: true" if needs_proof else "mode: opt_in"
    house = a_house(tmp_path, hashed, (DK, "mode: not_needed", mode))
    lea = house.browser("lea")

    async def from_the_list() -> None:
        await house.on_shift()
        await house.ready()
        await house.until(5)

    play(from_the_list())
    assert house.contacts()[0].reason == "SUP_CONSENT_MISSING"
    assert house.network.record == []
    # One to be written to is none to be called.
    assert consent(house, lea, telephone=False).json() == {"contacts": [1]}
    play(house.until(40))
    assert house.contacts()[0].reason == "SUP_CONSENT_MISSING"
    assert consent(house, lea).json() == {"contacts": [1]}
    play(house.until(40))
    if needs_proof:
        assert house.contacts()[0].reason == "SUP_CONSENT_UNPROVEN"
        assert house.network.record == []
        assert consent(house, lea, proof="formular 2026, mappe 7").json() == {"contacts": [1]}
        play(house.until(40))
    assert rang(house) == 1
    marked = house.entries("marked")
    assert {one["mark"] for one in marked} == {"consent_given"}
    assert "mappe" not in str(house.entries())
    house.close()


def test_a_consent_that_is_taken_back(house: House) -> None:
    lea, mads = house.browser("lea"), house.browser("mads")
    on_shift(house)
    assert consent(house, lea).status_code == 200
    told = mads.api("POST", "/person/facts", {"number": NUMBER, "fact": "consent_revoked"})
    assert told.json() == {"contacts": [1]}
    assert dial(house) == ["SUP_CONSENT_REVOKED"]
    house.clock.set(house.clock.now() + timedelta(minutes=5))
    assert consent(house, lea, days_ago=0.001).status_code == 200
    assert dial(house) == []
    assert rang(house) == 1


def test_a_consent_ends_no_opt_out(house: House) -> None:
    """Whoever lifts an opt-out has another way to go; a consent of an earlier day changes nothing."""
    lea = house.browser("lea")
    on_shift(house)
    stopped = {"number": NUMBER, "reach": "never"}
    assert lea.api("POST", "/who-called/opt-out", stopped).status_code == 200
    assert consent(house, lea, days_ago=3).status_code == 200
    assert dial(house) == ["SUP_NUMBER", "SUP_PERSON"]
    house.clock.set(house.clock.now() + timedelta(minutes=5))
    refused = consent(house, lea, days_ago=0)
    assert refused.status_code == 409
    assert "spærring" in refused.json()["detail"]
    assert dial(house) == ["SUP_NUMBER", "SUP_PERSON"]
    assert rang(house) == 0


def test_a_consent_of_tomorrow_is_none(house: House) -> None:
    assert consent(house, house.browser("lea"), days_ago=-1).status_code == 409


def test_who_may_record_what(house: House) -> None:
    mads = house.browser("mads")
    assert consent(house, mads).status_code == 403
    wrong = mads.api("POST", "/person/facts", {"number": NUMBER, "fact": "deceased"})
    assert wrong.status_code == 422


def test_somebody_with_a_guardian_is_not_called(house: House) -> None:
    on_shift(house)
    assert dial(house) == []  # rings: nobody knows yet
    mads = house.browser("mads")
    told = mads.api("POST", "/person/facts", {"number": NUMBER, "fact": "guardian"})
    assert told.json() == {"contacts": [1]}
    assert "PERSON_INCAPABLE" in dial(house)
    assert rang(house) == 1


def test_what_ends_calls_silences_a_telephone_that_rings(house: House) -> None:
    mads = house.browser("mads")
    house.people.default = Behaviour(answers_after=None)

    async def rings() -> None:
        await house.on_shift()
        await house.ready()
        await house.until(3)
        assert house.live_legs(RANG)

    play(rings())
    mads.api("POST", "/person/facts", {"number": NUMBER, "fact": "consent_revoked"})
    play(house.until(1))
    assert not house.live_legs(RANG)


def test_an_erased_person_is_known_again(house: House) -> None:
    """Another list brings the number, under another name: a keyed hash of it is all that was kept."""
    mads = house.browser("mads")
    on_shift(house)
    told = mads.api("POST", "/person/facts", {"number": NUMBER, "fact": "erased"})
    assert told.json() == {"contacts": [1]}
    gone = house.contacts()[0]
    assert (gone.name, gone.ref, gone.born, gone.source, gone.fields) == (None,) * 5
    assert (gone.status, gone.reason) == ("closed", "PERSON_ERASED")
    assert "PERSON_ERASED" in dial(house)
    leads = house.server.ctx.rules.campaign("leads")
    again = f"ref;navn;telefon;kilde\nX9;A. Prøve;{NUMBER};underskrift 2025\n"
    house.write(lambda tx: import_list(tx, leads, again.encode(), house.clock.now()))
    house.campaign = "leads"

    async def from_the_other_list() -> None:
        await house.api("POST", "/off", {})
        await house.on_shift()
        await house.ready()
        await house.until(5)

    play(from_the_other_list())
    other = next(one for one in house.contacts() if one.campaign == "leads")
    assert (other.status, other.reason) == ("closed", "PERSON_ERASED")
    refusals = [one for one in house.entries("refused") if one["contact"] == other.id]
    assert refusals[0]["reasons"][:2] == ["PERSON_ERASED", "SUP_HASH"]
    assert rang(house) == 0


def test_of_several_people_at_a_number_one_is_named(tmp_path: Path, hashed: str) -> None:
    two = ONE + f"K1;Bo Prøve;{NUMBER};1980-01-01;gade\n"
    house = a_house(tmp_path, hashed, people=two)
    mads = house.browser("mads")
    fact = {"number": NUMBER, "fact": "guardian"}
    unclear = mads.api("POST", "/person/facts", fact)
    assert unclear.status_code == 409
    assert "1, 2" in unclear.json()["detail"]
    people = mads.api("POST", "/who-called", {"number": NUMBER}).json()["people"]
    assert [(one["contact"], one["name"]) for one in people][1] == (2, "Bo Prøve")
    assert mads.api("POST", "/person/facts", {**fact, "contact": 2}).json() == {"contacts": [2]}
    assert mads.api("POST", "/person/facts", {**fact, "contact": 3}).status_code == 404

    async def work() -> None:
        await house.on_shift()
        await house.ready()
        await house.until(5)

    play(work())
    assert [call.contact for call in house.calls()] == [1]
    house.close()


def test_the_same_by_command(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLSERVER_DATABASE", f"sqlite:///{house._folder}/house.db")
    monkeypatch.setenv("CALLSERVER_KEY", "test")
    monkeypatch.setenv("CALLSERVER_CLOCK", house.clock.now().isoformat())
    app = typer.Typer()
    person.register(app)

    def run(*words: str) -> str:
        result = CliRunner().invoke(app, ["person", *words])
        assert result.exit_code == 0, result.output
        return result.output

    on_shift(house)
    assert "recorded" in run("consent", NUMBER, "--at", "2026-05-01T12:00:00+02:00")
    assert "contacts: 1" in run("revoke", NUMBER)
    assert dial(house) == ["SUP_CONSENT_REVOKED"]
    assert "contacts: 1" in run("guardian", NUMBER)
    assert dial(house) == ["PERSON_INCAPABLE", "SUP_CONSENT_REVOKED"]
    assert "contacts: 1" in run("erase", NUMBER)
    assert "PERSON_ERASED" in dial(house)
