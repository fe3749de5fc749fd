"""However a role-play call ends, both softphones leave it and nothing is left."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from callserver.database import role_plays
from callserver.domain.role_play import LONGEST
from callserver.ports import Leg, LegState
from callserver.simulator.faults import ALL, NONE
from tests.journeys.role_plays.conftest import APPLICANT, INTERVIEWER, RolePlay


@pytest.mark.parametrize("line", [APPLICANT, INTERVIEWER])
async def test_both_leave_when_one_is_gone(call: RolePlay, line: str) -> None:
    await call.talking()
    await call.system.network.end(call.leg(line), "completed")
    await call.system.pass_time(3)
    assert call.legs() == []
    assert call.row.ended_because == "leg_gone"
    await call.nothing_is_left()


async def test_both_leave_when_the_server_is_dead(call: RolePlay) -> None:
    await call.talking()
    call.system.world.app = None
    await call.system.network.end(call.leg(APPLICANT), "completed")
    for _ in range(3):
        due = call.system.world.agenda.next_at()
        if due is not None and due <= call.system.clock.now() + timedelta(seconds=1):
            await call.system.world.agenda.pop()()
    assert call.legs() == []
    call.system.restart()
    await call.system.server.scheduler.start()
    await call.nothing_is_left()


async def test_a_reload_before_the_call_begins_leaves_one_leg(call: RolePlay) -> None:
    assert await call.enter(await call.begin()) == 200
    await call.ring(guest=False)
    await call.ring(guest=False)  # the interviewer's page was reloaded
    assert [leg.to for leg in call.legs()] == [INTERVIEWER]
    await call.ring(interviewer=False)
    assert call.row.started_at is not None
    assert len(call.pairs()) == 2
    await call.ring()  # too late: the call goes on with the legs that it began with
    assert len(call.legs()) == 2
    await call.interviewer.api("POST", "/role-plays/1/end", {})
    await call.nothing_is_left()


@pytest.mark.parametrize(
    "faults",
    [
        {"hang_up_refused": 1.0},
        {"hang_up_broken": 1.0},
        {"hang_up_broken_after": 1.0},
        {"dropped": 1.0},
        {"doubled": 1.0},
        {"too_many": 1.0},
        {"broken": 1.0},
        {"broken_after": 1.0},
        {"order_lost": 1.0},
        {"reply_lost": 1.0},
        {"early": 1.0},
    ],
    ids=lambda faults: next(iter(faults)),
)
async def test_a_network_that_fails_leaves_nothing_behind(
    call: RolePlay, faults: dict[str, float]
) -> None:
    network = call.system.network
    if set(faults) & {"hang_up_refused", "hang_up_broken", "hang_up_broken_after", "dropped"}:
        await call.talking()
        network.faults = replace(NONE, **faults)
        network.callbacks.faults = network.faults
        await call.guest.api("POST", "/role-play/end", {})
        await call.system.pass_time(5)
        network.faults = NONE
        network.callbacks.faults = NONE
        await call.nothing_is_left()
        return
    network.faults = replace(NONE, **faults)
    assert await call.enter(await call.begin()) == 200
    for _ in range(3):
        await call.ring()
        call.check()
    network.faults = NONE
    await call.system.pass_time(40)
    await call.ring()
    assert call.row.started_at is not None, faults
    await call.interviewer.api("POST", "/role-plays/1/end", {})
    await call.nothing_is_left()


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_happens_nothing_is_left(call: RolePlay, seed: int) -> None:
    """Pages, networks and servers fail at random."""
    dice, system = random.Random(seed), call.system
    system.network.faults = system.network.callbacks.faults = replace(
        ALL, typed_line=0.0, leg_dies_ringing=0.0, leg_dies_talking=0.0, delay_seconds=8.0
    )
    code = await call.begin()
    for _ in range(40):
        match dice.choice(["enter", "ring", "ring", "ring", "lose", "end", "begin", "restart"]):
            case "enter":
                await call.enter(code)
            case "ring":
                path = dice.choice(["/role-play/ring", f"/role-plays/{call.latest}/ring"])
                client = call.guest if path == "/role-play/ring" else call.interviewer
                await client.api("POST", path, {})
            case "lose" if call.all_legs():
                await system.network.end(dice.choice(call.all_legs()), "completed")
            case "end" if dice.random() < 0.3:
                await call.interviewer.api("POST", f"/role-plays/{call.latest}/end", {})
            case "begin":
                path = f"/applicants/{call.applicant}/role-play"
                reply = await call.interviewer.api("POST", path, {"campaign": "kanvas"})
                code = reply.json().get("code", code)
            case "restart" if dice.random() < 0.3:
                system.restart()
                await system.server.scheduler.start()
        await system.pass_time(dice.choice([0.2, 1, 5, 20]))
        call.check()
    system.network.faults = system.network.callbacks.faults = NONE
    await call.interviewer.api("POST", f"/role-plays/{call.latest}/end", {})
    await system.pass_time(120)
    assert system.network.listening_record.role_plays.stays, "nobody came into a room"
    assert call.all_legs() == []
    keys = range(1, call.latest + 1)
    rows = system.read(lambda tx: [role_plays.get(tx, key) for key in keys])
    assert all(row.ended_at and row.legs == [] and row.look_at is None for row in rows), rows
    assert system.rang() == []


async def test_it_ends_by_itself_whatever_the_hour(call: RolePlay) -> None:
    call.system.clock.set(call.system.clock.now().replace(hour=18, minute=50))  # 20:50 in Denmark
    await call.talking()
    await call.system.pass_time(20 * 60)  # closing time passes
    assert call.row.ended_at is None
    await call.system.pass_time(LONGEST.total_seconds() - 20 * 60 + 60)
    assert call.row.ended_because == "too_long"
    await call.nothing_is_left()


async def test_it_ends_when_the_interviewer_leaves_or_it_is_decided(call: RolePlay) -> None:
    await call.talking()
    administrator = await call.system.client("anders")
    user = call.row.interviewer
    reply = await administrator.api("POST", f"/accounts/{user}/off-board", {})
    assert reply.status_code == 200, reply.text
    await call.system.pass_time(2)
    assert call.row.ended_because == "right_gone"
    await call.nothing_is_left()


@pytest.mark.parametrize("path", ["reject", "delete"])
async def test_it_ends_when_it_is_decided_about_the_applicant(call: RolePlay, path: str) -> None:
    await call.talking()
    await call.interviewer.api("POST", f"/applicants/{call.applicant}/{path}", {})
    await call.system.pass_time(5)
    assert call.legs() == []
    assert (await call.guest.api("GET", "/role-play")).status_code == 404


async def test_a_leg_that_a_look_up_calls_ended_is_ended(call: RolePlay) -> None:
    """The answer was wrong: the interviewer waits in the room."""
    assert await call.enter(await call.begin()) == 200
    await call.ring(guest=False)
    (leg,) = call.legs()
    telephony = call.system.server.ctx.telephony
    really = telephony.leg

    async def wrong(ref: str) -> Leg:
        return Leg(LegState.UNKNOWN_LEG, ref) if ref == leg.sid else await really(ref)

    telephony.leg = wrong  # type: ignore[method-assign]
    await call.system.pass_time(40)
    assert call.row.legs == []
    assert not leg.live
