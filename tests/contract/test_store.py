"""What every store must do: one contract, SQLite and PostgreSQL."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from callserver import log
from callserver.database import (
    call_budget,
    calls,
    contacts,
    floor,
    leases,
    processed_events,
    sent_requests,
    suppressions,
)
from callserver.database.store import AnyStore
from callserver.database.tables import EPOCH, Instant
from callserver.database.tables import calls as calls_table
from callserver.database.tables import contacts as contacts_table
from callserver.domain.call import Receipt
from callserver.domain.call_budgets import Budget, of_trunks
from callserver.domain.facts import Scope
from callserver.ports import Tx

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
PLACE = "DK Europe/Copenhagen"


def a_call(attempt: str, number: int = 1, household: int = 1, seat: int = 1) -> dict[str, Any]:
    return {
        "attempt": attempt,
        "contact": 1,
        "campaign": "kanvas",
        "path": "list",
        "number": number,
        "person": number,
        "household": household,
        "seat": seat,
        "phoner": seat,
        "caller_id": "+4532123400",
        "room": "room",
        "room_ref": None,
        "revision": "r",
        "permit_at": NOW,
        "state": "placing",
        "deadline": NOW,
    }


def a_contact(tx: Tx, number: int, **more: Any) -> int:
    values = {
        "campaign": "kanvas",
        "person": number,
        "household": number,
        "number": number,
        "place": PLACE,
        "rank": number,
        "status": "ready",
        **more,
    }
    key = tx.execute(insert(contacts_table).values(values)).inserted_primary_key
    return int(key[0])  # type: ignore[index]


@given(st.datetimes(timezones=st.just(UTC)).filter(lambda at: 1970 <= at.year < 2200))
def test_an_instant_survives(aware: datetime) -> None:
    kept = Instant().process_bind_param(aware, None)  # type: ignore[arg-type]
    assert Instant().process_result_value(kept, None) == aware  # type: ignore[arg-type]
    assert Instant().process_bind_param(EPOCH, None) == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "second",
    [a_call("b", seat=2, household=2), a_call("b", number=2, seat=2), a_call("b", 2, 2)],
    ids=["number", "household", "seat"],
)
async def test_the_database_refuses_a_second_open_call(
    store: AnyStore, second: dict[str, Any]
) -> None:
    assert await store.run(lambda tx: calls.open_call(tx, a_call("a")))
    assert not await store.run(lambda tx: calls.open_call(tx, second))
    await store.run(lambda tx: calls.change(tx, "a", ended_at=NOW))
    assert await store.run(lambda tx: calls.open_call(tx, second))


async def test_open_calls_race(store: AnyStore) -> None:
    """Sixteen seats want the same number at once: one gets it."""

    wanted = [a_call(f"c{seat}", seat=seat, household=seat) for seat in range(16)]
    got = await asyncio.gather(
        *(store.run(partial(calls.open_call, values=values)) for values in wanted)
    )
    assert sum(got) == 1


async def test_claims_never_meet(store: AnyStore) -> None:
    await store.run(lambda tx: [a_contact(tx, number) for number in range(1, 61)])
    claims = await asyncio.gather(
        *(store.run(lambda tx: contacts.claim(tx, "kanvas", (PLACE,), 1, NOW)) for _ in range(80))
    )
    taken = [claimed[0].id for claimed in claims if claimed is not None]
    assert len(taken) == len(set(taken)) == 60


async def test_claims_follow_the_rank_over_places(store: AnyStore) -> None:
    await store.run(lambda tx: a_contact(tx, 5))
    await store.run(lambda tx: a_contact(tx, 3, place="FO Atlantic/Faroe"))
    both = (PLACE, "FO Atlantic/Faroe")
    first = await store.run(lambda tx: contacts.claim(tx, "kanvas", both, 1, NOW))
    second = await store.run(lambda tx: contacts.claim(tx, "kanvas", (PLACE,), 1, NOW))
    assert first is not None
    assert second is not None
    assert (first[0].number, second[0].number) == (3, 5)


async def test_waiting_contacts_are_promoted_when_due(store: AnyStore) -> None:
    later = NOW + timedelta(hours=1)
    await store.run(lambda tx: a_contact(tx, 1, status="waiting", next_at=later))
    assert await store.run(lambda tx: contacts.promote(tx, "kanvas", NOW)) == 0
    assert await store.run(lambda tx: contacts.next_due(tx, "kanvas", 1)) == {0: later}
    assert await store.run(lambda tx: contacts.promote(tx, "kanvas", later)) == 1
    assert await store.run(lambda tx: contacts.claim(tx, "kanvas", (PLACE,), 1, later))


async def test_call_backs_are_kept_then_released(store: AnyStore) -> None:
    await store.run(
        lambda tx: a_contact(
            tx,
            1,
            status="call_back",
            next_at=NOW,
            callback_for=NOW,
            callback_phoner=7,
            release_at=NOW + timedelta(minutes=10),
        )
    )
    claim = contacts.claim
    assert await store.run(lambda tx: claim(tx, "kanvas", (), 8, NOW)) is None
    mine = await store.run(lambda tx: claim(tx, "kanvas", (), 7, NOW))
    assert mine is not None
    assert mine[1] == "call_back"
    await store.run(lambda tx: contacts.set_status(tx, mine[0].id, "call_back", next_at=NOW))
    later = NOW + timedelta(minutes=10)
    assert await store.run(lambda tx: claim(tx, "kanvas", (), 8, later)) is not None


async def test_an_error_of_the_database_names_nobody(store: AnyStore) -> None:
    """Errors are logged; what a statement carried is not in them (I10)."""

    def fails(tx: Tx) -> None:
        tx.execute(text("INSERT INTO nowhere VALUES (:name)"), {"name": "Anna Prøve"})

    with pytest.raises(DBAPIError) as caught:
        await store.run(fails)
    assert "Anna" not in str(caught.value)


async def test_a_receipt_counts_once(store: AnyStore) -> None:
    receipt = Receipt("call", "CA1", 0)
    got = await asyncio.gather(
        *(store.run(lambda tx: processed_events.first_time(tx, receipt, NOW)) for _ in range(10))
    )
    assert sum(got) == 1


async def test_of_the_same_request_sent_at_once_one_makes_something(store: AnyStore) -> None:
    made = iter(range(1, 10))

    def send(tx: Tx) -> int:
        if not sent_requests.first_time(tx, "a", NOW):
            return sent_requests.made_by(tx, "a")
        key = next(made)
        sent_requests.keep(tx, "a", key)
        return key

    got = await asyncio.gather(*(store.run(send) for _ in range(9)))
    assert set(got) == {1}


async def test_slots_of_the_budget_never_overlap(store: AnyStore) -> None:
    budget = Budget(2.0)

    def take(tx: Tx) -> datetime:
        slot = call_budget.next_slot(tx, NOW, budget)
        call_budget.take_slot(tx, slot, budget)
        return slot

    await store.run(take)
    slots = await asyncio.gather(*(store.run(take) for _ in range(9)))
    gaps = [(b - a).total_seconds() for a, b in pairwise(sorted(slots))]
    assert set(gaps) == {0.5}


async def test_a_slot_taken_out_of_turn_gives_none_out_twice(store: AnyStore) -> None:
    """A dial by hand, or a pause after a 429: the budget never goes backwards."""

    def take(tx: Tx, at: datetime) -> None:
        call_budget.take_slot(tx, at, Budget(1.0))

    await store.run(lambda tx: take(tx, NOW + timedelta(seconds=5)))
    await store.run(lambda tx: take(tx, NOW))
    assert await store.run(
        lambda tx: call_budget.next_slot(tx, NOW, Budget(1.0))
    ) == NOW + timedelta(seconds=7)


async def test_each_trunk_has_a_budget_of_its_own(store: AnyStore) -> None:
    """Slots of one trunk never overlap, and two trunks do not slow each other."""
    one, another, own = "+4532123400", "+4532123401", "+4532123402"
    budgets = of_trunks(1.0, [([one, another], 2.0), ([own], 4.0)])

    def take(tx: Tx, shown: str) -> datetime:
        budget = budgets.of(shown)
        slot = call_budget.next_slot(tx, NOW, budget)
        call_budget.take_slot(tx, slot, budget)
        return slot

    unnamed = "+4532123409"
    for shown in (one, own, unnamed):
        await store.run(partial(take, shown=shown))
    asked = [one, another, own, unnamed] * 5
    slots = await asyncio.gather(*(store.run(partial(take, shown=shown)) for shown in asked))
    of_trunk: dict[str, list[datetime]] = {}
    for shown, slot in zip(asked, slots, strict=True):
        of_trunk.setdefault(budgets.of(shown).name, []).append(slot)
    steps = {
        name: {(b - a).total_seconds() for a, b in pairwise([NOW, *sorted(taken)])}
        for name, taken in of_trunk.items()
    }
    assert steps == {f"calls {one}": {0.5}, f"calls {own}": {0.25}, "calls": {1.0}}
    await store.run(lambda tx: call_budget.start_over(tx, NOW))
    for shown in asked:
        following = partial(call_budget.next_slot, now=NOW, budget=budgets.of(shown))
        assert await store.run(following) == NOW


async def test_a_lease_has_one_owner(store: AnyStore) -> None:
    def take(owner: str, at: datetime) -> Any:
        return store.run(lambda tx: leases.acquire(tx, "scheduler", owner, at))

    assert await take("a", NOW)
    assert not await take("b", NOW + timedelta(seconds=9))
    assert await take("a", NOW + timedelta(seconds=9))
    assert not await take("b", NOW + timedelta(seconds=12))
    assert await take("b", NOW + timedelta(seconds=30))


@pytest.mark.parametrize("ahead", [timedelta(seconds=13), timedelta(hours=1)])
async def test_a_lease_of_a_clock_that_went_ahead_holds_nobody(
    store: AnyStore, ahead: timedelta
) -> None:
    def take(owner: str, at: datetime) -> Any:
        return store.run(lambda tx: leases.acquire(tx, "scheduler", owner, at))

    assert await take("a", NOW + ahead)
    assert await take("b", NOW)  # that clock was put right, or its server is gone
    assert not await take("a", NOW + timedelta(seconds=1))
    # The owner's own lease is written again, so that it lasts no longer than any other.
    assert await take("b", NOW - ahead)
    assert await store.run(lambda tx: floor.lease_until(tx, "scheduler")) == (
        NOW - ahead + leases.LEASE
    )


async def test_a_lease_that_was_let_go_is_free_and_shows_since_when(store: AnyStore) -> None:
    await store.run(lambda tx: leases.acquire(tx, "scheduler", "a", NOW))
    await store.run(lambda tx: leases.release(tx, "scheduler", "a", NOW))
    assert await store.run(lambda tx: floor.lease_until(tx, "scheduler")) == NOW
    assert await store.run(lambda tx: leases.acquire(tx, "scheduler", "b", NOW))


async def test_a_suppression_finds_the_open_calls(store: AnyStore) -> None:
    await store.run(lambda tx: calls.open_call(tx, a_call("a", number=5, household=6)))
    for subject in ("number:4", "person:6", "household:5"):
        assert (
            await store.run(partial(suppressions.want_stopped, subjects=(subject,), now=NOW)) == 0
        )
    assert await store.run(lambda tx: suppressions.want_stopped(tx, ("household:6",), NOW)) == 1


async def test_the_open_call_among_many_people_is_found(store: AnyStore) -> None:
    """A list may bring another number for most of the people it names."""
    await store.run(lambda tx: calls.open_call(tx, a_call("a", number=5, household=6)))
    many = [*(f"number:{key}" for key in range(1_000, 71_000)), "number:5"]
    assert await store.run(lambda tx: suppressions.want_stopped(tx, many, NOW)) == 1


@pytest.mark.parametrize("control", [False, True], ids=["locked", "control"])
async def test_an_opt_out_and_a_decision_race(store: AnyStore, full: bool, control: bool) -> None:
    """R6: no call stays unstopped that was decided around a suppression. The control decides on
    what it read in an earlier transaction, and must be caught."""
    trials = 100_000 if full else 150
    missed = 0

    async def one(trial: int) -> bool:
        subject = f"number:{trial + 10}"
        call = a_call(f"r{trial}", number=trial + 10, household=trial + 10, seat=trial + 10)

        def look(tx: Tx) -> bool:
            return bool(suppressions.for_subjects(tx, (subject,)))

        def decide(tx: Tx) -> None:
            suppressions.before_deciding(tx)
            if not look(tx):
                calls.open_call(tx, call)

        def refuse(tx: Tx) -> None:
            suppressions.add(tx, subject, Scope.NUMBER, NOW, "test")
            suppressions.want_stopped(tx, (subject,), NOW)

        async def decided_too_early() -> None:
            seen = await store.run(look)
            await asyncio.sleep(0)
            if not seen:
                await store.run(lambda tx: calls.open_call(tx, call))

        deciding = decided_too_early() if control else store.run(decide)
        order = [deciding, store.run(refuse)]
        await asyncio.gather(*(order if trial % 2 else order[::-1]))
        row = await store.run(lambda tx: calls.get(tx, f"r{trial}"))
        return row is not None and row.stop_wanted is None

    for trial in range(trials):
        missed += await one(trial)
    assert (missed > 0) if control else (missed == 0)


def test_the_database_alone_refuses_a_second_open_call(store: AnyStore) -> None:
    """I3 also for code that writes past our functions."""
    seconds = [a_call("b", 1, 2, 2), a_call("b", 2, 1, 2), a_call("b", 2, 2, 1)]
    with store.engine.begin() as tx:
        tx.execute(insert(calls_table).values(a_call("a", 1, 1, 1)))
    for second in seconds:
        with pytest.raises(IntegrityError), store.engine.begin() as tx:
            tx.execute(insert(calls_table).values(second))
    with store.engine.begin() as tx:
        tx.execute(insert(calls_table).values(a_call("b", 2, 2, 2)))
    with pytest.raises(IntegrityError), store.engine.begin() as tx:
        tx.execute(calls_table.update().where(calls_table.c.attempt == "b").values(number=1))


def test_errors_name_no_values(store: AnyStore) -> None:
    """They come into the log (I10)."""
    with pytest.raises(DBAPIError) as caught, store.engine.begin() as tx:
        tx.execute(insert(contacts_table).values(name="Anna Lund", number=4532123456))
    said = log.hidden(str(caught.value))
    assert "null" in said.lower()
    assert "Anna" not in said
    assert "4532123456" not in said


async def test_attempts_race_and_no_more_than_the_limit_are_let_through(store: AnyStore) -> None:
    """Forty at once: each is counted before the next is looked at."""
    from callserver.engine.accounts.login_attempts import (
        MOST_FAILURES,
        LoginAttempts,
        Secret,
        Source,
        TooManyFailures,
    )

    counting = LoginAttempts(b"key")

    def reserve(tx: Tx) -> None:
        counting.reserve(tx, Secret.PASSWORD, "maja", None, Source("203.0.113.9"), NOW)

    outcomes = await asyncio.gather(
        *(store.run(reserve) for _ in range(40)), return_exceptions=True
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, TooManyFailures)]
    assert len(refused) == 40 - MOST_FAILURES
    assert [outcome for outcome in outcomes if outcome is None] == [None] * MOST_FAILURES
