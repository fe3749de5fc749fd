"""Wishes take effect while talking; one no ends the ask; nothing meets the wrong person."""

import asyncio
from typing import Any

import pytest

from callserver.database import calls, suppressions
from callserver.domain import subject
from callserver.domain.facts import Scope
from tests.console.conftest import House

AGREED = {"amount": 100, "frequency": "monthly"}


async def talking(house: House, phoner: int = 1) -> dict[str, Any]:
    await house.on_shift(phoner)
    await house.ready(phoner)
    await house.until(6)
    seat = await house.seat(phoner)
    assert seat["state"] == "talking"
    return seat


async def next_talk(house: House) -> dict[str, Any]:
    house.network.hang_up_by_person(house.live_legs()[0])
    await house.until(2)
    if (await house.seat())["outcome_owed"]:
        await house.outcome("no_thanks")
    await house.until(6)
    seat = await house.seat()
    assert seat["state"] == "talking"
    return seat


def opt_outs(house: House, number: int = 4532200000) -> set[Scope]:
    person = house.contacts()[0].person
    household = house.contacts()[0].household
    about = (
        subject.of_number(number),
        subject.of_person(person),
        subject.of_household(household),
    )
    found: tuple[Any, ...] = house.read(lambda tx: suppressions.for_subjects(tx, about))
    return {one.scope for one in found}


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
    house: House, wish: str, scopes: set[Scope], ended: str | None
) -> None:
    seat = await talking(house)
    body = {"wish": wish, "attempt": seat["call"]["attempt"]}
    status, seat = await house.api("POST", "/wish", body)
    assert status == 200
    assert seat["state"] == "talking"
    assert seat["call"]["wishes"] == [wish]
    assert seat["call"]["ask_ended"] == ended
    assert ("member" in seat["call"]["outcomes"]) == (ended is None)
    assert opt_outs(house) == scopes


async def test_every_wish_of_the_campaign_can_be_heard(house: House) -> None:
    outcomes = (await talking(house))["call"]["outcomes"]
    wishes = {key: one["wish"] for key, one in outcomes.items() if one["wish"]}
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
        assert (await house.api("POST", "/wish", {"wish": wish}))[0] == 200
    assert (await house.api("POST", "/wish", {"wish": "more"}))[0] == 404


async def test_vulnerable_ends_the_ask_at_once(house: House) -> None:
    seat = await talking(house)
    attempt = seat["call"]["attempt"]
    _, seat = await house.api("POST", "/wish", {"wish": "vulnerable", "attempt": attempt})
    assert seat["call"]["ask_ended"] == "vulnerable"
    assert "member" not in seat["call"]["outcomes"]
    status, problem = await house.outcome("member", AGREED)
    assert status == 409
    assert "fred" in problem["detail"]
    assert (await house.outcome("vulnerable", then="pause"))[0] == 200
    house.network.hang_up_by_person(house.live_legs()[0])
    await house.until(2)
    # Nor is it agreed afterwards, by way of a correction.
    body = {"attempt": attempt, "outcome": "member", "details": AGREED}
    assert (await house.api("POST", "/correct", body))[0] == 409
    # And nobody rings again, not even by hand.
    status, problem = await house.api("POST", "/redial", {})
    assert (status, "PERSON_VULNERABLE" in problem["reasons"]) == (409, True)


async def test_nothing_is_agreed_after_a_no_not_even_by_a_correction(house: House) -> None:
    attempt = (await talking(house))["call"]["attempt"]
    assert (await house.outcome("no_thanks"))[0] == 200
    assert (await house.seat())["call"]["ask_ended"] == "refused"
    assert (await house.outcome("member", AGREED))[0] == 409
    house.network.hang_up_by_person(house.live_legs()[0])
    await house.until(2)
    body = {"attempt": attempt, "outcome": "member", "details": AGREED}
    assert (await house.api("POST", "/correct", body))[0] == 409
    first = house.read(lambda tx: calls.get(tx, attempt))
    assert first.outcome == "no_thanks"


async def test_an_agreement_may_be_followed_by_no_more_calls(house: House) -> None:
    await talking(house)
    assert (await house.outcome("member", AGREED))[0] == 200
    assert (await house.api("POST", "/wish", {"wish": "never"}))[0] == 200
    assert house.calls()[0].outcome == "member"
    assert Scope.PERSON in opt_outs(house)


async def test_a_no_meant_for_the_last_person_never_meets_the_next(house: House) -> None:
    first = (await talking(house))["call"]["attempt"]
    second = (await next_talk(house))["call"]["attempt"]
    assert first != second
    # The page was a moment late: the no is honoured, and it is the first person's.
    status, _ = await house.api("POST", "/wish", {"wish": "never", "attempt": first})
    assert status == 200
    assert opt_outs(house) >= {Scope.PERSON, Scope.NUMBER}
    assert opt_outs(house, 4532200001) & {Scope.NUMBER} == set()
    assert (await house.seat())["call"]["wishes"] == []


async def test_an_outcome_for_the_last_person_never_meets_the_next(house: House) -> None:
    first = (await talking(house))["call"]["attempt"]
    second = (await next_talk(house))["call"]["attempt"]
    late = {"outcome": "member", "details": AGREED, "note": "", "next": "ready"}
    status, problem = await house.api("POST", "/outcome", {**late, "attempt": first})
    assert status == 409
    assert "Min vagt" in problem["detail"]
    assert house.calls()[1].outcome is None
    # The same once more is no error: only the answer had been lost.
    again = {"outcome": "no_thanks", "details": {}, "note": "", "next": "ready"}
    status, seat = await house.api("POST", "/outcome", {**again, "attempt": first})
    assert (status, seat["call"]["attempt"]) == (200, second)
    assert len(house.entries("outcome")) == 1


def test_nobody_s_wish_is_told_by_another_phoner(house: House) -> None:
    from callserver.domain.role import Role

    async def work() -> str:
        return str((await talking(house))["call"]["attempt"])

    attempt = asyncio.run(work())
    house.add_user("other", Role.PHONER)
    other = house.browser("other")
    other.api("POST", "/shift", {"campaign": "kanvas"})
    reply = other.api("POST", "/wish", {"wish": "never", "attempt": attempt})
    assert reply.status_code == 409
    assert opt_outs(house) == set()


async def test_never_as_an_outcome_reaches_person_and_number(house: House) -> None:
    await talking(house)
    assert (await house.outcome("never"))[0] == 200
    assert opt_outs(house) == {Scope.PERSON, Scope.NUMBER}
    entry = house.entries("suppressed")[0]
    assert entry["call"] == house.calls()[0].attempt
