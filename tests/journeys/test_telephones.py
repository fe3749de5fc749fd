"""The phoner's own telephone: rung once, rung again, hung up with the shift."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from callserver import ports
from callserver.cli.invented_data import enter_line
from callserver.database import accounts
from callserver.domain.role import Role
from callserver.engine.accounts import offboarding
from callserver.engine.calls import phoner_legs
from callserver.engine.lists.importer import import_list
from callserver.ports import Declined, LegState, Silent, Trouble
from callserver.simulator.legs import Behaviour, Leg
from tests.harness.simulated import PEOPLE, SimulatedSystem, failing, in_a_talk, rings
from tests.harness.staffed import StaffedSystem
from tests.harness.waiting import PATIENCE_S

FIRST_LINE = "ref;navn;telefon;kilde\n"


@pytest.fixture
def system(tmp_path: Path) -> Iterator[SimulatedSystem]:
    made = SimulatedSystem(tmp_path)
    yield made
    made.close()


async def test_going_off_shift_hangs_up_the_telephone(system: SimulatedSystem) -> None:
    await system.on_shift()
    leg = system.phoner_leg()
    asked = failing(system, "hang_up")
    await system.api("POST", "/off", {})
    await system.pass_time(8)
    assert asked == [leg.sid, leg.sid]
    assert not leg.live


@pytest.mark.parametrize("talking", [True, False])
async def test_off_shift_takes_effect_when_the_call_in_hand_is_done(
    system: SimulatedSystem, talking: bool
) -> None:
    system.people.default = Behaviour(answers_after=2 if talking else 20)
    person = await in_a_talk(system) if talking else await rings(system)
    leg = system.phoner_leg()
    await system.api("POST", "/off", {})
    if talking:
        system.network.hang_up_by_person(person)
        await system.pass_time(1)
        assert leg.live
        await system.outcome("no_thanks")
    await system.pass_time(2)
    assert (await system.seat())["state"] == "off"
    assert not leg.live
    assert len(system.network.record) == 1


async def test_a_phoner_who_returns_at_once_is_called_again(system: SimulatedSystem) -> None:
    await system.on_shift()
    old = system.phoner_leg()
    await system.api("POST", "/off", {})
    await system.on_shift()
    assert not old.live
    assert system.phoner_leg() is not old
    assert system.seats()[0].connected


async def test_a_phoner_who_calls_in_at_once_meets_no_leg_of_the_last_shift(
    system: SimulatedSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old leg cannot be hung up for a while. Its room is full: another leg would not get in under its label."""
    await system.on_shift()
    old = system.phoner_leg()
    failing(system, "hang_up", times=60, only=old.sid)
    monkeypatch.setattr(system.server.phoner_legs, "_slot", lambda *_: False)
    await system.api("POST", "/off", {})
    await system.on_shift()
    url = f"{system.plan.public_url}/twilio/voice/client"
    mine = await system.network.call_in("client:phoner_1", "", url)
    await system.pass_time(2)
    assert system.seats()[0].connected
    assert old.live
    assert mine.conference not in (None, old.conference)


async def test_a_phoner_is_called_once_however_long_the_network_queues(tmp_path: Path) -> None:
    system = SimulatedSystem(tmp_path, phoners=3, calls_per_second=0.02)

    def phoners_legs() -> list[Leg]:
        return [leg for leg in system.network.legs.values() if leg.to.startswith("client:")]

    for phoner in (1, 2, 3):
        body = {"campaign": "kanvas", "line": f"client:phoner_{phoner}"}
        await system.api("POST", "/shift", body, phoner=phoner)
        await system.api("POST", "/shift", body, phoner=phoner)  # pressed twice
    assert len(phoners_legs()) == 1  # the others wait for their turn
    await system.pass_time(170)
    assert [leg.to for leg in phoners_legs()] == [f"client:phoner_{n}" for n in (1, 2, 3)]
    assert all(seat.connected for seat in system.seats())
    system.close()


