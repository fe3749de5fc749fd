"""The floor's API: what a role sees of whom, and what a supervisor may do."""

import asyncio
import time
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import insert, update

from callserver.console.floor import live_floor
from callserver.database import accounts, exchange_states
from callserver.database import floor as floor_rows
from callserver.database.tables import registers, seats
from callserver.domain.role import Role
from callserver.ports import Tx
from callserver.simulator.legs import Behaviour
from tests.harness.live_streams import events, stream
from tests.harness.staffed import Client, StaffedSystem
from tests.harness.waiting import eventually


@pytest.fixture
async def other(system: StaffedSystem) -> Client:
    """A supervisor of another department."""
    system.add_user("syd", Role.SUPERVISOR, "syd")
    return await system.client("syd")


async def talk(system: StaffedSystem) -> None:
    await system.on_shift()
    await system.ready()
    await system.pass_time(6)


async def wait(system: StaffedSystem, seconds: float) -> None:
    await system.pass_time(seconds)


async def test_what_a_seat_looks_like(system: StaffedSystem) -> None:
    await talk(system)
    supervisor = await system.client("supervisor")
    floor = (await supervisor.api("GET", "/floor")).json()
    (seat,) = floor["seats"]
    assert (seat["name"], seat["state"], seat["connected"]) == ("Phoner 1", "talking", True)
    assert seat["listeners"] == []
    assert floor["campaigns"]["kanvas"]["title"]["da"]
    reply = await supervisor.api(
        "POST", "/listenings", {"seat": 1, "mode": "silent", "why": "quality"}
    )
    assert reply.status_code == 200
    (seat,) = (await supervisor.api("GET", "/floor")).json()["seats"]
    assert [listener["mode"] for listener in seat["listeners"]] == ["silent"]


async def test_who_hears_nothing_is_told_why(system: StaffedSystem) -> None:
    """The person wants no listener: neither does the floor say that anybody is heard."""

    async def wants_none() -> bool:
        (seat,) = (await supervisor.api("GET", "/floor")).json()["seats"]
        return bool(seat["no_listener"])

    supervisor = await system.client("supervisor")
    await talk(system)
    await supervisor.api("POST", "/listenings", {"seat": 1, "mode": "silent", "why": "quality"})
    assert not await wants_none()
    await system.api("POST", "/no-listener", {})
    await system.pass_time(1)
    assert await wants_none()
    system.network.hang_up_by_person(system.live_legs()[0])
    await system.pass_time(2)
    assert not await wants_none()


async def test_another_department_sees_and_does_nothing(
    system: StaffedSystem, other: Client
) -> None:
    await talk(system)
    floor = (await other.api("GET", "/floor")).json()
    assert floor["seats"] == []
    assert "kanvas" not in floor["campaigns"]
    assert "kanvas" not in (await other.api("GET", "/floor/figures")).json()["campaigns"]
    assert (await other.api("GET", "/floor/seats/1")).status_code == 404
    for path in ("/floor/seats/1/hand", "/floor/seats/1/off"):
        assert (await other.api("POST", path, {})).status_code == 404
    assert (await other.api("POST", "/campaigns/kanvas", {"paused": True})).status_code == 404
    (seat,) = system.seats()
    assert seat.state == "talking"
    for role in ("leader", "administrator"):
        assert len((await (await system.client(role)).api("GET", "/floor")).json()["seats"]) == 1


async def test_resuming_ends_the_pause_that_was_seen(system: StaffedSystem) -> None:
    """Another pause may have begun since, for another reason."""
    supervisor = await system.client("supervisor")

    async def switch(**body: object) -> int:
        return int((await supervisor.api("POST", "/campaigns/kanvas", body)).status_code)

    async def shown() -> tuple[bool, str, str]:
        state = (await supervisor.api("GET", "/floor")).json()["campaigns"]["kanvas"]
        return state["paused"], state["reason"], state["since"]

    assert await switch(paused=True, reason="coffee") == 200
    _, _, coffee = await shown()
    await system.pass_time(5)
    assert await switch(paused=True, reason="Wrong list") == 200
    assert await switch(paused=False, since=coffee) == 409
    paused, reason, wrong_list = await shown()
    assert (paused, reason) == (True, "Wrong list")
    assert await switch(paused=False, since=wrong_list) == 200
    assert await switch(paused=False, since=wrong_list) == 200, "the answer was lost"
    assert not (await shown())[0]
    assert [entry["paused"] for entry in system.entries("breaker")] == [True, True, False]


async def test_a_hand_is_answered(system: StaffedSystem, other: Client) -> None:
    await talk(system)
    up = update(seats).values(hand_at=system.clock.now())
    system.write(lambda tx: tx.execute(up))
    supervisor = await system.client("supervisor")
    assert (await supervisor.api("GET", "/floor")).json()["seats"][0]["hand_at"]
    assert (await supervisor.api("POST", "/floor/seats/1/hand", {})).status_code == 200
    assert (await supervisor.api("POST", "/floor/seats/1/hand", {})).status_code == 200
    assert (await supervisor.api("GET", "/floor")).json()["seats"][0]["hand_at"] is None
    assert [entry["answered"] for entry in system.entries("hand")] == [True]


