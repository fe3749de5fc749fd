"""Which calls a listener heard is recorded, in whatever order the network reports."""

from datetime import timedelta

import pytest

from callserver.database import listenings
from callserver.domain.call import Receipt, Report
from callserver.provider_events import CallReport
from callserver.simulator.legs import Behaviour
from tests.harness.listening import SUPERVISOR, ListeningSystem


@pytest.mark.parametrize(
    "reports",
    [(Report.ANSWERED, Report.HUNG_UP), (Report.HUNG_UP,), (Report.HUNG_UP, Report.ANSWERED)],
)
async def test_a_talk_is_heard_though_its_end_is_reported_first(
    system: ListeningSystem, reports: tuple[Report, ...]
) -> None:
    system.people.default = Behaviour(answers_after=None)
    await system.on_shift(1)
    assert await system.listen() == 200
    await system.pass_time(3)
    await system.ready()
    await system.pass_time(6)
    assert (await system.seat())["state"] == "ringing"
    (call,) = system.calls()
    for sequence, report in enumerate(reports):
        receipt = Receipt("call", call.ref, 100 + sequence)
        at = system.clock.now() + timedelta(seconds=sequence)
        await system.server.call_flow.receive(
            CallReport(call.attempt, report, leg=call.ref, at=at, receipt=receipt)
        )
    heard = system.read(lambda tx: listenings.heard_of(tx, SUPERVISOR, [call.attempt]))
    assert heard == {call.attempt}
    assert [entry["mode"] for entry in system.entries("heard")] == ["silent"]


async def test_nobody_hears_a_call_that_was_not_answered(system: ListeningSystem) -> None:
    await system.on_shift(1)
    assert await system.listen() == 200
    await system.pass_time(3)
    system.people.default = Behaviour(answers_after=None)
    await system.ready()
    await system.pass_time(120)
    assert [call.cause for call in system.calls()][:1] == ["no_answer"]
    assert system.entries("heard") == []
