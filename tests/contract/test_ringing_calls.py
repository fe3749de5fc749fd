"""Whom a ringing call may concern: others are read only where something is known of them, in one statement."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import insert

from callserver.database import contacts as contact_rows
from callserver.database import known_people, ringing_calls
from callserver.database.prepared_statements import Prepared, StatementResult
from callserver.database.store import AnyStore
from callserver.database.tables import former_identifiers, person_decisions
from callserver.domain import subject
from callserver.engine.identity import silencing
from callserver.ports import Tx
from tests.contract.test_retention import a_call, a_contact

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
FAR = {"person": 1001, "number": 1002, "household": 1003}
FORMER = {**FAR, "name": "", "because": "listed", "at": NOW}
DECISION = {"verdict": "same", "at": NOW, "by": "user:1", "why": "test"}


def ringing(tx: Tx, contact: int, **more: Any) -> None:
    row = contact_rows.get(tx, contact)
    assert row is not None
    own = {"number": row.number, "person": row.person, "household": row.household}
    a_call(tx, contact, 0, **{"ended_at": None, "state": "ringing", **own, **more})


@pytest.mark.parametrize("key", ["person", "number", "household"])
@pytest.mark.parametrize("table", ["contacts", "former_identifiers"])
def test_somebody_else_under_one_of_the_three_keys(store: AnyStore, key: str, table: str) -> None:
    with store.engine.begin() as tx:
        contact = a_contact(tx, 1, 0)
        ringing(tx, contact)
        shared = {**FAR, key: 1}
        if table == "contacts":
            a_contact(tx, shared.pop("number"), 0, **shared, campaign="other")
        else:
            tx.execute(insert(former_identifiers).values({**FORMER, **shared}))
        assert known_people.around(tx, contact, 1, 1, 1) is not None
        (call,) = ringing_calls.every(tx)
        assert not call.is_alone


@pytest.mark.parametrize("pair", [{"person": 1, "other": 9}, {"person": 0, "other": 1}])
def test_a_decision_about_the_person(store: AnyStore, pair: dict[str, int]) -> None:
    with store.engine.begin() as tx:
        ringing(tx, a_contact(tx, 1, 0))
        tx.execute(insert(person_decisions).values(**pair, **DECISION))
        (call,) = ringing_calls.every(tx)
        assert not call.is_alone


def test_only_unanswered_open_calls_ring_and_strangers_are_alone(store: AnyStore) -> None:
    with store.engine.begin() as tx:
        first, second, third = (a_contact(tx, number, 0) for number in (1, 2, 3))
        ringing(tx, first)
        ringing(tx, second, answered_at=NOW, state="talking")
        a_call(tx, third, 0)
        tx.execute(insert(former_identifiers).values(FORMER))
        tx.execute(insert(person_decisions).values(person=8, other=9, **DECISION))
        assert ringing_calls.every(tx) == [ringing_calls.RingingCall(1, 1, first, is_alone=True)]


def test_a_call_whose_contact_is_removed_concerns_its_own_person_only(store: AnyStore) -> None:
    with store.engine.begin() as tx:
        a_call(tx, 77, 0, ended_at=None, state="ringing")  # its contact is removed
        assert silencing.silence(tx, [subject.of_person(78)], NOW) == 0
        assert silencing.silence(tx, [subject.of_person(77)], NOW) == 1


def test_ringing_telephones_cost_a_refusal_no_statements(
    store: AnyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred phoners have dozens of telephones ringing at any time."""
    run, executed = Prepared.__call__, list[Prepared]()

    def counted(self: Prepared, tx: Tx, values: Mapping[str, Any]) -> StatementResult:
        executed.append(self)
        return run(self, tx, values)

    monkeypatch.setattr(Prepared, "__call__", counted)
    counts = []
    with store.engine.begin() as tx:
        for numbers in (range(1, 2), range(2, 32)):
            for number in numbers:
                ringing(tx, a_contact(tx, number, 0), seat=number)
            executed.clear()
            silencing.silence(tx, [subject.of_person(77)], NOW)
            counts.append(len(executed))
    assert counts[0] == counts[1]
