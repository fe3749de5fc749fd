"""Whom a ringing call may concern: others are read only where something is known of them, in one statement."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine, insert

from callserver.database import contacts as contact_rows
from callserver.database import known_people, ringing_calls
from callserver.database.prepared_statements import Prepared
from callserver.database.statement_results import StatementResult
from callserver.database.store import AnyStore
from callserver.database.tables import former_identifiers, metadata, person_decisions
from callserver.domain import subject
from callserver.engine.identity import people_in_reach, silencing
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


Rows = list[tuple[int, int, int, str]]
PEOPLE, KEYS = 4, 3


@cache
def one_store() -> Engine:
    """A database in memory: what an example writes is rolled back."""
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    return engine


some_rows = st.lists(
    st.tuples(
        st.integers(1, PEOPLE),  # person
        st.integers(0, KEYS),  # number
        st.integers(0, KEYS),  # household
        st.sampled_from(["Ida Holm", "Bo Holm", ""]),
    ),
    min_size=1,
    max_size=6,
)


@example(  # one of two people is alone
    listed=[(1, 1, 1, "Ida Holm"), (2, 2, 2, "Bo Holm"), (3, 2, 3, "")],
    formerly=[],
    decided=[],
    persons={1, 2},
    households=set(),
)
@given(
    listed=some_rows,
    formerly=some_rows | st.just([]),
    decided=st.lists(st.tuples(st.integers(1, PEOPLE), st.integers(1, PEOPLE)), max_size=1),
    persons=st.sets(st.integers(1, PEOPLE + 1), max_size=2),
    households=st.sets(st.integers(1, KEYS + 1), max_size=1),
)
@settings(deadline=None, max_examples=300)
def test_a_fact_about_people_who_are_alone_reaches_nobody_else(
    listed: Rows,
    formerly: Rows,
    decided: list[tuple[int, int]],
    persons: set[int],
    households: set[int],
) -> None:
    """Compared with the reach of everybody who may have a call, whatever is known of whom."""
    with one_store().connect() as tx, tx.begin() as undone:
        ids = [
            a_contact(
                tx, number, 0, person=person, household=household, name=name, campaign=f"c{at}"
            )
            for at, (person, number, household, name) in enumerate(listed)
        ]
        for person, number, household, name in set(formerly):
            row = {"person": person, "number": number, "household": household, "name": name}
            tx.execute(insert(former_identifiers).values({**FORMER, **row}))
        for person, other in decided:
            tx.execute(insert(person_decisions).values(person=person, other=other, **DECISION))
        people = [found for key in ids if (found := contact_rows.get(tx, key)) is not None]
        reaches = [(found.person, people_in_reach.of(tx, found)) for found in people]
        reached = {
            person
            for person, reach in reaches
            if reach.keys & persons or reach.households & households
        }
        if people_in_reach.are_alone(tx, persons, households):
            assert reached <= persons
        undone.rollback()
