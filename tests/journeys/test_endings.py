"""What must end does end: calls, and orders that the provider did not take."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from callserver.domain.call import Cause, Report
from callserver.domain.campaign import Retry
from callserver.engine.audit_log.reconciliation import reconcile
from callserver.ports import Leg, LegState, Result
from callserver.provider_events import CallReport
from callserver.simulator.faults import Faults
from callserver.simulator.legs import Behaviour
from tests.harness.simulated import SimulatedSystem, failing, in_a_talk, rings

FIRST = "+4532200000"
RINGS_OUT = Behaviour(answers_after=None)


@pytest.fixture
def system(tmp_path: Path) -> Iterator[SimulatedSystem]:
    made = SimulatedSystem(tmp_path)
    yield made
    made.close()


async def test_the_apology_is_said_though_its_order_failed(system: SimulatedSystem) -> None:
    system.people.default = RINGS_OUT
    person = await rings(system)
    failing(system, "apologise", times=2)
    await system.network.end(system.phoner_leg(), "completed")
    await system.network.answer(person)
    await system.pass_time(8)
    assert system.network.record[0].heard in ("apology", "silence")  # late, but it is said
    assert len(system.entries("apologised")) == 1


@pytest.mark.parametrize("seed", range(8))
async def test_an_answer_in_the_moment_in_which_the_phoner_is_lost_gets_an_apology(
    tmp_path: Path, seed: int
) -> None:
    """The loss is told before the answer, or after it: the order to stop may meet an answered call."""
    system = SimulatedSystem(tmp_path, seed=seed)
    system.people.default = RINGS_OUT
    person = await rings(system)
    await system.network.end(system.phoner_leg(), "completed")
    await system.network.answer(person)
    await system.pass_time(8)
    system.close()
    assert system.network.record[0].heard == "apology"


async def test_what_rings_on_though_it_was_cancelled_is_silenced(system: SimulatedSystem) -> None:
    system.people.default = RINGS_OUT

    person = await rings(system)
    telephony: Any = system.server.ctx.telephony

    async def nothing_follows(_: str) -> Result:
        return Result.DONE

    telephony.cancel = nothing_follows
    await system.network.end(system.phoner_leg(), "completed")
    await system.pass_time(1)
    assert person.live
    await system.pass_time(4)
    assert not person.live


async def test_one_that_cannot_be_silenced_holds_up_no_other(tmp_path: Path) -> None:
    system = SimulatedSystem(tmp_path, phoners=2)
    system.people.default = RINGS_OUT
    for phoner in (1, 2):
        await system.on_shift(phoner)
        await system.ready(phoner)
    await system.pass_time(3)
    first, second = system.live_legs()
    failing(system, "hang_up", times=1000, only=first.sid)
    for phoner in (1, 2):
        await system.api("POST", "/hang-up", {}, phoner=phoner)
    assert not second.live
    assert first.live
    system.close()


async def test_a_hang_up_that_failed_is_ordered_again(system: SimulatedSystem) -> None:
    person = await in_a_talk(system)
    failing(system, "hang_up", times=8)
    await system.api("POST", "/hang-up", {})
    assert system.live_legs() == [person]
    await system.pass_time(4)
    assert system.live_legs() == []
    assert (await system.seat())["state"] == "wrapping_up"


async def test_the_second_of_a_double_click_does_not_end_the_next_call(
    system: SimulatedSystem,
) -> None:
    system.people.default = RINGS_OUT
    first = await rings(system)
    call = (await system.seat())["call"]
    assert (await system.api("POST", "/hang-up", {"attempt": call["attempt"]}))[0] == 200
    while not (others := [leg for leg in system.live_legs() if leg is not first]):
        await system.pass_time(1)
    assert (await system.api("POST", "/hang-up", {"attempt": call["attempt"]}))[0] == 200
    await system.pass_time(2)
    assert system.live_legs() == others


@pytest.mark.parametrize("pressed", [True, False])
async def test_a_talk_whose_end_was_never_told_ends_in_seconds(
    system: SimulatedSystem, pressed: bool
) -> None:
    """The phoner presses hang up; or the provider reports that the person has left the room."""
    person = await in_a_talk(system)
    person.callback.url = None
    if pressed:
        system.world.callbacks.faults = Faults(dropped=1.0)
    system.network.hang_up_by_person(person)
    await system.pass_time(1)
    assert (await system.seat())["state"] == "talking"
    for _ in range(8):
        if pressed:  # again and again
            await system.api("POST", "/hang-up", {})
        await system.pass_time(1)
    assert (await system.seat())["state"] == "wrapping_up"


async def test_who_answers_is_not_left_alone_because_the_provider_did_not_say(
    system: SimulatedSystem,
) -> None:
    """The loss of the phoner's leg was not reported, and the first look-up of it failed too."""
    system.people.default = RINGS_OUT

    person = await rings(system)
    leg = system.phoner_leg()
    room = system.network.rooms[leg.conference or ""]
    room.callback.url = leg.callback.url = None
    await system.network.end(leg, "completed")
    telephony: Any = system.server.ctx.telephony
    really, telephony.leg = telephony.leg, None

    async def first_nothing(ref: str) -> Any:
        telephony.leg = really
        return Leg(LegState.NO_ANSWER, ref)

    telephony.leg = first_nothing
    await system.network.answer(person)
    await system.pass_time(3)
    assert system.network.record[0].heard == "apology"


