"""A phoner dials by hand, or again: the person they choose, and never past a rule or a promise."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from callserver.database import (
    call_budget,
    campaign_states,
    contacts,
    counting_alone,
    marks,
    set_aside_contacts,
)
from callserver.domain.facts import Scope
from callserver.engine.gate.explanation import explain
from callserver.engine.lists.importer import import_list
from callserver.engine.suppressions import opt_outs
from callserver.engine.suppressions.opt_outs import Origin
from callserver.ports import Tx
from callserver.simulator.legs import Behaviour
from callserver.texts import say
from tests.harness.at_once import while_open
from tests.harness.simulated import SimulatedSystem, after_a_talk, in_a_talk, off_board_phoner
from tests.harness.slots import taken_for
from tests.harness.waiting import until


@pytest.fixture
def system(tmp_path: Path) -> Iterator[SimulatedSystem]:
    made = SimulatedSystem(tmp_path)
    yield made
    made.close()


async def test_by_hand_asks_the_same_gate(system: SimulatedSystem) -> None:
    await system.on_shift()
    status, _ = await system.api("POST", "/dial", {"number": "32200007"})
    assert status == 200
    await system.pass_time(5)
    system.network.hang_up_by_person(system.live_legs()[0])
    await system.pass_time(1)
    await system.outcome("no_thanks", then="pause")
    status, problem = await system.api("POST", "/redial", {})
    assert status == 409
    assert set(problem["reasons"]) == {"FREQ_GAP", "FREQ_REFUSAL"}
    status, problem = await system.api("POST", "/dial", {"number": "32999999"})
    assert status == 404
    assert [call.path for call in system.calls()] == ["manual"]


async def test_a_list_that_closes_a_contact_at_that_moment_has_the_last_word(
    tmp_path: Path, postgres_url: str
) -> None:
    system = SimulatedSystem(tmp_path, database=postgres_url)
    await system.on_shift()
    contact, loop = system.contacts()[0], asyncio.get_running_loop()

    def dial(_: Tx) -> int:
        body = {"number": f"00{contact.number}"}
        coming = asyncio.run_coroutine_threadsafe(system.api("POST", "/dial", body), loop)
        return coming.result(60)[0]

    def close(tx: Tx) -> None:
        set_aside_contacts.set_aside(tx, [contact.id])

    _, status = await asyncio.to_thread(while_open, system.server.store.engine, close, dial)
    assert (status, system.contacts()[0].status, system.rang()) == (409, "closed", [])
    system.close()


DEADLOCK = "DO $$ BEGIN RAISE EXCEPTION 'two decisions wait' USING ERRCODE = '40P01'; END $$"


@pytest.mark.parametrize("by_hand", [True, False])
async def test_a_decision_that_loses_a_deadlock_is_made_again(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch, *, by_hand: bool
) -> None:
    """PostgreSQL has ended its transaction: no refusal can be written in it."""
    system = SimulatedSystem(tmp_path, database=postgres_url)
    await system.on_shift()
    really = marks.marks_of
    lost: list[bool] = []

    def losing(tx: Tx, *about: Any) -> Any:
        if not lost:
            lost.append(True)
            tx.exec_driver_sql(DEADLOCK)
        return really(tx, *about)

    monkeypatch.setattr(marks, "marks_of", losing)
    if by_hand:
        assert (await system.api("POST", "/dial", {"number": "32200000"}))[0] == 200
    else:
        await system.ready()
    await system.pass_time(1)
    assert lost
    assert system.rang() == ["+4532200000"]
    assert not system.entries("refused")
    system.close()


TWO_HOUSEHOLDS = "ref;navn;telefon;husstand;født;kilde\n" + "".join(
    f"K{n};Person {n};3220000{n};Vej {n // 2};1980-01-01;gade\n" for n in range(4)
)
WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")


async def test_a_decision_that_waits_for_another_holds_up_nobody(
    tmp_path: Path, postgres_url: str
) -> None:
    """A deadlock lasts a second, in which no opt-out is written: a server decides about the second household, and
    this one has refused the first and comes to the second."""
    system = SimulatedSystem(tmp_path, database=postgres_url, people=TWO_HOUSEHOLDS)
    first, _, second, _ = system.contacts()
    engine, loop = system.server.store.engine, asyncio.get_running_loop()

    def opted_out(tx: Tx) -> None:
        known = contacts.by_number(tx, first.number)
        origin = Origin(by="test", at=system.clock.now())
        opt_outs.add(tx, [Scope.HOUSEHOLD], first.number, known, b"", origin)

    system.write(opted_out)
    await system.on_shift()

    def others() -> None:
        with engine.begin() as deciding:
            counting_alone.before_counting(deciding, [second.household])
            coming = asyncio.run_coroutine_threadsafe(system.ready(), loop)
            with engine.connect() as watching:
                until(lambda: watching.execute(WAITING).scalar())
            with engine.begin() as tx:
                tx.exec_driver_sql("SET LOCAL lock_timeout = '1s'")
                counting_alone.before_counting(tx, [first.household])
        coming.result(30)

    await asyncio.to_thread(others)
    await system.pass_time(1)
    assert system.rang() == [f"+{second.number}"]
    system.close()


async def test_whose_phoner_left_without_an_outcome_is_not_called_again(tmp_path: Path) -> None:
    """Nobody knows what they said: neither by hand, nor because a list brings another number."""
    head = "ref;navn;telefon;født;kilde\n"
    system = SimulatedSystem(tmp_path, phoners=2, people=f"{head}K1;A Holm;32200000;1980-01-01;x\n")
    system.network.hang_up_by_person(await in_a_talk(system))
    await system.pass_time(1)

    off_board_phoner(system)
    await system.pass_time(5)
    await system.jump(86_400 * 7)
    await system.on_shift(2)
    assert (await system.api("POST", "/dial", {"number": "32200000"}, phoner=2))[0] == 409
    kanvas, now = system.server.ctx.rules.campaign("kanvas"), system.clock.now()
    moved = f"{head}K1;A Holm;32200055;1980-01-01;x\n".encode()
    system.write(lambda tx: import_list(tx, kanvas, moved, now))
    await system.ready(2)
    await system.pass_time(60)
    assert system.rang() == ["+4532200000"]
    system.close()


async def test_an_agreed_time_is_not_kept_if_the_phoner_left_a_talk_before_it(
    system: SimulatedSystem,
) -> None:
    """Dialed by hand before the agreed time, the person may have said "never"."""
    await after_a_talk(system)
    agreed = system.clock.now() + timedelta(days=3)
    await system.outcome("call_back", {"at": agreed.isoformat()}, then="pause")
    await system.jump(86_400)
    await system.do("POST", "/redial", {})
    await system.pass_time(5)
    assert system.calls()[-1].answered_at is not None

    off_board_phoner(system)
    await system.pass_time(5)
    assert (system.contacts()[0].status, system.contacts()[0].reason) == (
        "closed",
        "PERSON_OUTCOME_MISSING",
    )


async def test_an_old_leg_is_reconnected_before_a_dial_by_hand(system: SimulatedSystem) -> None:
    await system.on_shift()
    await system.pass_time(timedelta(hours=3, minutes=45).total_seconds())
    old = system.phoner_leg()
    status, problem = await system.api("POST", "/dial", {"number": "32200007"})
    assert status == 409
    assert "på ny" in problem["detail"]
    assert not system.calls()
    await system.pass_time(20)
    assert not old.live
    assert (await system.seat())["state"] == "paused"
    assert (await system.api("POST", "/dial", {"number": "32200007"}))[0] == 200
    await system.pass_time(5)
    assert (await system.seat())["state"] == "talking"


async def test_not_now_holds_by_hand_as_well(system: SimulatedSystem) -> None:
    """A person's rest period also holds for a dial by hand."""
    await after_a_talk(system)
    await system.outcome("not_now", then="pause")
    over = system.contacts()[0].next_at
    await system.jump(86_400)
    status, problem = await system.api("POST", "/redial", {})
    assert (status, problem["reasons"]) == (409, ["FREQ_NOT_NOW"])
    assert datetime.fromisoformat(problem["next_at"]) >= over
    status, problem = await system.api("POST", "/dial", {"number": "32200000"})
    assert problem["reasons"] == ["FREQ_NOT_NOW"]
    assert len(system.network.record) == 1
    explained = system.read(
        lambda tx: explain(
            tx,
            system.server.ctx.rules,
            b"",
            "32200000",
            system.server.ctx.rules.campaign("kanvas"),
            system.clock.now(),
        )
    )
    assert [reason.value for reason in explained.reasons] == ["FREQ_NOT_NOW"]
    later = datetime.fromisoformat(problem["next_at"]) - system.clock.now()
    await system.jump(later.total_seconds())
    assert (await system.api("POST", "/redial", {}))[0] == 200
    await system.pass_time(5)
    assert len(system.network.record) == 2


