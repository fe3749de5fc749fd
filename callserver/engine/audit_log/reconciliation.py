"""Compares state with the log: opt-outs, marks, calls and roles are rebuilt from the entries and compared
with the tables, row by row.

This finds a row that was changed without an entry; verification finds a changed entry.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from callserver.database import audit, log_comparisons, pseudonymous_keys, rebuilt_state
from callserver.database.rebuilt_state import TABLES, RebuiltState
from callserver.domain import subject
from callserver.domain.audit import UNREADABLE, EntryKind, stamp
from callserver.domain.facts import Scope
from callserver.domain.identity import NOBODY
from callserver.engine.audit_log.replay import replay
from callserver.ports import Tx

Row = Mapping[str, Any]

MOST_NAMED = 10_000


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that differs from the log. Values are left out: they may be personal data."""

    table: str
    key: str
    what: str

    def __str__(self) -> str:
        return f"{self.table} {self.key}: {self.what}"


@dataclass(slots=True)
class Reconciled:
    """`counts`: compared rows by table; `before`: rows that are older than what entries say of them."""

    counts: Counter[str] = field(default_factory=Counter)
    before: Counter[str] = field(default_factory=Counter)
    different: int = 0
    named: list[Difference] = field(default_factory=list)

    def differs(self, table: str, key: object, what: str) -> None:
        self.different += 1
        if len(self.named) < MOST_NAMED:
            self.named.append(Difference(table, str(key), what))


def reconcile(tx: Tx) -> Reconciled:
    """Rebuild the state and compare it with the tables. Everything is read in this transaction."""
    result = Reconciled()
    with rebuilt_state.rebuilt_state() as state:
        for entry in rebuilt_state.every_entry(tx):
            try:
                replay(state, entry)
            except UNREADABLE:
                result.differs("log", entry["at"], f"an entry {entry['kind']} lacks its fields")
        for table in TABLES:
            _compare(tx, state, table, result)
    return result


def record(tx: Tx, result: Reconciled, by: str, now: datetime) -> None:
    """Log a comparison, and store its result for the alarms."""
    log_comparisons.put(tx, now, result.different)
    audit.append(
        tx,
        now,
        EntryKind.RECONCILED,
        by=by,
        rows=result.counts.total(),
        different=result.different,
    )


def _compare(tx: Tx, state: RebuiltState, table: str, result: Reconciled) -> None:
    known = False  # rows before the first described one are older than the log's fields
    for key, row in rebuilt_state.stored_rows(tx, table):
        expected = state.get(table, key)
        if expected is None:
            if known or not _is_older(state, table, row):
                result.differs(table, key, "is in no entry")
            else:
                result.before[table] += 1
            continue
        known = True
        result.counts[table] += 1
        state.note_seen(table, key)
        try:
            for column in _differing(tx, state, table, row, expected):
                result.differs(table, key, f"{column} is not as in the log")
        except UNREADABLE:
            result.differs(table, key, "a value cannot be read")
    for key in state.not_seen(table):
        result.differs(table, key, "is gone")


def _is_older(state: RebuiltState, table: str, row: Row) -> bool:
    """Whether the log shows such a row from before its entries described rows."""
    if table == "suppressions" and isinstance(row["at"], datetime):
        return state.get("older", f"suppressions {stamp(row['at'])}") is not None
    if table == "marks":
        return state.get("older", f"marks {row['kind']}") is not None
    return table == "users" and state.get("known", "users") is None


def _differing(tx: Tx, state: RebuiltState, table: str, row: Row, expected: Row) -> Iterator[str]:
    """The columns that differ."""
    if table == "calls":
        expected = _of_call(state, row, expected)
    stored = _stored(tx, table, row)
    unsaid = set() if pseudonymous_keys.secret_of(tx) else set(_KEYED)
    unsaid |= {name for name in ("subject", "keys") if expected.get(name) is None}
    if expected.get("may_be_hashed") and row.get("scope") == Scope.HASH.value:
        unsaid.add("scope")
    for column, value in expected.items():
        if column in stored and column not in unsaid and stored[column] != value:
            yield column


_KEYED = ("subject", "keys", "detail")
"""Fields that can be compared only with the server's key."""


def _stored(tx: Tx, table: str, row: Row) -> dict[str, Any]:
    """The row as an entry would say it."""
    stored = {
        name: stamp(value) if isinstance(value, datetime) else value for name, value in row.items()
    }
    if table in ("suppressions", "marks"):
        stored["subject"] = pseudonymous_keys.key_of(tx, row["subject"])
    if table == "marks":
        stored["detail"] = pseudonymous_keys.digest(tx, row["detail"])
    if table == "calls":
        stored["keys"] = [pseudonymous_keys.key_of(tx, about) for about in _subjects(row)]
    if table == "users":
        stored["left"] = row["left_at"] is not None
    return stored


def _subjects(row: Row) -> tuple[str, str, str]:
    return (
        subject.of_number(row["number"]),
        subject.of_person(row["person"]),
        subject.of_household(row["household"]),
    )


def _of_call(state: RebuiltState, row: Row, expected: Row) -> Row:
    """The expected values of a call; fewer once it is unlinked from its person."""
    if row["number"] != NOBODY:
        return expected
    keys = expected.get("keys") or ()
    erased = any(state.get("erased", key) is not None for key in keys)
    contact = state.get("erased", f"contact:{expected['contact']}") is not None
    expired = state.get("expired", "calls")
    is_old = expired is not None and expected["permit_at"] < expired["before"]
    if erased or contact or is_old or "keys" not in expected:
        return {name: value for name, value in expected.items() if name not in ("keys", "contact")}
    return expected
