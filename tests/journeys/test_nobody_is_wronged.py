"""The called person's safety: everything that could ring somebody it must not, tried."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from callserver.database import marks, suppressions
from callserver.database.tables import contacts as contacts_table
from callserver.domain import subject
from callserver.domain.facts import Scope
from callserver.engine.gate import explanation
from callserver.engine.lists.importer import import_list
from callserver.ports import Tx
from callserver.simulator.faults import Faults
from callserver.simulator.legs import Behaviour
from tests.harness.simulated import SimulatedSystem, after_a_talk

FIRST = "+4532200000"
RINGS_OUT = Behaviour(answers_after=None)


@pytest.fixture
def system(tmp_path: Path) -> Iterator[SimulatedSystem]:
    made = SimulatedSystem(tmp_path)
    yield made
    made.close()


def suppress(tx: Tx, now: Any, number: int = 4532200000) -> None:
    about = subject.of_number(number)
    suppressions.add(tx, about, Scope.NUMBER, now, "test")
    suppressions.want_stopped(tx, (about,), now)


async def test_a_no_before_the_dial_is_final(system: SimulatedSystem) -> None:
    system.write(lambda tx: suppress(tx, system.clock.now()))
    await system.on_shift()
    await system.ready()
    await system.pass_time(2)
    assert [ring.number for ring in system.network.record] == ["+4532200001"]
    assert system.entries("refused")[0]["reasons"] == ["SUP_NUMBER"]
    assert system.contacts()[0].status == "closed"


async def test_a_no_counts_though_another_servers_clock_goes_before_ours(
    system: SimulatedSystem,
) -> None:
    system.write(lambda tx: suppress(tx, system.clock.now() + timedelta(minutes=5)))
    await system.on_shift()
    await system.ready()
    await system.pass_time(2)
    assert FIRST not in [ring.number for ring in system.network.record]
    assert system.entries("refused")[0]["reasons"] == ["SUP_NUMBER"]


async def test_a_no_from_outside_silences_the_ringing_telephone_within_a_second(
    system: SimulatedSystem,
) -> None:
    system.people.default = RINGS_OUT
    await system.on_shift()
    await system.ready()
    await system.pass_time(3)
    assert system.live_legs(FIRST)
    system.write(lambda tx: suppress(tx, system.clock.now()))
    # Another process wrote it: the next tick (every half second) sees it.
    await system.server.scheduler.tick()
    await system.server.ctx.background.idle()
    assert not system.live_legs(FIRST)
    await system.pass_time(60)
    assert system.calls()[0].cause == "cancelled"
    assert sum(ring.number == FIRST for ring in system.network.record) == 1


async def test_never_holds_while_still_talking(tmp_path: Path) -> None:
    system = SimulatedSystem(
        tmp_path, phoners=2, people="ref;navn;telefon;kilde\n1;A;32200000;x\n2;B;32200001;x\n"
    )
    await system.on_shift()
    await system.ready()
    await system.pass_time(5)
    status, seat = await system.api("POST", "/wish", {"wish": "never"})
    assert status == 200
    assert seat["state"] == "talking"  # nobody is cut off
    assert system.read(
        lambda tx: len(suppressions.for_subjects(tx, (subject.of_number(4532200000),)))
    )
    system.network.hang_up_by_person(system.live_legs()[0])
    await system.pass_time(1)
    await system.outcome("hung_up")  # even if the phoner then records something milder
    await system.jump(86_400 * 6)
    assert sum(ring.number == FIRST for ring in system.network.record) == 1
    system.close()


@pytest.mark.parametrize(
    ("outcome", "note"),
    [("never", ""), ("complaint", "rang at dinner")],
    ids=["never", "complaint"],
)
async def test_an_outcome_of_never_holds_for_another_list_with_another_reference(
    tmp_path: Path, outcome: str, note: str
) -> None:
    """Another department's list has the same telephone under no reference and another name."""
    system = SimulatedSystem(tmp_path, people="ref;navn;telefon;kilde\n1;A;32200000;x\n")
    await after_a_talk(system)
    status, _ = await system.outcome(outcome, {"note": note} if note else {})
    assert status == 200
    lapsed = system.server.ctx.rules.campaign("lapsed")

    def other_list(tx: Tx) -> set[str]:
        import_list(tx, lapsed, b"navn;telefon\nFru A;32200000\n", system.clock.now())
        explained = explanation.explain(
            tx, system.server.ctx.rules, b"test", "32200000", lapsed, system.clock.now()
        )
        return {reason.value for reason in explained.reasons}

    assert "SUP_NUMBER" in system.write(other_list)
    system.close()


