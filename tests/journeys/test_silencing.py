"""An opt-out while the person's telephone rings: it falls silent at once, and nobody is connected afterwards."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from callserver.database import contacts, leases
from callserver.domain.call import Report
from callserver.domain.facts import Scope
from callserver.domain.seat import SeatState
from callserver.domain.stop_reasons import HOURS_OVER
from callserver.engine.calls import hangups
from callserver.engine.suppressions import opt_outs
from callserver.engine.suppressions.opt_outs import Origin
from callserver.ports import Result, Tx
from callserver.provider_events import CallReport
from callserver.simulator.legs import Behaviour
from tests.harness.simulated import SimulatedSystem, failing, rings, rings_unheard

Act = Callable[[SimulatedSystem], Awaitable[None]]


@pytest.fixture
def system(tmp_path: Path) -> Iterator[SimulatedSystem]:
    made = SimulatedSystem(tmp_path)
    made.people.default = Behaviour(answers_after=None)
    yield made
    made.close()


def opt_out(system: SimulatedSystem) -> None:
    """By a command beside the server: its transaction sends nothing."""
    (call,) = system.calls()

    def work(tx: Tx) -> None:
        known = contacts.by_number(tx, call.number)
        origin = Origin(by="test", at=system.clock.now())
        opt_outs.add(tx, [Scope.NUMBER], call.number, known, b"", origin)

    system.write(work)


async def nothing_happens(_: str) -> Result:
    """The network accepts the order, and the telephone rings on."""
    return Result.DONE


async def test_who_answers_after_an_opt_out_is_not_connected(system: SimulatedSystem) -> None:
    telephony: Any = system.server.ctx.telephony
    leg = await rings(system)
    telephony.cancel = nothing_happens
    opt_out(system)
    await system.pass_time(1)
    assert system.calls()[0].stopped
    await system.network.answer(leg)
    await system.pass_time(1)
    assert leg.spoken  # who called, and an apology
    assert system.entries("apologised")
    states = {entry["state"] for entry in system.entries("seat")}
    assert SeatState.TALKING not in states
    await system.pass_time(20)
    assert not leg.live
    call, *_ = system.calls()
    assert call.abandoned
    assert call.outcome is None


@pytest.mark.parametrize("answered_first", [True, False])
async def test_a_late_report_of_the_answer_connects_nobody(
    system: SimulatedSystem, answered_first: bool
) -> None:
    """Whichever comes first: the order's late reply, or the report of the answer."""
    telephony: Any = system.server.ctx.telephony
    leg = await rings_unheard(system)
    telephony.cancel = nothing_happens
    opt_out(system)
    (call,) = system.calls()
    await system.network.answer(leg)
    reports = [Report.ANSWERED, Report.TAKEN] if answered_first else [Report.TAKEN, Report.ANSWERED]
    for report in reports:
        await system.server.call_flow.receive(CallReport(call.attempt, report, leg=leg.sid))
        await system.server.ctx.background.idle()
    assert leg.spoken
    assert SeatState.TALKING not in {entry["state"] for entry in system.entries("seat")}


async def test_a_phoner_who_hangs_up_before_the_answer_is_reported_has_talked(
    system: SimulatedSystem,
) -> None:
    """They were together: nobody is owed an apology, and the talk has an outcome."""
    leg = await rings(system)
    really = system.server.ctx.telephony.hang_up
    telephony: Any = system.server.ctx.telephony
    telephony.hang_up = nothing_happens
    await system.do("POST", "/hang-up", {})
    await system.network.answer(leg)
    await system.pass_time(1)
    telephony.hang_up = really
    await really(leg.sid)
    await system.pass_time(1)
    (call,) = system.calls()
    assert (call.cause, call.abandoned) == ("completed", False)
    assert not system.entries("apologised")
    assert (await system.seat())["state"] == "wrapping_up"


async def hours_end(system: SimulatedSystem) -> None:
    (call,) = system.calls()
    system.write(lambda tx: hangups.want_ended(tx, call, HOURS_OVER, system.clock.now()))


async def hangs_up(system: SimulatedSystem) -> None:
    await system.do("POST", "/hang-up", {})


async def opts_out(system: SimulatedSystem) -> None:
    opt_out(system)


@pytest.mark.parametrize(
    ("first", "then"), [(hours_end, opts_out), (hangs_up, opts_out), (opts_out, hangs_up)]
)
async def test_whatever_else_ends_the_call_an_opt_out_connects_nobody(
    system: SimulatedSystem, first: Act, then: Act
) -> None:
    """The network takes the orders and does not carry them out."""
    telephony: Any = system.server.ctx.telephony
    leg = await rings(system)
    telephony.cancel = telephony.hang_up = nothing_happens
    await first(system)
    await system.pass_time(1)
    await then(system)
    await system.pass_time(1)
    await system.network.answer(leg)
    await system.pass_time(1)
    assert leg.spoken
    assert SeatState.TALKING not in {entry["state"] for entry in system.entries("seat")}


async def test_a_failing_hang_up_is_repeated_at_once(
    system: SimulatedSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    leg = await rings(system)
    asked = failing(system, "cancel")

    async def waits(_: object, seconds: float) -> None:
        pytest.fail(f"it waited {seconds} s")

    monkeypatch.setattr(type(system.clock), "sleep", waits)
    opt_out(system)
    await system.server.hangups.end_calls()
    assert not leg.live
    assert len(asked) == 2


async def test_an_order_without_an_answer_is_given_again(
    system: SimulatedSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callserver.engine.retried_orders.ANSWER_S", 0.01)
    telephony: Any = system.server.ctx.telephony
    leg = await rings(system)
    really = telephony.cancel
    asked: list[str] = []

    async def black_hole(ref: str) -> Result:
        asked.append(ref)
        if len(asked) == 1:
            await asyncio.Event().wait()
        result: Result = await really(ref)
        return result

    telephony.cancel = black_hole
    opt_out(system)
    await system.server.hangups.end_calls()
    assert asked == [leg.sid, leg.sid]
    assert not leg.live


async def of_another_process(system: SimulatedSystem) -> None:
    """A process that was killed has the scheduler's lease, for seconds to come."""
    await system.server.scheduler.release()
    now = system.clock.now()
    system.write(lambda tx: leases.acquire(tx, leases.SCHEDULER, "killed", now))


async def test_a_restarted_server_silences_first_and_without_the_lease(
    system: SimulatedSystem,
) -> None:
    leg = await rings(system)
    await of_another_process(system)
    opt_out(system)
    server = system.restart()
    await server.scheduler.start()
    await server.ctx.background.idle()
    assert not leg.live


async def test_another_server_silences_without_the_lease(system: SimulatedSystem) -> None:
    leg = await rings(system)
    await of_another_process(system)
    opt_out(system)
    await system.server.scheduler.tick()
    await system.server.ctx.background.idle()
    assert not leg.live


async def test_a_restarted_server_asks_at_once_which_leg_rings(system: SimulatedSystem) -> None:
    leg = await rings_unheard(system)
    await of_another_process(system)
    opt_out(system)
    server = system.restart()
    await server.scheduler.start()
    await server.ctx.background.idle()
    assert not leg.live