async def test_what_was_settled_as_never_placed_and_rings_is_silenced(
    system: SimulatedSystem,
) -> None:
    await system.on_shift()
    system.people.default = RINGS_OUT
    await system.ready()
    await system.pass_time(2)
    call, leg = system.calls()[0], system.live_legs()[0]
    receive = system.server.call_flow.receive
    await receive(CallReport(call.attempt, Report.NEVER_PLACED))
    assert leg.live
    await receive(CallReport(call.attempt, Report.RANG, leg=leg.sid))
    await system.server.ctx.background.idle()
    assert not leg.live


@pytest.mark.parametrize("why", ["a second telephone", "an answering machine"])
async def test_a_leg_of_no_call_is_ended_though_the_provider_fails_for_minutes(
    system: SimulatedSystem, why: str
) -> None:
    """Its call is over, so that nothing in the database would repeat the order."""
    person = await in_a_talk(system)
    call = system.calls()[0]
    failing(system, "hang_up", times=8)
    receive, leg = system.server.call_flow.receive, person.sid
    if why == "a second telephone":
        await receive(CallReport(call.attempt, Report.ANSWERED, leg="CA" + "2" * 32))
        leg = "CA" + "2" * 32
    else:
        await receive(CallReport(call.attempt, Report.MACHINE, leg=leg))
    asked: list[str] = []
    telephony: Any = system.server.ctx.telephony
    orders = telephony.hang_up

    async def hang_up(ref: str) -> Result:
        result: Result = await orders(ref)
        asked.append(ref)
        return result

    telephony.hang_up = hang_up
    await system.pass_time(300)
    assert leg in asked


@pytest.mark.parametrize(("code", "waits"), [(None, 1440), (404, 5)])
async def test_a_call_whose_end_nobody_knows_is_repeated_with_care(
    system: SimulatedSystem, code: int | None, waits: int
) -> None:
    """Somebody may have answered it, unless the carrier's response says why it ended."""
    rules = system.server.ctx.rules
    campaign = rules.known("kanvas")
    soon = {**campaign.retry, Cause.UNREACHABLE: Retry(after_minutes=5, most=2)}
    changed = {"kanvas": campaign.model_copy(update={"retry": soon})}
    rules.current = replace(rules.current, campaigns={**rules.current.campaigns, **changed})
    await system.on_shift()
    system.people.default = RINGS_OUT
    await system.ready()
    await system.pass_time(2)
    ended = CallReport(system.calls()[0].attempt, Report.FAILED, code=code)
    await system.server.call_flow.receive(ended)
    assert system.contacts()[0].next_at - system.clock.now() == timedelta(minutes=waits)


async def test_a_code_or_cause_that_comes_late_is_in_the_log(system: SimulatedSystem) -> None:
    """It decides whether the call counts as an attempt, so the log has it as the table has."""
    await system.on_shift()
    system.people.default = RINGS_OUT
    await system.ready()
    await system.pass_time(2)
    call, receive = system.calls()[0], system.server.call_flow.receive
    await receive(CallReport(call.attempt, Report.FAILED))
    for _ in range(2):
        await receive(CallReport(call.attempt, Report.FAILED, code=404))
    assert system.calls()[0].code == 404
    late = [entry for entry in system.entries("reported") if entry.get("code") == 404]
    assert [(entry["state"], entry["cause"]) for entry in late] == [("ended", "unreachable")]
    await receive(CallReport(call.attempt, Report.ANSWERED))
    assert system.calls()[0].cause == "completed"
    assert system.read(reconcile).named == []


@pytest.mark.parametrize("off", [timedelta(days=200), timedelta(days=-9000)])
async def test_a_provider_whose_clock_is_wrong(system: SimulatedSystem, off: timedelta) -> None:
    """Nothing happens before its permit or later than now: a talk of a minute was heard."""
    system.people.default = RINGS_OUT
    person = await rings(system)
    call = system.calls()[0]
    wrong = system.clock.now() + off
    report = CallReport(call.attempt, Report.ANSWERED, wrong, person.sid)
    await system.server.call_flow.receive(report)
    await system.network.answer(person)
    await system.pass_time(60)
    await system.network.end(system.phoner_leg(), "completed")
    await system.pass_time(5)
    call = system.calls()[0]
    assert call.permit_at <= call.answered_at <= call.ended_at
    assert not call.abandoned


async def test_nobody_owes_an_outcome_of_a_call_that_met_nobody(system: SimulatedSystem) -> None:
    system.people.default = RINGS_OUT
    person = await rings(system)
    await system.network.answer(person)
    await system.pass_time(0.5)
    await system.network.end(system.phoner_leg(), "completed")
    await system.pass_time(10)
    assert system.calls()[0].abandoned
    assert not system.seats()[0].outcome_owed
    assert system.contacts()[0].status == "waiting"


async def test_a_provider_that_is_slow_is_asked_once(system: SimulatedSystem) -> None:
    system.people.default = RINGS_OUT
    asked: list[str] = []
    answered = asyncio.Event()

    async def waits(call: Any) -> None:
        asked.append(call.attempt)
        await answered.wait()

    await rings(system)
    system.server.reconciliation.settle = waits  # type: ignore[method-assign]
    system.clock.set(system.clock.now() + timedelta(minutes=5))
    for _ in range(5):
        await system.server.scheduler.tick()
        await asyncio.sleep(0)  # the orders that the tick left to the background begin
        system.clock.set(system.clock.now() + timedelta(seconds=1))
    assert len(asked) == 1
    answered.set()
    await system.server.ctx.background.idle()


async def test_an_answer_that_was_never_told_is_asked_for(system: SimulatedSystem) -> None:
    """Every report of the leg is lost; the room reports that somebody joined."""
    system.people.default = RINGS_OUT
    person = await rings(system)
    person.callback.url = None
    await system.network.answer(person)
    await system.pass_time(6)
    assert (await system.seat())["state"] == "talking"
