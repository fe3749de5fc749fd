"""Wishes take effect while talking; one no ends the ask; nothing meets the wrong person."""

from typing import Any

import pytest

from callserver.database import calls, suppressions
from callserver.domain import subject
from callserver.domain.facts import Scope
from tests.harness.staffed import StaffedSystem

AGREED = {"amount": 100, "frequency": "monthly"}


async def talking(system: StaffedSystem, phoner: int = 1) -> dict[str, Any]:
    await system.on_shift(phoner)
    await system.ready(phoner)
    await system.pass_time(6)
    seat = await system.seat(phoner)
    assert seat["state"] == "talking"
    return seat


async def next_talk(system: StaffedSystem) -> dict[str, Any]:
    system.network.hang_up_by_person(system.live_legs()[0])
    await system.pass_time(2)
    if (await system.seat())["outcome_owed"]:
        await system.outcome("no_thanks")
    await system.pass_time(6)
    seat = await system.seat()
    assert seat["state"] == "talking"
    return seat


def opt_outs(system: StaffedSystem, number: int = 4532200000) -> set[Scope]:
    person = system.contacts()[0].person
    household = system.contacts()[0].household
    about = (
        subject.of_number(number),
        subject.of_person(person),
        subject.of_household(household),
    )
    stored: tuple[Any, ...] = system.read(lambda tx: suppressions.for_subjects(tx, about))
    return {opt_out.scope for opt_out in stored}


@pytest.mark.parametrize(
    ("wish", "scopes", "ended"),
    [
        ("never", {Scope.PERSON, Scope.NUMBER}, "no_calls"),
        ("not_this_number", {Scope.NUMBER}, None),
        ("not_this_household", {Scope.HOUSEHOLD}, "no_calls"),
        ("not_about_this", {Scope.PURPOSE}, "refused"),
    ],
)
async def test_a_no_holds_while_still_talking(
    system: StaffedSystem, wish: str, scopes: set[Scope], ended: str | None
) -> None:
    seat = await talking(system)
    body = {"wish": wish, "attempt": seat["call"]["attempt"]}
    status, seat = await system.api("POST", "/wish", body)
    assert status == 200
    assert seat["state"] == "talking"
    assert seat["call"]["wishes"] == [wish]
    assert seat["call"]["ask_ended"] == ended
    assert ("member" in seat["call"]["outcomes"]) == (ended is None)
    assert opt_outs(system) == scopes


async def test_every_wish_of_the_campaign_can_be_heard(system: StaffedSystem) -> None:
    outcomes = (await talking(system))["call"]["outcomes"]
    wishes = {key: outcome["wish"] for key, outcome in outcomes.items() if outcome["wish"]}
    assert wishes == {
        key: key
        for key in (
            "not_this_number",
            "not_this_household",
            "not_about_this",
            "never",
            "vulnerable",
        )
    }
    for wish in wishes.values():
        assert (await system.api("POST", "/wish", {"wish": wish}))[0] == 200
    assert (await system.api("POST", "/wish", {"wish": "more"}))[0] == 404


async def test_vulnerable_ends_the_ask_at_once(system: StaffedSystem) -> None:
    seat = await talking(system)
    attempt = seat["call"]["attempt"]
    _, seat = await system.api("POST", "/wish", {"wish": "vulnerable", "attempt": attempt})
    assert seat["call"]["ask_ended"] == "vulnerable"
    assert "member" not in seat["call"]["outcomes"]
    status, problem = await system.outcome("member", AGREED)
    assert status == 409
    assert "fred" in problem["detail"]
    assert (await system.outcome("vulnerable", then="pause"))[0] == 200
    system.network.hang_up_by_person(system.live_legs()[0])
    await system.pass_time(2)
    # Nor is it agreed afterwards, by way of a correction.
    body = {"attempt": attempt, "outcome": "member", "details": AGREED}
    assert (await system.api("POST", "/correct", body))[0] == 409
    # And nobody rings again, not even by hand.
    status, problem = await system.api("POST", "/redial", {})
    assert (status, "PERSON_VULNERABLE" in problem["reasons"]) == (409, True)


async def test_nothing_is_agreed_after_a_no_not_even_by_a_correction(system: StaffedSystem) -> None:
    attempt = (await talking(system))["call"]["attempt"]
    assert (await system.outcome("no_thanks"))[0] == 200
    assert (await system.seat())["call"]["ask_ended"] == "refused"
    assert (await system.outcome("member", AGREED))[0] == 409
    system.network.hang_up_by_person(system.live_legs()[0])
    await system.pass_time(2)
    body = {"attempt": attempt, "outcome": "member", "details": AGREED}
    assert (await system.api("POST", "/correct", body))[0] == 409
    first = system.read(lambda tx: calls.get(tx, attempt))
    assert first.outcome == "no_thanks"


async def test_an_agreement_may_be_followed_by_no_more_calls(system: StaffedSystem) -> None:
    await talking(system)
    assert (await system.outcome("member", AGREED))[0] == 200
    assert (await system.api("POST", "/wish", {"wish": "never"}))[0] == 200
    assert system.calls()[0].outcome == "member"
    assert Scope.PERSON in opt_outs(system)


async def test_a_no_meant_for_the_last_person_never_meets_the_next(system: StaffedSystem) -> None:
    first = (await talking(system))["call"]["attempt"]
    second = (await next_talk(system))["call"]["attempt"]
    assert first != second
    # The page was a moment late: the no is honoured, and it is the first person's.
    status, _ = await system.api("POST", "/wish", {"wish": "never", "attempt": first})
    assert status == 200
    assert opt_outs(system) >= {Scope.PERSON, Scope.NUMBER}
    assert opt_outs(system, 4532200001) & {Scope.NUMBER} == set()
    assert (await system.seat())["call"]["wishes"] == []


async def test_an_outcome_for_the_last_person_never_meets_the_next(system: StaffedSystem) -> None:
    first = (await talking(system))["call"]["attempt"]
    second = (await next_talk(system))["call"]["attempt"]
    late = {"outcome": "member", "details": AGREED, "note": "", "next": "ready"}
    status, problem = await system.api("POST", "/outcome", {**late, "attempt": first})
    assert status == 409
    assert "Min vagt" in problem["detail"]
    assert system.calls()[1].outcome is None
    # The same once more is no error: only the answer had been lost.
    again = {"outcome": "no_thanks", "details": {}, "note": "", "next": "ready"}
    status, seat = await system.api("POST", "/outcome", {**again, "attempt": first})
    assert (status, seat["call"]["attempt"]) == (200, second)
    assert len(system.entries("outcome")) == 1


async def test_nobody_s_wish_is_told_by_another_phoner(system: StaffedSystem) -> None:
    from callserver.domain.role import Role

    attempt = str((await talking(system))["call"]["attempt"])
    system.add_user("other", Role.PHONER)
    other = await system.client("other")
    await other.api("POST", "/shift", {"campaign": "kanvas"})
    reply = await other.api("POST", "/wish", {"wish": "never", "attempt": attempt})
    assert reply.status_code == 409
    assert opt_outs(system) == set()


async def test_never_as_an_outcome_reaches_person_and_number(system: StaffedSystem) -> None:
    await talking(system)
    assert (await system.outcome("never"))[0] == 200
    assert opt_outs(system) == {Scope.PERSON, Scope.NUMBER}
    entry = system.entries("suppressed")[0]
    assert entry["call"] == system.calls()[0].attempt
