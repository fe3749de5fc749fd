"""The listener's leg: moved, rung, called in, lost, and looked up after a restart."""

from datetime import timedelta
from typing import Any

import pytest

from callserver.cli.invented_data import enter_line
from callserver.database import accounts, listenings
from callserver.database.tables import listenings as table
from callserver.domain import phone
from callserver.domain.facts import Scope
from callserver.domain.line import OwnLine
from callserver.domain.listening import ListenReason, Mode
from callserver.domain.role import MAY, Role
from callserver.engine.listening.placement import Placement
from callserver.engine.suppressions import opt_outs
from callserver.engine.suppressions.opt_outs import Origin
from callserver.simulator.legs import Behaviour, Leg
from callserver.simulator.virtual_time import VirtualClock
from tests.harness.listening import (
    CONTACT,
    PHONER,
    SUPERVISOR,
    ListeningSystem,
)
from tests.harness.slots import taken_for


async def test_another_seat_without_ringing_again(system: ListeningSystem) -> None:
    await system.talking(1)
    await system.talking(2)
    assert await system.listen(seat=1) == 200
    await system.pass_time(2)
    ear = system.ear()
    assert await system.listen(seat=2) == 200
    await system.pass_time(2)
    assert ear is not None
    assert system.ear() is ear
    assert system.heard(ear) == {"client:phoner_2", "+4532200001"}
    system.check()
    assert system.entries("listening_stopped")[0]["why"] == "moved"
    assert len(system.read(listenings.every_watched)) == 1


async def test_another_seat_before_the_network_has_said_that_it_rings(
    system: ListeningSystem,
) -> None:
    """The leg has moved by then: the answer to the first seat's call does not end it."""
    telephony = system.server.ctx.telephony
    ring = telephony.ring_listener

    async def slow(line: OwnLine, listening: int, caller_id: str, exchange: str = "") -> Any:
        answer = await ring(line, listening, caller_id, exchange)
        await system.server.listener_legs.listener_asks(listening, None, answer.ref)  # type: ignore[union-attr]
        supervisor = system.read(lambda tx: accounts.user(tx, SUPERVISOR))
        wanted = Placement(2, Mode.SILENT, ListenReason.QUALITY)
        await system.server.listening_sessions.start(supervisor, MAY[Role.SUPERVISOR], wanted)
        return answer

    await system.talking(1)
    await system.talking(2)
    telephony.ring_listener = slow  # type: ignore[method-assign]
    assert await system.listen(seat=1) == 200
    await system.pass_time(10)
    ear = system.ear()
    assert ear is not None
    assert system.heard(ear) == {"client:phoner_2", "+4532200001"}
    system.check()


@pytest.mark.parametrize("then", ["another_seat", "a_pause", "stopped"])
async def test_a_late_answer_leads_nobody_where_they_may_not_be(
    system: ListeningSystem, then: str
) -> None:
    """The network carries out an older answer after a newer one: the leg is fetched back."""
    documents: list[bytes] = []
    execute = system.network.twiml.execute

    async def kept(leg: Leg, twiml: bytes) -> None:
        documents.append(twiml)
        await execute(leg, twiml)

    await system.talking(1)
    await system.talking(2)
    system.network.twiml.execute = kept  # type: ignore[method-assign]
    assert await system.listen(seat=1) == 200
    await system.pass_time(2)
    ear, first = system.ear(), documents[-1]
    assert ear is not None
    if then == "another_seat":
        assert await system.listen(seat=2) == 200
        await system.pass_time(2)
    else:
        system.network.hang_up_by_person(system.live_legs(CONTACT)[0])
        await system.pass_time(2)
    if then == "stopped":
        # Its order is lost for a while, and the leg goes on for that.
        now = system.clock.now()
        later = now + timedelta(seconds=60)
        system.write(lambda tx: tx.execute(table.update().values(ended_at=now, look_at=later)))
    system.network.leave(ear)
    await execute(ear, first)
    assert ear.conference is not None
    await system.pass_time(2)
    if then == "stopped":
        assert not ear.live
    elif then == "a_pause":
        assert ear.live
        assert ear.conference is None
    else:
        assert system.heard(ear) == {"client:phoner_2", "+4532200001"}


async def test_a_listener_who_calls_in_from_the_browser_is_not_called(
    system: ListeningSystem,
) -> None:
    await system.talking()
    assert await system.listen(browser=True) == 200
    await system.pass_time(2)
    assert system.ear() is None
    url = f"{system.plan.public_url}/twilio/voice/client"
    ear = await system.network.call_in(f"client:listener_{SUPERVISOR}", "", url)
    await system.pass_time(1)
    assert system.heard(ear) == {PHONER, CONTACT}
    again = await system.network.call_in(f"client:listener_{SUPERVISOR}", "", url)
    await system.pass_time(1)  # a reloaded page
    assert not ear.live
    assert system.heard(again) == {PHONER, CONTACT}
    stranger = await system.network.call_in("client:listener_999", "", url)
    await system.pass_time(1)
    assert not stranger.live
    system.check()


