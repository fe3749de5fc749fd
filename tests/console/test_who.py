"""Who called me, and why? Looked up, logged, and stopped there and then."""

import asyncio

import pytest

from callserver.simulator.legs import Behaviour
from tests.harness.staffed import StaffedSystem


def rung(system: StaffedSystem, times: int = 1) -> None:
    """Somebody was rung, and nobody took it."""
    system.people.default = Behaviour()

    async def work() -> None:
        await system.on_shift(1)
        for _ in range(times):
            await system.ready()
            await system.until(60)

    asyncio.run(work())


def test_the_answer_can_be_read_out_and_says_who_looked(system: StaffedSystem) -> None:
    rung(system)
    number = f"{system.calls()[0].number}"[2:]
    client = system.client("member_service")
    found = client.api("POST", "/who-called", {"number": f" {number} "}).json()
    assert found["number"].replace(" ", "") == number
    texts = [one["text"] for one in found["said"]]
    assert len(texts) >= 2
    assert "ringede" in texts[0]
    assert "gade" in texts[-1]  # where the number comes from
    assert not found["suppressed"]
    entry = system.entries("looked_up")[-1]
    assert entry["by"].startswith("user:")
    assert number not in str(entry)


def test_never_again_before_the_next_dial(system: StaffedSystem) -> None:
    rung(system)
    number = f"{system.calls()[0].number}"[2:]
    client = system.client("member_service")
    reply = client.api("POST", "/who-called/opt-out", {"number": number, "reach": "never"})
    assert "aldrig" not in reply.json()["text"]
    assert number == "".join(filter(str.isdigit, reply.json()["text"]))[-8:]
    after = client.api("POST", "/who-called", {"number": number}).json()
    assert after["suppressed"]

    async def again() -> None:
        await system.api("POST", "/pause", {})
        await system.until(60)
        status, said = await system.api("POST", "/dial", {"number": number})
        assert status == 409
        assert {"SUP_NUMBER", "SUP_PERSON"} <= set(said["reasons"])

    asyncio.run(again())


def test_a_telephone_that_rings_falls_silent(system: StaffedSystem) -> None:
    system.people.default = Behaviour()

    async def ring() -> str:
        await system.on_shift(1)
        await system.ready()
        await system.until(5)
        return system.live_legs()[0].to

    number = asyncio.run(ring())
    client = system.client("member_service")
    client.api("POST", "/who-called/opt-out", {"number": number, "reach": "number"})
    asyncio.run(system.until(1.5))
    assert not system.live_legs(number)


def test_another_departments_calls_are_counted_but_not_told(system: StaffedSystem) -> None:
    rung(system)
    number = f"{system.calls()[0].number}"[2:]
    from callserver.domain.role import Role

    system.add_user("syd", Role.SUPERVISOR, "syd")
    seen = system.client("syd").api("POST", "/who-called", {"number": number}).json()
    assert seen["elsewhere"] >= 1
    assert "ringede" not in seen["said"][0]["text"]
    own = system.client("supervisor").api("POST", "/who-called", {"number": number}).json()
    assert own["elsewhere"] == 0


@pytest.mark.parametrize(
    "number", ["", "ab12", "20 12 34 56 / 33 11 22 33", "２０１２３４５６", "999"]
)
def test_what_is_no_number_is_said_kindly(system: StaffedSystem, number: str) -> None:
    reply = system.client("member_service").api("POST", "/who-called", {"number": number})
    assert reply.status_code in (409, 422)
    assert "detail" in reply.json()


def test_an_unknown_number_can_be_stopped_too(system: StaffedSystem) -> None:
    client = system.client("member_service")
    found = client.api("POST", "/who-called", {"number": "32987654"}).json()
    assert found["said"][0]["text"] == "Vi har aldrig ringet til dette nummer."
    body = {"number": "32987654", "reach": "household"}
    assert client.api("POST", "/who-called/opt-out", body).status_code == 200
    assert client.api("POST", "/who-called", {"number": "32987654"}).json()["suppressed"]
