"""Orders to a listener's leg that the provider refuses, loses, or carries out late: nobody is called into
a room with a voice in it that may not be there, and no phoner waits for ever for that."""

from dataclasses import replace
from typing import Any

import pytest

from callserver.database import seats
from callserver.ports import Tx
from callserver.simulator.faults import NONE
from callserver.simulator.legs import Leg, OrderRefused
from callserver.texts import say
from tests.harness.listening import CONTACT, PHONER, SUPERVISOR, ListeningSystem
from tests.harness.simulated import failing

NEXT = "+4532200001"


async def joined(system: ListeningSystem, mode: str = "join") -> Leg:
    await system.talking()
    assert await system.listen(mode) == 200
    await system.pass_time(2)
    ear = system.ear()
    assert ear is not None
    assert bool(system.hearers(ear)) == (mode != "silent")
    return ear


def goes_wrong(system: ListeningSystem, **faults: float) -> None:
    system.network.faults = replace(NONE, **faults)


def refusing(
    system: ListeningSystem, status: int, *, times: int = 1, created: bool = False
) -> list[Any]:
    """The network refuses so many orders to legs (or to ring one); what was asked."""
    rest: Any = system.world.rest_api
    asked: list[Any] = []

    def refuse(order: Any) -> None:
        asked.append(order)
        if len(asked) <= times:
            raise OrderRefused(status, 20429 if status == 429 else 20500, "no")

    def updated(order: str) -> str:
        refuse(order)
        return ""

    async def ordered(leg: Leg, shown: Any) -> Any:
        refuse(leg.to)
        return await really(leg, shown)

    really = rest.create_leg
    setattr(rest, *(("create_leg", ordered) if created else ("update_fault", updated)))
    return asked


async def next_call(system: ListeningSystem, seconds: float = 8) -> None:
    """The person hangs up, the outcome is saved, and the next one is dialed."""
    system.network.hang_up_by_person(system.live_legs(CONTACT)[0])
    await system.pass_time(0.5)
    assert (await system.outcome("no_thanks"))[0] == 200
    for _ in range(round(seconds * 2)):
        await system.pass_time(0.5)
        system.check()


