"""Listening through the people's door: every role and mode, tokens, and what is told live."""

import asyncio

import pytest

from callserver.database import accounts
from callserver.domain.listening import Mode
from callserver.domain.role import Action, Role
from callserver.engine.accounts.authentication import hash_of, new_token
from tests.harness.live_streams import events, stream
from tests.harness.staffed import Client, StaffedSystem
from tests.harness.waiting import eventually

MAY_HEAR = {Role.SUPERVISOR, Role.LEADER}


async def talk(system: StaffedSystem) -> None:
    await system.on_shift()
    await system.ready()
    await system.pass_time(6)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("mode", Mode)
async def test_every_role_and_mode(system: StaffedSystem, role: Role, mode: Mode) -> None:
    await talk(system)
    asked = {"seat": 1, "mode": mode.value, "why": "quality"}
    reply = await (await system.client(role.value)).api("POST", "/listenings", asked)
    if role in MAY_HEAR:
        assert reply.status_code == 200
        assert reply.json()["open"]["mode"] == mode.value
    else:
        assert reply.status_code == 403
        assert reply.json()["reasons"][0] in ("ROLE", "NOT_MENTOR")
        assert system.entries("listen_denied")
    listened = [leg for leg in system.network.legs.values() if "listener" in leg.to]
    assert bool(listened) == (role in MAY_HEAR)


async def test_a_no_is_said_in_the_readers_language(system: StaffedSystem) -> None:
    await talk(system)
    asked = {"seat": 1, "mode": "silent", "why": "quality"}
    administrator = await system.client("administrator")
    danish = (await administrator.api("POST", "/listenings", asked)).json()["detail"]
    await administrator.api("POST", "/me/language", {"language": "en"})
    english = (await administrator.api("POST", "/listenings", asked)).json()["detail"]
    assert danish == "Din rolle giver ikke ret til det."
    assert english == "Your role does not include this."


@pytest.mark.parametrize(
    ("scopes", "mode", "status"),
    [
        ([Action.LISTEN], "silent", 200),
        ([Action.LISTEN], "coach", 403),
        ([Action.SEE_FLOOR], "silent", 403),
        ([Action.COACH], "silent", 403),
        ([Action.COACH, Action.LISTEN], "coach", 200),
        (None, "coach", 200),
    ],
)
async def test_a_token_hears_only_what_it_is_for(
    system: StaffedSystem, scopes: list[Action] | None, mode: str, status: int
) -> None:
    await talk(system)
    token, hashed = new_token()
    user = system.read(lambda tx: accounts.by_handle(tx, "supervisor"))
    now = system.clock.now()
    system.write(lambda tx: accounts.add_token(tx, hashed, user.id, "t", now, scopes=scopes))
    asked = {"seat": 1, "mode": mode, "why": "quality"}
    header = {"authorization": f"Bearer {token}"}
    assert (await Client(system).api("POST", "/listenings", asked, **header)).status_code == status


async def test_a_listener_is_told_when_their_telephone_is_in_the_room(
    system: StaffedSystem,
) -> None:
    user = system.read(lambda tx: accounts.by_handle(tx, "supervisor"))
    system.write(lambda tx: accounts.add_token(tx, hash_of("t9"), user.id, "t", system.clock.now()))

    async def in_room() -> bool:
        _, mine = await system.api("GET", "/listenings/mine", phoner=9)
        in_room: bool = mine["open"]["in_room"]
        return in_room

    await system.on_shift()
    await system.pass_time(3)
    asked = {"seat": 1, "mode": "silent", "why": "quality"}
    status, mine = await system.api("POST", "/listenings", asked, phoner=9)
    assert (status, mine["open"]["in_room"]) == (200, False)
    await system.pass_time(3)
    assert not await in_room(), "connected, but nobody is called"
    await system.ready()
    await system.pass_time(6)
    assert (await system.seat())["state"] == "talking"
    assert await in_room()
    await system.api("POST", "/hang-up", {})
    await system.pass_time(3)
    assert not await in_room()


async def test_who_listens_and_who_was_heard_are_told(system: StaffedSystem) -> None:
    """The supervisor listens to another phoner's seat through a token; both pages hear of it."""
    user = system.read(lambda tx: accounts.by_handle(tx, "supervisor"))
    me = system.read(lambda tx: accounts.by_handle(tx, "phoner"))
    system.write(lambda tx: accounts.add_token(tx, hash_of("t9"), user.id, "t", system.clock.now()))
    system.write(lambda tx: accounts.add_token(tx, hash_of("t8"), me.id, "t", system.clock.now()))
    phoner, supervisor = await system.client("phoner"), await system.client("supervisor")

    line = {"campaign": "kanvas", "line": f"client:phoner_{me.id}"}
    _, seat = await system.api("POST", "/shift", line, phoner=8)
    await system.pass_time(5)
    async with stream(supervisor) as own, stream(phoner) as hearing:
        asked = {"seat": seat["id"], "mode": "coach", "why": "asked"}
        status, _ = await system.api("POST", "/listenings", asked, phoner=9)
        assert status == 200
        await system.pass_time(3)  # the telephone is answered
        mine = (await own.until("listening"))[-1][2]
        assert mine["open"]["mode"] == "coach"
        assert mine["phoner_told"] == "after"
        await asyncio.sleep(0.6)
        assert "event: listened_to_me" not in hearing.text, "told afterwards"
        await system.api("POST", "/off", {}, phoner=8)
        await system.pass_time(2)
        told = (await hearing.until("listened_to_me"))[-1][2]
        (listening,) = told["listenings"]
        assert [stay["mode"] for stay in listening["intervals"]] == ["coach"]
        assert (await own.until("listening", 2))[-1][2]["open"] is None


@pytest.mark.parametrize(("mode", "expected"), [("silent", False), ("coach", True)])
async def test_a_phoners_page_has_no_update_of_a_silent_listener(
    system: StaffedSystem, mode: str, expected: bool
) -> None:
    """Not even one that changes nothing: its instant would give the listener away."""
    user = system.read(lambda tx: accounts.by_handle(tx, "supervisor"))
    me = system.read(lambda tx: accounts.by_handle(tx, "phoner"))
    system.write(lambda tx: accounts.add_token(tx, hash_of("t9"), user.id, "t", system.clock.now()))
    system.write(lambda tx: accounts.add_token(tx, hash_of("t8"), me.id, "t", system.clock.now()))
    phoner, supervisor = await system.client("phoner"), await system.client("supervisor")
    line = {"campaign": "kanvas", "line": f"client:phoner_{me.id}"}
    _, seat = await system.api("POST", "/shift", line, phoner=8)
    await system.pass_time(5)
    async with stream(supervisor) as own, stream(phoner) as watched:
        asked = {"seat": seat["id"], "mode": mode, "why": "quality"}
        status, _ = await system.api("POST", "/listenings", asked, phoner=9)
        assert status == 200
        await own.until("listening")
        await system.api("POST", "/listenings/stop", {}, phoner=9)
        await own.until("listening", 2)
        if expected:
            await watched.until("seat")
        await system.api("POST", "/off", {}, phoner=8)  # an update of their own, after all of it
        await eventually(lambda: "off" in seat_states(watched.text))
    assert (len(seat_states(watched.text)) > 1) == expected


def seat_states(text: str) -> list[str]:
    return [view["state"] for _, name, view in events(text) if name == "seat"]
