"""An order whose reply does not tell whether a telephone rings holds its phoner for seconds, and is not repeated."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from callserver.domain.call import CallState, Cause
from callserver.domain.seat import SeatState
from callserver.simulator.faults import NONE
from callserver.simulator.legs import Behaviour, Callback, Leg
from tests.harness.simulated import SimulatedSystem


@pytest.fixture
def system(tmp_path: Path) -> Iterator[SimulatedSystem]:
    made = SimulatedSystem(tmp_path)
    made.people.default = Behaviour(answers_after=None)
    yield made
    made.close()


async def ordered_with(system: SimulatedSystem, fault: str, *, reports: bool = True) -> None:
    await system.on_shift()
    system.network.callbacks.faults = replace(NONE, dropped=0.0 if reports else 1.0)
    system.network.faults = replace(NONE, **{fault: 1.0})
    await system.ready()
    await system.pass_time(0.5)
    system.network.faults = NONE
    assert system.calls()[0].state == CallState.SILENT


@pytest.mark.parametrize("fault", ["broken", "order_lost"])
async def test_an_order_that_never_arrived_is_settled_in_seconds(
    system: SimulatedSystem, fault: str
) -> None:
    await ordered_with(system, fault)
    number = system.calls()[0].number
    await system.pass_time(22)
    call, following = system.calls()
    assert call.cause == Cause.NEVER_PLACED
    assert following.number != number
    await system.pass_time(600)
    assert f"+{number}" not in system.rang()  # nobody is dialed again because of it


@pytest.mark.parametrize("fault", ["broken_after", "reply_lost"])
async def test_an_order_that_arrived_is_found_by_its_own_mark(
    system: SimulatedSystem, fault: str
) -> None:
    await ordered_with(system, fault, reports=False)
    await system.pass_time(1.5)
    (call,) = system.calls()
    assert call.state in (CallState.DIALING, CallState.RINGING)
    assert system.seats()[0].state in (SeatState.RESERVED, SeatState.RINGING)


async def test_an_order_that_is_found_to_ring_after_all_is_ended(system: SimulatedSystem) -> None:
    """The look-ups were wrong for longer than they are believed."""
    await ordered_with(system, "broken")
    call = system.calls()[0]
    await system.pass_time(22)
    url = f"{system.plan.public_url}/twilio/status/call?attempt={call.attempt}"
    leg = Leg(
        sid=system.network.sid("CA"),
        to=f"+{call.number}",
        caller=call.caller_id,
        created=system.clock.now(),
        timeout=30,
        callback=Callback(url, frozenset({"initiated", "ringing", "answered", "completed"})),
    )
    leg.label, leg.conference = call.attempt, call.room_ref
    system.network.order(leg)
    await system.pass_time(3)
    assert not leg.live
    assert not leg.answered