async def test_a_dial_by_hand_that_nobody_answers_changes_no_standing(
    system: SimulatedSystem,
) -> None:
    """Who became a member is not on the list again because of it."""
    await after_a_talk(system)
    await system.outcome("member", {"amount": 100, "frequency": "monthly"}, then="pause")
    before = system.contacts()[0]
    await system.jump(86_400)
    system.people.default = Behaviour(answers_after=None)
    await system.api("POST", "/redial", {})
    await system.pass_time(60)
    assert [call.path for call in system.calls()] == ["list", "redial"]
    after = system.contacts()[0]
    assert (after.status, after.next_at) == (before.status, before.next_at)


async def test_an_agreed_time_is_kept_though_a_dial_before_it_met_nobody(
    system: SimulatedSystem,
) -> None:
    await after_a_talk(system)
    agreed = system.clock.now() + timedelta(days=3)  # Thursday is a holiday
    await system.outcome("call_back", {"at": agreed.isoformat()}, then="pause")
    await system.jump(86_400)
    system.people.default = Behaviour(answers_after=None)
    assert (await system.api("POST", "/redial", {}))[0] == 200
    await system.pass_time(60)
    assert [call.path for call in system.calls()] == ["list", "redial"]
    promised = system.contacts()[0]
    assert (promised.status, promised.next_at) == ("call_back", agreed)
    system.people.default = Behaviour(answers_after=2)
    await system.jump((agreed - system.clock.now()).total_seconds() - 30)
    await system.ready()
    await system.pass_time(30)
    assert system.calls()[-1].path == "call_back"
    assert system.calls()[-1].contact == promised.id


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("", "empty"),
        ("32 20 00 07 / 32 20 00 08", "several"),
        ("3220 0007 lok. 4", "extension"),
        ("+45 3220 00", "invalid"),
        ("３２２０００07", "not_ascii"),
        ("Person 7", "letters"),
    ],
)
async def test_what_is_no_number_is_said_so(
    system: SimulatedSystem, written: str, problem: str
) -> None:
    await system.on_shift()
    status, said = await system.api("POST", "/dial", {"number": written})
    assert (status, said["detail"]) == (409, say("da", f"error.number_{problem}"))
    assert system.network.record == []


