"""Which calls a listener heard is recorded, in whatever order the network reports."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from callserver.database import listenings
from callserver.database.calls import CallRow
from callserver.domain.call import Receipt, Report
from callserver.provider_events import CallReport, RoomChange, RoomEvent
from callserver.simulator.faults import NONE
from callserver.simulator.legs import Behaviour
from tests.harness.listening import SUPERVISOR, ListeningSystem

FULL = (Report.ANSWERED, Report.HUNG_UP)
ONLY_THE_END = (Report.HUNG_UP,)
REVERSED = (Report.HUNG_UP, Report.ANSWERED)


async def ringing(
    system: ListeningSystem, mode: str = "silent", answers_after: float | None = None
) -> CallRow:
    """The supervisor listens to a seat whose call rings."""
    system.people.default = Behaviour(answers_after=answers_after)
    await system.on_shift(1)
    assert await system.listen(mode) == 200
    await system.pass_time(3)
    await system.ready()
    await system.pass_time(6)
    assert (await system.seat())["state"] == "ringing"
    calls: list[CallRow] = system.calls()
    return calls[0]


async def report(
    system: ListeningSystem, call: CallRow, reports: tuple[Report, ...], began: datetime
) -> None:
    """The network reports a talk that began then and lasted for six seconds."""
    for sequence, each in enumerate(reports):
        receipt = Receipt("call", call.ref or "", 100 + sequence)
        at = began if each is Report.ANSWERED else began + timedelta(seconds=6)
        await system.server.call_flow.receive(
            CallReport(call.attempt, each, leg=call.ref, at=at, receipt=receipt)
        )


@pytest.mark.parametrize("reports", [FULL, ONLY_THE_END, REVERSED])
async def test_a_talk_is_heard_though_its_end_is_reported_first(
    system: ListeningSystem, reports: tuple[Report, ...]
) -> None:
    call = await ringing(system)
    await report(system, call, reports, system.clock.now())
    heard = system.read(lambda tx: listenings.heard_of(tx, SUPERVISOR, [call.attempt]))
    assert heard == {call.attempt}
    assert [entry["mode"] for entry in system.entries("heard")] == ["silent"]


@pytest.mark.parametrize("reports", [FULL, ONLY_THE_END, REVERSED])
@pytest.mark.parametrize("leaves_after", [1, 5, 12])
async def test_who_has_left_when_a_talk_is_reported_has_heard_it(
    system: ListeningSystem, reports: tuple[Report, ...], leaves_after: int
) -> None:
    """Somebody answers after three seconds and talks until the ninth. It is reported in the 17th."""
    call = await ringing(system)
    began = system.clock.now() + timedelta(seconds=3)
    await system.pass_time(leaves_after)
    assert await system.stop() == 200
    await system.pass_time(17 - leaves_after)
    assert system.ear() is None
    await report(system, call, reports, began)
    # Of a talk whose beginning is never reported only the end is known.
    heard = leaves_after == 12 or (leaves_after == 5 and Report.ANSWERED in reports)
    expected = [call.attempt] if heard else []
    assert [entry["call"] for entry in system.entries("heard")] == expected
    _, told = await system.ask("GET", "/listened-to-me", user=1)
    assert [listening["calls"] for listening in told["listenings"]] == [expected]
    assert system.read(lambda tx: listenings.heard_by(tx, call.attempt, SUPERVISOR)) == heard
    await system.pass_time(60)
    assert system.violations() == []


async def test_a_listener_who_has_changed_mode_when_a_talk_is_reported(
    system: ListeningSystem,
) -> None:
    call = await ringing(system, "coach")
    began = system.clock.now() + timedelta(seconds=1)
    await system.pass_time(3)
    assert await system.listen() == 200
    await system.pass_time(14)
    await report(system, call, (Report.ANSWERED,), began)
    assert {entry["mode"] for entry in system.entries("heard")} == {"coach", "silent"}
    await report(system, call, FULL, began)
    assert len(system.entries("heard")) == 2
    assert system.violations() == []


@pytest.mark.parametrize("mode", ["silent", "coach", "join"])
async def test_a_late_report_makes_nobody_louder_than_they_were(
    system: ListeningSystem, mode: str
) -> None:
    """The person wants no listener, whose leg leaves. That it had joined is reported only now."""
    await system.talking()
    assert await system.listen(mode) == 200
    await system.pass_time(3)
    (ear, room) = (system.ear(), system.calls()[0].room)
    assert ear is not None
    await system.do("POST", "/no-listener", {})
    await system.pass_time(2)
    late = RoomEvent(room, "", ear.sid, RoomChange.JOINED, may_be_listener=True)
    await system.server.provider_events.rooms.room_event(late)
    await system.pass_time(5)
    assert {entry["mode"] for entry in system.entries("heard")} == {mode}


async def test_nobody_hears_a_call_that_was_not_answered(system: ListeningSystem) -> None:
    await system.on_shift(1)
    assert await system.listen() == 200
    await system.pass_time(3)
    system.people.default = Behaviour(answers_after=None)
    await system.ready()
    await system.pass_time(120)
    assert [call.cause for call in system.calls()][:1] == ["no_answer"]
    assert system.entries("heard") == []


@pytest.mark.parametrize("over", [False, True], ids=["the talk goes on", "the talk is over"])
async def test_who_has_left_when_the_network_is_asked_has_heard_the_talk(
    system: ListeningSystem, over: bool
) -> None:
    """No report of the talk came: the time of its answer is the network's own."""
    call = await ringing(system, answers_after=10)
    (leg,) = system.live_legs()
    system.network.callbacks.faults = replace(NONE, dropped=1.0)
    await system.pass_time(8)
    assert leg.answered is not None
    assert await system.stop() == 200
    await system.pass_time(4)
    if over:
        system.network.hang_up_by_person(leg)
    await system.pass_time(90)
    (asked, *_) = system.calls()
    assert asked.answered_at is not None
    assert abs((asked.answered_at - leg.answered).total_seconds()) <= 1
    assert (asked.ended_at is not None) == over
    assert [entry["call"] for entry in system.entries("heard")] == [call.attempt]
    assert system.violations() == []


async def test_a_listener_who_left_before_the_answer_has_heard_nothing(
    system: ListeningSystem,
) -> None:
    await ringing(system, answers_after=10)
    system.network.callbacks.faults = replace(NONE, dropped=1.0)
    assert await system.stop() == 200
    await system.pass_time(100)
    assert system.calls()[0].answered_at is not None
    assert system.entries("heard") == []
