"""Orders to a listener's leg that the provider refuses, loses, or carries out late: nobody is rung into
a room with a voice in it that may not be there, and no phoner waits for ever for that."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from callserver.database import seats
from callserver.ports import Tx
from callserver.simulator.faults import NONE
from callserver.simulator.legs import Leg, Refusal
from callserver.texts import say
from tests.ear_house import CONTACT, PHONER, SUPERVISOR, EarHouse
from tests.house import play

NEXT = "+4532200001"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[EarHouse]:
    made = EarHouse(tmp_path, phoners=2)
    yield made
    made.close()


async def joined(house: EarHouse, mode: str = "join") -> Leg:
    await house.talking()
    assert await house.listen(mode) == 200
    await house.until(2)
    ear = house.ear()
    assert ear is not None
    assert bool(house.hearers(ear)) == (mode != "silent")
    return ear


def goes_wrong(house: EarHouse, **faults: float) -> None:
    house.network.faults = replace(NONE, **faults)


def refusing(house: EarHouse, status: int, *, times: int = 1, created: bool = False) -> list[Any]:
    """The network refuses so many orders to legs (or to ring one); what was asked."""
    rest: Any = house.world._rest
    asked: list[Any] = []

    def refuse(order: Any) -> None:
        asked.append(order)
        if len(asked) <= times:
            raise Refusal(status, 20429 if status == 429 else 20500, "no")

    def updated(order: str) -> str:
        refuse(order)
        return ""

    async def ordered(leg: Leg, shown: Any) -> Any:
        refuse(leg.to)
        return await really(leg, shown)

    really = rest._ordered
    setattr(rest, *(("_ordered", ordered) if created else ("_update_fault", updated)))
    return asked


async def next_call(house: EarHouse, seconds: float = 8) -> None:
    """The person hangs up, the outcome is saved, and the next one is dialed."""
    house.network.hang_up_by_person(house.live_legs(CONTACT)[0])
    await house.until(0.5)
    assert (await house.outcome("no_thanks"))[0] == 200
    for _ in range(round(seconds * 2)):
        await house.until(0.5)
        house.check()


@pytest.mark.parametrize("fault", ["redirect_refused", "redirect_broken"])
async def test_a_joined_voice_that_cannot_be_moved_is_hung_up(house: EarHouse, fault: str) -> None:
    """429 or 500 to every redirect: the next person never hears it, and the next call goes out."""
    ear = await joined(house)
    goes_wrong(house, **{fault: 1.0})
    await next_call(house)
    assert not ear.live
    assert house.network.record[-1].number == NEXT
    assert house.network.record[-1].heard == "phoner"
    mine = (await house.ask("GET", "/listenings/mine"))[1]
    assert (mine["open"], mine["ended"]["because"]) == (None, "not_moved")


@pytest.mark.parametrize("how", ["stop", "another_seat", "talk_over"])
@pytest.mark.parametrize("fault", ["refused", "broken"])
async def test_nobody_is_dialed_while_a_voice_may_be_in_the_room(
    house: EarHouse, fault: str, how: str
) -> None:
    """No order to a leg is carried out at all: the phoner waits, is told why, and gets another room."""
    ear = await joined(house)
    if how == "another_seat":
        await house.talking(2)
    goes_wrong(house, **{f"redirect_{fault}": 1.0, f"hang_up_{fault}": 1.0})
    if how == "stop":
        assert await house.stop() == 200
    elif how == "another_seat":
        assert await house.listen("silent", seat=2) == 200
    await next_call(house, 5)
    seat = await house.seat()
    assert (seat["state"], seat["reason"]) == ("waiting", "listener_leaves")
    assert seat["until"] is not None
    assert not [ring for ring in house.network.record if ring.number == "+4532200002"]
    before = len(house.network.record)
    assert PHONER in house.hearers(ear)
    # Her telephone is rung anew, and her next room has no listener in it.
    goes_wrong(house, redirect_refused=0.0)
    house.network.faults = replace(NONE, **{f"redirect_{fault}": 1.0})
    await house.until(2)
    assert not ear.live
    await house.until(8)
    house.check()
    assert len(house.network.record) == before + 1
    assert house.network.record[-1].heard == "phoner"


def test_a_room_that_cannot_be_cleared_is_given_up(house: EarHouse) -> None:
    """The provider ends no listener's leg for a minute: the phoner is rung anew and dialed for."""

    async def work() -> None:
        ear = await joined(house)
        telephony: Any = house.server.ctx.telephony
        really = telephony._update

        async def fails(ref: str, **values: str) -> Any:
            if ref == ear.sid:
                raise OSError("the provider is away")
            return await really(ref, **values)

        telephony._update = fails
        await house.stop()
        await next_call(house, 60)
        assert ear.live
        assert house.network.record[-1].number == NEXT
        assert house.network.record[-1].heard == "phoner"
        telephony._update = really
        await house.until(3)
        assert not ear.live

    play(work())