async def test_a_listener_who_is_not_there_does_not_listen(system: ListeningSystem) -> None:
    await system.talking()
    assert await system.listen(browser=True) == 200
    await system.pass_time(50)
    status, mine = await system.ask("GET", "/listenings/mine")
    assert (status, mine["open"]) == (200, None)
    assert mine["ended"]["because"] == "not_answered"
    system.people.does["+4532209999"] = Behaviour(answers_after=None)
    system.write(lambda tx: enter_line(tx, SUPERVISOR, "+4532209999", system.clock.now()))
    assert await system.listen() == 200
    await system.pass_time(50)
    assert (await system.ask("GET", "/listenings/mine"))[1]["open"] is None
    assert [entry["why"] for entry in system.entries("listening_stopped")] == [
        "not_answered",
        "leg_gone",
    ]


async def test_stopping_while_the_telephone_rings(system: ListeningSystem) -> None:
    system.people.does["+4532209999"] = Behaviour(answers_after=5)
    await system.talking()
    system.write(lambda tx: enter_line(tx, SUPERVISOR, "+4532209999", system.clock.now()))
    assert await system.listen() == 200
    await system.pass_time(2)
    assert await system.stop() == 200
    await system.pass_time(10)
    assert not system.live_legs("+4532209999")
    assert await system.stop() == 200
    assert not system.network.listening_record.stays


async def test_after_a_restart_none_hangs(system: ListeningSystem) -> None:
    await system.talking()
    assert await system.listen() == 200
    await system.pass_time(2)
    ear = system.ear()
    system.restart()
    await system.server.scheduler.start()
    await system.pass_time(2)
    assert ear is not None
    assert system.ear() is ear
    assert system.heard(ear) == {PHONER, CONTACT}
    ear.callback.url = None  # it ends while the server is away
    await system.network.end(ear, "completed")
    system.restart()
    await system.server.scheduler.start()
    await system.pass_time(2)
    assert (await system.ask("GET", "/listenings/mine"))[1]["open"] is None
    assert system.entries("listening_stopped")[0]["why"] == "leg_gone"


async def test_a_stop_whose_order_was_lost_is_carried_out_after_the_restart(
    system: ListeningSystem,
) -> None:
    """kill -9 between the commit and the hang-up: nobody goes on listening for that."""
    await system.talking()
    assert await system.listen() == 200
    await system.pass_time(2)
    ear, now = system.ear(), system.clock.now()
    assert ear is not None
    later = now + timedelta(seconds=5)
    # What the transaction wrote; the order never went out.
    system.write(lambda tx: tx.execute(table.update().values(ended_at=now, look_at=later)))
    system.restart()
    await system.server.scheduler.start()
    await system.pass_time(2)
    assert not ear.live
    await system.pass_time(10)
    assert not system.read(listenings.every_watched)


async def test_a_listener_is_called_when_a_slot_is_free(
    system: ListeningSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    await system.talking(1)
    free = taken_for(system, monkeypatch, 3)
    assert await system.listen(seat=1) == 200
    *_, leg = system.network.legs.values()
    assert leg.created >= free


async def test_a_listener_does_not_wait_long_for_a_slot(
    system: ListeningSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    await system.talking(1)
    taken_for(system, monkeypatch, 11)
    before = len(system.network.legs)
    assert await system.listen(seat=1) == 200
    await system.pass_time(1)
    assert len(system.network.legs) == before
    assert system.entries("listening_stopped")[0]["why"] == "line_busy"


async def test_a_listeners_number_that_opts_out_while_it_waits_for_a_slot_is_not_called(
    system: ListeningSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = "+4532209999"
    await system.talking(1)
    system.write(lambda tx: enter_line(tx, SUPERVISOR, number, system.clock.now()))
    taken_for(system, monkeypatch, 3)
    clock: Any = VirtualClock
    waits = clock.sleep

    async def opts_out(virtual: VirtualClock, seconds: float) -> None:
        monkeypatch.setattr(VirtualClock, "sleep", waits)
        await waits(virtual, seconds)
        origin = Origin(by="user:1", at=virtual.now())
        system.write(
            lambda tx: opt_outs.add(tx, [Scope.NUMBER], phone.to_int(number), [], b"", origin)
        )

    monkeypatch.setattr(VirtualClock, "sleep", opts_out)
    assert await system.listen(seat=1) == 200
    await system.pass_time(1)
    assert number not in [leg.to for leg in system.network.legs.values()]
    assert system.entries("listening_stopped")[0]["why"] == "not_rung"
    assert system.entries("line")[-1]["reason"] == "line_refused"


async def test_a_listener_who_stopped_while_waiting_for_a_slot_is_not_called(
    system: ListeningSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    await system.talking(1)
    taken_for(system, monkeypatch, 3)
    before = len(system.network.legs)
    clock: Any = VirtualClock
    waits = clock.sleep

    async def stops(virtual: VirtualClock, seconds: float) -> None:
        monkeypatch.setattr(VirtualClock, "sleep", waits)
        await waits(virtual, seconds)
        now = virtual.now()
        system.write(lambda tx: tx.execute(table.update().values(ended_at=now)))

    monkeypatch.setattr(VirtualClock, "sleep", stops)
    assert await system.listen(seat=1) == 200
    await system.pass_time(1)
    assert len(system.network.legs) == before
