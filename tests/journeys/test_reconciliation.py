"""State against log: an evening's tables are as the log says; a change beside the log is named."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, text, update

from callserver.database import accounts, audit
from callserver.database.engines import snapshot
from callserver.database.rebuilt_state import TABLES
from callserver.database.tables import marks, suppressions, users
from callserver.domain.audit import EntryKind
from callserver.engine.audit_log.reconciliation import Reconciled, reconcile
from callserver.engine.suppressions import erasure, person_facts
from callserver.engine.suppressions.person_facts import Fact
from callserver.ports import Tx
from tests.harness.simulated import SimulatedSystem
from tests.journeys.test_judge import an_evening


@pytest.fixture
async def system(tmp_path: Path) -> SimulatedSystem:
    """An evening, and what colleagues recorded about people in it."""
    system = await an_evening(tmp_path)
    record_facts(system)
    return system


def record_facts(system: SimulatedSystem) -> None:
    """Colleagues record a consent, a guardian, a consent taken back, and an erasure."""
    now, secret = system.clock.now(), system.server.ctx.secret
    people = system.contacts()

    def recorded(tx: Tx) -> None:
        person_facts.consent(tx, people[20].number, [people[20]], "user:1", now, at=now, proof="b7")
        person_facts.note(tx, people[21].number, [people[21]], Fact.GUARDIAN, "user:1", now)
        person_facts.note(tx, 4532990001, [], Fact.CONSENT_REVOKED, "user:1", now)
        erasure.erase(tx, people[22].number, [people[22]], secret, "user:1", now)

    system.write(recorded)


def reconciled(system: SimulatedSystem) -> Reconciled:
    with snapshot(system.server.store.engine) as tx:
        return reconcile(tx)


async def test_an_honest_evening_is_as_the_log_says(system: SimulatedSystem) -> None:
    result = reconciled(system)
    assert [str(difference) for difference in result.named] == []
    assert result.counts["suppressions"] >= 5
    assert result.counts["marks"] >= 5
    assert result.counts["calls"] >= 8
    assert not result.before["suppressions"]
    assert not result.before["marks"]


async def test_the_erased_persons_calls_are_as_the_log_says(system: SimulatedSystem) -> None:
    called, now = system.contacts()[0], system.clock.now()
    secret = system.server.ctx.secret
    system.write(lambda tx: erasure.erase(tx, called.number, [called], secret, "user:1", now))
    assert any(call.number == 0 for call in system.calls())
    assert [str(difference) for difference in reconciled(system).named] == []


def delete_opt_out(tx: Tx) -> None:
    first = select(suppressions.c.id).limit(1).scalar_subquery()
    tx.execute(delete(suppressions).where(suppressions.c.id == first))


def delete_mark(tx: Tx) -> None:
    first = select(marks.c.id).limit(1).scalar_subquery()
    tx.execute(delete(marks).where(marks.c.id == first))


def invent_mark(tx: Tx) -> None:
    row = {"subject": "person:7", "kind": "consent_given", "at": 1, "by": "user:1"}
    tx.execute(insert(marks).values(row | {"at": SYSTEM_NOW}))


def unlink_a_call(tx: Tx) -> None:
    calls = TABLES["calls"]
    tx.execute(update(calls).values(number=0, person=0, household=0, contact=None))


def another_person(tx: Tx) -> None:
    tx.execute(update(TABLES["calls"]).values(person=TABLES["calls"].c.person + 1))


SYSTEM_NOW: Any = None


@pytest.mark.parametrize(
    "change", [delete_opt_out, delete_mark, invent_mark, unlink_a_call, another_person]
)
async def test_a_row_that_was_changed_beside_the_log_is_named(
    system: SimulatedSystem, change: Callable[[Tx], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(globals(), "SYSTEM_NOW", system.clock.now())
    system.write(change)
    assert reconciled(system).different >= 1


@pytest.mark.parametrize("instant", ["9000000000000000000", "'words'"])
async def test_an_instant_that_cannot_be_read_hides_no_lifted_opt_out(
    system: SimulatedSystem, instant: str
) -> None:
    hidden = system.write(lambda tx: tx.execute(select(suppressions.c.id)).scalars().all())[-1]
    lifted = {"lifted_at": system.clock.now()}
    system.write(
        lambda tx: (
            tx.execute(update(suppressions).values(lifted).where(suppressions.c.id == hidden)),
            tx.execute(text(f"UPDATE suppressions SET at = {instant} WHERE id < {hidden}")),
            tx.execute(text(f"UPDATE calls SET permit_at = {instant}")),
        )
    )
    found = [str(difference) for difference in reconciled(system).named]
    assert f"suppressions {hidden}: lifted_at is not as in the log" in found
    assert "suppressions 1: at is not as in the log" in found


async def test_a_subject_that_cannot_be_read_is_named(system: SimulatedSystem) -> None:
    system.write(
        lambda tx: tx.execute(text("UPDATE suppressions SET subject = x'ff' WHERE id = 1"))
    )
    found = [str(difference) for difference in reconciled(system).named]
    assert found == ["suppressions 1: a value cannot be read"]


@pytest.mark.parametrize("days", [10**12, 800_000])
async def test_an_entry_that_cannot_be_computed_with_is_named(
    system: SimulatedSystem, days: int
) -> None:
    said: dict[str, Any] = {"what": "calls", "count": 1, "days": days, "by": "scheduler"}
    system.write(lambda tx: audit.append(tx, system.clock.now(), EntryKind.RETENTION, **said))
    system.write(delete_opt_out)
    found = [str(difference) for difference in reconciled(system).named]
    assert any("an entry retention lacks its fields" in difference for difference in found)
    assert any(difference.endswith(": is gone") for difference in found)


async def test_a_role_that_no_administrator_gave_is_named(system: SimulatedSystem) -> None:
    now = system.clock.now()
    system.write(
        lambda tx: audit.append(
            tx, now, EntryKind.USER, user=1, did="added", role="phoner", by="command"
        )
    )
    assert reconciled(system).different == 0
    system.write(lambda tx: tx.execute(update(users).values(role="administrator")))
    assert [str(difference) for difference in reconciled(system).named] == [
        "users 1: role is not as in the log"
    ]


# -- what is older than the log's fields -------------------------------------------------------


def listed_before_rows_were_named(system: SimulatedSystem) -> Any:
    """An opt-out of a list, with the entry that earlier versions wrote; its id."""
    now = system.clock.now()
    row = {"subject": "number:4532990009", "scope": "number", "at": now, "by": "user:1"}

    def write(tx: Tx) -> Any:
        entry: dict[str, Any] = {"scope": "number", "list": "letter", "count": 1, "by": "user:1"}
        audit.append(tx, now, EntryKind.SUPPRESSED, **entry)
        return tx.execute(insert(suppressions).values(row)).inserted_primary_key

    return system.write(write)


async def test_a_row_is_older_only_where_an_earlier_version_wrote_an_entry(tmp_path: Path) -> None:
    system = SimulatedSystem(tmp_path)
    listed_before_rows_were_named(system)
    result = reconciled(system)
    assert (result.before["suppressions"], result.different) == (1, 0)
    row = {"subject": "number:4532990010", "scope": "number", "by": "user:1"}
    later = system.clock.now() + timedelta(seconds=1)
    system.write(lambda tx: tx.execute(insert(suppressions).values({**row, "at": later})))
    result = reconciled(system)
    assert (result.before["suppressions"], result.different) == (1, 1)


async def test_a_call_is_unlinked_only_after_its_period(system: SimulatedSystem) -> None:
    """An entry about calls that were older excuses nothing about those of tonight."""
    now = system.clock.now()
    said: dict[str, Any] = {"what": "calls", "count": 1, "days": 730, "by": "scheduler"}
    system.write(lambda tx: audit.append(tx, now, EntryKind.RETENTION, **said))
    system.write(unlink_a_call)
    assert any(
        "keys is not as in the log" in str(difference) for difference in reconciled(system).named
    )
    later = now + timedelta(days=731)
    system.write(lambda tx: audit.append(tx, later, EntryKind.RETENTION, **said))
    assert reconciled(system).different == 0


async def test_an_account_without_an_entry_is_named(system: SimulatedSystem) -> None:
    now = system.clock.now()
    said: dict[str, Any] = {"did": "added", "role": "phoner", "by": "command"}
    system.write(lambda tx: audit.append(tx, now, EntryKind.USER, user=1, **said))
    row = {"id": -1, "handle": "invented", "name": "Invented", "role": "administrator"}
    system.write(lambda tx: accounts.add(tx, **row))
    assert [str(difference) for difference in reconciled(system).named] == [
        "users -1: is in no entry"
    ]
