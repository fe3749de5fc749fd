"""What every store must do: one contract, SQLite and PostgreSQL."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, inspect, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from callserver import log
from callserver.database import (
    audit,
    call_budget,
    calls,
    contacts,
    daily_counts,
    floor,
    leases,
    migrate,
    processed_events,
    suppressions,
)
from callserver.database.store import AnyStore
from callserver.database.tables import EPOCH, Instant
from callserver.database.tables import calls as calls_table
from callserver.database.tables import contacts as contacts_table
from callserver.database.tables import daily_counts as daily_counts_table
from callserver.domain.audit import EntryKind
from callserver.domain.call import Receipt
from callserver.domain.call_budgets import Budget, of_trunks
from callserver.domain.facts import Scope
from callserver.errors import ConfigurationProblem
from callserver.ports import Tx

VERSIONS = Path(migrate.__file__).parent / "migrations" / "versions"
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


def test_the_tables_are_what_the_migrations_make(store: AnyStore) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    import callserver.database.tables  # noqa: F401 - they register themselves
    from callserver.database.tables import metadata

    on_sqlite = store.engine.dialect.name == "sqlite"

    def asked(_: object, name: str | None, *__: object) -> bool:
        return not (on_sqlite and name == "audit_tail")  # its rows are written one after another

    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": asked})
        assert compare_metadata(context, metadata) == []
        version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        assert version == max(path.name[:4] for path in VERSIONS.glob("0*.py"))
        names = {row[0] for row in connection.execute(select(calls_table.c.attempt))}
        assert names == set()


def test_migrations_go_down_and_up_again(store: AnyStore) -> None:
    def tables() -> set[str]:
        return set(inspect(store.engine).get_table_names())

    whole = tables()
    assert {"contacts", "calls", "audit"} <= whole
    migrate.downgrade(store.engine, "base")
    assert tables() == {"alembic_version"}
    migrate.upgrade(store.engine)
    assert tables() == whole


def test_an_older_version_gets_its_tables_back_where_they_hold_everything(store: AnyStore) -> None:
    def revision() -> str:
        with store.engine.connect() as connection:
            return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar())

    newest = revision()
    with store.engine.begin() as tx:
        a_contact(tx, 1)
    migrate.downgrade_without_loss(store.engine, "0014")
    assert revision() == "0014"
    assert "cases" not in inspect(store.engine).get_table_names()
    migrate.upgrade(store.engine)
    with store.engine.begin() as tx:
        tx.exec_driver_sql(
            'INSERT INTO person_decisions (person, other, verdict, at, "by", why)'
            " VALUES (1, 2, 'same', 1, 'karin', 'member service')"
        )
    with pytest.raises(ConfigurationProblem, match="person_decisions"):
        migrate.downgrade_without_loss(store.engine, "0014")
    assert revision() == newest
    assert "cases" in inspect(store.engine).get_table_names()
    with pytest.raises(ConfigurationProblem, match="9999"):
        migrate.downgrade_without_loss(store.engine, "9999")


def test_an_upgrade_that_breaks_off_changes_nothing(store: AnyStore) -> None:
    def tables() -> set[str]:
        return set(inspect(store.engine).get_table_names())

    migrate.downgrade(store.engine, "0014")
    with store.engine.begin() as tx:
        tx.exec_driver_sql("CREATE TABLE interviews (id integer)")  # the upgrade's own, later on
    before = tables()
    with pytest.raises(DBAPIError, match="interviews"):
        migrate.upgrade(store.engine)
    assert tables() == before
    with store.engine.begin() as tx:
        tx.exec_driver_sql("DROP TABLE interviews")
    migrate.upgrade(store.engine)
    assert migrate.is_current(store.engine)


def test_a_version_that_is_too_old_says_so(store: AnyStore) -> None:
    with store.engine.begin() as tx:
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigurationProblem, match=r"9999.*migrate --to"):
        migrate.upgrade(store.engine)


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


def test_contacts_survive_a_rebuild_of_the_tables(store: AnyStore) -> None:
    def all_of_them() -> list[Any]:
        with store.engine.connect() as tx:
            kept = [column for column in contacts_table.c if column.name != "namespace"]
            return list(tx.execute(select(*kept).order_by(contacts_table.c.id)))

    with store.engine.begin() as tx:
        a_contact(tx, 1, member=True, fields={"by": "Lynghavn"}, next_at=NOW)
        a_contact(tx, 2, status="closed", reason="sale")
    before = all_of_them()
    migrate.downgrade(store.engine, "0002")
    assert all_of_them() == before
    migrate.upgrade(store.engine)
    assert all_of_them() == before
    with pytest.raises(IntegrityError), store.engine.begin() as tx:
        a_contact(tx, 1)


def test_the_rows_of_an_older_opt_out_are_found_together(store: AnyStore) -> None:
    """By the log: what one call wrote, and what one contact wrote in the same moment."""
    migrate.downgrade(store.engine, "0009")
    said = [(7, "a1", 0), (7, "a1", 1), (8, None, 0), (8, None, 1), (8, None, 60), (9, "a2", 0)]
    with store.engine.begin() as tx:
        for key, (contact, call, seconds) in enumerate(said, 1):
            at = NOW + timedelta(seconds=seconds)
            tx.exec_driver_sql(
                "INSERT INTO suppressions (id, subject, scope, at, by)"
                f" VALUES ({key}, 'number:{key}', 'number', 0, 'inbound')"
            )
            audit.append(
                tx,
                at,
                EntryKind.SUPPRESSED,
                contact=contact,
                call=call,
                suppression=key,
                by="inbound",
            )
    migrate.upgrade(store.engine)
    with store.engine.connect() as tx:
        rows = [
            [row.id for row in suppressions.of_same_opt_out(tx, [key])]
            for key in range(1, len(said) + 1)
        ]
    assert rows == [[1, 2], [1, 2], [3, 4], [3, 4], [5], [6]]


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


def test_renamed_tables_keep_their_rows(store: AnyStore) -> None:
    values = {
        "places": ("campaign_places", "campaign, place", "'kanvas', 'DK Europe/Copenhagen'"),
        "receipts": ("processed_events", "kind, sid, sequence, at", "'call', 'CA1', 0, 1"),
        "tallies": ("daily_counts", "campaign, day, dials", "'kanvas', '2026-05-12', 7"),
        "refusal_tallies": (
            "daily_refusals",
            "campaign, day, reason, refusals",
            "'kanvas', '2026-05-12', 'SUP_NUMBER', 3",
        ),
        "attempts": ("attempt_counters", "key, count, since, last", "'login', 2, 1, 1"),
    }
    migrate.downgrade(store.engine, "0012")
    with store.engine.begin() as tx:
        for before, (_, columns, row) in values.items():
            tx.exec_driver_sql(f"INSERT INTO {before} ({columns}) VALUES ({row})")
    migrate.upgrade(store.engine)
    with store.engine.begin() as tx:
        for after, _, _ in values.values():
            assert tx.exec_driver_sql(f"SELECT count(*) FROM {after}").scalar() == 1, after
        receipt = Receipt("call", "CA1", 0)
        assert not processed_events.first_time(tx, receipt, NOW)
        daily_counts.count(tx, "kanvas", "dials", datetime(2026, 5, 12, tzinfo=UTC))
        assert tx.execute(select(daily_counts_table.c.dials)).scalar() == 8


def test_an_upgrade_leaves_one_scheduler(store: AnyStore) -> None:
    """The earlier version's round is waited for, and its process can take no lease any more."""
    migrate.downgrade(store.engine, "0013")
    take = text(
        "INSERT INTO leases (name, owner, until) VALUES ('upkeep', 'old', :until)"
        " ON CONFLICT (name) DO UPDATE SET until = :until"
    )
    until = int((NOW + leases.LEASE - EPOCH) / timedelta(microseconds=1))
    with store.engine.begin() as tx:
        tx.execute(take, {"until": until})
    migrate.upgrade(store.engine)
    with pytest.raises(DBAPIError), store.engine.begin() as tx:
        tx.execute(take, {"until": until})
    with store.engine.begin() as tx:
        assert floor.lease_until(tx, leases.SCHEDULER) == NOW + leases.LEASE
        assert not leases.acquire(tx, leases.SCHEDULER, "new", NOW + timedelta(seconds=9))
        assert leases.acquire(tx, leases.SCHEDULER, "new", NOW + timedelta(seconds=11))
