"""A carrier that contradicts itself or says too little: numbers of events that repeat, look-ups that are wrong, a
room that begins again, an order without a reply. No telephone is left behind that the server has forgotten."""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from callserver.database import calls, contacts
from callserver.domain.call import CallState, Cause, Report
from callserver.domain.facts import Scope
from callserver.engine.calls import hangups
from callserver.engine.outcomes import missing_outcomes
from callserver.engine.suppressions import opt_outs
from callserver.engine.suppressions.opt_outs import Origin
from callserver.outbox import EndCalls
from callserver.ports import Leg, LegState, Result, Tx
from callserver.provider_events import CallReport, RoomChange, RoomEvent
from callserver.simulator.legs import Behaviour, OrderRefused
from tests.harness.simulated import SimulatedSystem, in_a_talk, rings, rings_unheard


@pytest.fixture
def system(tmp_path: Path) -> Iterator[SimulatedSystem]:
    made = SimulatedSystem(tmp_path)
    yield made
    made.close()


def counts_nothing(system: SimulatedSystem) -> None:
    """Every event of the network has the number 0."""
    really: Any = system.network.callbacks.notify

    def notify(url: str | None, form: Mapping[str, str]) -> None:
        really(url, {**form, "SequenceNumber": "0"})

    system.network.callbacks.notify = notify  # type: ignore[method-assign]


async def test_different_events_of_one_number_all_count(system: SimulatedSystem) -> None:
    counts_nothing(system)
    leg = await in_a_talk(system)
    system.network.hang_up_by_person(leg)
    await system.pass_time(1)
    assert system.calls()[0].cause == Cause.COMPLETED
    phoner = system.phoner_leg()
    system.network.leave(phoner)
    await system.pass_time(1)
    assert system.seats()[0].leg != phoner.sid or system.seats()[0].room_ref is None


async def test_a_talk_that_a_look_up_calls_ended_is_ended(system: SimulatedSystem) -> None:
    leg = await in_a_talk(system)
    telephony: Any = system.server.ctx.telephony

    async def wrong(*_: object) -> Leg:
        return Leg(LegState.ENDED, leg.sid, Cause.COMPLETED.value)

    telephony.look_up = wrong
    await system.pass_time(35)
    assert system.calls()[0].cause == Cause.COMPLETED
    assert not leg.live


async def test_a_phoners_leg_that_a_look_up_calls_ended_is_ended(system: SimulatedSystem) -> None:
    await system.on_shift()
    phoner = system.phoner_leg()
    telephony: Any = system.server.ctx.telephony
    really = telephony.leg

    async def wrong(ref: str) -> Leg:
        return Leg(LegState.ENDED, ref) if ref == phoner.sid else await really(ref)

    telephony.leg = wrong
    await system.ready()  # a call is placed, and the phoner's leg is asked about
    await system.pass_time(10)
    assert system.seats()[0].leg != phoner.sid
    assert not phoner.live


async def test_a_phoner_in_a_room_that_begins_again_is_called_again(
    system: SimulatedSystem,
) -> None:
    await system.on_shift()
    phoner, before = system.phoner_leg(), system.seats()[0]
    rooms = system.server.provider_events.rooms
    await rooms.room_event(RoomEvent(before.room, before.room_ref or "", "", RoomChange.ENDED))
    again = RoomEvent(before.room, "CF" + "0" * 32, phoner.sid, RoomChange.JOINED, of_phoner=True)
    await rooms.room_event(again)
    await system.pass_time(15)
    assert not phoner.live
    after = system.seats()[0]
    assert after.connected
    assert after.leg not in (None, phoner.sid)


async def test_a_telephone_whose_leg_is_not_known_by_name_is_silenced(
    system: SimulatedSystem,
) -> None:
    """The reply to the order and every report are lost, and the person opts out while it rings."""
    leg = await rings_unheard(system)
    (call,) = system.calls()
    assert (call.state, call.ref) == (CallState.SILENT, None)
    assert not leg.answered

    def never(tx: Tx) -> None:
        known = contacts.by_number(tx, call.number)
        origin = Origin(by="test", at=system.clock.now())
        opt_outs.add(tx, [Scope.NUMBER], call.number, known, b"", origin)

    system.write(never)
    await system.pass_time(1)
    assert not leg.live


async def others_run() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


async def test_who_answers_while_the_cancellation_is_under_way_hears_the_apology(
    system: SimulatedSystem,
) -> None:
    telephony: Any = system.server.ctx.telephony
    system.people.default = Behaviour(answers_after=None)
    leg = await rings(system)
    (call,) = system.calls()

    async def too_late(ref: str) -> Result:
        """The network accepts it, and does nothing: the person has answered."""
        await system.network.answer(leg)
        answered = CallReport(call.attempt, Report.ANSWERED, leg=ref)
        await system.server.call_flow.receive(answered)
        await others_run()
        return Result.DONE

    telephony.cancel = too_late
    system.network.hang_up_by_person(system.phoner_leg())
    await system.pass_time(3)
    assert leg.spoken
    assert system.calls()[0].abandoned


