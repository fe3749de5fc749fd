"""Calls that the carrier refuses after it took the order, before any telephone rang."""

from pathlib import Path

import pytest

from callserver.database import calls
from callserver.engine.calls import carrier_refusals
from callserver.engine.reporting import call_history_text, person_record
from callserver.simulator.legs import Behaviour
from tests.harness.simulated import SimulatedSystem

NUMBER = 4532200000
PERSON = "ref;navn;telefon;født;kilde\nK0;Person 0;32200000;1980-01-01;gade\n"


def attempts(system: SimulatedSystem) -> int:
    """How many calls to the first number count as attempts to reach somebody there."""
    contact, since = system.contacts()[0], system.plan.start
    answer, _ = system.read(
        lambda tx: calls.attempts(tx, NUMBER, contact.household, contact.person, since)
    )
    return len(answer)


def said(system: SimulatedSystem, language: str = "en") -> str:
    rules = system.server.ctx.rules
    answer = system.write(
        lambda tx: person_record.look_up(tx, 4532200000, b"k", "test", system.clock.now())
    )
    return " ".join(word.text for word in call_history_text.words(answer.history, rules, language))


@pytest.mark.parametrize("code", [402, 403, 488, 500, 503])
async def test_a_call_that_the_carrier_refused_is_no_attempt_at_a_person(
    tmp_path: Path, code: int
) -> None:
    system = SimulatedSystem(tmp_path, people=PERSON)
    system.people.default = Behaviour(ends="failed", sip_response=code)
    await system.on_shift()
    await system.ready()
    await system.pass_time(10)
    call = system.calls()[0]
    assert (call.cause, call.code, call.rang_at) == ("declined", code, None)
    assert system.contacts()[0].tries == 0
    assert attempts(system) == 0
    assert system.entries("declined")[0]["code"] == code
    assert f"refused the call (code {code}). No phone rang." in said(system)
    assert "not answered" not in said(system)
    assert f"afviste opkaldet (kode {code})" in said(system, "da")
    system.close()


async def test_a_number_that_does_not_exist_counts_against_the_list_and_not_the_person(
    tmp_path: Path,
) -> None:
    system = SimulatedSystem(tmp_path, people=PERSON)
    system.people.default = Behaviour(ends="failed", sip_response=404)
    await system.on_shift()
    await system.ready()
    await system.pass_time(10)
    call = system.calls()[0]
    assert (call.cause, call.code) == ("unreachable", 404)
    assert system.contacts()[0].tries == 1
    assert attempts(system) == 0
    system.close()


@pytest.mark.parametrize("ends", ["busy", None])
async def test_a_call_that_rang_or_may_have_counts(tmp_path: Path, ends: str | None) -> None:
    system = SimulatedSystem(tmp_path, people=PERSON)
    system.people.default = Behaviour(ends=ends)
    await system.on_shift()
    await system.ready()
    await system.pass_time(60)
    assert system.calls()[0].cause == ("busy" if ends else "no_answer")
    assert attempts(system) == 1
    system.close()


async def test_a_telephone_that_rang_before_the_carrier_gave_up_counts(tmp_path: Path) -> None:
    """The ring is told after the end: callbacks come in any order."""
    system = SimulatedSystem(tmp_path, people=PERSON)
    system.people.default = Behaviour(ends="failed", sip_response=503)
    await system.on_shift()
    await system.ready()
    await system.pass_time(10)
    form = {"CallSid": system.calls()[0].ref, "CallStatus": "ringing"}
    url = f"{system.plan.public_url}/twilio/status/call?attempt={system.calls()[0].attempt}"
    system.network.callbacks.notify(url, form)
    await system.pass_time(5)
    assert system.calls()[0].cause == "unreachable"
    assert attempts(system) == 1
    system.close()


@pytest.mark.parametrize("code", [404, 484])
async def test_a_carrier_that_knows_no_number_uses_up_no_list(tmp_path: Path, code: int) -> None:
    """It wants numbers in another form. After a resume ten more are tried."""
    system = SimulatedSystem(tmp_path)
    system.people.default = Behaviour(ends="failed", sip_response=code)
    await system.on_shift()
    await system.ready()
    await system.pass_time(120)
    assert len(system.calls()) == carrier_refusals.NOT_EXISTING
    (entry,) = system.entries("breaker")
    assert entry["reason"] == f"provider_{code}"
    assert (await system.seat())["reason"] == "CAMP_PAUSED"
    system.close()


@pytest.mark.parametrize("code", [480, 408])
async def test_telephones_that_are_off_stop_nothing(tmp_path: Path, code: int) -> None:
    system = SimulatedSystem(tmp_path)
    system.people.default = Behaviour(ends="failed", sip_response=code)
    await system.on_shift()
    await system.ready()
    await system.pass_time(60)
    assert len(system.calls()) > carrier_refusals.NOT_EXISTING
    assert system.entries("breaker") == []
    system.close()


async def test_one_telephone_that_rings_ends_the_run(tmp_path: Path) -> None:
    system = SimulatedSystem(tmp_path)
    system.people.default = Behaviour(ends="failed", sip_response=404)
    for number in range(0, 40, carrier_refusals.NOT_EXISTING - 1):
        system.people.does[f"+453220{number:04}"] = Behaviour(ends="busy")
    await system.on_shift()
    await system.ready()
    await system.pass_time(120)
    assert len(system.calls()) > 2 * carrier_refusals.NOT_EXISTING
    assert system.entries("breaker") == []
    system.close()
