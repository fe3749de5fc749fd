"""A carrier that refuses an order because it is behind with its own news, is slow to answer one, or accepts one and does
nothing: no person is left on the line with nobody."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from callserver.assemble import Server
from callserver.database import leases
from callserver.domain.call import Report
from callserver.engine import retried_orders
from callserver.ports import Leg as LegOfPort
from callserver.ports import LegState, Result
from callserver.provider_events import CallReport
from callserver.simulator.legs import Behaviour, Leg, OrderRefused
from tests.harness.simulated import SimulatedSystem, failing, in_a_talk, rings, rings_unheard


@pytest.fixture
def system(tmp_path: Path) -> Iterator[SimulatedSystem]:
    made = SimulatedSystem(tmp_path)
    yield made
    made.close()


def knows_late(system: SimulatedSystem, times: int) -> None:
    """The network takes an answered leg for one that still rings, so many times."""
    rest: Any = system.world.rest_api
    really, left = rest.update_fault, [times]

    def update_fault(order: str) -> str:
        if order == "redirect" and left[0]:
            left[0] -= 1
            raise OrderRefused(400, 21220, "Call is not in-progress")
        fault: str = really(order)
        return fault

    rest.update_fault = update_fault


def does_nothing(system: SimulatedSystem, what: str, times: int = 1) -> None:
    """The network accepts orders to legs (`end`, `instruct`), and carries none of the first ones out."""
    network: Any = system.network
    really, left = getattr(network, what), [times]

    async def work(leg: Leg, *more: Any) -> None:
        if left[0] and leg.to.startswith("+"):
            left[0] -= 1
            return
        await really(leg, *more)

    setattr(network, what, work)


async def looks(server: Server) -> None:
    """The server's scheduler does what is due."""
    await server.scheduler.tick()
    await server.ctx.background.idle()


def apologies_of_two(
    system: SimulatedSystem, meanwhile: Callable[[int, Server], Awaitable[Result | None]]
) -> list[str]:
    """The legs to which two servers order apologies. `meanwhile`: what happens while the carrier has not answered an
    order, by its number, with the server that may order another; a result is the answer itself."""
    other, ordered = system.server, list[str]()
    for server in (other, system.restart()):
        telephony: Any = server.ctx.telephony
        really = telephony.apologise

        async def slow(ref: str, organisation: str, really: Any = really) -> Result:
            ordered.append(ref)
            if (answer := await meanwhile(len(ordered), other)) is not None:
                return answer
            result: Result = await really(ref, organisation)
            return result

        telephony.apologise = slow
    return ordered


@pytest.mark.parametrize("times", [1, 8])
async def test_who_has_answered_hears_the_apology_though_the_carrier_knows_it_late(
    system: SimulatedSystem, times: int
) -> None:
    knows_late(system, times)
    leg = await in_a_talk(system)
    system.network.hang_up_by_person(system.phoner_leg())
    await system.pass_time(4)
    assert leg.spoken


async def test_a_leg_that_nobody_expects_hears_the_apology_though_the_carrier_knows_it_late(
    system: SimulatedSystem,
) -> None:
    """Its order was settled as never placed; then it rings after all, and a person answers."""
    leg = await rings_unheard(system)
    (call,) = system.calls()
    await system.server.call_flow.receive(CallReport(call.attempt, Report.NEVER_PLACED))
    system.network.faults = system.network.callbacks.faults = system.plan.faults
    knows_late(system, 1)
    await system.pass_time(3)
    assert leg.spoken


async def test_who_has_heard_the_apology_is_let_go_by_a_carrier_that_keeps_them(
    system: SimulatedSystem,
) -> None:
    leg = await in_a_talk(system)
    does_nothing(system, "instruct")
    system.network.hang_up_by_person(system.phoner_leg())
    await system.pass_time(70)
    assert not leg.live


