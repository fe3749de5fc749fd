"""No frequent statement reads a whole table, unless it is listed here: its cost would grow with the house."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from callserver import database
from callserver.database import entries_naming, former_identifiers, marks, retention
from callserver.database.engines import make_engine
from callserver.database.former_identifiers import Because, Identifier
from callserver.database.prepared_statements import Prepared
from callserver.domain.marks import MarkKind
from callserver.domain.retention import RetentionClass
from callserver.engine.suppressions import erasure
from tests.harness.simulated import TUESDAY

READ_ALL = {
    "audit._ends": "the newest entry",
    "due_work._outlook": "the seats, for who has left; twice a second",
    "floor._shown": "the floor shows every seat",
    "floor._states": "a row for each campaign",
    "known_time._latest": "the newest entry",
    "revisions._current": "a row for each change of the rules",
    "seats._of_the_left": "as _outlook",
    "worked_shifts._heard": "the calls that listeners heard, at a trainee's third shift",
}
"""Statements that read a table without an index, and what they read."""


def statements() -> Iterator[tuple[str, Prepared]]:
    for module in pkgutil.iter_modules(database.__path__):
        names = vars(importlib.import_module(f"{database.__name__}.{module.name}"))
        for name, value in names.items():
            if isinstance(value, Prepared):
                yield f"{module.name}.{name}", value


def _reads_all(step: str) -> bool:
    """A step of a plan: of a table itself, not of a subquery's rows or of none."""
    return " USING " not in step and "anon_" not in step and "CONSTANT ROW" not in step


def test_entries_that_are_not_sealed_are_found_in_their_order(sqlite_url: str) -> None:
    """By the index on `leaf`, without an index of their own and without sorting them."""
    engine = make_engine(sqlite_url)
    with engine.connect() as tx:
        raw: Any = tx.connection.driver_connection
        statement: Any = dict(statements())["audit._unsealed"].statement
        compiled = statement.compile(dialect=engine.dialect)
        plan = raw.execute(f"EXPLAIN QUERY PLAN {compiled}", [1, 0]).fetchall()
    engine.dispose()
    assert [step for *_, step in plan] == [
        "SEARCH audit USING INDEX sqlite_autoindex_audit_1 (leaf=?)"
    ]


def test_old_notes_are_found_among_notes(sqlite_url: str) -> None:
    """Not among all old calls, of which retention emptied nearly every one."""
    [rows] = retention.everywhere(RetentionClass.NOTES, TUESDAY, TUESDAY)
    engine = make_engine(sqlite_url)
    query = select(rows.key).where(rows.old).compile(engine, compile_kwargs={"literal_binds": True})
    with engine.connect() as tx:
        plan = tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}").fetchall()
    engine.dispose()
    assert [step for *_, step in plan] == ["SEARCH calls USING INDEX calls_note (permit_at<?)"]


def test_no_contact_is_read_while_no_list_is_old(sqlite_url: str) -> None:
    """Every hour, and a million of them."""
    rows, _ = retention.everywhere(RetentionClass.CONTACTS, TUESDAY, TUESDAY)
    engine = make_engine(sqlite_url)
    asked: list[str] = []
    with engine.connect() as tx:
        raw: Any = tx.connection.driver_connection
        raw.set_trace_callback(asked.append)
        assert (retention.count(tx, rows), retention.old_keys(tx, rows)) == (0, [])
        raw.set_trace_callback(None)
    engine.dispose()
    assert asked
    assert not [query for query in asked if "contacts" in query]


@pytest.mark.parametrize("shared", ["number", "household", "person"])
def test_former_identifiers_of_a_crowd_are_looked_through_once(
    sqlite_url: str, shared: str
) -> None:
    """A whole list that was removed may have named one number, or one reference."""
    _, rows = retention.everywhere(RetentionClass.CONTACTS, TUESDAY, TUESDAY)
    engine = make_engine(sqlite_url)
    steps: list[int] = []
    with engine.begin() as tx:
        raw: Any = tx.connection.driver_connection
        added = 0
        for most in (400, 1600):
            people = [
                Identifier(
                    **(dict.fromkeys(("person", "number", "household"), key) | {shared: 1}),
                    name=f"{key}",
                )
                for key in range(added + 2, most + 2)
            ]
            former_identifiers.add(tx, people, Because.REMOVED, TUESDAY - timedelta(days=1))
            added, took = most, [0]

            def count(took: list[int] = took) -> int:
                took[0] += 1
                return 0

            raw.set_progress_handler(count, 100)
            assert retention.count(tx, rows) == most
            raw.set_progress_handler(None, 0)
            steps.append(took[0])
    engine.dispose()
    assert steps[1] < 6 * steps[0]  # 4 is linear, 16 quadratic


def test_what_ended_after_an_erasure_is_found_by_its_time(sqlite_url: str) -> None:
    """Every hour, in a transaction for which dials wait."""
    engine = make_engine(sqlite_url)
    asked: list[str] = []
    with engine.begin() as tx:
        raw: Any = tx.connection.driver_connection
        marks.mark(tx, "person:5", MarkKind.ERASED, TUESDAY)
        raw.set_trace_callback(asked.append)
        erasure.finish(tx, b"a secret", TUESDAY)
        raw.set_trace_callback(None)
        of_calls = [query for query in asked if " calls" in query]
        plans = [raw.execute(f"EXPLAIN QUERY PLAN {query}").fetchall() for query in of_calls]
    engine.dispose()
    steps = [step for plan in plans for *_, step in plan if step.startswith(("SCAN", "SEARCH"))]
    assert "SEARCH calls USING INDEX calls_permit (permit_at>?)" in steps
    assert not [step for step in steps if step.startswith("SCAN calls")]


def test_what_names_a_number_is_found_without_reading_the_whole_log(sqlite_url: str) -> None:
    engine = make_engine(sqlite_url)
    asked: list[str] = []
    with engine.connect() as tx:
        raw: Any = tx.connection.driver_connection
        raw.set_trace_callback(asked.append)
        entries_naming.naming(tx, 4532200001, f"number:{'5a' * 16}")
        raw.set_trace_callback(None)
        plans = [raw.execute(f"EXPLAIN QUERY PLAN {query}").fetchall() for query in asked]
    engine.dispose()
    steps = [step for plan in plans for *_, step in plan]
    assert "SCAN audit USING INDEX audit_refused" in steps
    assert "SEARCH audit USING INDEX audit_rare_kind (kind=?)" in steps
    assert not [step for step in steps if step.startswith("SCAN") and _reads_all(step)]


def test_frequent_statements_follow_an_index(sqlite_url: str) -> None:
    engine = make_engine(sqlite_url)
    found = set()
    with engine.connect() as tx:
        raw: Any = tx.connection.driver_connection
        for name, prepared in statements():
            statement: Any = prepared.statement
            if isinstance(statement, Mapping):
                statement = statement["sqlite"]
            compiled = statement.compile(dialect=engine.dialect)
            if "pg_" in str(compiled):
                continue  # PostgreSQL's locks
            values = [None] * len(compiled.positiontup or ())
            plan = raw.execute(f"EXPLAIN QUERY PLAN {compiled}", values).fetchall()
            if any(step.startswith("SCAN ") and _reads_all(step) for *_, step in plan):
                found.add(name)
    engine.dispose()
    assert found == set(READ_ALL)
