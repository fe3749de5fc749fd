"""Opt-outs for the membership system: each with the references it names, on SQLite and PostgreSQL."""

from datetime import UTC, date, datetime, timedelta

from callserver.database import suppressions
from callserver.database.store import AnyStore
from callserver.domain import subject
from callserver.domain.facts import Purpose, Scope
from callserver.engine.suppressions import opt_out_export
from callserver.ports import Tx
from tests.contract.test_store import a_contact

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)


def opted_out(tx: Tx) -> None:
    """Two people in one household; opt-outs of every kind, one of them lifted."""
    a_contact(tx, 4532200000, ref="K0", person=10, household=7)
    a_contact(tx, 4532200001, ref="=K1", person=11, household=7)
    a_contact(tx, 4532200000, ref="K0", person=10, household=7, campaign="leads")
    add = suppressions.add
    early = NOW - timedelta(days=60)
    add(tx, subject.of_number(4532200000), Scope.NUMBER, early, "test")
    add(tx, subject.of_person(11), Scope.PERSON, NOW, "test")
    add(tx, subject.of_household(7), Scope.HOUSEHOLD, NOW, "test")
    add(tx, subject.of_person(10), Scope.PURPOSE, NOW, "test", purpose=Purpose.GIFT)
    add(tx, subject.of_number(4532209999), Scope.NUMBER, NOW, "test")
    add(tx, subject.of_hash(4532208888, b"key"), Scope.HASH, NOW, "test")
    lifted = add(tx, subject.of_person(10), Scope.PERSON, early, "test")
    suppressions.lift(tx, lifted, NOW)


def exported(store: AnyStore, since: date | None) -> list[tuple[str, ...]]:
    with store.engine.begin() as tx:
        header, *rows = opt_out_export.rows(tx, since, "en")
    assert header == list(opt_out_export.COLUMNS)
    return [tuple(row) for row in rows]


def test_what_is_in_force_with_every_reference_it_names(store: AnyStore) -> None:
    with store.engine.begin() as tx:
        opted_out(tx)
    rows = exported(store, None)
    assert [row[:2] + row[3:5] for row in rows] == [
        ("K0", "004532200000", "number", ""),
        ("'=K1", "004532200001", "person", ""),
        ("K0", "004532200000", "household", ""),
        ("'=K1", "004532200001", "household", ""),
        ("K0", "004532200000", "org", "GIFT"),
        ("", "004532209999", "number", ""),
    ]
    assert rows[0][2] == "the number"
    assert rows[1][5] == "2026-05-12T17:00:00+02:00"
    assert not any(row[6] for row in rows)


def test_only_what_is_new_and_what_was_lifted(store: AnyStore) -> None:
    with store.engine.begin() as tx:
        opted_out(tx)
    rows = exported(store, date(2026, 5, 1))
    assert len(rows) == 6
    assert rows[-1][0] == "K0"
    assert rows[-1][6] == "2026-05-12T17:00:00+02:00"
    assert exported(store, date(2026, 5, 13)) == []


def test_many_opt_outs_are_all_in_it(store: AnyStore) -> None:
    with store.engine.begin() as tx:
        numbers = list(range(4532000000, 4532002500))
        suppressions.add_listed(tx, Scope.NUMBER, numbers, NOW, "test", "letters")
    assert [row[1] for row in exported(store, None)] == [f"00{number}" for number in numbers]