async def test_a_shift_ends_after_the_call_in_hand(system: StaffedSystem) -> None:
    await talk(system)
    supervisor = await system.client("supervisor")
    assert (await supervisor.api("POST", "/floor/seats/1/off", {})).status_code == 200
    (seat,) = system.seats()
    assert (seat.state, seat.wants) == ("talking", "off")
    assert system.live_legs(), "the talk goes on"
    system.network.hang_up_by_person(system.live_legs()[0])
    await wait(system, 2)
    await system.outcome("no_thanks")
    assert system.seats()[0].state == "off"
    assert len(system.calls()) == 1
    assert system.entries("shift_ended")[0]["phoner"] == 1
    assert (await supervisor.api("POST", "/floor/seats/1/off", {})).status_code == 409
    assert (await supervisor.api("POST", "/floor/seats/99/off", {})).status_code == 404


async def test_a_waiting_seat_is_off_at_once(system: StaffedSystem) -> None:
    await system.on_shift()
    leg = system.phoner_leg()
    assert (
        await (await system.client("supervisor")).api("POST", "/floor/seats/1/off", {})
    ).status_code == 200
    await wait(system, 1)
    assert system.seats()[0].state == "off"
    assert not leg.live


MOVE = "/floor/seats/1/exchange"


async def test_a_shift_is_moved_to_another_exchange(system: StaffedSystem, other: Client) -> None:
    """Only from an exchange that does not answer, outside a call, and by who leads this floor."""
    await system.on_shift()
    names = ("nord", "")  # the simulated carrier is the nameless one
    object.__setattr__(system.server.ctx, "exchanges", names)
    supervisor = await system.client("supervisor")

    usual = system.seats()[0].line

    async def moved(line: str = usual, *, nord: bool = False, its_own: bool = True) -> int:
        def prepare(tx: Tx) -> None:
            tx.execute(update(seats).values(exchange="nord", line=line))
            for name, answers in zip(names, (nord, its_own), strict=True):
                exchange_states.note(tx, name, system.clock.now(), answers=answers)

        system.write(prepare)
        return (await supervisor.api("POST", MOVE, {})).status_code

    assert await moved(nord=True) == 409
    assert await moved(its_own=False) == 409
    assert await moved("sip:telephone_1") == 409, "it signs in where it was told to"
    assert (await other.api("POST", MOVE, {})).status_code == 404
    phoner = await system.client("phoner")
    assert (await phoner.api("POST", MOVE, {})).status_code == 403
    assert system.seats()[0].exchange == "nord"
    assert not system.entries("exchange_changed")
    for role in ("supervisor", "administrator"):
        assert await moved(nord=True) == 409
        system.write(lambda tx: exchange_states.note(tx, "nord", system.clock.now(), answers=False))
        leads = await system.client(role)
        assert (await leads.api("POST", MOVE, {})).status_code == 200
        assert system.seats()[0].exchange == ""
        await wait(system, 5)
        assert (system.seats()[0].state, system.seats()[0].connected) == ("paused", True)
    assert [entry["phoner"] for entry in system.entries("exchange_changed")] == [1, 1]
    await system.ready()
    await system.pass_time(6)
    assert system.seats()[0].state == "talking"
    assert await moved() == 409


async def test_an_outcome_is_corrected_within_the_department(
    system: StaffedSystem, other: Client
) -> None:
    await talk(system)
    system.network.hang_up_by_person(system.live_legs()[0])
    await wait(system, 2)
    await system.outcome("no_thanks", then="pause")
    supervisor = await system.client("supervisor")
    details = (await supervisor.api("GET", "/floor/seats/1")).json()
    (call,) = details["calls"]
    assert (call["outcome"], call["listened"]) == ("no_thanks", False)
    assert "322000" not in str(details)
    assert "voicemail" in details["campaigns"]["kanvas"]["outcomes"]
    body = {"attempt": call["attempt"], "outcome": "voicemail"}
    assert (await other.api("POST", "/correct", body)).status_code == 404
    assert (await supervisor.api("POST", "/correct", body)).status_code == 200
    assert system.calls()[0].outcome == "voicemail"
    assert system.entries("corrected")[0]["before"] == "no_thanks"


async def test_the_administrator_reads_no_forms(system: StaffedSystem) -> None:
    await talk(system)
    supervisor = await system.client("supervisor")
    await supervisor.api("POST", "/listenings", {"seat": 1, "mode": "silent", "why": "quality"})
    await wait(system, 3)
    form = {"respectful": 5, "serious": 5, "positive": 4, "words": "Fin samtale."}
    attempt = system.calls()[0].attempt
    assert (await supervisor.api("POST", f"/calls/{attempt}/form", form)).status_code == 200
    details = (await supervisor.api("GET", "/floor/seats/1")).json()
    assert [form["words"] for form in details["forms"]] == ["Fin samtale."]
    assert details["calls"][0]["listened"] is True
    assert (await (await system.client("administrator")).api("GET", "/floor/seats/1")).json()[
        "forms"
    ] == []


