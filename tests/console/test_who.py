"""Who called me, and why? Looked up, logged, and stopped there and then."""

import asyncio

import pytest

from callserver.simulator.legs import Behaviour
from tests.console.conftest import House


def rung(house: House, times: int = 1) -> None:
    """Somebody was rung, and nobody took it."""
    house.people.default = Behaviour()

    async def work() -> None:
        await house.on_shift(1)
        for _ in range(times):
            await house.ready()
            await house.until(60)

    asyncio.run(work())


def test_the_answer_can_be_read_out_and_says_who_looked(house: House) -> None:
    rung(house)
    number = f"{house.calls()[0].number}"[2:]
    browser = house.browser("member_service")
    found = browser.api("POST", "/who-called", {"number": f" {number} "}).json()
    assert found["number"].replace(" ", "") == number
    texts = [one["text"] for one in found["said"]]
    assert len(texts) >= 2
    assert "ringede" in texts[0]
    assert "gade" in texts[-1]  # where the number comes from
    assert not found["suppressed"]
    entry = house.entries("looked_up")[-1]
    assert entry["by"].startswith("user:")
    assert number not in str(entry)


def test_never_again_before_the_next_dial(house: House) -> None:
    rung(house)
    number = f"{house.calls()[0].number}"[2:]
    browser = house.browser("member_service")
    reply = browser.api("POST", "/who-called/opt-out", {"number": number, "reach": "never"})
    assert "aldrig" not in reply.json()["text"]
    assert number == "".join(filter(str.isdigit, reply.json()["text"]))[-8:]
    after = browser.api("POST", "/who-called", {"number": number}).json()
    assert after["suppressed"]

    async def again() -> None:
        await house.api("POST", "/pause", {})
        await house.until(60)
        status, said = await house.api("POST", "/dial", {"number": number})
        assert status == 409
        assert {"SUP_NUMBER", "SUP_PERSON"} <= set(said["reasons"])

    asyncio.run(again())


def test_a_telephone_that_rings_falls_silent(house: House) -> None:
    house.people.default = Behaviour()

    async def ring() -> str:
        await house.on_shift(1)
        await house.ready()
        await house.until(5)
        return house.live_legs()[0].to

    number = asyncio.run(ring())
    browser = house.browser("member_service")
    browser.api("POST", "/who-called/opt-out", {"number": number, "reach": "number"})
    asyncio.run(house.until(1.5))
    assert not house.live_legs(number)


def test_another_departments_calls_are_counted_but_not_told(house: House) -> None:
    rung(house)
    number = f"{house.calls()[0].number}"[2:]
    from callserver.domain.role import Role

    house.add_user("syd", Role.SUPERVISOR, "syd")
    seen = house.browser("syd").api("POST", "/who-called", {"number": number}).json()
    assert seen["elsewhere"] >= 1
    assert "ringede" not in seen["said"][0]["text"]
    own = house.browser("supervisor").api("POST", "/who-called", {"number": number}).json()
    assert own["elsewhere"] == 0


@pytest.mark.parametrize(
    "number", ["", "ab12", "20 12 34 56 / 33 11 22 33", "２０１２３４５６", "999"]
)
def test_what_is_no_number_is_said_kindly(house: House, number: str) -> None:
    reply = house.browser("member_service").api("POST", "/who-called", {"number": number})
    assert reply.status_code in (409, 422)
    assert "detail" in reply.json()


def test_an_unknown_number_can_be_stopped_too(house: House) -> None:
    browser = house.browser("member_service")
    found = browser.api("POST", "/who-called", {"number": "32987654"}).json()
    assert found["said"][0]["text"] == "Vi har aldrig ringet til dette nummer."
    body = {"number": "32987654", "reach": "household"}
    assert browser.api("POST", "/who-called/opt-out", body).status_code == 200
    assert browser.api("POST", "/who-called", {"number": "32987654"}).json()["suppressed"]
