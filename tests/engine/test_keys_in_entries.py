"""Opt-outs, their ends and marks name their rows and pseudonymous keys in the log; on both databases."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import LargeBinary, delete, literal, select, update

from callserver.adapters.config_folder import load
from callserver.database import accounts, calls, contacts, entries_naming, suppressions
from callserver.database import audit as audit_log
from callserver.database.engines import SERVER_KEY, snapshot
from callserver.database.store import AnyStore
from callserver.database.tables import audit
from callserver.database.tables import suppressions as table
from callserver.domain import pseudonyms, subject
from callserver.domain.audit import EntryKind
from callserver.domain.facts import Scope
from callserver.domain.marks import MarkKind
from callserver.domain.retention import RetentionClass, RetentionPolicy
from callserver.domain.role import Role
from callserver.engine import retention
from callserver.engine.audit_log.reconciliation import reconcile
from callserver.engine.lists.importer import import_list
from callserver.engine.suppressions import erasure, mark_undo, marking, opt_outs
from callserver.engine.suppressions.opt_outs import Origin
from callserver.ports import Tx
from tests.contract.test_store import a_call

RULES = load(Path(__file__).parents[2] / "config")
NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
SECRET = b"a secret of the server"
NUMBER = 4532200001
BIGGEST_ENTRY = 65_535
POLICY = RetentionPolicy()


@pytest.fixture
def keyed(store: AnyStore) -> AnyStore:
    store.engine.update_execution_options(**{SERVER_KEY: SECRET})
    return store


def entries(tx: Tx) -> list[dict[str, Any]]:
    bodies = list(tx.execute(select(audit.c.body).order_by(audit.c.id)).scalars())
    assert all(len(body) <= BIGGEST_ENTRY for body in bodies)
    assert not any(str(NUMBER).encode() in body for body in bodies)
    return [json.loads(body) for body in bodies]


def key(number: int = NUMBER) -> str:
    return pseudonyms.key_of(subject.of_number(number), SECRET)


def test_undoing_marks_of_many_people_at_a_number_names_each_mark_once(keyed: AnyStore) -> None:
    """As an entry of a contact named the marks of all of them, it grew with the square of their number."""
    people = "".join(f"R{n};Bo Prove{'abcdef'[n]};32200001;{{}}\n" for n in range(5))
    with keyed.engine.begin() as tx:
        for dead in ("", "ja"):
            text = f"ref;navn;telefon;afdød\n{people}".replace("{}", dead)
            import_list(tx, RULES.campaigns["kanvas"], text.encode(), NOW)
        known = contacts.by_number(tx, NUMBER)
        mads = accounts.add(tx, handle="mads", name="Mads", role=Role.ADMINISTRATOR)
        user = accounts.user(tx, mads)
        assert user is not None
        done = mark_undo.undo(
            tx, NUMBER, known, MarkKind.DECEASED, "fejl i listen", user, RULES.campaigns, NOW
        )
        ended = [entry for entry in entries(tx) if entry["kind"] == "mark_ended"]
    assert len(done.marks) == len(known) == 5
    assert sorted(row for entry in ended for row in entry["marks"]) == sorted(done.marks)
    assert {entry["contact"] for entry in ended} == {row.id for row in known}


def test_undoing_marks_that_are_about_a_number_names_them_in_parts(
    keyed: AnyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opt_outs, "ROWS_OF_ENTRY", 3)
    with keyed.engine.begin() as tx:
        mads = accounts.add(tx, handle="mads", name="Mads", role=Role.ADMINISTRATOR)
        user = accounts.user(tx, mads)
        assert user is not None
        for hour in range(8):
            at = NOW + timedelta(hours=hour)
            marking.mark(tx, subject.of_number(NUMBER), MarkKind.BAD_NUMBER, at, at)
        done = mark_undo.undo(
            tx, NUMBER, [], MarkKind.BAD_NUMBER, "fejl i listen", user, RULES.campaigns, NOW
        )
        ended = [entry["marks"] for entry in entries(tx) if entry["kind"] == "mark_ended"]
    assert [len(some) for some in ended] == [3, 3, 2]
    assert sorted(row for some in ended for row in some) == sorted(done.marks)


def test_an_erasure_names_any_number_of_opt_outs_in_parts(
    keyed: AnyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opt_outs, "ROWS_OF_ENTRY", 3)
    with keyed.engine.begin() as tx:
        rows = [
            opt_outs.add(tx, [Scope.NUMBER], NUMBER, [], SECRET, Origin(by="test", at=NOW))[0]
            for _ in range(8)
        ]
        erasure.erase(tx, NUMBER, [], SECRET, "test", NOW)
        named = [entry["hashed"] for entry in entries(tx) if entry["kind"] == "marked"]
    assert [len(some) for some in named] == [3, 3, 2]
    assert sorted(row for some in named for row in some) == rows


def test_a_number_is_followed_from_its_opt_out_beyond_its_erasure(keyed: AnyStore) -> None:
    with keyed.engine.begin() as tx:
        [row] = opt_outs.add(tx, [Scope.NUMBER], NUMBER, [], SECRET, Origin(by="test", at=NOW))
        erasure.erase(tx, NUMBER, [], SECRET, "test", NOW)
        opted_out, hashed, erased = entries(tx)
        assert suppressions.by_id(tx, [row])[0].scope == Scope.HASH
    assert opted_out["rows"] == [[row, key()]]
    assert [about for _, about in hashed["rows"]] == [key()]
    assert [about for _, about in erased["rows"]] == [key()]
    assert row in erased["hashed"]


def test_a_long_list_has_entries_of_a_size_that_can_be_published(keyed: AnyStore) -> None:
    numbers = range(NUMBER + 1, NUMBER + 1701)
    with keyed.engine.begin() as tx:
        added = opt_outs.add_listed(tx, Scope.NUMBER, numbers, "letters", Origin(by="test", at=NOW))
        written = entries(tx)
        ids = {about: row for row, about in suppressions_of(tx)}
    assert added == 1700
    assert [entry["count"] for entry in written] == [800, 800, 100]
    named = {about: row for entry in written for row, about in entry["rows"]}
    assert named == {key(number): ids[subject.of_number(number)] for number in numbers}


def suppressions_of(tx: Tx) -> list[tuple[int, str]]:
    return [(row.id, row.subject) for row in suppressions.newest_first(tx, None)]


def test_a_mark_says_what_a_consent_covers_and_no_more(keyed: AnyStore) -> None:
    earlier = datetime(2026, 5, 1, tzinfo=UTC)
    detail = {"phone": False, "proof": "binder 7"}
    with keyed.engine.begin() as tx:
        fields = marking.mark(
            tx, subject.of_person(5), MarkKind.CONSENT_GIVEN, earlier, NOW, detail=detail
        )
    assert fields["holds_from"] == "2026-05-01T00:00:00.000000Z"
    assert (fields["phone"], fields["proof"]) == (False, True)
    assert fields["rows"][0][1] == pseudonyms.key_of(subject.of_person(5), SECRET)
    assert "binder" not in json.dumps(fields)


def test_without_the_servers_key_no_entry_names_one(store: AnyStore) -> None:
    with store.engine.begin() as tx:
        [row] = opt_outs.add(tx, [Scope.NUMBER], NUMBER, [], b"", Origin(by="test", at=NOW))
        [entry] = entries(tx)
    assert entry["rows"] == [[row, None]]


def test_the_tables_are_as_the_log_says_until_a_row_is_changed(keyed: AnyStore) -> None:
    with keyed.engine.begin() as tx:
        [row] = opt_outs.add(tx, [Scope.NUMBER], NUMBER, [], SECRET, Origin(by="test", at=NOW))
        listed = range(NUMBER + 1, NUMBER + 1701)
        opt_outs.add_listed(tx, Scope.NUMBER, listed, "letters", Origin(by="test", at=NOW))
        erasure.erase(tx, NUMBER + 1, [], SECRET, "test", NOW)
    with snapshot(keyed.engine) as tx:
        assert reconcile(tx).named == []
    with keyed.engine.begin() as tx:
        tx.execute(delete(table).where(table.c.id == row))
        tx.execute(update(table).where(table.c.id == row + 5).values(lifted_at=NOW))
    with snapshot(keyed.engine) as tx:
        assert [str(difference) for difference in reconcile(tx).named] == [
            f"suppressions {row + 5}: lifted_at is not as in the log",
            f"suppressions {row}: is gone",
        ]


def test_every_entry_that_names_a_key_is_found_however_it_is_stored(keyed: AnyStore) -> None:
    def refused(tx: Tx, contact: int, number: int) -> None:
        audit_log.append(tx, NOW, EntryKind.REFUSED, contact=contact, keys=[key(number)])

    with keyed.engine.begin() as tx:
        refused(tx, 1, NUMBER)
        refused(tx, 2, NUMBER + 1)
        refused(tx, 12, NUMBER)  # one digit more: another half of a byte
        listed = range(NUMBER, NUMBER + 700)  # stored as it is, because it is long
        opt_outs.add_listed(tx, Scope.NUMBER, listed, "letters", Origin(by="test", at=NOW))
        refused(tx, 123, NUMBER)
        earlier = audit.c.contact == 123  # an earlier version stored entries as they are
        [body] = tx.execute(select(audit.c.body).where(earlier)).scalars()
        as_it_is = literal(body, LargeBinary)
        tx.execute(update(audit).where(earlier).values(body=as_it_is))
        if tx.dialect.name == "sqlite":
            raw = tx.exec_driver_sql("SELECT body FROM audit ORDER BY id").scalars().all()
            assert [stored[:1] == b"{" for stored in raw] == [False] * 3 + [True] * 2
        found = entries_naming.naming(tx, NUMBER, key())
    assert [entry.get("contact") for entry in found] == [1, 12, None, 123]
    assert all(key() in json.dumps(entry) for entry in found)


def test_a_permit_is_found_by_its_call_and_by_itself_once_the_number_is_forgotten(
    keyed: AnyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def called(tx: Tx, attempt: str, number: int, days_ago: int) -> None:
        at = NOW - timedelta(days=days_ago)
        assert calls.open_call(tx, a_call(attempt, number=number) | {"permit_at": at})
        calls.change(tx, attempt, ended_at=at)
        audit_log.append(tx, at, EntryKind.PERMITTED, call=attempt, contact=1, keys=[key(number)])

    attempts = ("0a" * 10, "0b" * 10, "0c" * 10, "confirms-0d")
    with keyed.engine.begin() as tx:
        for attempt, days_ago in zip(attempts, (800, 760, 10, 5), strict=True):
            called(tx, attempt, NUMBER, days_ago)
            called(tx, attempt[::-1], NUMBER + 1, days_ago)
        part = retention.Part(0, attempts)
        retention.drop(tx, POLICY, RetentionClass.CALLS, part, NOW, "test")
        assert len(calls.of_number(tx, NUMBER)) == 2
        for passed in (0, 1_000_000):  # each permit is read, or the whole log is looked through
            monkeypatch.setattr(entries_naming, "PASSED_MEANWHILE", passed)
            found = entries_naming.naming(tx, NUMBER, key())
            assert [entry["call"] for entry in found] == [*attempts]
