"""Calls that the carrier refuses after it took the order, before any telephone rang."""

from pathlib import Path

import pytest

from callserver.database import calls
from callserver.engine.reporting import call_history, call_history_text
from callserver.simulator.legs import Behaviour
from tests.house import TestHouse

NUMBER = 4532200000
PERSON = "ref;navn;telefon;født;kilde\nK0;Person 0;32200000;1980-01-01;gade\n"


def attempts(house: TestHouse) -> int:
    """How many calls to the first number count as attempts to reach somebody there."""
    contact, since = house.contacts()[0], house.plan.start
    found, _ = house.read(
        lambda tx: calls.attempts(tx, NUMBER, contact.household, contact.person, since)
    )
    return len(found)


def said(house: TestHouse, language: str = "en") -> str:
    rules = house.server.ctx.rules
    answer = house.write(
        lambda tx: call_history.why(tx, "+4532200000", b"k", "test", house.clock.now())
    )
    return " ".join(one.text for one in call_history_text.words(answer, rules, language))


@pytest.mark.parametrize("code", [402, 403, 488, 500, 503])
async def test_a_call_that_the_carrier_refused_is_no_attempt_at_a_person(
    tmp_path: Path, code: int
) -> None:
    house = TestHouse(tmp_path, people=PERSON)
    house.people.default = Behaviour(ends="failed", sip_response=code)
    await house.on_shift()
    await house.ready()
    await house.until(10)
    call = house.calls()[0]
    assert (call.cause, call.code, call.rang_at) == ("declined", code, None)
    assert house.contacts()[0].tries == 0
    assert attempts(house) == 0
    assert house.entries("declined")[0]["code"] == code
    assert f"refused the call (code {code}). No phone rang." in said(house)
    assert "not answered" not in said(house)
    assert f"afviste opkaldet (kode {code})" in said(house, "da")
    house.close()


async def test_a_number_that_does_not_exist_counts_against_the_list_and_not_the_person(
    tmp_path: Path,
) -> None:
    house = TestHouse(tmp_path, people=PERSON)
    house.people.default = Behaviour(ends="failed", sip_response=404)
    await house.on_shift()
    await house.ready()
    await house.until(10)
    call = house.calls()[0]
    assert (call.cause, call.code) == ("unreachable", 404)
    assert house.contacts()[0].tries == 1
    assert attempts(house) == 0
    house.close()


@pytest.mark.parametrize("ends", ["busy", None])
async def test_what_rang_or_may_have_rung_counts(tmp_path: Path, ends: str | None) -> None:
    house = TestHouse(tmp_path, people=PERSON)
    house.people.default = Behaviour(ends=ends)
    await house.on_shift()
    await house.ready()
    await house.until(60)
    assert house.calls()[0].cause == ("busy" if ends else "no_answer")
    assert attempts(house) == 1
    house.close()


async def test_a_telephone_that_rang_before_the_carrier_gave_up_counts(tmp_path: Path) -> None:
    """The ring is told after the end: callbacks come in any order."""
    house = TestHouse(tmp_path, people=PERSON)
    house.people.default = Behaviour(ends="failed", sip_response=503)
    await house.on_shift()
    await house.ready()
    await house.until(10)
    form = {"CallSid": house.calls()[0].ref, "CallStatus": "ringing"}
    url = f"{house.plan.public_url}/twilio/status/call?attempt={house.calls()[0].attempt}"
    house.network.callbacks.notify(url, form)
    await house.until(5)
    assert house.calls()[0].cause == "unreachable"
    assert attempts(house) == 1
    house.close()
