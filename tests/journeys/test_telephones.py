"""The phoner's own telephone: rung once, rung again, hung up with the shift."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from callserver.ports import Declined, Trouble
from callserver.simulator.legs import Behaviour, Leg
from tests.house import TestHouse, failing, in_a_talk, play, rings


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    made = TestHouse(tmp_path)
    yield made
    made.close()


async def test_who_goes_off_shift_has_her_telephone_hung_up(house: TestHouse) -> None:
    await house.on_shift()
    leg = house.phoner_leg()
    asked = failing(house, "hang_up")
    await house.api("POST", "/off", {})
    await house.until(8)
    assert asked == [leg.sid, leg.sid]
    assert not leg.live


@pytest.mark.parametrize("talking", [True, False])
async def test_off_shift_takes_effect_when_the_call_in_hand_is_done(
    house: TestHouse, talking: bool
) -> None:
    house.people.default = Behaviour(answers_after=2 if talking else 20)
    person = await in_a_talk(house) if talking else await rings(house)
    leg = house.phoner_leg()
    await house.api("POST", "/off", {})
    if talking:
        house.network.hang_up_by_person(person)
        await house.until(1)
        assert leg.live
        await house.outcome("no_thanks")
    await house.until(2)
    assert (await house.seat())["state"] == "off"
    assert not leg.live
    assert len(house.network.record) == 1


async def test_back_on_shift_at_once_she_is_rung_anew(house: TestHouse) -> None:
    await house.on_shift()
    old = house.phoner_leg()
    await house.api("POST", "/off", {})
    await house.on_shift()
    assert not old.live
    assert house.phoner_leg() is not old
    assert house.seats()[0].connected


async def test_a_phoner_is_rung_once_however_long_the_network_queues(tmp_path: Path) -> None:
    house = TestHouse(tmp_path, phoners=3, calls_per_second=0.02)

    def phoners_legs() -> list[Leg]:
        return [leg for leg in house.network.legs.values() if leg.to.startswith("client:")]

    for phoner in (1, 2, 3):
        body = {"campaign": "kanvas", "line": f"client:phoner_{phoner}"}
        await house.api("POST", "/shift", body, phoner=phoner)
        await house.api("POST", "/shift", body, phoner=phoner)  # pressed twice
    assert len(phoners_legs()) == 1  # the others wait for their turn
    await house.until(170)
    assert [leg.to for leg in phoners_legs()] == [f"client:phoner_{n}" for n in (1, 2, 3)]
    assert all(seat.connected for seat in house.seats())
    house.close()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Declined(Trouble.LATER, 20429, "too many"), "arrived"),
        (Declined(Trouble.AWAY, 409, "not signed in"), "line_away"),
        (Declined(Trouble.BAD_NUMBER, 21211, "no"), "line_declined"),
    ],
)
def test_a_line_that_cannot_be_rung_says_so_or_is_rung_later(
    house: TestHouse, answer: Declined, reason: str
) -> None:
    async def work() -> None:
        telephony: Any = house.server.ctx.telephony
        really = telephony.ring_phoner

        async def declines(*_: Any) -> Declined:
            telephony.ring_phoner = really
            return answer

        telephony.ring_phoner = declines
        await house.api("POST", "/shift", {"campaign": "kanvas", "line": "client:phoner_1"})
        assert (await house.seat())["reason"] == reason
        await house.until(10)
        assert house.seats()[0].connected == (answer.trouble is not Trouble.BAD_NUMBER)
        await house.until(30)
        assert house.seats()[0].connected
        assert (await house.seat())["reason"] == "arrived"
        told = {one["reason"] for one in house.entries("seat")}
        assert reason in told  # so that the page shows it at once

    play(work())


@pytest.mark.parametrize("ringing", [True, False])
async def test_a_second_dial_does_not_disturb_the_call(house: TestHouse, ringing: bool) -> None:
    """The page is open twice, or a telephone dials once more, while the contact's call comes up."""
    house.people.default = Behaviour(answers_after=20 if ringing else 2)
    person = await rings(house) if ringing else await in_a_talk(house)
    mine = house.phoner_leg()
    url = f"{house.plan.public_url}/twilio/voice/client"
    second = await house.network.call_in("client:phoner_1", "", url)
    await house.until(1)
    assert not second.live
    assert mine.live
    assert person.live
    await house.until(30)
    assert (await house.seat())["state"] == "talking"
    assert not house.entries("apologised")