async def test_a_voice_that_is_falsely_said_to_be_gone_is_not_believed_gone(
    system: ListeningSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """404 to every order about a leg that lives: the provider is asked, and nobody is called into its room."""
    ear = await joined(system)

    def gone(order: str) -> str:
        raise OrderRefused(404, 20404, order)

    monkeypatch.setattr(system.world.rest_api, "update_fault", gone)
    await next_call(system, seconds=60)
    assert ear.live
    assert all("+" not in one for one in system.hearers(ear))


@pytest.mark.parametrize("fault", ["redirect_refused", "redirect_broken"])
async def test_a_joined_voice_that_cannot_be_moved_is_hung_up(
    system: ListeningSystem, fault: str
) -> None:
    """429 or 500 to every redirect: the next person never hears it, and the next call goes out."""
    ear = await joined(system)
    goes_wrong(system, **{fault: 1.0})
    await next_call(system)
    assert not ear.live
    assert system.network.record[-1].number == NEXT
    assert system.network.record[-1].heard == "phoner"
    mine = (await system.ask("GET", "/listenings/mine"))[1]
    assert (mine["open"], mine["ended"]["because"]) == (None, "not_moved")


@pytest.mark.parametrize("how", ["stop", "another_seat", "talk_over"])
@pytest.mark.parametrize("fault", ["refused", "broken"])
async def test_nobody_is_dialed_while_a_voice_may_be_in_the_room(
    system: ListeningSystem, fault: str, how: str
) -> None:
    """No order to a leg is carried out at all: the phoner waits, is told why, and gets another room."""
    ear = await joined(system)
    if how == "another_seat":
        await system.talking(2)
    goes_wrong(system, **{f"redirect_{fault}": 1.0, f"hang_up_{fault}": 1.0})
    if how == "stop":
        assert await system.stop() == 200
    elif how == "another_seat":
        assert await system.listen("silent", seat=2) == 200
    await next_call(system, 5)
    seat = await system.seat()
    assert (seat["state"], seat["reason"]) == ("waiting", "listener_leaves")
    assert seat["until"] is not None
    assert not [ring for ring in system.network.record if ring.number == "+4532200002"]
    before = len(system.network.record)
    assert PHONER in system.hearers(ear)
    # The phoner's telephone is called again, and the next room has no listener in it.
    goes_wrong(system, redirect_refused=0.0)
    system.network.faults = replace(NONE, **{f"redirect_{fault}": 1.0})
    await system.pass_time(2)
    assert not ear.live
    await system.pass_time(8)
    system.check()
    assert len(system.network.record) == before + 1
    assert system.network.record[-1].heard == "phoner"


async def test_a_room_that_cannot_be_cleared_is_given_up(system: ListeningSystem) -> None:
    """The provider ends no listener's leg for a minute: the phoner's telephone is called again, and the next call is placed."""

    ear = await joined(system)
    away = [failing(system, order, times=10**6, only=ear.sid) for order in ("hear", "hang_up")]
    await system.stop()
    await next_call(system, 60)
    assert ear.live
    assert system.network.record[-1].number == NEXT
    assert system.network.record[-1].heard == "phoner"
    assert any(away)
    for order in ("hear", "hang_up"):
        delattr(system.server.ctx.telephony, order)  # the provider is back
    await system.pass_time(3)
    assert not ear.live


async def test_no_dial_by_hand_goes_round_it(system: ListeningSystem) -> None:
    await joined(system)
    goes_wrong(system, redirect_refused=1.0, hang_up_broken=1.0)
    system.network.hang_up_by_person(system.live_legs(CONTACT)[0])
    await system.pass_time(0.5)
    await system.stop()
    assert (await system.outcome("no_thanks", then="pause"))[0] == 200
    status, answer = await system.api("POST", "/dial", {"number": NEXT})
    assert (status, answer["detail"]) == (409, say("da", "error.listener_leaves"))
    assert len(system.calls()) == 1
    assert not system.entries("permitted")[1:], "nothing of the attempt is left"
    system.network.faults = NONE
    status, answer = await system.api("POST", "/dial", {"number": NEXT})
    assert status == 200, answer
    await system.pass_time(5)
    system.check()
    assert system.network.record[-1].number == NEXT


@pytest.mark.parametrize("status", [429, 500])
@pytest.mark.parametrize("mode", ["silent", "join"])
async def test_one_refusal_ends_no_session(system: ListeningSystem, status: int, mode: str) -> None:
    """The order is given again within the second, and the session goes on with the next call."""
    ear = await joined(system, mode)
    asked = refusing(system, status)
    await next_call(system)
    assert len(asked) > 1
    assert system.ear() is ear
    assert system.heard(ear) == {PHONER, NEXT}
    assert not system.entries("listening_stopped")


async def test_one_429_to_the_ring_ends_no_session(system: ListeningSystem) -> None:
    await system.talking()
    asked = refusing(system, 429, times=2, created=True)
    assert await system.listen() == 200
    await system.pass_time(3)
    ear = system.ear()
    assert len(asked) == 3
    assert ear is not None
    assert system.heard(ear) == {PHONER, CONTACT}


async def test_another_mode_for_a_leg_whose_order_fails_is_given_again(
    system: ListeningSystem,
) -> None:
    """From coach to join: what is not carried out at first leaves the session as it was."""
    ear = await joined(system, "coach")
    goes_wrong(system, redirect_refused=1.0)
    assert await system.listen("join") == 200
    await system.pass_time(2)
    assert system.hearers(ear) == {PHONER}
    system.network.faults = NONE
    await system.pass_time(5)
    assert system.ear() is ear
    assert system.hearers(ear) == {PHONER, CONTACT}


def kept_documents(system: ListeningSystem) -> list[bytes]:
    """What legs are told from now on, and do."""
    documents: list[bytes] = []
    execute = system.network.twiml.execute

    async def kept(leg: Leg, twiml: bytes) -> None:
        documents.append(twiml)
        await execute(leg, twiml)

    system.network.twiml.execute = kept  # type: ignore[method-assign]
    return documents


@pytest.mark.parametrize("lower", ["silent", "coach"])
async def test_an_older_answer_in_the_same_room_is_noticed(
    system: ListeningSystem, lower: str
) -> None:
    """Of two answers the network carries out the older one last: the leg is in the right room, in the
    wrong mode. Two servers that both ask a leg to move may bring that about."""
    await system.talking()
    documents = kept_documents(system)
    assert await system.listen("join") == 200
    await system.pass_time(2)
    ear = system.ear()
    assert ear is not None
    loud = documents[-1]
    assert await system.listen(lower) == 200
    await system.pass_time(2)
    assert CONTACT not in system.hearers(ear)
    await system.network.twiml.execute(ear, loud)
    assert CONTACT in system.hearers(ear)
    await system.pass_time(1)
    assert CONTACT not in system.hearers(ear)
    assert system.ear() is ear


async def test_a_leg_is_told_to_ask_once_at_a_time(system: ListeningSystem) -> None:
    """While it has not asked yet, no second order is given, by whichever process."""
    told: list[Any] = []

    def look(tx: Tx) -> None:
        seat = seats.lock(tx, 1)
        assert seat is not None
        system.server.listener_legs.look_at_seat(tx, seat)

    ear = await joined(system, "coach")
    telephony: Any = system.server.ctx.telephony
    really = telephony.hear

    async def slow(ref: str, what: Any) -> Any:
        told.append(what)
        if len(told) == 1:
            # Meanwhile the talk moves on, and the scheduler and the dialer look at the same leg.
            for _ in range(3):
                await system.server.ctx.store.run(look)
        return await really(ref, what)

    telephony.hear = slow
    assert await system.listen("join") == 200
    await system.pass_time(0.5)
    assert len(told) == 1
    assert system.hearers(ear) == {PHONER, CONTACT}


async def test_a_page_that_is_reloaded_leaves_no_leg_behind(system: ListeningSystem) -> None:
    """The old leg is hung up until it is gone, and nobody is dialed while it may be in the room."""
    await system.talking()
    assert await system.listen("join", browser=True) == 200
    url = f"{system.plan.public_url}/twilio/voice/client"
    line = f"client:listener_{SUPERVISOR}"
    old = await system.network.call_in(line, "", url)
    await system.pass_time(1)
    assert CONTACT in system.hearers(old)
    goes_wrong(system, hang_up_broken=1.0)
    new = await system.network.call_in(line, "", url)
    await system.pass_time(1)
    assert system.heard(new)
    await next_call(system, 5)
    assert (await system.seat())["reason"] == "listener_leaves"
    system.network.faults = NONE
    await system.pass_time(6)
    assert not old.live
    assert system.heard(new) == {PHONER, NEXT}
