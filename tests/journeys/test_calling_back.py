"""Somebody rings the number we showed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from callserver import texts
from callserver.database import suppressions
from callserver.domain import subject
from callserver.domain.facts import Scope
from callserver.domain.instruction import AskKey, Say
from callserver.simulator.legs import Behaviour
from tests.house import TestHouse, after_a_talk, play

FIRST = "+4532200000"
INBOUND = "http://calls.test/twilio/voice/inbound"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    made = TestHouse(tmp_path, people="ref;navn;telefon;kilde\n1;A;32200000;x\n")
    made.people.default = Behaviour(answers_after=None)
    yield made
    made.close()


async def missed_and_rang_back(house: TestHouse, key: str) -> None:
    await house.on_shift()
    await house.ready()
    await house.until(60)
    house.people.keys[FIRST] = key
    await house.network.call_in(FIRST, "+4532123400", INBOUND)
    await house.until(60)


async def test_nine_means_never(house: TestHouse) -> None:
    await missed_and_rang_back(house, "9")
    await house.jump(86_400 * 7)
    assert len(house.network.record) == 1
    assert house.contacts()[0].reason == "SUP_PERSON"
    assert [entry.get("key") for entry in house.entries("inbound")] == [None, "9"]


def test_one_means_please_call(house: TestHouse) -> None:
    play(missed_and_rang_back(house, "1"))
    assert [ring.number for ring in house.network.record] == [FIRST, FIRST]
    assert house.calls()[1].path == "call_back"


def test_no_key_changes_nothing(house: TestHouse) -> None:
    play(missed_and_rang_back(house, ""))
    assert len(house.network.record) == 1
    assert house.contacts()[0].status == "waiting"


async def test_a_stranger_may_say_never_too(house: TestHouse) -> None:
    house.people.keys["+4532200099"] = "9"
    await house.network.call_in("+4532200099", "+4532123400", INBOUND)
    await house.until(30)
    assert house.entries("suppressed")[0]["scope"] == "number"


@pytest.mark.parametrize("caller", ["anonymous", "+266696687", "Restricted", ""])
async def test_who_withholds_the_number_is_not_told_that_it_is_noted(
    house: TestHouse, caller: str
) -> None:
    inbound = house.server.inbound
    greeted = await inbound.greet(caller, "+4532123400", "CA1")
    assert greeted == Say("inbound_withheld", greeted.values)  # type: ignore[union-attr]
    assert await inbound.pressed(caller, "+4532123400", "CA1", "9") == Say("inbound_not_noted")
    assert not house.entries("suppressed")


async def test_one_at_night_means_when_the_calling_hours_begin(house: TestHouse) -> None:
    await missed_and_rang_back(house, "")
    await house.jump(6 * 3600)  # eleven in the evening
    house.people.keys[FIRST] = "1"
    await house.network.call_in(FIRST, "+4532123400", INBOUND)
    await house.until(9 * 3600)
    assert len(house.network.record) == 1
    await house.until(2 * 3600)
    rung = [ring.rang_at.isoformat() for ring in house.network.record]
    assert len(rung) == 2
    assert rung[1].startswith("2026-05-13T07:00")  # nine o'clock


# -- key 1 promises only what the gate will permit --------------------------------------------------


async def called_and_answered(house: TestHouse, outcome: str, wish: str | None = None) -> None:
    """A talk that ended with this outcome."""
    house.people.default = Behaviour(answers_after=2)
    await after_a_talk(house)
    if wish is not None:
        assert (await house.api("POST", "/wish", {"wish": wish}))[0] == 200
    details = {"note": "et par ord"} if outcome == "complaint" else {}
    assert (await house.outcome(outcome, details))[0] == 200


async def greeted(house: TestHouse, caller: str = FIRST) -> str:
    found = await house.server.inbound.greet(caller, "+4532123400", "CA1")
    assert isinstance(found, AskKey)
    return found.text


async def pressed_one(house: TestHouse) -> str:
    found = await house.server.inbound.pressed(FIRST, "+4532123400", "CA1", "1")
    assert isinstance(found, Say)
    await house.server.ctx.background.idle()
    return found.text


async def test_an_own_request_ends_the_rest_after_a_refusal(house: TestHouse) -> None:
    await called_and_answered(house, "no_thanks")
    assert await greeted(house) == "inbound_who"
    assert await pressed_one(house) == "inbound_call_me_done"
    await house.until(60)
    assert [call.path for call in house.calls()] == ["list", "call_back"]
    assert [entry["mark"] for entry in house.entries("marked")] == ["refused", "requested"]


async def test_an_own_request_ends_not_now(house: TestHouse) -> None:
    await called_and_answered(house, "not_now")
    assert await pressed_one(house) == "inbound_call_me_done"
    await house.until(60)
    assert len(house.calls()) == 2


async def test_a_refusal_after_the_request_counts_again(house: TestHouse) -> None:
    await called_and_answered(house, "no_thanks")
    await pressed_one(house)
    await house.until(40)  # a waiting seat looks again every half minute
    house.network.hang_up_by_person(house.live_legs()[0])
    await house.until(2)
    await house.outcome("no_thanks", then="pause")
    status, problem = await house.api("POST", "/redial", {})
    assert (status, "FREQ_REFUSAL" in problem["reasons"]) == (409, True)


@pytest.mark.parametrize(
    ("outcome", "wish"),
    [
        ("never", None),
        ("not_this_number", None),
        ("not_this_household", None),
        ("not_about_this", None),
        ("complaint", None),
        ("wrong_number", None),
        ("deceased", None),
        ("vulnerable", None),
        ("no_thanks", "never"),
        ("no_thanks", "vulnerable"),
    ],
)
async def test_nothing_is_offered_or_promised_that_the_gate_will_refuse(
    house: TestHouse, outcome: str, wish: str | None
) -> None:
    await called_and_answered(house, outcome, wish)
    assert await greeted(house) == "inbound_no_calls"
    assert await pressed_one(house) == "inbound_call_me_refused"
    await house.jump(86_400 * 7)
    assert len(house.calls()) == 1
    assert not house.entries("call_back")
    assert "requested" not in [entry["mark"] for entry in house.entries("marked")]


async def test_the_hash_of_an_erased_person_counts_too(house: TestHouse) -> None:
    await missed_and_rang_back(house, "")
    about = subject.of_hash(4532200000, house.server.ctx.secret)
    house.write(lambda tx: suppressions.add(tx, about, Scope.HASH, house.clock.now(), "command"))
    assert await greeted(house) == "inbound_no_calls"
    assert await pressed_one(house) == "inbound_call_me_refused"


def test_the_prompts_refer_to_member_service() -> None:
    for key in ("inbound_no_calls", "inbound_call_me_refused"):
        assert "medlemsservice" in texts.say("da", key, organisation="Lysværk")
        assert "Tast 1" not in texts.say("da", key, organisation="Lysværk")


async def test_a_call_back_that_the_gate_would_refuse_is_not_agreed(house: TestHouse) -> None:
    house.people.default = Behaviour(answers_after=2)
    await after_a_talk(house)
    await house.api("POST", "/wish", {"wish": "never"})
    given = {"at": "2026-05-13T17:15:00+02:00"}
    status, problem = await house.outcome("call_back", given)
    assert (status, problem["reasons"]) == (409, ["SUP_NUMBER", "SUP_PERSON"])
    assert "confirm" not in problem
    assert (await house.outcome("never"))[0] == 200
    assert not house.entries("call_back")
