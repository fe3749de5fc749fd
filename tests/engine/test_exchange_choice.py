"""Which exchange a seat gets, and when it gets another one."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import update

from callserver import texts
from callserver.database import carrier_states, exchange_states, seats
from callserver.database.store import AnyStore
from callserver.database.tables import seats as table
from callserver.domain.seat import SeatState
from callserver.engine.shifts.exchange_choice import choose
from callserver.ports import Tx
from tests.harness.simulated import SimulatedSystem

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
NAMES = ["nord", "syd"]
BROWSER, SIP = "client:phoner_1", "sip:telephone_1"


def chosen(tx: Tx, phoner: int, names: list[str] = NAMES, line: str | None = BROWSER) -> str:
    exchange = choose(tx, names, seats.open_for(tx, phoner, "nord", NOW), line, NOW)
    assert seats.open_for(tx, phoner, "nord", NOW).exchange == exchange
    return exchange


async def test_seats_are_spread_and_stay(store: AnyStore) -> None:
    def work(tx: Tx) -> None:
        for _ in range(2):
            assert [chosen(tx, phoner) for phoner in range(1, 5)] == ["nord", "syd"] * 2

    await store.run(work)


async def test_one_exchange_has_no_name(store: AnyStore) -> None:
    def work(tx: Tx) -> None:
        assert not chosen(tx, 1, [])
        assert chosen(tx, 1) == "nord"
        assert chosen(tx, 1, ["syd"]) == "syd"
        assert not chosen(tx, 1, [])

    await store.run(work)


async def test_a_browser_leaves_an_exchange_that_does_not_answer(store: AnyStore) -> None:
    def work(tx: Tx) -> None:
        assert chosen(tx, 1) == "nord"
        assert chosen(tx, 2, line=SIP) == "syd"
        for name in NAMES:
            exchange_states.note(tx, name, NOW, answers=False)
        assert (chosen(tx, 1), chosen(tx, 2, line=SIP)) == ("nord", "syd")  # nowhere is better
        exchange_states.note(tx, "syd", NOW, answers=True)
        seat = seats.open_for(tx, 1, "nord", NOW)
        tx.execute(update(table).values(state=SeatState.PAUSED.value))
        assert chosen(tx, 1) == "nord", "not during a shift"
        tx.execute(update(table).values(state=SeatState.OFF.value))
        assert chosen(tx, 1, line=SIP) == "nord", "a SIP telephone signs in where it was told to"
        assert chosen(tx, seat.phoner) == "syd"

    await store.run(work)


async def test_an_exchange_cannot_call_while_it_or_its_trunk_is_away(store: AnyStore) -> None:
    def work(tx: Tx) -> None:
        def cannot(at: datetime = NOW) -> list[bool]:
            return [exchange_states.cannot_call(tx, name, at) for name in NAMES]

        assert cannot() == [False, False]
        exchange_states.note(tx, "nord", NOW, answers=True)
        exchange_states.note(tx, "nord", NOW, answers=False)
        carrier_states.note(tx, {"trunk": "online"}, NOW, "nord")
        carrier_states.note(tx, {"trunk": "offline", "192.0.2.7": "registered"}, NOW, "syd")
        assert cannot() == [True, True]
        assert cannot(NOW + timedelta(minutes=5)) == [False, False], "nobody looks any more"
        exchange_states.note(tx, "nord", NOW, answers=True)
        carrier_states.note(tx, {"trunk": "online"}, NOW, "syd")
        assert cannot() == [False, False]
        assert [row.name for row in carrier_states.every(tx)] == ["nord/trunk", "syd/trunk"]

    await store.run(work)


async def test_a_phoner_hears_that_another_exchange_answers(tmp_path: Path) -> None:
    """Only where a new shift would go through it: a SIP telephone stays where it signed in."""
    system = SimulatedSystem(tmp_path)
    await system.on_shift()
    # The carrier stays the simulated one.
    object.__setattr__(system.server.ctx, "exchanges", NAMES)
    object.__setattr__(system.server.ctx, "has_exchange", True)

    async def waits(nord: bool, syd: bool, line: str = BROWSER) -> str:
        def prepare(tx: Tx) -> None:
            tx.execute(update(table).values(exchange="nord", line=line))
            exchange_states.note(tx, "nord", system.clock.now(), answers=nord)
            exchange_states.note(tx, "syd", system.clock.now(), answers=syd)

        system.write(prepare)
        await system.do("POST", "/pause", {"reason": "pause"})
        await system.ready()
        await system.pass_time(0)
        seat = await system.seat()
        assert seat["state"] == "waiting"
        return str(seat["reason"])

    assert await waits(nord=False, syd=True) == "another_exchange"
    assert await waits(nord=False, syd=False) == "exchange_away"
    assert await waits(nord=False, syd=True, line=SIP) == "exchange_away"
    system.close()


async def test_nobody_is_dialed_by_hand_through_an_exchange_that_is_away(tmp_path: Path) -> None:
    """The order would be refused, and take a turn from the seats of the other exchanges."""
    system = SimulatedSystem(tmp_path)
    await system.on_shift()
    object.__setattr__(system.server.ctx, "has_exchange", True)

    def note(answers: bool) -> None:
        def work(tx: Tx) -> None:
            tx.execute(update(table).values(exchange="nord"))
            exchange_states.note(tx, "nord", system.clock.now(), answers=answers)

        system.write(work)

    number = f"+{system.contacts()[0].number}"
    note(answers=True)
    note(answers=False)
    for path, body in (("/dial", {"number": number}), ("/redial", {})):
        status, answer = await system.api("POST", path, body)
        assert status == 409
        assert answer["detail"] == texts.say("da", "error.exchange_away")
    assert system.calls() == []
    note(answers=True)
    assert (await system.api("POST", "/dial", {"number": number}))[0] == 200
    system.close()
