"""The called person's safety: everything that could ring somebody it must not, tried."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from callserver.database import marks, suppressions
from callserver.domain import subject
from callserver.domain.facts import Scope
from callserver.engine.gate import explanation
from callserver.engine.lists.importer import import_list
from callserver.ports import Tx
from callserver.simulator.faults import Faults
from callserver.simulator.legs import Behaviour
from tests.house import TestHouse, after_a_talk

FIRST = "+4532200000"
RINGS_OUT = Behaviour(answers_after=None)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[TestHouse]:
    made = TestHouse(tmp_path)
    yield made
    made.close()


def suppress(tx: Tx, now: Any, number: int = 4532200000) -> None:
    about = subject.of_number(number)
    suppressions.add(tx, about, Scope.NUMBER, now, "test")
    suppressions.want_stopped(tx, (about,))


async def test_a_no_before_the_dial_is_final(house: TestHouse) -> None:
    house.write(lambda tx: suppress(tx, house.clock.now()))
    await house.on_shift()
    await house.ready()
    await house.until(2)
    assert [ring.number for ring in house.network.record] == ["+4532200001"]
    assert house.entries("refused")[0]["reasons"] == ["SUP_NUMBER"]
    assert house.contacts()[0].status == "closed"


async def test_a_no_counts_though_another_servers_clock_goes_before_ours(house: TestHouse) -> None:
    house.write(lambda tx: suppress(tx, house.clock.now() + timedelta(minutes=5)))
    await house.on_shift()
    await house.ready()
    await house.until(2)
    assert FIRST not in [ring.number for ring in house.network.record]
    assert house.entries("refused")[0]["reasons"] == ["SUP_NUMBER"]


async def test_a_no_from_outside_silences_the_ringing_telephone_within_a_second(
    house: TestHouse,
) -> None:
    house.people.default = RINGS_OUT
    await house.on_shift()
    await house.ready()
    await house.until(3)
    assert house.live_legs(FIRST)
    house.write(lambda tx: suppress(tx, house.clock.now()))
    # Another process wrote it: the next tick (every half second) sees it.
    await house.server.scheduler.tick()
    await house.server.ctx.background.idle()
    assert not house.live_legs(FIRST)
    await house.until(60)
    assert house.calls()[0].cause == "cancelled"
    assert sum(ring.number == FIRST for ring in house.network.record) == 1


async def test_never_holds_while_still_talking(tmp_path: Path) -> None:
    house = TestHouse(
        tmp_path, phoners=2, people="ref;navn;telefon;kilde\n1;A;32200000;x\n2;B;32200001;x\n"
    )
    await house.on_shift()
    await house.ready()
    await house.until(5)
    status, seat = await house.api("POST", "/wish", {"wish": "never"})
    assert status == 200
    assert seat["state"] == "talking"  # nobody is cut off
    assert house.read(
        lambda tx: len(suppressions.for_subjects(tx, (subject.of_number(4532200000),)))
    )
    house.network.hang_up_by_person(house.live_legs()[0])
    await house.until(1)
    await house.outcome("hung_up")  # even if the phoner then records something milder
    await house.jump(86_400 * 6)
    assert sum(ring.number == FIRST for ring in house.network.record) == 1
    house.close()


@pytest.mark.parametrize(
    ("outcome", "note"),
    [("never", ""), ("complaint", "rang at dinner")],
    ids=["never", "complaint"],
)
async def test_an_outcome_of_never_holds_for_another_list_that_knows_her_otherwise(
    tmp_path: Path, outcome: str, note: str
) -> None:
    """Another department's list has the same telephone under no reference and another name."""
    house = TestHouse(tmp_path, people="ref;navn;telefon;kilde\n1;A;32200000;x\n")
    await after_a_talk(house)
    status, _ = await house.outcome(outcome, {"note": note} if note else {})
    assert status == 200
    lapsed = house.server.ctx.rules.campaign("lapsed")

    def other_list(tx: Tx) -> set[str]:
        import_list(tx, lapsed, b"navn;telefon\nFru A;32200000\n", house.clock.now())
        found = explanation.explain(
            tx, house.server.ctx.rules, b"test", "32200000", lapsed, house.clock.now()
        )
        return {reason.value for reason in found.reasons}

    assert "SUP_NUMBER" in house.write(other_list)
    house.close()


async def test_a_household_is_one(tmp_path: Path) -> None:
    people = "ref;navn;telefon;adresse;kilde\n1;A;32200000;Vej 1;x\n2;B;32200001;Vej 1;x\n"
    house = TestHouse(tmp_path, phoners=2, people=people)
    house.people.default = RINGS_OUT
    await house.on_shift(1)
    await house.on_shift(2)
    await house.ready(1)
    await house.ready(2)
    await house.until(20)
    assert len(house.network.record) == 1
    assert ["FREQ_ACTIVE_CALL", "FREQ_GAP"] in [one["reasons"] for one in house.entries("refused")]
    house.close()


async def test_phoner_lost_while_ringing_cancels(house: TestHouse) -> None:
    house.people.default = RINGS_OUT
    await house.on_shift()
    await house.ready()
    await house.until(3)
    await house.network.end(house.phoner_leg(), "completed")
    await house.until(1)
    assert not house.live_legs()
    assert house.calls()[0].stop_wanted == "phoner_lost"