async def test_figures(system: StaffedSystem) -> None:
    system.people.default = Behaviour(answers_after=None)

    await system.on_shift()
    await system.ready()
    await system.pass_time(35)
    supervisor = await system.client("supervisor")
    figures = (await supervisor.api("GET", "/floor/figures")).json()
    kanvas = figures["campaigns"]["kanvas"]
    assert sum(kanvas["contacts"].values()) == 40
    assert kanvas["contacts"]["waiting"] == 1
    assert kanvas["open_now"] == kanvas["contacts"]["ready"]
    assert kanvas["dials"] == 2
    assert figures["provider"]["taken"] == 2
    assert figures["alarms"] == []
    # At night nothing is open, and the page says when it goes on.
    system.clock.set(system.clock.now() + timedelta(hours=5))
    late = (await (await system.client("leader")).api("GET", "/floor/figures")).json()["campaigns"][
        "kanvas"
    ]
    assert late["open_now"] == 0
    assert late["next_at"].startswith("2026-05-13T07:00")


async def test_refusals_are_counted_where_they_are_written(system: StaffedSystem) -> None:
    await system.on_shift()
    await system.ready()
    await system.pass_time(6)
    await system.api("POST", "/wish", {"wish": "never"})
    system.network.hang_up_by_person(system.live_legs()[0])
    await system.pass_time(2)
    await system.outcome("no_thanks", then="pause")
    await system.api("POST", "/dial", {"number": "32200000"})
    figures = (await (await system.client("supervisor")).api("GET", "/floor/figures")).json()
    counted = figures["campaigns"]["kanvas"]["refusals"]
    written: dict[str, int] = {}
    for entry in system.entries("refused"):
        written[entry["reasons"][0]] = written.get(entry["reasons"][0], 0) + 1
    assert counted == written
    assert counted


async def test_alarms_reach_the_page_in_time(system: StaffedSystem) -> None:
    now = system.clock.now()
    old = insert(registers).values(
        name="robinson", washed_at=now - timedelta(days=95), active=True, size=1
    )
    system.write(lambda tx: tx.execute(old))
    await system.on_shift()
    system.clock.set(now + timedelta(minutes=9))
    figures = (await (await system.client("supervisor")).api("GET", "/floor/figures")).json()
    kinds = {alarm["kind"] for alarm in figures["alarms"]}
    assert {"register_old", "sealing_behind", "scheduler_stalled"} <= kinds


async def test_many_followers_share_one_reading(
    system: StaffedSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_floor, "PACE_S", 0.05)
    for name, department in (("one", "nord"), ("two", "nord"), ("three", "syd")):
        system.add_user(name, Role.SUPERVISOR, department)
    one, two, three = [await system.client(name) for name in ("one", "two", "three")]
    read = 0
    states = floor_rows.states

    def counting(tx: Any) -> Any:
        nonlocal read
        read += 1
        return states(tx)

    monkeypatch.setattr(floor_rows, "states", counting)

    async with stream(one) as a, stream(two) as b, stream(three) as c:
        await system.on_shift(1)
        await system.ready(1)
        await system.pass_time(6)
        shown = (await a.until("floor"))[-1][2]["seats"]
        await b.until("floor")
        await c.until("floor")
        assert [seat["name"] for seat in shown] == ["Phoner 1"]
        told = [
            event for opened in (a, b, c) for event in events(opened.text) if event[1] == "floor"
        ]
        assert not any(view["seats"] for _, name, view in events(c.text) if name == "floor")
        assert read < len(told), "a reading serves more than one"


async def test_what_happens_at_once_is_told_at_once(
    system: StaffedSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A burst is one view, and the last state is never missed."""
    monkeypatch.setattr(live_floor, "PACE_S", 0.4)
    client = await system.client("supervisor")
    told: list[Any] = []

    await system.on_shift(1)
    began = time.monotonic()
    async with stream(client) as opened:
        for number in range(30):
            await system.api("POST", "/ready" if number % 2 else "/pause", {})
            await asyncio.sleep(0.01)
        last = (await client.api("GET", "/floor")).json()["seats"]

        def last_is_told() -> bool:
            told[:] = [event[2]["seats"] for event in events(opened.text) if event[1] == "floor"]
            return bool(told) and told[-1] == last

        await eventually(last_is_told)
        assert len(told) <= (time.monotonic() - began) / 0.4 + 1


async def test_presence_lets_a_second_shift_dial(system: StaffedSystem) -> None:
    system.write(partial(accounts.change, user_id=1, credited=1, trained_at=None))

    await system.on_shift()
    await system.ready()
    await system.pass_time(5)
    assert not system.calls()
    assert (
        await (await system.client("supervisor")).api("POST", "/presence", {})
    ).status_code == 200
    await wait(system, 40)
    assert system.calls()
