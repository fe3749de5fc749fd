"""Who called me, and why? Looked up, logged, and stopped there and then."""

import pytest

from callserver.simulator.legs import Behaviour
from tests.harness.staffed import StaffedSystem


async def rung(system: StaffedSystem, times: int = 1) -> None:
    """Somebody was called, and nobody answered."""
    system.people.default = Behaviour()

    await system.on_shift(1)
    for _ in range(times):
        await system.ready()
        await system.pass_time(60)


async def test_the_answer_can_be_read_out_and_says_who_looked(system: StaffedSystem) -> None:
    await rung(system)
    number = f"{system.calls()[0].number}"[2:]
    client = await system.client("member_service")
    history = (await client.api("POST", "/who-called", {"number": f" {number} "})).json()
    assert history["number"].replace(" ", "") == number
    texts = [sentence["text"] for sentence in history["said"]]
    assert len(texts) >= 2
    assert "ringede" in texts[0]
    assert "gade" in texts[-1]  # where the number comes from
    assert not history["suppressed"]
    entry = system.look_ups()[-1]
    assert entry["by"].startswith("user:")
    assert number not in str(entry)


async def test_never_again_before_the_next_dial(system: StaffedSystem) -> None:
    await rung(system)
    number = f"{system.calls()[0].number}"[2:]
    client = await system.client("member_service")
    reply = await client.api("POST", "/who-called/opt-out", {"number": number, "reach": "never"})
    assert "aldrig" not in reply.json()["text"]
    assert number == "".join(filter(str.isdigit, reply.json()["text"]))[-8:]
    after = (await client.api("POST", "/who-called", {"number": number})).json()
    assert after["suppressed"]

    await system.api("POST", "/pause", {})
    await system.pass_time(60)
    status, said = await system.api("POST", "/dial", {"number": number})
    assert status == 409
    assert {"SUP_NUMBER", "SUP_PERSON"} <= set(said["reasons"])


async def test_a_telephone_that_rings_falls_silent(system: StaffedSystem) -> None:
    system.people.default = Behaviour()

    await system.on_shift(1)
    await system.ready()
    await system.pass_time(5)
    number = system.live_legs()[0].to
    client = await system.client("member_service")
    await client.api("POST", "/who-called/opt-out", {"number": number, "reach": "number"})
    await system.pass_time(1.5)
    assert not system.live_legs(number)


async def test_another_departments_calls_are_counted_but_not_told(system: StaffedSystem) -> None:
    await rung(system)
    number = f"{system.calls()[0].number}"[2:]
    from callserver.domain.role import Role

    system.add_user("syd", Role.SUPERVISOR, "syd")
    seen = (
        await (await system.client("syd")).api("POST", "/who-called", {"number": number})
    ).json()
    assert seen["elsewhere"] >= 1
    assert not any(
        "ring" in sentence["text"] or "opkald" in sentence["text"] for sentence in seen["said"]
    )
    own = (
        await (await system.client("supervisor")).api("POST", "/who-called", {"number": number})
    ).json()
    assert own["elsewhere"] == 0


@pytest.mark.parametrize(
    "number", ["", "ab12", "20 12 34 56 / 33 11 22 33", "２０１２３４５６", "999"]
)
async def test_what_is_no_number_is_said_kindly(system: StaffedSystem, number: str) -> None:
    reply = await (await system.client("member_service")).api(
        "POST", "/who-called", {"number": number}
    )
    assert reply.status_code in (409, 422)
    assert "detail" in reply.json()


async def test_an_unknown_number_can_be_stopped_too(system: StaffedSystem) -> None:
    client = await system.client("member_service")
    history = (await client.api("POST", "/who-called", {"number": "32987654"})).json()
    said = history["said"][0]["text"]
    assert said.startswith("Der er ikke registreret noget opkald"), "what was dropped is not denied"
    body = {"number": "32987654", "reach": "household"}
    assert (await client.api("POST", "/who-called/opt-out", body)).status_code == 200
    assert (await client.api("POST", "/who-called", {"number": "32987654"})).json()["suppressed"]