async def test_a_server_that_starts_cuts_no_apology(system: SimulatedSystem) -> None:
    leg = await in_a_talk(system)
    system.network.hang_up_by_person(system.phoner_leg())
    await system.pass_time(1)
    assert leg.spoken
    await system.restart().scheduler.start()
    await system.pass_time(1)
    assert leg.live
    await system.pass_time(70)
    assert not leg.live


async def test_a_talk_that_goes_on_after_the_hang_up_is_ended(system: SimulatedSystem) -> None:
    leg = await in_a_talk(system)
    does_nothing(system, "end")
    await system.do("POST", "/hang-up", {})
    await system.pass_time(10)
    assert not leg.live
    assert (await system.seat())["state"] == "wrapping_up"


async def test_an_apology_is_not_begun_again_while_its_order_is_unanswered(
    system: SimulatedSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The carrier is slow to answer, and speaks meanwhile."""
    monkeypatch.setattr(retried_orders, "ANSWER_S", 0.05)
    telephony: Any = system.server.ctx.telephony
    really, ordered = telephony.apologise, []

    async def slow(ref: str, organisation: str) -> Result:
        ordered.append(ref)
        result: Result = await really(ref, organisation)
        await asyncio.sleep(0.3)
        return result

    telephony.apologise = slow
    leg = await in_a_talk(system)
    system.network.hang_up_by_person(system.phoner_leg())
    await system.pass_time(2)
    assert ordered == [leg.sid]
    assert leg.spoken


async def test_an_apology_is_not_begun_by_another_server_while_its_order_is_unanswered(
    system: SimulatedSystem,
) -> None:
    async def meanwhile(number: int, other: Server) -> Result | None:
        if number == 1:
            await looks(other)
        return None

    leg = await in_a_talk(system)
    ordered = apologies_of_two(system, meanwhile)
    system.network.hang_up_by_person(system.phoner_leg())
    await system.pass_time(2)
    assert ordered == [leg.sid]
    assert leg.spoken


async def test_nor_while_an_order_is_unanswered_that_follows_a_failed_one(
    system: SimulatedSystem,
) -> None:
    async def meanwhile(number: int, other: Server) -> Result | None:
        if number == 1:
            system.clock.set(system.clock.now() + timedelta(seconds=4.5))
            return Result.SILENT
        system.clock.set(system.clock.now() + timedelta(seconds=7))
        await looks(other)
        return None

    leg = await in_a_talk(system)
    ordered = apologies_of_two(system, meanwhile)
    system.network.hang_up_by_person(system.phoner_leg())
    await system.pass_time(2)
    assert ordered == [leg.sid] * 2
    assert leg.spoken


async def test_an_apology_to_a_leg_that_nobody_expects_is_not_cut_off_while_its_order_is_unanswered(
    system: SimulatedSystem,
) -> None:
    leg = await rings_unheard(system)
    (call,) = system.calls()
    await system.server.call_flow.receive(CallReport(call.attempt, Report.NEVER_PLACED))
    system.network.faults = system.network.callbacks.faults = system.plan.faults
    telephony: Any = system.server.ctx.telephony
    really, speaks = telephony.apologise, []

    async def slow(ref: str, organisation: str) -> Result:
        result: Result = await really(ref, organisation)
        system.clock.set(system.clock.now() + timedelta(seconds=7))
        await system.server.scheduler.tick()
        for _ in range(100):
            await asyncio.sleep(0)  # for what the scheduler has started
        speaks.append(leg.live)
        return result

    telephony.apologise = slow
    await system.pass_time(20)
    assert leg.spoken
    assert speaks == [True]


async def test_an_apology_that_another_server_did_not_finish_is_ordered(
    system: SimulatedSystem,
) -> None:
    leg = await in_a_talk(system)
    name, now = leases.apology_to(leg.sid), system.clock.now()
    assert system.write(lambda tx: leases.acquire(tx, name, "killed", now))
    system.network.hang_up_by_person(system.phoner_leg())
    await system.pass_time(5)
    assert not leg.spoken
    await system.pass_time(7)
    assert leg.spoken


async def test_who_answers_while_a_cancellation_is_unanswered_hears_the_apology_next(
    system: SimulatedSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retried_orders, "ANSWER_S", 0.05)
    system.people.default = Behaviour(answers_after=None)
    leg = await rings(system)
    telephony: Any = system.server.ctx.telephony
    really, ordered = telephony.apologise, []

    async def hangs(_: str) -> Result:
        ordered.append("cancel")
        if not leg.answered:
            await system.network.answer(leg)
            (call,) = system.calls()
            answered = CallReport(call.attempt, Report.ANSWERED, leg=leg.sid)
            await system.server.call_flow.receive(answered)
        await asyncio.sleep(60)
        return Result.DONE

    async def apologise(ref: str, organisation: str) -> Result:
        ordered.append("apologise")
        result: Result = await really(ref, organisation)
        return result

    telephony.cancel, telephony.apologise = hangs, apologise
    system.network.hang_up_by_person(system.phoner_leg())
    await system.pass_time(3)
    assert ordered == ["cancel", "apologise"]


async def test_whether_a_person_has_answered_nobody_is_asked_again_at_once(
    system: SimulatedSystem,
) -> None:
    """The answer was not reported, and the carrier does not answer the first question about it."""
    system.people.default = Behaviour(answers_after=None)
    leg = await rings(system)
    telephony: Any = system.server.ctx.telephony
    really, left = telephony.look_up, [1]

    async def look_up(*about: Any) -> LegOfPort:
        if left[0]:
            left[0] -= 1
            return LegOfPort(LegState.NO_ANSWER)
        found: LegOfPort = await really(*about)
        return found

    telephony.look_up = look_up
    system.network.callbacks.faults = replace(system.plan.faults, dropped=1.0)
    await system.network.answer(leg)
    system.network.callbacks.faults = system.plan.faults
    system.network.hang_up_by_person(system.phoner_leg())
    await system.pass_time(2)
    assert leg.spoken


@pytest.mark.parametrize(("phoners", "orders_a_second"), [(1, 5), (8, 8)])
async def test_a_carrier_that_refuses_to_end_many_calls_is_not_kept_at_its_limit(
    tmp_path: Path, phoners: int, orders_a_second: int
) -> None:
    system = SimulatedSystem(tmp_path, phoners=phoners)
    system.people.default = Behaviour(answers_after=None)
    each = range(1, phoners + 1)
    for phoner in each:
        await system.on_shift(phoner)
    for phoner in each:
        await system.ready(phoner)
    await system.pass_time(5)
    legs = system.live_legs()
    assert len(legs) == phoners
    telephony: Any = system.server.ctx.telephony
    asked = failing(system, "hang_up", times=9_999)
    for phoner in each:
        await system.do("POST", "/hang-up", {}, phoner=phoner)
    at_first = len(asked)
    await system.pass_time(10)
    assert all(leg.live for leg in legs)
    assert 10 * phoners <= len(asked) - at_first <= 12 * orders_a_second
    del telephony.hang_up  # it takes orders again
    await system.pass_time(2)
    assert not any(leg.live for leg in legs)
    system.close()


async def test_a_carrier_that_does_not_answer_is_asked_less_and_less_about_a_call_to_be_ended(
    system: SimulatedSystem,
) -> None:
    """Which leg it is nobody knows: its order had no answer."""
    leg = await rings_unheard(system)
    telephony: Any = system.server.ctx.telephony
    really, asked = telephony.look_up, []

    async def look_up(*about: Any) -> LegOfPort:
        asked.append(about)
        return LegOfPort(LegState.NO_ANSWER)

    telephony.look_up = look_up
    await system.do("POST", "/hang-up", {})
    await system.pass_time(15)
    assert leg.live
    assert 5 <= len(asked) <= 10
    telephony.look_up = really
    await system.pass_time(5)
    assert not leg.live
