"""What the engine may rely on: one suite for both providers."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path

import pytest

from callserver.domain import line
from callserver.domain.call import Report
from callserver.domain.instruction import Hear, WaitToHear
from callserver.domain.line import OwnLine
from callserver.domain.listening import Mode
from callserver.domain.permit import PermitVoid
from callserver.domain.role_play import Player
from callserver.ports import Declined, LegState, Placed, Room, Trouble
from tests.contract.carriers import CALLER_ID, Carrier, permit, real, simulated
from tests.harness.exchange.real import Called, Exchange


@pytest.fixture(params=["twilio", "asterisk"])
async def carrier(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Carrier]:
    """One provider and its telephones."""
    opened: AbstractAsyncContextManager[Carrier]
    if request.param == "twilio":
        opened = simulated()
    else:
        opened = real(tmp_path, request.getfixturevalue("exchange"))
    async with opened as carrier:
        yield carrier


@pytest.mark.parametrize(
    ("ending", "told"),
    [
        ("00", [Report.RANG, Report.ANSWERED]),
        ("02", [Report.RANG, Report.NOT_ANSWERED]),
        ("04", [Report.FAILED]),
        ("17", [Report.BUSY]),
    ],
)
async def test_what_a_telephone_does_is_told_in_its_order(
    carrier: Carrier, ending: str, told: list[Report]
) -> None:
    room = await carrier.phoner_in_room()
    assert isinstance(await carrier.telephony.place(permit(carrier, ending), room), Placed)
    await carrier.until(lambda: told[-1] in carrier.engine.reports("a1"))
    heard = [report for report in carrier.engine.reports("a1") if report is not Report.TAKEN]
    # Whether a telephone that ends at once was heard to ring is the network's to say.
    assert heard in (told, [Report.RANG, *told])
    assert carrier.rung() in ([], [f"+45322001{ending}"])


async def test_an_answered_call_is_looked_up_and_ended_twice(carrier: Carrier) -> None:
    room = await carrier.phoner_in_room()
    order = permit(carrier, "00")
    placed = await carrier.telephony.place(order, room)
    assert isinstance(placed, Placed)
    await carrier.until(lambda: Report.ANSWERED in carrier.engine.reports("a1"))
    for ref in (placed.ref, None):
        leg = await carrier.telephony.look_up("a1", ref, room, order.number, order.at)
        assert (leg.state, leg.ref) == (LegState.TALKING, placed.ref)
    assert (await carrier.telephony.leg(placed.ref)).state is LegState.TALKING
    await carrier.telephony.hang_up(placed.ref)
    await carrier.telephony.hang_up(placed.ref)
    await carrier.until(lambda: Report.HUNG_UP in carrier.engine.reports("a1"))
    after = await carrier.telephony.look_up("a1", placed.ref, room, order.number, order.at)
    assert after.state in (LegState.ENDED, LegState.UNKNOWN_LEG)


async def test_a_ringing_telephone_is_silenced(carrier: Carrier) -> None:
    room = await carrier.phoner_in_room()
    placed = await carrier.telephony.place(permit(carrier, "02"), room)
    assert isinstance(placed, Placed)
    await carrier.until(lambda: Report.RANG in carrier.engine.reports("a1"))
    assert (await carrier.telephony.leg(placed.ref)).state is LegState.RINGING
    await carrier.telephony.hang_up(placed.ref)
    await carrier.until(lambda: Report.CANCELLED in carrier.engine.reports("a1"))


async def test_what_is_cancelled_rings_no_more_and_what_was_answered_goes_on(
    carrier: Carrier,
) -> None:
    room = await carrier.phoner_in_room()
    rings = await carrier.telephony.place(permit(carrier, "02"), room)
    assert isinstance(rings, Placed)
    await carrier.until(lambda: Report.RANG in carrier.engine.reports("a1"))
    await carrier.telephony.cancel(rings.ref)
    await carrier.until(lambda: Report.CANCELLED in carrier.engine.reports("a1"))
    await carrier.telephony.cancel(rings.ref)  # gone: nobody minds
    talks = await carrier.telephony.place(permit(carrier, "00", "a2"), room)
    assert isinstance(talks, Placed)
    await carrier.until(lambda: Report.ANSWERED in carrier.engine.reports("a2"))
    await carrier.telephony.cancel(talks.ref)
    assert (await carrier.telephony.leg(talks.ref)).state is LegState.TALKING
    await carrier.telephony.hang_up(talks.ref)
    await carrier.until(lambda: Report.HUNG_UP in carrier.engine.reports("a2"))


async def test_nobody_is_called_for_a_phoner_who_is_not_there(carrier: Carrier) -> None:
    nowhere = await carrier.telephony.place(permit(carrier, "00"), Room("seat-1-abc"))
    gone = await carrier.telephony.place(
        permit(carrier, "00", "a2"), Room("seat-1-gone", "CF" + "9" * 32)
    )
    for answer in (nowhere, gone):
        assert isinstance(answer, Declined)
        assert answer.trouble is Trouble.ROOM_GONE
    await carrier.pass_time(0.5)
    assert carrier.rung() == []


async def test_a_permit_is_spent_once_and_soon(carrier: Carrier) -> None:
    room = await carrier.phoner_in_room()
    order = permit(carrier, "00")
    await carrier.telephony.place(order, room)
    with pytest.raises(PermitVoid):
        await carrier.telephony.place(order, room)
    old = permit(carrier, "00", "a2")
    old.at -= timedelta(seconds=3)
    with pytest.raises(PermitVoid):
        await carrier.telephony.place(old, room)
    await carrier.until(carrier.rung)
    await carrier.pass_time(1)
    assert len(carrier.rung()) == 1


async def test_what_was_never_ordered_is_unknown(carrier: Carrier) -> None:
    room = await carrier.phoner_in_room()
    now = carrier.now()
    leg = await carrier.telephony.look_up("a9", None, room, "+4532200199", now)
    assert leg.state is LegState.UNKNOWN_LEG
    assert (await carrier.telephony.leg("CA" + "9" * 32)).state is LegState.UNKNOWN_LEG
    assert await carrier.telephony.find_room("seat-9-none") is None
    assert await carrier.telephony.find_room(room.name) == room.ref
    await carrier.telephony.hang_up("CA" + "9" * 32)


async def test_who_answered_an_empty_room_hears_an_apology_and_is_let_go(carrier: Carrier) -> None:
    room = await carrier.phoner_in_room()
    placed = await carrier.telephony.place(permit(carrier, "00"), room)
    assert isinstance(placed, Placed)
    await carrier.until(lambda: Report.ANSWERED in carrier.engine.reports("a1"))
    await carrier.telephony.apologise(placed.ref, "Lysværk")
    await carrier.until(lambda: Report.HUNG_UP in carrier.engine.reports("a1"), 30)


async def test_a_phoner_whose_telephone_ends_is_told_once(carrier: Carrier) -> None:
    room = await carrier.phoner_in_room()
    leg = carrier.engine.of("phoner_asks")[0][3]
    await carrier.telephony.hang_up(leg)
    await carrier.until(
        lambda: [told for told in carrier.engine.of("phoner_leg_ended") if told[2] == leg]
    )
    assert await carrier.telephony.find_room(room.name) is None


TALK = {"phoner": {"contact"}, "contact": {"phoner"}}


async def test_what_a_listener_hears_and_who_hears_them(carrier: Carrier) -> None:
    room = await carrier.talk()
    phoner = carrier.engine.of("phoner_asks")[0][3]
    placed = await carrier.telephony.ring_listener(OwnLine(await carrier.listener()), 7, CALLER_ID)
    assert isinstance(placed, Placed)
    await carrier.until(lambda: carrier.engine.of("listener_asks"))
    assert carrier.engine.of("listener_asks") == [("listener_asks", 7, None, placed.ref)]
    await carrier.until_heard(TALK | {"listener": set()})
    assert (await carrier.telephony.leg(placed.ref)).state is LegState.TALKING
    both = {"phoner", "contact"}
    for mode, voices_heard in (
        (Mode.SILENT, TALK | {"listener": both}),
        (Mode.COACH, TALK | {"listener": both, "phoner": {"contact", "listener"}}),
        (
            Mode.JOIN,
            {
                "listener": both,
                "phoner": {"contact", "listener"},
                "contact": {"phoner", "listener"},
            },
        ),
        (Mode.SILENT, TALK | {"listener": both}),
    ):
        carrier.engine.tells = Hear(room.name, 7, mode, phoner)
        await carrier.telephony.hear(placed.ref, carrier.engine.tells)
        await carrier.until_heard(voices_heard)
    carrier.engine.tells = WaitToHear(7)
    await carrier.telephony.hear(placed.ref, carrier.engine.tells)
    await carrier.until_heard(TALK | {"listener": set()})
    await carrier.telephony.hang_up(placed.ref)
    await carrier.until(lambda: ("listener_leg_ended", placed.ref) in carrier.engine.told)
    await carrier.telephony.hear(placed.ref, carrier.engine.tells)  # gone: nobody minds
    await carrier.until_heard(TALK | {"listener": set()})
    assert not carrier.engine.of("phoner_leg_ended")


async def test_a_listener_who_does_not_answer_is_told(carrier: Carrier) -> None:
    await carrier.phoner_in_room()
    placed = await carrier.telephony.ring_listener(OwnLine("+4532200117"), 7, CALLER_ID)
    assert isinstance(placed, Placed)
    await carrier.until(lambda: ("listener_leg_ended", placed.ref) in carrier.engine.told)
    assert not carrier.engine.of("listener_asks")


async def test_two_softphones_of_a_role_play_call_hear_each_other_and_leave_together(
    carrier: Carrier,
) -> None:
    await carrier.players()
    legs: dict[Player, str] = {}
    for player in Player:
        placed = await carrier.telephony.ring_role_play(line.of_role_play(7, player), 7, player)
        assert isinstance(placed, Placed), placed
        legs[player] = placed.ref
        asks = ("role_play_asks", 7, player, placed.ref)
        await carrier.until(lambda asks=asks: asks in carrier.engine.told)  # type: ignore[misc]
    await carrier.until_heard({"applicant": {"interviewer"}, "interviewer": {"applicant"}})
    for leg in legs.values():
        assert (await carrier.telephony.leg(leg)).state is LegState.TALKING
    await carrier.telephony.hang_up(legs[Player.APPLICANT])
    for player, leg in legs.items():
        ended = ("role_play_leg_ended", 7, player, leg)
        await carrier.until(lambda ended=ended: ended in carrier.engine.told)  # type: ignore[misc]
        state = (await carrier.telephony.leg(leg)).state
        assert state in (LegState.ENDED, LegState.UNKNOWN_LEG)
    assert await carrier.telephony.find_room("role-play-7-abc") is None
    assert carrier.rung() == []
    assert not carrier.engine.of("room_event")


async def test_nobody_is_dialed_into_the_room_of_a_role_play_call(carrier: Carrier) -> None:
    await carrier.players()
    player = Player.INTERVIEWER
    placed = await carrier.telephony.ring_role_play(line.of_role_play(7, player), 7, player)
    assert isinstance(placed, Placed)
    await carrier.until(lambda: carrier.engine.of("role_play_asks"))
    name = "role-play-7-abc"
    for _ in range(50):
        ref = await carrier.telephony.find_room(name)
        if ref is not None:
            break
        await carrier.pass_time(0.1)
    assert ref is not None
    answer = await carrier.telephony.place(permit(carrier, "00"), Room(name, ref))
    assert isinstance(answer, Declined)
    await carrier.pass_time(1)
    assert carrier.rung() == []
    await carrier.telephony.hang_up(placed.ref)
    await carrier.until(lambda: carrier.engine.of("role_play_leg_ended"))


async def test_a_softphone_of_a_role_play_call_calls_nobody(
    tmp_path: Path, exchange: tuple[Exchange, Called]
) -> None:
    async with real(tmp_path, exchange) as carrier:
        await carrier.players()
        for number in ("1", "room", "+4532200100", "32200100"):
            talk = await carrier.telephones["applicant"].call(number)
            assert talk.status >= 400, number
        assert carrier.engine.told == []
        assert carrier.rung() == []
