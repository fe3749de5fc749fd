"""A phoner rings by hand, or again: whom she chooses, and never past a rule or a promise."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from callserver.engine.gate.explanation import explain
from callserver.simulator.legs import Behaviour
from callserver.texts import say
from tests.house import TestHouse, after_a_talk, play


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    made = TestHouse(tmp_path)
    yield made
    made.close()


async def test_by_hand_asks_the_same_gate(house: TestHouse) -> None:
    await house.on_shift()
    status, _ = await house.api("POST", "/dial", {"number": "32200007"})
    assert status == 200
    await house.until(5)
    house.network.hang_up_by_person(house.live_legs()[0])
    await house.until(1)
    await house.outcome("no_thanks", then="pause")
    status, problem = await house.api("POST", "/redial", {})
    assert status == 409
    assert set(problem["reasons"]) == {"FREQ_GAP", "FREQ_REFUSAL"}
    status, problem = await house.api("POST", "/dial", {"number": "32999999"})
    assert status == 404
    assert [call.path for call in house.calls()] == ["manual"]


async def test_an_old_line_is_made_anew_before_a_dial_by_hand(house: TestHouse) -> None:
    await house.on_shift()
    await house.until(timedelta(hours=3, minutes=45).total_seconds())
    old = house.phoner_leg()
    status, problem = await house.api("POST", "/dial", {"number": "32200007"})
    assert status == 409
    assert "på ny" in problem["detail"]
    assert not house.calls()
    await house.until(20)
    assert not old.live
    assert (await house.seat())["state"] == "paused"
    assert (await house.api("POST", "/dial", {"number": "32200007"}))[0] == 200
    await house.until(5)
    assert (await house.seat())["state"] == "talking"


async def test_not_now_holds_by_hand_as_well(house: TestHouse) -> None:
    """Whoever asked for rest has it: only when it is over may a phoner ring again."""
    await after_a_talk(house)
    await house.outcome("not_now", then="pause")
    over = house.contacts()[0].next_at
    await house.jump(86_400)
    status, problem = await house.api("POST", "/redial", {})
    assert (status, problem["reasons"]) == (409, ["FREQ_NOT_NOW"])
    assert datetime.fromisoformat(problem["next_at"]) >= over
    status, problem = await house.api("POST", "/dial", {"number": "32200000"})
    assert problem["reasons"] == ["FREQ_NOT_NOW"]
    assert len(house.network.record) == 1
    explained = house.read(
        lambda tx: explain(
            tx,
            house.server.ctx.rules,
            b"",
            "32200000",
            house.server.ctx.rules.campaign("kanvas"),
            house.clock.now(),
        )
    )
    assert [reason.value for reason in explained.reasons] == ["FREQ_NOT_NOW"]
    later = datetime.fromisoformat(problem["next_at"]) - house.clock.now()
    await house.jump(later.total_seconds())
    assert (await house.api("POST", "/redial", {}))[0] == 200
    await house.until(5)
    assert len(house.network.record) == 2


async def test_a_dial_by_hand_that_nobody_answers_changes_no_standing(house: TestHouse) -> None:
    """Who became a member is not on the list again because of it."""
    await after_a_talk(house)
    await house.outcome("member", {"amount": 100, "frequency": "monthly"}, then="pause")
    before = house.contacts()[0]
    await house.jump(86_400)
    house.people.default = Behaviour(answers_after=None)
    await house.api("POST", "/redial", {})
    await house.until(60)
    assert [call.path for call in house.calls()] == ["list", "redial"]
    after = house.contacts()[0]
    assert (after.status, after.next_at) == (before.status, before.next_at)


async def test_an_agreed_time_is_kept_though_a_dial_before_it_met_nobody(house: TestHouse) -> None:
    await after_a_talk(house)
    agreed = house.clock.now() + timedelta(days=3)  # Thursday is a holiday
    await house.outcome("call_back", {"at": agreed.isoformat()}, then="pause")
    await house.jump(86_400)
    house.people.default = Behaviour(answers_after=None)
    assert (await house.api("POST", "/redial", {}))[0] == 200
    await house.until(60)
    assert [call.path for call in house.calls()] == ["list", "redial"]
    promised = house.contacts()[0]
    assert (promised.status, promised.next_at) == ("call_back", agreed)
    house.people.default = Behaviour(answers_after=2)
    await house.jump((agreed - house.clock.now()).total_seconds() - 30)
    await house.ready()
    await house.until(30)
    assert house.calls()[-1].path == "call_back"
    assert house.calls()[-1].contact == promised.id


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("", "empty"),
        ("32 20 00 07 / 32 20 00 08", "several"),
        ("3220 0007 lok. 4", "extension"),
        ("+45 3220 00", "invalid"),
        ("３２２０００07", "not_ascii"),
        ("Person 7", "letters"),
    ],
)
async def test_what_is_no_number_is_said_so(house: TestHouse, written: str, problem: str) -> None:
    await house.on_shift()
    status, said = await house.api("POST", "/dial", {"number": written})
    assert (status, said["detail"]) == (409, say("da", f"error.number_{problem}"))
    assert house.network.record == []


async def test_a_number_that_is_on_no_list_is_not_rung_and_the_try_is_written_down(
    house: TestHouse,
) -> None:
    """Whether somebody stands on a list is nobody's to find out in silence."""
    assert (await house.api("POST", "/dial", {"number": "32999999"}))[0] == 409  # off shift
    await house.on_shift()
    assert (await house.api("POST", "/dial", {"number": "32999999"}))[0] == 404
    assert house.network.record == []
    [entry] = house.entries("looked_up")
    assert (entry["by"], entry["contacts"], entry["campaign"]) == ("user:1", [], "kanvas")
    assert "32999999" not in str(entry)


@pytest.mark.parametrize("path", ["/dial", "/redial"])
def test_no_dial_by_hand_from_a_seat_that_is_in_a_call_or_owes_an_outcome(
    house: TestHouse, path: str
) -> None:
    async def refused() -> None:
        status, problem = await house.api(
            "POST", path, {"number": "32200009"} if path == "/dial" else {}
        )
        assert (status, "reasons" in problem) == (409, False)

    async def work() -> None:
        await refused()  # not on shift
        await house.on_shift()
        await house.ready()
        await house.until(2)
        await refused()  # it rings
        await house.until(5)
        await refused()  # she talks
        house.network.hang_up_by_person(house.live_legs()[0])
        await house.until(1)
        await refused()  # the outcome is owed
        await house.until(120)
        assert (await house.seat())["state"] == "paused"
        await refused()  # still

    play(work())
    assert len(house.network.record) == 1