async def test_who_answers_an_empty_room_hears_an_apology_at_once(house: TestHouse) -> None:
    """The phoner's line dies in the same instant as the answer."""
    house.people.default = RINGS_OUT
    await house.on_shift()
    await house.ready()
    await house.until(1)
    while not house.network.record:
        await house.until(0.1)
    person = house.live_legs()[0]
    await house.network.end(house.phoner_leg(), "completed")
    await house.network._answer(person)  # before any word of the loss has arrived
    await house.until(10)
    ring = house.network.record[0]
    assert ring.answered_at is not None
    assert ring.heard == "apology"
    assert house.calls()[0].abandoned
    assert house.entries("apologised")


async def test_the_telephone_itself_is_asked_when_the_news_was_lost(tmp_path: Path) -> None:
    """Every word of the phoner's loss is dropped; the answer still finds out and apologises."""
    house = TestHouse(tmp_path)
    house.people.default = Behaviour(answers_after=5)
    await house.on_shift()
    await house.ready()
    while not house.network.record:
        await house.until(0.1)
    leg = house.phoner_leg()
    room = house.network.rooms[leg.conference or ""]
    room.callback.url = leg.callback.url = None
    await house.network.end(leg, "completed")
    await house.until(12)
    assert house.network.record[0].heard == "apology"
    house.close()


@pytest.mark.parametrize("fault", ["reply_lost", "order_lost", "broken", "broken_after"])
async def test_an_order_without_an_answer_is_never_repeated_blindly(
    tmp_path: Path, fault: str
) -> None:
    house = TestHouse(tmp_path, people="ref;navn;telefon;kilde\n1;A;32200000;x\n")
    await house.on_shift()
    house.network.faults = Faults(**{fault: 1.0})
    house.people.default = RINGS_OUT
    await house.ready()
    await house.until(0.2)
    house.network.faults = Faults()
    assert house.calls()[0].state in ("silent", "dialing", "ringing")
    await house.until(200)
    call = house.calls()[0]
    rang = sum(ring.number == FIRST for ring in house.network.record)
    assert rang == (1 if fault in ("reply_lost", "broken_after") else 0)
    assert call.cause == ("no_answer" if rang else "never_placed")
    assert len(house.calls()) == 1  # and it counts as an attempt
    assert house.seats()[0].state == "waiting"
    house.close()


async def test_too_many_requests_is_tried_again_without_harm(house: TestHouse) -> None:
    await house.on_shift()
    house.network.faults = Faults(too_many=1.0)
    await house.ready()
    await house.until(0.5)
    assert house.network.record == []
    house.network.faults = Faults()
    await house.until(20)
    assert house.network.record[0].number == FIRST
    assert house.calls()[0].cause == "declined"


async def test_wrong_credentials_stop_the_campaign_with_an_alarm(tmp_path: Path) -> None:
    house = TestHouse(tmp_path)
    await house.on_shift()
    house.world._rest._basic = b"Basic changed"
    await house.ready()
    await house.until(5)
    assert (await house.seat())["reason"] == "CAMP_PAUSED"
    assert house.entries("breaker")[0]["reason"] == "provider_20003"
    assert len(house.calls()) == 1
    house.close()


async def test_a_bad_number_is_marked_and_left(tmp_path: Path) -> None:
    house = TestHouse(tmp_path, people="ref;navn;telefon;kilde\n1;A;32200000;x\n")

    def broken(_: Any) -> Any:
        from callserver.simulator.legs import Refusal

        raise Refusal(400, 21211, "Invalid 'To' Phone Number")

    await house.on_shift()
    house.network.order = broken  # type: ignore[method-assign,assignment]
    await house.ready()
    await house.until(60)
    of_number = house.read(lambda tx: marks.marks_of(tx, (subject.of_number(4532200000),)))
    assert [mark.kind for mark in of_number] == ["bad_number"]
    assert house.contacts()[0].reason == "NUM_BAD"
    house.close()


async def test_nothing_rings_after_closing_even_when_the_provider_queues(tmp_path: Path) -> None:
    """At the last moment for a dial the provider puts the order into a long queue."""
    from datetime import datetime

    house = TestHouse(tmp_path, start=datetime.fromisoformat("2026-05-12T20:58:50+02:00"))
    await house.on_shift()
    await house.until(20)
    house.network._next_start = house.clock.now() + timedelta(minutes=30)
    await house.ready()
    await house.until(3600)
    assert house.calls()
    assert house.network.record == []
    assert house.calls()[0].stop_wanted == "lasted_too_long"
    house.close()


async def test_a_second_shift_phoner_needs_a_supervisor(tmp_path: Path) -> None:
    from sqlalchemy import update

    from callserver.database.tables import users

    house = TestHouse(tmp_path)
    house.write(lambda tx: tx.execute(update(users).values(shifts=2)))
    await house.on_shift()
    await house.ready()
    await house.until(1)
    assert (await house.seat())["reason"] == "AGENT_NEEDS_SUPERVISOR"
    assert house.network.record == []
    house.close()


async def test_an_error_in_the_gate_rings_nobody(house: TestHouse, monkeypatch: Any) -> None:

    def broken(*_: Any) -> Any:
        raise RuntimeError("boom")

    monkeypatch.setattr(marks, "marks_of", broken)
    await house.on_shift()
    await house.ready()
    await house.until(5)
    assert house.network.record == []
    assert house.entries("refused")[0]["reasons"] == ["SYS_ERROR"]