async def test_a_number_that_is_on_no_list_is_not_called_and_the_try_is_logged(
    system: SimulatedSystem,
) -> None:
    """Whether somebody stands on a list is nobody's to find out in silence."""
    assert (await system.api("POST", "/dial", {"number": "32999999"}))[0] == 409  # off shift
    await system.on_shift()
    assert (await system.api("POST", "/dial", {"number": "32999999"}))[0] == 404
    assert system.network.record == []
    [entry] = system.look_ups()
    assert (entry["by"], entry.get("contact"), entry["campaign"]) == ("user:1", None, "kanvas")
    assert "32999999" not in str(entry)


@pytest.mark.parametrize("path", ["/dial", "/redial"])
async def test_no_dial_by_hand_from_a_seat_that_is_in_a_call_or_owes_an_outcome(
    system: SimulatedSystem, path: str
) -> None:
    async def refused() -> None:
        status, problem = await system.api(
            "POST", path, {"number": "32200009"} if path == "/dial" else {}
        )
        assert (status, "reasons" in problem) == (409, False)

    await refused()  # not on shift
    await system.on_shift()
    await system.ready()
    await system.pass_time(2)
    await refused()  # it rings
    await system.pass_time(5)
    await refused()  # in a talk
    system.network.hang_up_by_person(system.live_legs()[0])
    await system.pass_time(1)
    await refused()  # the outcome is owed
    await system.pass_time(120)
    assert (await system.seat())["state"] == "paused"
    await refused()  # still
    assert len(system.network.record) == 1