async def test_a_trunk_of_its_own_does_not_wait_for_another(tmp_path: Path) -> None:
    """The campaign's shown number names the trunk, whose slots are its own."""
    system = SimulatedSystem(
        tmp_path, phoners=3, calls_per_second=0.02, trunk_rates="+4532123401=20"
    )

    async def called(phoner: int, campaign: str) -> bool:
        body = {"campaign": campaign, "line": f"client:phoner_{phoner}"}
        await system.api("POST", "/shift", body, phoner=phoner)
        await system.pass_time(1)
        return any(leg.to == body["line"] for leg in system.network.legs.values())

    assert await called(1, "kanvas")
    assert not await called(2, "kanvas")
    assert await called(3, "leads")
    assert await called(2, "leads"), "the slot on the other trunk is given up"
    system.close()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Declined(Trouble.LATER, 20429, "too many"), "arrived"),
        (Declined(Trouble.AWAY, 409, "not signed in"), "line_away"),
        (Declined(Trouble.BAD_NUMBER, 21211, "no"), "line_declined"),
    ],
)
async def test_a_line_that_cannot_be_called_says_so_or_is_called_later(
    system: SimulatedSystem, answer: Declined, reason: str
) -> None:
    telephony: Any = system.server.ctx.telephony
    really = telephony.ring_phoner

    async def declines(*_: Any) -> Declined:
        telephony.ring_phoner = really
        return answer

    telephony.ring_phoner = declines
    await system.api("POST", "/shift", {"campaign": "kanvas", "line": "client:phoner_1"})
    assert (await system.seat())["reason"] == reason
    await system.pass_time(10)
    assert system.seats()[0].connected == (answer.trouble is not Trouble.BAD_NUMBER)
    await system.pass_time(30)
    assert system.seats()[0].connected
    assert (await system.seat())["reason"] == "arrived"
    told = {entry["reason"] for entry in system.entries("seat")}
    assert reason in told  # so that the page shows it at once


@pytest.mark.parametrize("ringing", [True, False])
async def test_a_second_dial_does_not_disturb_the_call(
    system: SimulatedSystem, ringing: bool
) -> None:
    """The page is open twice, or a telephone dials once more, while the contact's call comes up."""
    system.people.default = Behaviour(answers_after=20 if ringing else 2)
    person = await rings(system) if ringing else await in_a_talk(system)
    mine = system.phoner_leg()
    url = f"{system.plan.public_url}/twilio/voice/client"
    second = await system.network.call_in("client:phoner_1", "", url)
    await system.pass_time(1)
    assert not second.live
    assert mine.live
    assert person.live
    await system.pass_time(30)
    assert (await system.seat())["state"] == "talking"
    assert not system.entries("apologised")


async def test_a_call_to_a_telephone_that_got_no_reply_does_not_disturb_the_talk(
    system: SimulatedSystem,
) -> None:
    """The phoner began the shift again and answered; during the talk the first call is answered as well."""
    telephony: Any = system.server.ctx.telephony
    really = telephony.ring_phoner

    async def lost(*order: Any) -> Silent:
        telephony.ring_phoner = really
        await really(*order)
        return Silent("lost")

    telephony.ring_phoner = lost
    system.people.phoners_answer = False
    await system.on_shift()
    first = system.phoner_leg()
    system.people.phoners_answer = True
    await system.api("POST", "/off", {})
    await system.on_shift()
    await system.ready()
    await system.pass_time(5)
    (person,), mine = system.live_legs(), system.phoner_leg()
    assert (await system.seat())["state"] == "talking"
    assert first.live
    await system.network.answer(first)
    await system.pass_time(5)
    assert (first.live, mine.live, person.live) == (False, True, True)
    assert (await system.seat())["state"] == "talking"
    assert not system.entries("apologised")


