"""How much one person may do in a short time: look-ups, numbers typed by hand, live pages."""

from datetime import timedelta

from callserver.engine.rate_limits import DIALS, MOST_STREAMS
from tests.harness.live_streams import Stream
from tests.harness.staffed import StaffedSystem
from tests.harness.waiting import eventually


async def test_look_ups_are_limited_wherever_they_are_made(system: StaffedSystem) -> None:
    limit = system.server.ctx.rules.current.organisation.look_ups
    client, most = await system.client("supervisor"), limit.most
    answers = []
    for n in range(most + 2):
        path = "/who-called" if n % 2 else "/suppressions/search"
        answers.append(await client.api("POST", path, {"number": f"3298{n:04}"}))
    assert [answer.status_code for answer in answers] == [200] * most + [429] * 2
    assert int(answers[-1].headers["retry-after"]) <= 600
    told = system.entries("pace")
    assert [(entry["what"], entry["by"].startswith("user:")) for entry in told] == [
        ("look_up", True)
    ]
    alarms = (await client.api("GET", "/floor/figures")).json()["alarms"]
    assert "pace" in [alarm["kind"] for alarm in alarms]
    # Opting somebody out is never held up, and nobody else is.
    body = {"number": "32989999", "reach": "never"}
    assert (await client.api("POST", "/who-called/opt-out", body)).status_code == 200
    other = await system.client("member_service")
    assert (await other.api("POST", "/who-called", {"number": "32980000"})).status_code == 200
    system.clock.set(system.clock.now() + timedelta(minutes=limit.within_minutes))
    assert (await client.api("POST", "/who-called", {"number": "32980000"})).status_code == 200


async def test_typed_numbers_are_limited(system: StaffedSystem) -> None:
    await system.on_shift(1)
    answers = [
        (await system.api("POST", "/dial", {"number": f"3298{n:04}"}))[0]
        for n in range(DIALS.most + 1)
    ]
    assert answers == [404] * DIALS.most + [429]
    assert [entry["what"] for entry in system.entries("pace")] == ["dial"]


async def test_live_pages_are_limited_and_closing_one_makes_room(system: StaffedSystem) -> None:
    """Also when all of them come at the same moment."""
    client = await system.client("leader")
    streams = [Stream(client) for _ in range(3 * MOST_STREAMS)]
    await eventually(lambda: all(stream.status for stream in streams))
    assert (
        sorted(stream.status for stream in streams)
        == [200] * MOST_STREAMS + [429] * 2 * MOST_STREAMS
    )
    await next(stream for stream in streams if stream.status == 200).close()
    again = Stream(client)
    await eventually(lambda: again.status)
    assert again.status == 200
    for stream in (*streams, again):
        await stream.close()
    assert [entry["what"] for entry in system.entries("pace")] == ["stream"]
    last = Stream(client)
    await eventually(lambda: last.status)
    assert last.status == 200
    await last.close()