def stop(system: SimulatedSystem, attempt: str, why: str) -> None:
    def work(tx: Tx) -> None:
        row = calls.lock(tx, attempt)
        assert row is not None
        hangups.want_ended(tx, row, why, system.clock.now())

    system.write(work)
    system.server.store.send([EndCalls()])


@pytest.mark.parametrize("why", ["phoner_off", "suppressed", "hours_over"])
async def test_who_answers_as_their_telephone_is_silenced_is_not_hung_up_on(
    system: SimulatedSystem, why: str
) -> None:
    """Nothing has reported the answer: they hear the apology, after the hours the phoner."""
    system.people.default = Behaviour(answers_after=None)
    leg = await rings(system)
    telephony: Any = system.server.ctx.telephony

    def answering(really: Any) -> Any:
        async def order(ref: str) -> Result:
            if not leg.answered:
                await system.network.answer(leg)
            result: Result = await really(ref)
            return result

        return order

    telephony.cancel = answering(telephony.cancel)
    telephony.hang_up = answering(telephony.hang_up)
    stop(system, system.calls()[0].attempt, why)
    await system.pass_time(5)
    if why == "hours_over":
        assert leg.live
        assert system.seats()[0].state == "talking"
    else:
        assert leg.spoken
        assert system.calls()[0].abandoned


async def test_a_shift_that_ends_as_a_person_answers_cuts_no_talk(system: SimulatedSystem) -> None:
    leg = await in_a_talk(system)
    stop(system, system.calls()[0].attempt, "phoner_off")
    await system.pass_time(5)
    assert leg in system.live_legs()
    await system.api("POST", "/hang-up", {})
    await system.pass_time(2)
    assert leg not in system.live_legs()
    assert system.calls()[0].cause == Cause.COMPLETED


async def test_a_stop_is_ordered_once_however_long_its_result_takes(
    system: SimulatedSystem,
) -> None:
    telephony: Any = system.server.ctx.telephony
    system.people.default = Behaviour(answers_after=None)
    leg = await rings(system)
    orders: list[str] = []
    store: Any = system.server.ctx.store
    really, run = telephony.hang_up, store.run

    async def hang_up(ref: str) -> Result:
        orders.append(ref)
        result: Result = await really(ref)
        store.run = busy
        return result

    async def busy(work: Any) -> Any:
        """Others order what is to be ended, before the result is stored."""
        store.run = run
        store.send([EndCalls()])
        await others_run()
        return await run(work)

    telephony.hang_up = hang_up
    await system.api("POST", "/hang-up", {})
    await system.pass_time(1)
    assert orders == [leg.sid]


async def ends_and_was_answered(
    system: SimulatedSystem, end: Report, leg: str | None = None
) -> None:
    """The end is reported before the answer."""
    (call, *_) = system.calls()
    ref = leg or call.ref
    await system.server.call_flow.receive(CallReport(call.attempt, end, leg=ref))
    await system.server.call_flow.receive(CallReport(call.attempt, Report.ANSWERED, leg=ref))


def marks_written(system: SimulatedSystem) -> list[str]:
    return [entry["mark"] for entry in system.entries("marked")]


@pytest.mark.parametrize("end", [Report.NOT_ANSWERED, Report.BUSY, Report.FAILED, Report.CANCELLED])
async def test_who_answered_after_all_may_have_said_never(
    system: SimulatedSystem, end: Report
) -> None:
    """The phoner is free for the next call, and owes nothing: a supervisor has to ask what was said."""
    system.people.default = Behaviour(answers_after=None)
    await rings(system)
    await ends_and_was_answered(system, end)
    call = system.calls()[0]
    assert (call.cause, call.outcome, call.abandoned) == (Cause.COMPLETED, None, False)
    assert marks_written(system) == ["outcome_missing"]
    assert [one.call.attempt for one in system.read(missing_outcomes.every)] == [call.attempt]
    assert call.contact is not None
    closed = system.read(lambda tx: contacts.get(tx, call.contact))
    assert (closed.status, closed.reason) == ("closed", "PERSON_OUTCOME_MISSING")
    await ends_and_was_answered(system, end)  # repeated, it changes nothing
    assert marks_written(system) == ["outcome_missing"]


async def test_the_answer_of_a_machine_after_its_end_is_no_talk(system: SimulatedSystem) -> None:
    system.people.default = Behaviour(answers_after=None)
    await rings(system)
    await ends_and_was_answered(system, Report.MACHINE)
    assert marks_written(system) == []


@pytest.mark.parametrize("why", ["suppressed", "phoner_off"])
async def test_who_answered_as_their_telephone_was_silenced_met_nobody(
    system: SimulatedSystem, why: str
) -> None:
    system.people.default = Behaviour(answers_after=None)
    await rings(system)
    (call,) = system.calls()

    def stopping(tx: Tx) -> None:
        calls.change(tx, call.attempt, stop_wanted=why, stopped=True)

    system.write(stopping)
    await ends_and_was_answered(system, Report.CANCELLED)
    assert system.calls()[0].abandoned
    assert marks_written(system) == ["abandoned"]


