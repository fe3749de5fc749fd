"""Listenings and the floor's figures on both databases."""

from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from callserver.database import accounts, daily_counts, due_work, floor, listenings, seats
from callserver.database.store import AnyStore
from callserver.ports import Tx
from tests.harness.simulated import TUESDAY

T = TypeVar("T")
NEW: dict[str, Any] = {
    "seat": 1,
    "phoner": 1,
    "listener": 9,
    "department": "nord",
    "mode": "silent",
    "why": "quality",
    "started_at": TUESDAY,
    "look_at": TUESDAY,
}


async def test_one_open_listening_a_listener(store: AnyStore) -> None:
    first = await store.run(lambda tx: listenings.add(tx, **NEW))
    assert first is not None
    assert await store.run(lambda tx: listenings.add(tx, **NEW | {"seat": 2})) is None
    other = await store.run(lambda tx: listenings.add(tx, **NEW | {"listener": 8}))
    assert other is not None
    assert await store.run(lambda tx: len(listenings.open_at(tx, 1))) == 2
    await store.run(lambda tx: listenings.change(tx, first.id, ended_at=TUESDAY, look_at=None))
    again = await store.run(lambda tx: listenings.add(tx, **NEW | {"seat": 2}))
    assert again is not None
    ended = await store.run(lambda tx: listenings.get(tx, first.id))
    assert ended is not None
    assert ended.ended_at == TUESDAY


async def test_what_is_stirred_is_due(store: AnyStore) -> None:
    later = TUESDAY + timedelta(minutes=1)
    row = await store.run(lambda tx: listenings.add(tx, **NEW | {"look_at": later}))
    assert row is not None
    assert await store.run(lambda tx: listenings.due(tx, TUESDAY)) == []
    await store.run(lambda tx: listenings.set_due_at_seat(tx, 2, TUESDAY))
    assert await store.run(due_work.next_due) == later
    await store.run(lambda tx: listenings.set_due_at_seat(tx, 1, TUESDAY))
    assert await store.run(lambda tx: listenings.due(tx, TUESDAY)) == [row.id]
    await store.run(lambda tx: listenings.change(tx, row.id, ended_at=TUESDAY, look_at=later))
    await store.run(lambda tx: listenings.set_due_at_seat(tx, 1, TUESDAY))
    assert await store.run(due_work.next_due) == later, "what has ended is stirred no more"


async def test_a_talk_is_noted_once_and_a_form_replaced(store: AnyStore) -> None:
    user = {"handle": "s", "name": "Sara", "role": "supervisor", "id": 9}
    await store.run(lambda tx: accounts.add(tx, **user))
    row = await store.run(lambda tx: listenings.add(tx, **NEW))
    assert row is not None
    assert [
        await store.run(lambda tx: listenings.note_heard(tx, row.id, "a")) for _ in range(2)
    ] == [
        True,
        False,
    ]
    assert await store.run(lambda tx: listenings.heard_by(tx, "a", 9))
    assert not await store.run(lambda tx: listenings.heard_by(tx, "a", 8))
    assert await store.run(lambda tx: listenings.heard_of(tx, 9, ["a", "b"])) == {"a"}
    assert await store.run(lambda tx: listenings.heard_of(tx, 9, [])) == frozenset()
    form = {"phoner": 1, "at": TUESDAY, "respectful": 5, "serious": 4, "positive": 3, "words": ""}
    key = await store.run(lambda tx: listenings.store_form(tx, "a", 9, **form))
    assert (
        await store.run(lambda tx: listenings.store_form(tx, "a", 9, **form | {"serious": 1}))
        == key
    )
    ((stored, name),) = await store.run(lambda tx: listenings.forms_of(tx, 1, 10))
    assert (stored.serious, name) == (1, "Sara")
    assert await store.run(lambda tx: listenings.calls_in(tx, [row.id])) == {row.id: ["a"]}
    await store.run(lambda tx: listenings.set_told(tx, 2, [row.id], TUESDAY))
    assert (await store.run(lambda tx: listenings.of_phoner(tx, 1, 10)))[0][0].told_at is None
    await store.run(lambda tx: listenings.set_told(tx, 1, [row.id], TUESDAY))
    assert (await store.run(lambda tx: listenings.of_phoner(tx, 1, 10)))[0][0].told_at == TUESDAY


async def test_the_floors_figures(store: AnyStore) -> None:
    user = {"handle": "p", "name": "Pia", "role": "phoner", "id": 1}
    await store.run(lambda tx: accounts.add(tx, **user))
    seat = await store.run(lambda tx: seats.open_for(tx, 1, "nord", TUESDAY))
    await store.run(lambda tx: seats.set_line(tx, seat.id, state="paused", hand_at=TUESDAY))
    for reason in ("FREQ_GAP", "FREQ_GAP", "SUP_NUMBER", "FREQ_GAP"):
        counted = partial(daily_counts.count_refusal, campaign="kanvas", reason=reason, now=TUESDAY)
        await store.run(counted)
    day = TUESDAY.date().isoformat()

    def look(tx: Tx) -> None:
        assert floor.refusals(tx, day) == {"kanvas": {"FREQ_GAP": 3, "SUP_NUMBER": 1}}
        assert floor.refusals(tx, "2026-01-01") == {}
        (line,) = floor.seats_shown(tx, TUESDAY)
        assert (line.name, line.state, line.hand_at) == ("Pia", "paused", TUESDAY)
        assert floor.order_counts(tx, TUESDAY) == (0, 0, 0)
        assert floor.ready_in(tx, "kanvas", "DK") == 0
        assert floor.counts_of_day(tx, day) == {}
        assert floor.listeners(tx) == []
        assert floor.states(tx) == {}
        assert floor.register_ages(tx) == {}
        assert floor.oldest_unsealed(tx) is None
        assert floor.lease_until(tx, "scheduler") is None

    await store.run(look)
