"""What is kept for a time only is dropped when the time is over, and not before."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Table, func, insert, select

from callserver.database import (
    accounts,
    attempt_counters,
    processed_events,
    sent_requests,
    softphones,
)
from callserver.database.softphones import Softphone
from callserver.database.tables import attempt_counters as attempt_counters_table
from callserver.database.tables import devices, imports, sessions, tokens
from callserver.database.tables import processed_events as processed_events_table
from callserver.database.tables import sent_requests as sent_requests_table
from callserver.database.tables import softphones as softphones_table
from callserver.domain.call import Receipt
from callserver.ports import Tx
from tests.harness.simulated import SimulatedSystem, after_a_talk

LIMITS: list[tuple[Table, timedelta]] = [
    (processed_events_table, timedelta(days=7)),
    (sent_requests_table, timedelta(days=1)),
    (sessions, timedelta(hours=2)),
    (tokens, timedelta(days=90)),
    (attempt_counters_table, timedelta(hours=24)),
    (devices, timedelta(days=90)),
    (softphones_table, timedelta()),
]


@pytest.fixture
def system(tmp_path: Path) -> Iterator[SimulatedSystem]:
    made = SimulatedSystem(tmp_path)
    made.write(lambda tx: [tx.execute(table.delete()) for table, _ in LIMITS])
    yield made
    made.close()


def _fill(tx: Tx, table: Table, name: str, at: datetime) -> None:
    """A row of this table, as of then."""
    match table.name:
        case "processed_events":
            processed_events.first_time(tx, Receipt("call", name, 0), at)
        case "sent_requests":
            sent_requests.first_time(tx, name, at)
        case "sessions":
            accounts.open_session(tx, name, 1, at)
        case "tokens":
            accounts.add_token(tx, name, 1, name, at, until=at)
        case "attempt_counters":
            attempt_counters.locked(tx, name, at)
        case "devices":
            attempt_counters.remember_device(tx, name, 1, at)
        case "softphones":
            softphones.store(tx, Softphone(name, 1, "digest", at))


@pytest.mark.parametrize(("table", "kept_for"), LIMITS, ids=str)
async def test_the_scheduler_drops_what_was_kept_long_enough(
    system: SimulatedSystem, table: Table, kept_for: timedelta
) -> None:
    now = system.clock.now()

    def fill(tx: Tx) -> None:
        for minutes in (-10, 200):  # long enough ago, and not yet when the scheduler looks
            at = now - kept_for + timedelta(minutes=minutes)
            name = f"a{minutes}"
            _fill(tx, table, name, at)
        if table is tokens:
            accounts.add_token(tx, "endless", 1, "without an end", now)

    system.write(fill)
    await system.pass_time(90 * 60)  # the scheduler tidies every hour
    count = system.read(lambda tx: tx.execute(select(func.count()).select_from(table)).scalar())
    assert count == (2 if table is tokens else 1)


async def test_refused_rows_of_an_import_are_dropped_after_a_week(system: SimulatedSystem) -> None:
    now = system.clock.now()
    week = timedelta(days=7)
    rows = [
        {"campaign": "kanvas", "at": at, "content": "", "counts": {}, "refused": b"x"}
        for at in (now - week - timedelta(minutes=10), now - week + timedelta(hours=4))
    ]
    system.write(lambda tx: tx.execute(insert(imports), rows))
    await system.pass_time(90 * 60)
    kept = system.read(
        lambda tx: (
            tx.execute(
                select(imports.c.refused).where(imports.c.content == "").order_by(imports.c.at)
            )
            .scalars()
            .all()
        )
    )
    assert kept == [None, b"x"]


async def test_what_a_phoner_writes_about_a_call_goes_where_the_outcome_asks_for_it_too(
    tmp_path: Path,
) -> None:
    system = SimulatedSystem(tmp_path)
    await after_a_talk(system)
    status, _ = await system.outcome("complaint", {"note": "about the time of day"}, then="pause")
    assert status == 200
    await system.jump(86_400 * 179)
    assert system.calls()[0].details
    await system.jump(86_400 * 3)
    await system.pass_time(7_200)
    assert not system.calls()[0].details
    system.close()