def shows_late(system: SimulatedSystem, seconds: float) -> None:
    """The network knows no telephone's leg by its name until so long after the order."""
    rest: Any = system.world.rest_api
    really = rest.known

    def known(request: Any) -> Any:
        leg = really(request)
        if leg.to.startswith("+") and (system.clock.now() - leg.created).total_seconds() < seconds:
            raise OrderRefused(404, 20404, "The requested resource was not found")
        return leg

    rest.known = known


async def test_a_telephone_that_the_network_shows_late_is_silenced_as_soon_as_it_does(
    system: SimulatedSystem,
) -> None:
    """404 to the hang-up and to every question means that nobody knows, not that nothing rings."""
    system.people.default = Behaviour(answers_after=None)
    shows_late(system, 8)
    leg = await rings(system)
    await system.api("POST", "/hang-up", {})
    await system.pass_time(2)
    assert system.live_legs() == [leg]
    assert (await system.seat())["state"] == "ringing"  # nobody else is dialed into the room
    await system.pass_time(5)
    assert leg not in system.live_legs()
    assert system.calls()[0].ended_at is not None


async def test_a_leg_that_stays_unknown_frees_its_phoner(system: SimulatedSystem) -> None:
    system.people.default = Behaviour(answers_after=None)
    shows_late(system, 3600)
    await rings(system)
    await system.api("POST", "/hang-up", {})
    await system.pass_time(35)
    assert system.calls()[0].ended_at is not None
    assert len(system.calls()) == 2


async def test_a_call_that_a_look_up_does_not_know_is_ended_all_the_same(
    system: SimulatedSystem,
) -> None:
    leg = await in_a_talk(system)
    telephony: Any = system.server.ctx.telephony

    async def wrong(*_: object) -> Leg:
        return Leg(LegState.UNKNOWN_LEG)

    telephony.look_up = wrong
    await system.pass_time(35)
    assert system.calls()[0].ended_at is not None
    assert not leg.live


@pytest.mark.parametrize("said", ["no-answer", "busy", "failed", "canceled"])
async def test_who_answers_a_call_whose_end_was_reported_hears_the_apology(
    system: SimulatedSystem, said: str
) -> None:
    """The phoner is free, and the next person may come into the room."""
    system.people.default = Behaviour(answers_after=None)
    leg = await rings(system)
    url = leg.callback.url
    system.network.callbacks.notify(url, {**system.network.news(leg), "CallStatus": said})
    await system.pass_time(1)
    assert system.calls()[0].ended_at is not None
    await system.network.answer(leg)
    await system.pass_time(1)
    assert leg.spoken
    await system.pass_time(15)
    assert not leg.live
    assert [entry for entry in system.entries("apologised") if entry["call"] == leg.label]


async def test_a_telephone_that_rings_after_its_end_was_reported_is_silenced(
    system: SimulatedSystem,
) -> None:
    system.people.default = Behaviour(answers_after=None)
    leg = await rings(system)
    news = system.network.news(leg)
    system.network.callbacks.notify(leg.callback.url, {**news, "CallStatus": "failed"})
    await system.pass_time(3)
    later = {**news, "CallStatus": "ringing", "SequenceNumber": "77"}
    system.network.callbacks.notify(leg.callback.url, later)
    await system.pass_time(1)
    assert not leg.live


@pytest.mark.parametrize(
    "order", [(Report.ANSWERED, Report.HUNG_UP), (Report.HUNG_UP, Report.ANSWERED)]
)
async def test_who_met_no_phoner_counts_as_abandoned_in_whatever_order_it_is_reported(
    system: SimulatedSystem, order: tuple[Report, Report]
) -> None:
    """The phoner is cut off as the person answers, and hangs up at once."""
    system.people.default = Behaviour(answers_after=None)
    leg = await rings(system)
    (call,) = system.calls()
    telephony: Any = system.server.ctx.telephony

    async def too_late(_: str) -> Result:
        return Result.DONE

    telephony.cancel = too_late
    system.network.hang_up_by_person(system.phoner_leg())
    await system.pass_time(0.5)
    for report in order:
        await system.server.call_flow.receive(CallReport(call.attempt, report, leg=leg.sid))
    assert system.calls()[0].cause == Cause.COMPLETED
    assert system.calls()[0].abandoned


async def test_a_verdict_about_a_machine_that_comes_late_cuts_off_nobody(
    system: SimulatedSystem,
) -> None:
    leg = await in_a_talk(system)
    (call,) = system.calls()
    await system.pass_time(20)
    await system.server.call_flow.receive(CallReport(call.attempt, Report.MACHINE, leg=leg.sid))
    await system.pass_time(5)
    assert leg in system.live_legs()
    assert (await system.seat())["state"] == "talking"