async def test_a_second_dial_waits_while_the_network_does_not_tell(
    system: SimulatedSystem,
) -> None:
    """Whether the first leg is in the call is not known: it is left in it."""
    person = await in_a_talk(system)
    mine = system.phoner_leg()
    telephony: Any = system.server.ctx.telephony
    really = telephony.leg

    async def away(ref: str) -> ports.Leg:
        return ports.Leg(LegState.NO_ANSWER, ref)

    telephony.leg = away
    url = f"{system.plan.public_url}/twilio/voice/client"
    second = await system.network.call_in("client:phoner_1", "", url)
    telephony.leg = really
    await system.pass_time(1)
    assert not second.live
    assert mine.live
    assert person.live


async def test_a_second_dial_is_answered_although_the_network_is_silent(
    system: SimulatedSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network waits for instructions for 15 seconds, and the leg hears nothing meanwhile."""
    monkeypatch.setattr(phoner_legs, "ASKED_WITHIN_S", 0.05)
    person = await in_a_talk(system)
    mine = system.phoner_leg()
    telephony: Any = system.server.ctx.telephony
    really, asked = telephony.leg, asyncio.Event()

    async def silent(_: str) -> ports.Leg:
        asked.set()
        telephony.leg = really
        await asyncio.Event().wait()
        raise AssertionError

    telephony.leg = silent
    url = f"{system.plan.public_url}/twilio/voice/client"
    async with asyncio.timeout(PATIENCE_S):
        second = await system.network.call_in("client:phoner_1", "", url)
    await system.pass_time(1)
    assert asked.is_set()
    assert not second.live
    assert mine.live
    assert person.live


async def test_a_second_dial_takes_over_from_a_leg_that_is_gone(system: SimulatedSystem) -> None:
    """A reloaded page: the leg of the former one has ended, though nobody has told so far."""
    system.people.default = Behaviour(answers_after=20)
    await rings(system)
    mine = system.phoner_leg()
    mine.status = "completed"
    url = f"{system.plan.public_url}/twilio/voice/client"
    second = await system.network.call_in("client:phoner_1", "", url)
    await system.pass_time(2)
    assert second.live
    assert system.seats()[0].leg == second.sid


async def test_a_telephone_that_was_lost_is_called_again_soon(system: SimulatedSystem) -> None:
    await system.on_shift()
    await system.network.end(system.phoner_leg(), "completed")
    await system.pass_time(1)
    assert (await system.seat())["state"] == "connecting"
    await system.pass_time(9)
    assert system.seats()[0].connected


async def test_a_telephone_that_rings_for_the_shift_falls_silent_with_it(
    system: SimulatedSystem,
) -> None:
    system.people.phoners_answer = False
    await system.on_shift()
    leg = system.phoner_leg()
    await system.api("POST", "/off", {})
    await system.pass_time(2)
    assert not leg.live


async def test_the_same_news_once_more_disturbs_nobody(system: SimulatedSystem) -> None:
    """A voice request and a left room, sent again: the phoner stays where they are."""
    await in_a_talk(system)
    leg, seat = system.phoner_leg().sid, system.seats()[0]
    rooms = system.server.phoner_legs
    again = await rooms.phoner_asks(seat.id, None, leg)
    assert again.room == seat.room  # type: ignore[union-attr]
    late = await rooms.phoner_left_room(seat.id, leg, "seat-1-older")
    assert late.room == seat.room  # type: ignore[union-attr]
    await system.pass_time(3)
    assert system.seats()[0] == seat
    assert (await system.seat())["state"] == "talking"


@pytest.mark.parametrize("ends", [True, False])
async def test_no_talk_is_cut_by_the_age_of_the_phoners_leg(
    system: SimulatedSystem, monkeypatch: pytest.MonkeyPatch, *, ends: bool
) -> None:
    """Twilio ends every leg after four hours. Control: the server is told that it does not."""
    if not ends:
        monkeypatch.setattr(type(system.server.ctx.telephony), "longest_leg", None)
    await system.on_shift()
    await system.api("POST", "/pause", {})
    old = system.phoner_leg()
    await system.pass_time(timedelta(hours=3, minutes=45).total_seconds())
    assert old.live  # in a pause: nothing rings
    await system.ready()
    seat = await system.seat()
    if ends:
        assert (seat["state"], seat["reason"]) == ("connecting", "leg_old")
        assert not system.calls()
    await system.pass_time(20)
    assert (await system.seat())["state"] == "talking"
    assert old.live != ends
    person = system.live_legs()[0]
    await system.pass_time(timedelta(minutes=35).total_seconds())
    assert person.live == ends
    assert bool(system.entries("apologised")) != ends


async def test_a_telephone_that_is_renewed_waits_for_its_phoner(system: SimulatedSystem) -> None:
    """An answering machine may have answered it: nobody is called for that."""
    number = "+4532190001"
    system.write(lambda tx: enter_line(tx, 1, number, system.clock.now()))
    await system.do("POST", "/shift", {"campaign": system.campaign, "line": number})
    await system.pass_time(4)
    (old,) = system.live_legs(number)
    await system.pass_time(timedelta(hours=3, minutes=45).total_seconds())
    await system.ready()
    await system.pass_time(40)
    (renewed,) = system.live_legs(number)
    assert renewed is not old
    assert (await system.seat())["state"] == "paused"
    assert not system.calls()
    await system.ready()
    await system.pass_time(5)
    assert (await system.seat())["state"] == "talking"


async def test_legs_of_one_evening_are_not_all_reconnected_at_once(tmp_path: Path) -> None:
    system = SimulatedSystem(tmp_path, phoners=30, people="ref;navn;telefon\n")

    reconnected = [0]
    for phoner in range(1, 31):
        await system.on_shift(phoner=phoner)
    await system.pass_time(timedelta(hours=2, minutes=59).total_seconds())
    for phoner in range(1, 31):
        await system.ready(phoner=phoner)
    for _ in range(7):
        await system.pass_time(300)
        reconnected.append(
            sum(entry.get("reason") == "leg_old" for entry in system.entries("seat"))
        )
    system.close()
    assert reconnected[-1] == 30
    assert max(after - before for before, after in pairwise(reconnected)) <= 6


@pytest.mark.parametrize("when", ["waits", "rings", "by hand", "talks"])
@pytest.mark.parametrize("by", ["page", "command", "sign-out"])
async def test_nobody_is_called_for_a_phoner_who_is_signed_out(
    tmp_path: Path, when: str, by: str
) -> None:
    """Their password was reset, or they left without ending the shift: only their telephone is left."""
    system = StaffedSystem(tmp_path, people=FIRST_LINE if when == "waits" else PEOPLE)
    system.add_user("asger", Role.ADMINISTRATOR, None)
    system.people.default = Behaviour(answers_after=2 if when == "talks" else None)
    await system.on_shift()
    if when == "by hand":
        await system.do("POST", "/dial", {"number": "32200000"})
    else:
        await system.ready()
    await system.pass_time(5)
    before = system.rang()
    user = system.read(lambda tx: accounts.user(tx, 1))
    if by == "page":
        asger = await system.client("asger")
        assert (await asger.api("POST", "/accounts/1/reset", {})).status_code == 200
    elif by == "sign-out":
        one, other = await system.client(user.handle), await system.client(user.handle)
        assert (await other.api("POST", "/sign-out", {})).status_code == 200
        assert system.seats()[0].wants == ("paused" if when == "by hand" else "waiting")
        assert (await one.api("POST", "/sign-out", {})).status_code == 200
    elif by == "command":
        system.write(lambda tx: offboarding.reset(tx, user, "x", system.clock.now(), "command"))
    await system.pass_time(3)
    if when == "talks":
        (person,) = system.live_legs()
        system.network.hang_up_by_person(person)
        await system.pass_time(1)
    assert not system.live_legs()
    if when == "waits":
        rows = f"{FIRST_LINE}K9;Ida Prøve;32200009;gade\n".encode()
        chosen = system.server.ctx.rules.campaign("kanvas")
        system.write(lambda tx: import_list(tx, chosen, rows, system.clock.now(), source="x"))
    await system.jump(3_700)
    await system.pass_time(60)
    assert system.rang() == before
    seat = system.seats()[0]
    assert (seat.state, seat.wants) == ("paused", "paused")
    system.close()