async def test_a_household_is_one(tmp_path: Path) -> None:
    people = "ref;navn;telefon;adresse;kilde\n1;A;32200000;Vej 1;x\n2;B;32200001;Vej 1;x\n"
    system = SimulatedSystem(tmp_path, phoners=2, people=people)
    system.people.default = RINGS_OUT
    await system.on_shift(1)
    await system.on_shift(2)
    await system.ready(1)
    await system.ready(2)
    await system.pass_time(20)
    assert len(system.network.record) == 1
    assert ["FREQ_ACTIVE_CALL", "FREQ_GAP"] in [
        entry["reasons"] for entry in system.entries("refused")
    ]
    system.close()


async def test_phoner_lost_while_ringing_cancels(system: SimulatedSystem) -> None:
    system.people.default = RINGS_OUT
    await system.on_shift()
    await system.ready()
    await system.pass_time(3)
    await system.network.end(system.phoner_leg(), "completed")
    await system.pass_time(1)
    assert not system.live_legs()
    assert system.calls()[0].stop_wanted == "phoner_lost"


async def test_who_answers_an_empty_room_hears_an_apology_at_once(system: SimulatedSystem) -> None:
    """The phoner's line dies in the same instant as the answer."""
    system.people.default = RINGS_OUT
    await system.on_shift()
    await system.ready()
    await system.pass_time(1)
    while not system.network.record:
        await system.pass_time(0.1)
    person = system.live_legs()[0]
    await system.network.end(system.phoner_leg(), "completed")
    await system.network.answer(person)  # before any word of the loss has arrived
    await system.pass_time(10)
    ring = system.network.record[0]
    assert ring.answered_at is not None
    assert ring.heard == "apology"
    assert system.calls()[0].abandoned
    assert system.entries("apologised")


async def test_the_telephone_itself_is_asked_when_the_news_was_lost(tmp_path: Path) -> None:
    """Every word of the phoner's loss is dropped; the answer still finds out and apologises."""
    system = SimulatedSystem(tmp_path)
    system.people.default = Behaviour(answers_after=5)
    await system.on_shift()
    await system.ready()
    while not system.network.record:
        await system.pass_time(0.1)
    leg = system.phoner_leg()
    room = system.network.rooms[leg.conference or ""]
    room.callback.url = leg.callback.url = None
    await system.network.end(leg, "completed")
    await system.pass_time(12)
    assert system.network.record[0].heard == "apology"
    system.close()


@pytest.mark.parametrize("fault", ["reply_lost", "order_lost", "broken", "broken_after"])
async def test_an_order_without_an_answer_is_never_repeated_blindly(
    tmp_path: Path, fault: str
) -> None:
    system = SimulatedSystem(tmp_path, people="ref;navn;telefon;kilde\n1;A;32200000;x\n")
    await system.on_shift()
    system.network.faults = Faults(**{fault: 1.0})
    system.people.default = RINGS_OUT
    await system.ready()
    await system.pass_time(0.2)
    system.network.faults = Faults()
    assert system.calls()[0].state in ("silent", "dialing", "ringing")
    await system.pass_time(200)
    call = system.calls()[0]
    rang = sum(ring.number == FIRST for ring in system.network.record)
    assert rang == (1 if fault in ("reply_lost", "broken_after") else 0)
    assert call.cause == ("no_answer" if rang else "never_placed")
    assert len(system.calls()) == 1  # and it counts as an attempt
    assert system.seats()[0].state == "waiting"
    system.close()


