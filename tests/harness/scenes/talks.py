"""Talks, and calls that come to none."""

from callserver.domain.call import Report
from callserver.engine.lists.importer import import_list
from callserver.provider_events import CallReport
from callserver.simulator.legs import Behaviour
from tests.harness.scenes.evening import (
    FIRST,
    LATER,
    ONE_PERSON,
    RINGS_OUT,
    System,
    ends,
    hangs_up,
    said,
    tries,
)
from tests.harness.simulated import in_a_talk


async def ordinary(system: System) -> None:
    """A talk with an outcome, calls that nobody answers, a pause."""
    await in_a_talk(system)
    await ends(system, "no_thanks", then="ready")
    system.people.default = RINGS_OUT
    await system.pass_time(70)
    await system.do("POST", "/pause", {})
    await system.pass_time(60)


async def slow_phoner(system: System) -> None:
    """The time for the outcome passes; then it is given."""
    await in_a_talk(system)
    await hangs_up(system)
    await system.pass_time(90)
    await tries(system, "/ready", {})
    await system.outcome("no_thanks", then="pause")
    await system.pass_time(20)


async def phoner_hangs_up(system: System) -> None:
    await in_a_talk(system)
    await system.do("POST", "/hang-up", {})
    await system.pass_time(400)


async def late_report(system: System, report: Report) -> None:
    (call,) = system.calls()
    await system.server.call_flow.receive(CallReport(call.attempt, report, leg=call.ref))
    await system.pass_time(2)


async def late_in_a_talk(system: System) -> None:
    """The report of ringing comes in the middle of the talk."""
    await in_a_talk(system)
    await late_report(system, Report.RANG)
    await ends(system, "no_thanks")


async def late_after_the_end(system: System) -> None:
    await in_a_talk(system)
    await ends(system, "no_thanks")
    await late_report(system, Report.RANG)


async def busy(system: System) -> None:
    system.people.default = Behaviour(ends="busy")
    await system.on_shift()
    await system.ready()
    await system.pass_time(20)


async def nobody_answers(system: System) -> None:
    system.people.default = RINGS_OUT
    await system.on_shift()
    await system.ready()
    await system.pass_time(400)


async def by_hand_again(system: System) -> None:
    """The phoner dials the same number by hand, over and over, on one day."""
    system.people.default = RINGS_OUT
    await system.on_shift()
    for wait in (0, 600, LATER, LATER - 1800):
        await system.jump(wait)
        await tries(system, "/dial", {"number": FIRST})


async def one_household(system: System) -> None:
    """Two phoners, and two people of one household on the list."""
    system.people.default = RINGS_OUT
    for phoner in (1, 2):
        await system.on_shift(phoner)
        await system.ready(phoner)
    await system.pass_time(30)


async def corrected(system: System) -> None:
    """The outcome is corrected twice."""
    await said(system, "no_thanks")
    attempt = system.calls()[0].attempt
    for outcome in ("hung_up", "voicemail"):
        body = {"attempt": attempt, "outcome": outcome}
        await tries(system, "/correct", body)


async def phoner_lost_while_it_rings(system: System) -> None:
    system.people.default = RINGS_OUT
    await system.on_shift()
    await system.ready()
    await system.pass_time(3)
    await system.network.end(system.phoner_leg(), "completed")
    await system.pass_time(200)


async def phoner_lost_at_the_answer(system: System) -> None:
    """Somebody answers in the moment in which the phoner's telephone is lost."""
    system.people.default = RINGS_OUT
    await system.on_shift()
    await system.ready()
    await system.pass_time(3)
    person = system.live_legs()[0]
    await system.network.end(system.phoner_leg(), "completed")
    await system.network.answer(person)
    await system.pass_time(300)


async def phoner_lost_while_waiting(system: System) -> None:
    """The list has nobody left, the phoner's telephone is lost, and a new list comes."""
    await system.on_shift()
    await system.ready()
    await system.pass_time(3)
    leg = system.phoner_leg()
    system.people.phoners_answer = False
    await system.network.end(leg, "completed")
    await system.pass_time(3)
    campaign = system.server.ctx.rules.campaign("kanvas")
    system.write(lambda tx: import_list(tx, campaign, ONE_PERSON.encode(), system.clock.now()))
    await system.server.dialer.dial(1)
    await system.pass_time(40)