async def test_no_dial_by_hand_goes_round_it(house: EarHouse) -> None:
    await joined(house)
    goes_wrong(house, redirect_refused=1.0, hang_up_broken=1.0)
    house.network.hang_up_by_person(house.live_legs(CONTACT)[0])
    await house.until(0.5)
    await house.stop()
    assert (await house.outcome("no_thanks", then="pause"))[0] == 200
    status, answer = await house.api("POST", "/dial", {"number": NEXT})
    assert (status, answer["detail"]) == (409, say("da", "error.listener_leaves"))
    assert len(house.calls()) == 1
    assert not house.entries("permitted")[1:], "nothing of the attempt is left"
    house.network.faults = NONE
    status, answer = await house.api("POST", "/dial", {"number": NEXT})
    assert status == 200, answer
    await house.until(5)
    house.check()
    assert house.network.record[-1].number == NEXT


@pytest.mark.parametrize("status", [429, 500])
@pytest.mark.parametrize("mode", ["silent", "join"])
async def test_one_refusal_ends_no_session(house: EarHouse, status: int, mode: str) -> None:
    """The order is given again within the second, and the session goes on with the next call."""
    ear = await joined(house, mode)
    asked = refusing(house, status)
    await next_call(house)
    assert len(asked) > 1
    assert house.ear() is ear
    assert house.heard(ear) == {PHONER, NEXT}
    assert not house.entries("listening_stopped")


async def test_one_429_to_the_ring_ends_no_session(house: EarHouse) -> None:
    await house.talking()
    asked = refusing(house, 429, times=2, created=True)
    assert await house.listen() == 200
    await house.until(3)
    ear = house.ear()
    assert len(asked) == 3
    assert ear is not None
    assert house.heard(ear) == {PHONER, CONTACT}


async def test_another_mode_for_a_leg_whose_order_fails_is_given_again(house: EarHouse) -> None:
    """From coach to join: what is not carried out at first leaves the session as it was."""
    ear = await joined(house, "coach")
    goes_wrong(house, redirect_refused=1.0)
    assert await house.listen("join") == 200
    await house.until(2)
    assert house.hearers(ear) == {PHONER}
    house.network.faults = NONE
    await house.until(5)
    assert house.ear() is ear
    assert house.hearers(ear) == {PHONER, CONTACT}


def kept_documents(house: EarHouse) -> list[bytes]:
    """What legs are told from now on, and do."""
    documents: list[bytes] = []
    execute = house.network._script.execute

    async def kept(leg: Leg, twiml: bytes) -> None:
        documents.append(twiml)
        await execute(leg, twiml)

    house.network._script.execute = kept  # type: ignore[method-assign]
    return documents


@pytest.mark.parametrize("lower", ["silent", "coach"])
async def test_an_older_answer_in_the_same_room_is_noticed(house: EarHouse, lower: str) -> None:
    """Of two answers the network carries out the older one last: the leg is in the right room, in the
    wrong mode. Two servers that both ask a leg to move may bring that about."""
    await house.talking()
    documents = kept_documents(house)
    assert await house.listen("join") == 200
    await house.until(2)
    ear = house.ear()
    assert ear is not None
    loud = documents[-1]
    assert await house.listen(lower) == 200
    await house.until(2)
    assert CONTACT not in house.hearers(ear)
    await house.network._script.execute(ear, loud)
    assert CONTACT in house.hearers(ear)
    await house.until(1)
    assert CONTACT not in house.hearers(ear)
    assert house.ear() is ear


def test_a_leg_is_told_to_ask_once_at_a_time(house: EarHouse) -> None:
    """While it has not asked yet, no second order is given, by whichever process."""
    told: list[Any] = []

    def look(tx: Tx) -> None:
        seat = seats.lock(tx, 1)
        assert seat is not None
        house.server.listener_legs.look_at_seat(tx, seat)

    async def work() -> None:
        ear = await joined(house, "coach")
        telephony: Any = house.server.ctx.telephony
        really = telephony.hear

        async def slow(ref: str, what: Any) -> Any:
            told.append(what)
            if len(told) == 1:
                # Meanwhile the talk moves on, and upkeep and the dialer look at the same leg.
                for _ in range(3):
                    await house.server.ctx.store.run(look)
            return await really(ref, what)

        telephony.hear = slow
        assert await house.listen("join") == 200
        await house.until(0.5)
        assert len(told) == 1
        assert house.hearers(ear) == {PHONER, CONTACT}

    play(work())


async def test_a_page_that_is_reloaded_leaves_no_leg_behind(house: EarHouse) -> None:
    """The old leg is hung up until it is gone, and nobody is dialed while it may be in the room."""
    await house.talking()
    assert await house.listen("join", browser=True) == 200
    url = f"{house.plan.public_url}/twilio/voice/client"
    line = f"client:listener_{SUPERVISOR}"
    old = await house.network.call_in(line, "", url)
    await house.until(1)
    assert CONTACT in house.hearers(old)
    goes_wrong(house, hang_up_broken=1.0)
    new = await house.network.call_in(line, "", url)
    await house.until(1)
    assert house.heard(new)
    await next_call(house, 5)
    assert (await house.seat())["reason"] == "listener_leaves"
    house.network.faults = NONE
    await house.until(6)
    assert not old.live
    assert house.heard(new) == {PHONER, NEXT}