async def test_a_second_dial_takes_over_from_a_leg_that_is_gone(house: TestHouse) -> None:
    """A reloaded page: the leg of the former one has ended, though nobody has told so far."""
    house.people.default = Behaviour(answers_after=20)
    await rings(house)
    mine = house.phoner_leg()
    mine.status = "completed"
    url = f"{house.plan.public_url}/twilio/voice/client"
    second = await house.network.call_in("client:phoner_1", "", url)
    await house.until(2)
    assert second.live
    assert house.seats()[0].leg == second.sid


async def test_a_telephone_that_was_lost_is_rung_again_soon(house: TestHouse) -> None:
    await house.on_shift()
    await house.network.end(house.phoner_leg(), "completed")
    await house.until(1)
    assert (await house.seat())["state"] == "connecting"
    await house.until(9)
    assert house.seats()[0].connected


async def test_a_telephone_that_rings_for_the_shift_falls_silent_with_it(house: TestHouse) -> None:
    house.people.phoners_answer = False
    await house.on_shift()
    leg = house.phoner_leg()
    await house.api("POST", "/off", {})
    await house.until(2)
    assert not leg.live


async def test_the_same_news_once_more_disturbs_nobody(house: TestHouse) -> None:
    """A voice request and a left room, sent again: she stays where she is."""
    await in_a_talk(house)
    leg, seat = house.phoner_leg().sid, house.seats()[0]
    rooms = house.server.phoner_legs
    again = await rooms.phoner_asks(seat.id, None, leg)
    assert again.room == seat.room  # type: ignore[union-attr]
    late = await rooms.phoner_left_room(seat.id, leg, "seat-1-older")
    assert late.room == seat.room  # type: ignore[union-attr]
    await house.until(3)
    assert house.seats()[0] == seat
    assert (await house.seat())["state"] == "talking"


@pytest.mark.parametrize("ends", [True, False])
async def test_no_talk_is_cut_by_the_age_of_the_phoners_leg(
    house: TestHouse, monkeypatch: pytest.MonkeyPatch, *, ends: bool
) -> None:
    """Twilio ends every leg after four hours. Control: the server is told that it does not."""
    if not ends:
        monkeypatch.setattr(type(house.server.ctx.telephony), "longest_leg", None)
    await house.on_shift()
    await house.api("POST", "/pause", {})
    old = house.phoner_leg()
    await house.until(timedelta(hours=3, minutes=45).total_seconds())
    assert old.live  # a pause is hers: nothing rings
    await house.ready()
    seat = await house.seat()
    if ends:
        assert (seat["state"], seat["reason"]) == ("connecting", "leg_old")
        assert not house.calls()
    await house.until(20)
    assert (await house.seat())["state"] == "talking"
    assert old.live != ends
    person = house.live_legs()[0]
    await house.until(timedelta(minutes=35).total_seconds())
    assert person.live == ends
    assert bool(house.entries("apologised")) != ends


def test_legs_of_one_evening_are_not_all_made_anew_at_once(tmp_path: Path) -> None:
    house = TestHouse(tmp_path, phoners=30, people="ref;navn;telefon\n")

    async def work() -> None:
        for phoner in range(1, 31):
            await house.on_shift(phoner=phoner)
        await house.until(timedelta(hours=2, minutes=59).total_seconds())
        for phoner in range(1, 31):
            await house.ready(phoner=phoner)
        for _ in range(7):
            await house.until(300)
            anew.append(sum(one.get("reason") == "leg_old" for one in house.entries("seat")))

    anew = [0]
    play(work())
    house.close()
    assert anew[-1] == 30
    assert max(after - before for before, after in pairwise(anew)) <= 6
