"""A pause is told to the seats that wait, on both databases."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from callserver.database import seats
from callserver.database.seats import SeatRow
from callserver.database.store import AnyStore
from callserver.engine.calls import campaign_pauses
from callserver.outbox import DialSeat, FollowUp
from callserver.ports import Tx
from tests.harness.simulated import TUESDAY

T = TypeVar("T")


def run(store: AnyStore, work: Callable[[Tx], T]) -> T:
    async def go() -> T:
        return await store.run(work)

    return asyncio.run(go())


def seat(store: AnyStore, phoner: int, campaign: str, state: str) -> int:
    def work(tx: Tx) -> int:
        row = seats.open_for(tx, phoner, "nord", TUESDAY)
        later = TUESDAY + timedelta(minutes=5)
        values = {"campaign": campaign, "state": state, "reason": "next_contact"}
        seats.set_line(tx, row.id, connected=True, wake_at=later, until=later, **values)
        return row.id

    return run(store, work)


def test_who_waits_is_told_in_the_same_transaction(store: AnyStore) -> None:
    one = seat(store, 1, "kanvas", "waiting")
    other = seat(store, 2, "kanvas", "waiting")
    elsewhere = seat(store, 3, "leads", "waiting")
    talks = seat(store, 4, "kanvas", "talking")

    def now(key: int) -> SeatRow:
        row = run(store, lambda tx: seats.lock(tx, key))
        assert row is not None
        return row

    sent: list[FollowUp] = []
    store.send = sent.extend

    def pause(paused: bool) -> list[FollowUp]:
        """What follows from it."""
        sent.clear()
        by = "user:9"
        run(
            store,
            lambda tx: campaign_pauses.switch(tx, "kanvas", "x", TUESDAY, paused=paused, by=by),
        )
        return sent

    assert pause(True) == [DialSeat(one), DialSeat(other)]
    assert [(now(key).reason, now(key).until) for key in (one, other)] == [
        ("CAMP_PAUSED", None)
    ] * 2
    assert now(elsewhere).reason == now(talks).reason == "next_contact"
    assert pause(False) == [DialSeat(one), DialSeat(other)]
    assert now(one).wake_at == now(other).wake_at == TUESDAY
    assert now(elsewhere).wake_at != TUESDAY
    run(store, lambda tx: campaign_pauses.wake_all(tx, TUESDAY))
    assert now(elsewhere).wake_at == TUESDAY