@pytest.mark.parametrize("path", ["/dial", "/redial"])
async def test_a_dial_by_hand_waits_for_its_slot(
    system: SimulatedSystem, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    if path == "/redial":
        system.people.default = Behaviour(answers_after=None, ends="busy")
        await system.on_shift()
        await system.do("POST", "/dial", {"number": "32200007"})
        await system.pass_time(3)
        await system.jump(86_400)
        body = {}
    else:
        await system.on_shift()
        body = {"number": "32200007"}
    before = len(system.network.legs)
    free = taken_for(system, monkeypatch, 3)
    await system.do("POST", path, body)
    *_, leg = system.network.legs.values()
    assert len(system.network.legs) == before + 1
    assert leg.created >= free
    assert len(system.calls()) == (2 if path == "/redial" else 1)


async def test_a_dial_by_hand_does_not_wait_long(
    system: SimulatedSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    await system.on_shift()
    taken_for(system, monkeypatch, 11)
    status, problem = await system.api("POST", "/dial", {"number": "32200007"})
    assert status == 409
    assert problem["detail"] == say("da", "error.line_busy")
    assert not system.calls()


async def test_a_seat_that_waits_dials_by_hand_with_the_slot_that_it_has(
    system: SimulatedSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    await system.on_shift()
    free = taken_for(system, monkeypatch, 3)
    await system.ready()
    assert system.seats()[0].slot_at == free
    await system.do("POST", "/dial", {"number": "32200007"})
    (call,) = system.calls()
    assert call.path == "manual"
    assert call.permit_at >= free


async def test_two_who_dial_by_hand_at_once_take_a_slot_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = SimulatedSystem(tmp_path, phoners=2, calls_per_second=1)
    for phoner in (1, 2):
        await system.on_shift(phoner)
    taken_for(system, monkeypatch, 1)
    bodies = {1: {"number": "32200007"}, 2: {"number": "32200008"}}
    dials = (system.api("POST", "/dial", body, phoner=phoner) for phoner, body in bodies.items())
    assert [status for status, _ in await asyncio.gather(*dials)] == [200, 200]
    first, second = sorted(call.permit_at for call in system.calls())
    assert second - first >= timedelta(seconds=1)
    system.close()


@pytest.mark.parametrize("waits_s", [0, 3])
@pytest.mark.parametrize("why", ["on_no_list", "gate"])
async def test_a_dial_by_hand_that_comes_to_nothing_uses_no_slot(
    system: SimulatedSystem, monkeypatch: pytest.MonkeyPatch, why: str, waits_s: float
) -> None:
    await system.on_shift()
    if why == "gate":
        system.write(lambda tx: campaign_states.put(tx, "kanvas", True, "test", system.clock.now()))
    free = taken_for(system, monkeypatch, waits_s)
    asked_at = system.clock.now()
    number = "32200007" if why == "gate" else "32999999"
    status, _ = await system.api("POST", "/dial", {"number": number})
    assert status == (409 if why == "gate" else 404)
    assert system.clock.now() == asked_at  # the answer did not wait
    budget = system.server.ctx.budgets.shared
    slot = system.read(lambda tx: call_budget.next_slot(tx, asked_at, budget))
    assert slot == max(free, asked_at)
    assert system.seats()[0].slot_at is None
