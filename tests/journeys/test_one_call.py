"""One phoner, one contact, the whole way: what each of them and the log see."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from callserver.simulator.legs import Behaviour
from tests.house import TestHouse, after_a_talk, play


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    made = TestHouse(tmp_path)
    yield made
    made.close()


async def test_from_ready_to_outcome_and_on(house: TestHouse) -> None:
    await house.on_shift()
    assert (await house.seat())["state"] == "paused"
    await house.ready()
    await house.until(1)
    assert (await house.seat())["state"] in ("reserved", "ringing")
    await house.until(5)
    seat = await house.seat()
    assert seat["state"] == "talking"
    assert seat["call"]["number"].endswith("00")
    assert "322000" not in str(seat)
    assert "Person 0" not in str(seat)
    _, card = await house.api("POST", "/card", {})
    assert card["name"] == "Person 0"
    assert house.network.record[0].heard == "phoner"
    house.network.hang_up_by_person(house.live_legs()[0])
    await house.until(2)
    assert (await house.seat())["state"] == "wrapping_up"
    status, _ = await house.outcome("member", {"amount": 100, "frequency": "monthly"})
    assert status == 200
    await house.until(6)
    assert len(house.calls()) == 2
    assert house.calls()[0].outcome == "member"
    assert house.contacts()[0].status == "done"
    kinds = [entry["kind"] for entry in house.entries()]
    assert kinds.index("permitted") < kinds.index("placed") < kinds.index("outcome")
    assert not [entry for entry in house.entries() if "322000" in str(entry)]


async def test_outcome_comes_before_the_next_dial(house: TestHouse) -> None:
    await house.on_shift()
    await house.ready()
    await house.until(5)
    house.network.hang_up_by_person(house.live_legs()[0])
    await house.until(90)  # past the wrap-up limit
    seat = await house.seat()
    assert (seat["state"], seat["outcome_owed"]) == ("paused", True)
    status, problem = await house.api("POST", "/ready", {})
    assert status == 409
    assert "resultatet" in problem["detail"]
    assert len(house.calls()) == 1
    status, problem = await house.outcome("member", {"amount": 0})
    assert status == 409
    assert "beløb" in problem["detail"]
    assert (await house.outcome("member", {"amount": 100}))[0] == 409
    await house.outcome("no_thanks")
    await house.until(2)
    assert len(house.calls()) == 2


async def test_correction_keeps_both_in_the_log(house: TestHouse) -> None:
    await house.on_shift()
    await house.ready()
    await house.until(5)
    house.network.hang_up_by_person(house.live_legs()[0])
    await house.until(2)
    await house.outcome("no_thanks", then="pause")
    attempt = house.calls()[0].attempt
    body = {"attempt": attempt, "outcome": "voicemail", "details": {}, "note": ""}
    assert (await house.api("POST", "/correct", body))[0] == 200
    assert house.calls()[0].outcome == "voicemail"
    assert house.entries("outcome")[0]["outcome"] == "no_thanks"
    assert house.entries("corrected")[0]["before"] == "no_thanks"


@pytest.mark.parametrize(
    ("behaviour", "cause"),
    [
        (Behaviour(ends="busy"), "busy"),
        (Behaviour(ends="failed"), "unreachable"),
        (Behaviour(answers_after=None), "no_answer"),
    ],
)
async def test_who_is_not_reached_waits_by_the_retry_rule(
    house: TestHouse, behaviour: Behaviour, cause: str
) -> None:
    house.people.does["+4532200000"] = behaviour
    await house.on_shift()
    await house.ready()
    await house.until(40)
    first = house.calls()[0]
    assert first.cause == cause
    contact = house.contacts()[0]
    assert contact.status == "waiting"
    after = contact.next_at - first.ended_at
    expected = {"busy": 240, "unreachable": 2880, "no_answer": 1440}[cause]
    assert abs(after.total_seconds() / 60 - expected) < 1
    assert len(house.calls()) == 2  # and the phoner went on by herself


async def test_a_call_back_is_kept_by_who_promised_it(tmp_path: Path) -> None:
    house = TestHouse(tmp_path, phoners=2, people="ref;navn;telefon;kilde\n1;A;32200000;x\n")
    await house.on_shift(1)
    await house.ready(1)
    await house.until(5)
    house.network.hang_up_by_person(house.live_legs()[0])
    await house.until(1)
    at = house.clock.now().replace(microsecond=0)
    due = at.replace(hour=at.hour + 1)
    await house.outcome("call_back", {"at": due.isoformat()})
    await house.on_shift(2)
    await house.ready(2)
    await house.until(5)
    mine, hers = await house.seat(1), await house.seat(2)
    assert mine["reason"] == "next_call_back"
    assert datetime.fromisoformat(mine["until"]) == due
    assert hers["state"] == "waiting"  # not hers to call
    await house.until((due - house.clock.now()).total_seconds() + 5)
    assert [call.phoner for call in house.calls()] == [1, 1]
    assert house.calls()[1].path == "call_back"
    house.close()


async def test_waiting_says_why_and_goes_on_by_itself(tmp_path: Path) -> None:

    early = datetime.fromisoformat("2026-05-12T08:58:00+02:00")
    house = TestHouse(tmp_path, start=early)
    await house.on_shift()
    await house.ready()
    await house.until(1)
    seat = await house.seat()
    assert (seat["state"], seat["reason"]) == ("waiting", "window_closed")
    assert seat["until"] == "2026-05-12T07:00:00Z"
    assert house.network.record == []
    await house.until(130)
    assert house.network.record[0].rang_at >= datetime.fromisoformat("2026-05-12T07:00:00Z")
    house.close()


async def test_list_finished(tmp_path: Path) -> None:
    house = TestHouse(tmp_path, people="ref;navn;telefon;kilde\n1;A;32200000;x\n")
    await after_a_talk(house)
    await house.outcome("no_thanks")
    await house.until(1)
    assert (await house.seat())["reason"] == "list_finished"
    house.close()


def test_a_correction_of_an_older_call_does_not_undo_what_came_after(house: TestHouse) -> None:
    async def talk(outcome: str, details: dict[str, Any]) -> str:
        await house.until(5)
        house.network.hang_up_by_person(house.live_legs()[0])
        await house.until(1)
        await house.outcome(outcome, details, then="pause")
        attempt: str = house.calls()[-1].attempt
        return attempt

    async def work() -> None:
        await house.on_shift()
        await house.ready()
        older = await talk("hung_up", {})
        await house.jump(86_400)
        await house.api("POST", "/redial", {})
        await talk("member", {"amount": 100, "frequency": "monthly"})
        body = {"attempt": older, "outcome": "voicemail", "details": {}}
        assert (await house.api("POST", "/correct", body))[0] == 200
        assert house.contacts()[0].status == "done"
        await house.api("POST", "/correct", {**body, "outcome": "never"})

    play(work())
    assert house.calls()[0].outcome == "never"
    assert {one["scope"] for one in house.entries("suppressed")} == {"person", "number"}


def test_a_phoners_own_words_stay_out_of_the_log(house: TestHouse) -> None:
    async def work() -> None:
        await house.on_shift()
        await house.ready()
        status, _ = await house.api("POST", "/pause", {"reason": "Anna Prøve, 32 20 00 01"})
        assert status == 422
        await house.api("POST", "/pause", {"reason": "meal"})
        await house.until(5)
        assert (await house.seat())["reason"] == "meal"

    house.people.default = Behaviour(ends="busy")
    play(work())
    assert not [one for one in house.entries("seat") if "Prøve" in str(one)]
    assert "meal" in [one.get("reason") for one in house.entries("seat")]


async def test_off_shift_silences_what_rings(house: TestHouse) -> None:
    house.people.default = Behaviour(answers_after=None)
    await house.on_shift()
    await house.ready()
    await house.until(3)
    assert house.live_legs()
    await house.api("POST", "/off", {})
    assert not house.live_legs()
    await house.until(5)
    assert (await house.seat())["state"] == "off"


async def test_outcomes_that_retry_count_towards_the_rule(tmp_path: Path) -> None:
    """`most: 1`: after the second call that ends so, by a report or by an outcome, the contact is done."""
    from tests.journeys.test_every_reason import Edit, edited

    once: Edit = (
        "campaigns/_common.yaml",
        "no_answer: {after_minutes: 1440, most: 4}",
        "no_answer: {after_minutes: 1440, most: 1}",
    )
    one = "ref;navn;telefon;født;kilde\nK0;Anna Prøve;32200000;1980-01-01;gade\n"
    house = TestHouse(tmp_path, config=edited(tmp_path, (once,)), people=one)
    await after_a_talk(house)
    status, said = await house.outcome("voicemail", then="pause")
    assert status == 200, said
    attempt = house.calls()[0].attempt
    # It was no machine: what was counted for it is taken back, and the call is one call.
    status, said = await house.api("POST", "/correct", {"attempt": attempt, "outcome": "hung_up"})
    assert status == 200, said
    contact = house.contacts()[0]
    assert (contact.status, contact.tries) == ("waiting", 1)
    assert contact.tries_by_outcome == {"machine": 0, "no_answer": 1}
    house.people.default = Behaviour(answers_after=None)
    await house.ready()
    await house.jump(86_400)
    await house.until(120)
    contact = house.contacts()[0]
    assert len(house.calls()) == 2
    assert (contact.status, contact.reason) == ("closed", "tried:no_answer")
    assert contact.tries_by_outcome["no_answer"] == 2
    house.close()
