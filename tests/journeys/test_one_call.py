"""One phoner, one contact, the whole way: what each of them and the log see."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from callserver.simulator.legs import Behaviour
from tests.harness.simulated import SimulatedSystem, after_a_talk


@pytest.fixture
def system(tmp_path: Path) -> Iterator[SimulatedSystem]:
    made = SimulatedSystem(tmp_path)
    yield made
    made.close()


async def test_from_ready_to_outcome_and_on(system: SimulatedSystem) -> None:
    await system.on_shift()
    assert (await system.seat())["state"] == "paused"
    await system.ready()
    await system.pass_time(1)
    assert (await system.seat())["state"] in ("reserved", "ringing")
    await system.pass_time(5)
    seat = await system.seat()
    assert seat["state"] == "talking"
    assert seat["call"]["number"].endswith("00")
    assert "322000" not in str(seat)
    assert "Person 0" not in str(seat)
    _, card = await system.api("POST", "/card", {})
    assert card["name"] == "Person 0"
    assert system.network.record[0].heard == "phoner"
    system.network.hang_up_by_person(system.live_legs()[0])
    await system.pass_time(2)
    assert (await system.seat())["state"] == "wrapping_up"
    status, _ = await system.outcome("member", {"amount": 100, "frequency": "monthly"})
    assert status == 200
    await system.pass_time(6)
    assert len(system.calls()) == 2
    assert system.calls()[0].outcome == "member"
    assert system.contacts()[0].status == "done"
    kinds = [entry["kind"] for entry in system.entries()]
    assert kinds.index("permitted") < kinds.index("placed") < kinds.index("outcome")
    assert not [entry for entry in system.entries() if "322000" in str(entry)]


async def test_outcome_comes_before_the_next_dial(system: SimulatedSystem) -> None:
    await system.on_shift()
    await system.ready()
    await system.pass_time(5)
    system.network.hang_up_by_person(system.live_legs()[0])
    await system.pass_time(90)  # past the wrap-up limit
    seat = await system.seat()
    assert (seat["state"], seat["outcome_owed"]) == ("paused", True)
    status, problem = await system.api("POST", "/ready", {})
    assert status == 409
    assert "resultatet" in problem["detail"]
    assert len(system.calls()) == 1
    status, problem = await system.outcome("member", {"amount": 0})
    assert status == 409
    assert "beløb" in problem["detail"]
    assert (await system.outcome("member", {"amount": 100}))[0] == 409
    await system.outcome("no_thanks")
    await system.pass_time(2)
    assert len(system.calls()) == 2


async def test_correction_keeps_both_in_the_log(system: SimulatedSystem) -> None:
    await system.on_shift()
    await system.ready()
    await system.pass_time(5)
    system.network.hang_up_by_person(system.live_legs()[0])
    await system.pass_time(2)
    await system.outcome("no_thanks", then="pause")
    attempt = system.calls()[0].attempt
    body = {"attempt": attempt, "outcome": "voicemail", "details": {}, "note": ""}
    assert (await system.api("POST", "/correct", body))[0] == 200
    assert system.calls()[0].outcome == "voicemail"
    assert system.entries("outcome")[0]["outcome"] == "no_thanks"
    assert system.entries("corrected")[0]["before"] == "no_thanks"


@pytest.mark.parametrize(
    ("behaviour", "cause"),
    [
        (Behaviour(ends="busy"), "busy"),
        (Behaviour(ends="failed"), "unreachable"),
        (Behaviour(answers_after=None), "no_answer"),
    ],
)
async def test_who_is_not_reached_waits_by_the_retry_rule(
    system: SimulatedSystem, behaviour: Behaviour, cause: str
) -> None:
    system.people.does["+4532200000"] = behaviour
    await system.on_shift()
    await system.ready()
    await system.pass_time(40)
    first = system.calls()[0]
    assert first.cause == cause
    contact = system.contacts()[0]
    assert contact.status == "waiting"
    after = contact.next_at - first.ended_at
    expected = {"busy": 240, "unreachable": 2880, "no_answer": 1440}[cause]
    assert abs(after.total_seconds() / 60 - expected) < 1
    assert len(system.calls()) == 2  # and the next call was placed without the phoner


async def test_a_call_back_is_kept_by_who_promised_it(tmp_path: Path) -> None:
    system = SimulatedSystem(tmp_path, phoners=2, people="ref;navn;telefon;kilde\n1;A;32200000;x\n")
    await system.on_shift(1)
    await system.ready(1)
    await system.pass_time(5)
    system.network.hang_up_by_person(system.live_legs()[0])
    await system.pass_time(1)
    at = system.clock.now().replace(microsecond=0)
    due = at.replace(hour=at.hour + 1)
    await system.outcome("call_back", {"at": due.isoformat()})
    await system.on_shift(2)
    await system.ready(2)
    await system.pass_time(5)
    first, second = await system.seat(1), await system.seat(2)
    assert first["reason"] == "next_call_back"
    assert datetime.fromisoformat(first["until"]) == due
    assert second["state"] == "waiting"  # another phoner's call-back
    await system.pass_time((due - system.clock.now()).total_seconds() + 5)
    assert [call.phoner for call in system.calls()] == [1, 1]
    assert system.calls()[1].path == "call_back"
    system.close()


async def test_waiting_says_why_and_goes_on_by_itself(tmp_path: Path) -> None:
    early = datetime.fromisoformat("2026-05-12T08:58:00+02:00")
    system = SimulatedSystem(tmp_path, start=early)
    await system.on_shift()
    await system.ready()
    await system.pass_time(1)
    seat = await system.seat()
    assert (seat["state"], seat["reason"]) == ("waiting", "window_closed")
    assert seat["until"] == "2026-05-12T07:00:00Z"
    assert system.network.record == []
    await system.pass_time(130)
    assert system.network.record[0].rang_at >= datetime.fromisoformat("2026-05-12T07:00:00Z")
    system.close()


async def test_list_finished(tmp_path: Path) -> None:
    system = SimulatedSystem(tmp_path, people="ref;navn;telefon;kilde\n1;A;32200000;x\n")
    await after_a_talk(system)
    await system.outcome("no_thanks")
    await system.pass_time(1)
    assert (await system.seat())["reason"] == "list_finished"
    system.close()


async def test_a_correction_of_an_older_call_does_not_undo_what_came_after(
    system: SimulatedSystem,
) -> None:
    async def talk(outcome: str, details: dict[str, Any]) -> str:
        await system.pass_time(5)
        system.network.hang_up_by_person(system.live_legs()[0])
        await system.pass_time(1)
        await system.outcome(outcome, details, then="pause")
        attempt: str = system.calls()[-1].attempt
        return attempt

    await system.on_shift()
    await system.ready()
    older = await talk("hung_up", {})
    await system.jump(86_400)
    await system.api("POST", "/redial", {})
    await talk("member", {"amount": 100, "frequency": "monthly"})
    body = {"attempt": older, "outcome": "voicemail", "details": {}}
    assert (await system.api("POST", "/correct", body))[0] == 200
    assert system.contacts()[0].status == "done"
    await system.api("POST", "/correct", {**body, "outcome": "never"})
    assert system.calls()[0].outcome == "never"
    assert {entry["scope"] for entry in system.entries("suppressed")} == {"person", "number"}


async def test_a_phoners_own_words_stay_out_of_the_log(system: SimulatedSystem) -> None:
    system.people.default = Behaviour(ends="busy")
    await system.on_shift()
    await system.ready()
    status, _ = await system.api("POST", "/pause", {"reason": "Anna Prøve, 32 20 00 01"})
    assert status == 422
    await system.api("POST", "/pause", {"reason": "meal"})
    await system.pass_time(5)
    assert (await system.seat())["reason"] == "meal"
    assert not [entry for entry in system.entries("seat") if "Prøve" in str(entry)]
    assert "meal" in [entry.get("reason") for entry in system.entries("seat")]


async def test_off_shift_silences_what_rings(system: SimulatedSystem) -> None:
    system.people.default = Behaviour(answers_after=None)
    await system.on_shift()
    await system.ready()
    await system.pass_time(3)
    assert system.live_legs()
    await system.api("POST", "/off", {})
    assert not system.live_legs()
    await system.pass_time(5)
    assert (await system.seat())["state"] == "off"


async def test_outcomes_that_retry_count_towards_the_rule(tmp_path: Path) -> None:
    """`most: 1`: after the second call that ends so, by a report or by an outcome, the contact is done."""
    from tests.journeys.test_every_reason import Edit, edited

    once: Edit = (
        "campaigns/_common.yaml",
        "no_answer: {after_minutes: 1440, most: 4}",
        "no_answer: {after_minutes: 1440, most: 1}",
    )
    row = "ref;navn;telefon;født;kilde\nK0;Anna Prøve;32200000;1980-01-01;gade\n"
    system = SimulatedSystem(tmp_path, config=edited(tmp_path, (once,)), people=row)
    await after_a_talk(system)
    status, said = await system.outcome("voicemail", then="pause")
    assert status == 200, said
    attempt = system.calls()[0].attempt
    # It was no machine: what was counted for it is taken back, and the call is one call.
    status, said = await system.api("POST", "/correct", {"attempt": attempt, "outcome": "hung_up"})
    assert status == 200, said
    contact = system.contacts()[0]
    assert (contact.status, contact.tries) == ("waiting", 1)
    assert contact.tries_by_outcome == {"machine": 0, "no_answer": 1}
    system.people.default = Behaviour(answers_after=None)
    await system.ready()
    await system.jump(86_400)
    await system.pass_time(120)
    contact = system.contacts()[0]
    assert len(system.calls()) == 2
    assert (contact.status, contact.reason) == ("closed", "tried:no_answer")
    assert contact.tries_by_outcome["no_answer"] == 2
    system.close()
