"""State against log: an evening's tables are as the log says; every change beside the log is found."""

import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from callserver.database import audit
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

COMPARED = {
    "suppressions": (
        "subject",
        "scope",
        "purpose",
        "at",
        "lifted_at",
        "by",
        "list",
        "heard",
        "opt_out",
    ),
    "marks": ("subject", "kind", "at", "detail", "by", "ended_at", "ended_by"),
    "calls": ("contact", "campaign", "path", "permit_at", "state", "cause", "code", "outcome"),
}


@pytest.fixture
async def system(tmp_path: Path) -> SimulatedSystem:
    """An evening, and what colleagues recorded about people in it."""
    system = await an_evening(tmp_path)
    now, secret = system.clock.now(), system.server.ctx.secret
    people = system.contacts()

    def recorded(tx: Tx) -> None:
        person_facts.consent(tx, people[20].number, [people[20]], "user:1", now, at=now, proof="b7")
        person_facts.note(tx, people[21].number, [people[21]], Fact.GUARDIAN, "user:1", now)
        person_facts.note(tx, 4532990001, [], Fact.CONSENT_REVOKED, "user:1", now)
        erasure.erase(tx, people[22].number, [people[22]], secret, "user:1", now)

    system.write(recorded)
    return system


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


async def test_a_role_that_no_administrator_gave_is_named(system: SimulatedSystem) -> None:
    now = system.clock.now()
    system.write(
        lambda tx: audit.append(
            tx, now, EntryKind.USER, user=1, did="added", role="phoner", by="command"
        )
    )
    assert reconciled(system).different == 0
    system.write(lambda tx: tx.execute(update(users).values(role="administrator")))
    assert [str(one) for one in reconciled(system).named] == ["users 1: role is not as in the log"]


def another(value: Any, column: Any, dice: random.Random) -> Any:
    """Another value of the column."""
    if column.name in ("at", "lifted_at", "ended_at", "permit_at"):
        return (value or SYSTEM_NOW) + timedelta(microseconds=dice.randrange(1, 10**12))
    if column.name == "subject":
        return f"number:{dice.randrange(4520000000, 4599999999)}"
    if column.name == "detail":
        return {"phone": True, "proof": str(dice.random())}
    if isinstance(value, int) or column.name in ("contact", "code"):
        return (value or 0) + dice.randrange(1, 99)
    if column.name == "scope":
        return dice.choice([one for one in ("number", "person", "hash", "org") if one != value])
    return f"{value}{dice.randrange(99)}"


async def test_ten_thousand_random_changes_are_all_found(
    system: SimulatedSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is made, found and taken back; in between the control finds nothing."""
    monkeypatch.setitem(globals(), "SYSTEM_NOW", system.clock.now())
    dice = random.Random(7)
    places = [
        (TABLES[name], TABLES[name].c[column]) for name, some in COMPARED.items() for column in some
    ]
    missed: list[str] = []
    changes = 0
    while changes < 10_000:
        group: set[tuple[str, str]] = set()
        with system.server.store.engine.connect() as tx, tx.begin() as transaction:
            for table, column in places:
                (key,) = table.primary_key.columns
                rows = tx.execute(select(key, column)).all()
                for row, value in dice.sample(rows, min(len(rows), 6)):
                    new = another(value, column, dice)
                    tx.execute(update(table).where(key == row).values({column: new}))
                    group.add((f"{table.name} {row}", column.name))
            found = {str(one) for one in reconcile(tx).named}
            changes += len(group)
            missed += [
                f"{row}: {column}"
                for row, column in group
                if f"{row}: {column} is not as in the log" not in found
                and f"{row}: keys is not as in the log" not in found
            ]
            transaction.rollback()
    assert missed == []
    assert reconciled(system).different == 0  # the control