async def test_too_many_requests_is_tried_again_without_harm(system: SimulatedSystem) -> None:
    await system.on_shift()
    system.network.faults = Faults(too_many=1.0)
    await system.ready()
    await system.pass_time(0.5)
    assert system.network.record == []
    system.network.faults = Faults()
    await system.pass_time(20)
    assert system.network.record[0].number == FIRST
    assert system.calls()[0].cause == "declined"


async def test_wrong_credentials_stop_the_campaign_with_an_alarm(tmp_path: Path) -> None:
    system = SimulatedSystem(tmp_path)
    await system.on_shift()
    system.world.rest_api.credentials = b"Basic changed"
    await system.ready()
    await system.pass_time(5)
    assert (await system.seat())["reason"] == "CAMP_PAUSED"
    assert system.entries("breaker")[0]["reason"] == "provider_20003"
    assert len(system.calls()) == 1
    system.close()


async def test_a_bad_number_is_marked_and_left(tmp_path: Path) -> None:
    system = SimulatedSystem(tmp_path, people="ref;navn;telefon;kilde\n1;A;32200000;x\n")

    def broken(_: Any) -> Any:

        from callserver.simulator.legs import OrderRefused

        raise OrderRefused(400, 21211, "Invalid 'To' Phone Number")

    await system.on_shift()
    system.network.order = broken  # type: ignore[method-assign,assignment]
    await system.ready()
    await system.pass_time(60)
    of_number = system.read(lambda tx: marks.marks_of(tx, (subject.of_number(4532200000),)))
    assert [mark.kind for mark in of_number] == ["bad_number"]
    assert system.contacts()[0].reason == "NUM_BAD"
    system.close()


async def test_nothing_rings_after_closing_even_when_the_provider_queues(tmp_path: Path) -> None:
    """At the last moment for a dial the provider puts the order into a long queue."""
    from datetime import datetime

    system = SimulatedSystem(tmp_path, start=datetime.fromisoformat("2026-05-12T20:58:50+02:00"))
    await system.on_shift()
    await system.pass_time(20)
    system.network.next_start = system.clock.now() + timedelta(minutes=30)
    await system.ready()
    await system.pass_time(3600)
    assert system.calls()
    assert system.network.record == []
    assert system.calls()[0].stop_wanted == "hours_over"
    system.close()


async def test_a_second_shift_phoner_needs_a_supervisor(tmp_path: Path) -> None:
    from callserver.database.tables import users

    system = SimulatedSystem(tmp_path)
    system.write(lambda tx: tx.execute(update(users).values(credited=1, trained_at=None)))
    await system.on_shift()
    await system.ready()
    await system.pass_time(1)
    assert (await system.seat())["reason"] == "AGENT_NEEDS_SUPERVISOR"
    assert system.network.record == []
    system.close()


async def test_an_error_in_the_gate_rings_nobody(system: SimulatedSystem, monkeypatch: Any) -> None:

    def broken(*_: Any) -> Any:
        raise RuntimeError("boom")

    monkeypatch.setattr(marks, "marks_of", broken)
    await system.on_shift()
    await system.ready()
    await system.pass_time(5)
    assert system.network.record == []
    assert system.entries("refused")[0]["reasons"] == ["SYS_ERROR"]


async def test_a_contact_about_whom_the_gate_fails_holds_up_nobody_else(
    system: SimulatedSystem,
) -> None:
    broken = update(contacts_table).where(contacts_table.c.number == 4532200000)
    system.write(lambda tx: tx.execute(broken.values(born="no date")))
    await system.on_shift()
    await system.ready()
    await system.pass_time(35)
    assert system.entries("refused")[0]["reasons"] == ["SYS_ERROR"]
    assert [ring.number for ring in system.network.record] == ["+4532200001"]
    assert system.contacts()[0].status == "waiting"
