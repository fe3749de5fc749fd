"""A pause is told to the seats that wait, on both databases."""

from datetime import timedelta

from callserver.database import seats
from callserver.database.seats import SeatRow
from callserver.database.store import AnyStore
from callserver.engine.calls import campaign_pauses
from callserver.outbox import DialSeat, FollowUp
from callserver.ports import Tx
from tests.harness.simulated import TUESDAY


async def seat(store: AnyStore, phoner: int, campaign: str, state: str) -> int:
    def work(tx: Tx) -> int:
        row = seats.open_for(tx, phoner, "nord", TUESDAY)
        later = TUESDAY + timedelta(minutes=5)
        values = {"campaign": campaign, "state": state, "reason": "next_contact"}
        seats.set_line(tx, row.id, connected=True, wake_at=later, until=later, **values)
        return row.id

    return await store.run(work)


async def test_who_waits_is_told_in_the_same_transaction(store: AnyStore) -> None:
    seat_id = await seat(store, 1, "kanvas", "waiting")
    other = await seat(store, 2, "kanvas", "waiting")
    elsewhere = await seat(store, 3, "leads", "waiting")
    talks = await seat(store, 4, "kanvas", "talking")

    async def now(key: int) -> SeatRow:
        row = await store.run(lambda tx: seats.lock(tx, key))
        assert row is not None
        return row

    sent: list[FollowUp] = []
    store.send = sent.extend

    async def pause(paused: bool) -> list[FollowUp]:
        """What follows from it."""
        sent.clear()
        by = "user:9"
        await store.run(
            lambda tx: campaign_pauses.switch(tx, "kanvas", "x", TUESDAY, paused=paused, by=by),
        )
        return sent

    assert await pause(True) == [DialSeat(seat_id), DialSeat(other)]
    assert [((await now(key)).reason, (await now(key)).until) for key in (seat_id, other)] == [
        ("CAMP_PAUSED", None)
    ] * 2
    assert (await now(elsewhere)).reason == (await now(talks)).reason == "next_contact"
    assert await pause(False) == [DialSeat(seat_id), DialSeat(other)]
    assert (await now(seat_id)).wake_at == (await now(other)).wake_at == TUESDAY
    assert (await now(elsewhere)).wake_at != TUESDAY
    await store.run(lambda tx: campaign_pauses.wake_all(tx, TUESDAY))
    assert (await now(elsewhere)).wake_at == TUESDAY
