"""What is dropped and what stays, on SQLite and PostgreSQL."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import insert, select

from callserver.database import (
    accounts,
    applicants,
    contact_removal,
    former_identifiers,
    listenings,
    marks,
    refused_numbers,
    retention,
    seats,
    support,
    suppressions,
    training,
    training_sessions,
    user_lines,
    worked_shifts,
)
from callserver.database import contacts as contact_database
from callserver.database.former_identifiers import Because, Identifier
from callserver.database.store import AnyStore
from callserver.database.tables import audit, calls, contacts, imports, lines
from callserver.database.tables import former_identifiers as former_identifiers_table
from callserver.domain.applicant import Module
from callserver.domain.contact_status import ContactStatus
from callserver.domain.facts import Scope
from callserver.domain.identity import NOBODY
from callserver.domain.marks import MarkKind
from callserver.domain.retention import RetentionClass, RetentionPolicy
from callserver.domain.support import MessageState
from callserver.engine import retention as chore
from callserver.ports import Tx
from tests.harness.retention import drop_some

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
POLICY = RetentionPolicy()


def a_contact(tx: Tx, number: int, days_ago: int, **more: Any) -> int:
    """A stranger whose list was imported so long ago."""
    at = NOW - timedelta(days=days_ago)
    made = insert(imports).values(campaign="kanvas", at=at, content="c", counts={})
    key = tx.execute(made).inserted_primary_key
    values = {
        "campaign": "kanvas",
        "person": number,
        "household": number,
        "number": number,
        "place": "DK Europe/Copenhagen",
        "rank": number,
        "status": ContactStatus.READY,
        "imported": key[0] if key else None,
        **more,
    }
    contact = tx.execute(insert(contacts).values(values)).inserted_primary_key
    return int(contact[0]) if contact else 0


def a_call(tx: Tx, contact: int, days_ago: int, **more: Any) -> None:
    at = NOW - timedelta(days=days_ago)
    values = {
        "attempt": f"a{contact}",
        "contact": contact,
        "campaign": "kanvas",
        "path": "list",
        "number": 4532200000 + contact,
        "person": contact,
        "household": contact,
        "seat": contact,
        "phoner": 1,
        "caller_id": "+4532123400",
        "room": "room",
        "revision": "r",
        "permit_at": at,
        "state": "ended",
        "ended_at": at,
        "note": "a note",
        **more,
    }
    tx.execute(insert(calls).values(values))


def run(tx: Tx) -> dict[str, int]:
    """Drop everything that is due; what was due."""
    due = {kind.value: count for kind, count in chore.due(tx, POLICY, NOW).items() if count}
    for kind in RetentionClass:
        while drop_some(tx, POLICY, kind, NOW, "test"):
            pass
    assert not any(chore.due(tx, POLICY, NOW).values())
    return due


def test_counting_what_is_old_may_end_early(store: AnyStore) -> None:
    with store.engine.begin() as tx:
        for number in (1, 2, 3):
            a_contact(tx, number, 181)
        counted = [chore.due(tx, POLICY, NOW, most) for most in (None, 2)]
    kind = RetentionClass.CONTACTS
    assert [due[kind] for due in counted] == [3, 2]


@pytest.mark.parametrize(
    ("more", "stays"),
    [
        ({}, False),
        ({"status": ContactStatus.DONE}, False),
        ({"status": ContactStatus.CLAIMED}, True),
        ({"status": ContactStatus.CALL_BACK}, True),
        ({"member": True}, True),
        ({"last_gift": "2020-01-01"}, True),
        ({"ended": "2020-01-01"}, True),
    ],
)
def test_only_people_without_a_relation_are_dropped(
    store: AnyStore, more: dict[str, Any], stays: bool
) -> None:
    with store.engine.begin() as tx:
        old = a_contact(tx, 1, 181, **more)
        new = a_contact(tx, 2, 179)
        run(tx)
        assert list(tx.execute(select(contacts.c.id)).scalars()) == [*([old] if stays else []), new]


async def test_a_server_looks_for_what_is_old_beside_the_transactions_that_write(
    store: AnyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may read whole tables, and every dial would wait."""
    wrote: list[Callable[[Tx], object]] = []
    usual = store.run

    async def writes(work: Callable[[Tx], Any]) -> Any:
        wrote.append(work)
        return await usual(work)

    monkeypatch.setattr(store, "run", writes)
    organisation = SimpleNamespace(retention=POLICY)
    rules = SimpleNamespace(current=SimpleNamespace(organisation=organisation))
    ctx: Any = SimpleNamespace(store=store, rules=rules, secret=b"")
    await chore.Retention(ctx, {}).run(NOW)
    at_rest = len(wrote)
    assert at_rest < len(RetentionClass)
    with store.engine.begin() as tx:
        a_contact(tx, 1, 181)
    wrote.clear()
    await chore.Retention(ctx, {}).run(NOW)
    assert len(wrote) == at_rest + 1
    monkeypatch.setattr(chore, "PART", 2)
    with store.engine.begin() as tx:
        for number in range(5):
            a_contact(tx, number, 181)
    wrote.clear()
    await chore.Retention(ctx, {}).run(NOW)
    assert len(wrote) == at_rest + 3, "and drops it in parts"
    with store.engine.begin() as tx:
        assert not list(tx.execute(select(contacts.c.id)).scalars())


def test_who_is_claimed_after_the_look_stays(store: AnyStore) -> None:
    with store.engine.begin() as tx:
        contact = a_contact(tx, 1, 181)
        (part,) = chore.parts_of(tx, POLICY, RetentionClass.CONTACTS, NOW)
        assert part.keys == [contact]
        contact_database.set_status(tx, contact, ContactStatus.CLAIMED)
        assert not chore.drop(tx, POLICY, RetentionClass.CONTACTS, part, NOW, "test")
        assert list(tx.execute(select(contacts.c.id)).scalars()) == [contact]


def test_who_was_called_lately_stays(store: AnyStore) -> None:
    """Their attempts count in caps and rests, which find them by the contact."""
    with store.engine.begin() as tx:
        recent = a_contact(tx, 1, 400)
        a_call(tx, recent, 369)
        assert run(tx).get("contacts_without_relation", 0) == 0
        old = a_contact(tx, 2, 400)
        a_call(tx, old, 371)
        assert run(tx)["contacts_without_relation"] == 1
        assert list(tx.execute(select(contacts.c.id)).scalars()) == [recent]


def test_an_old_call_says_no_longer_whom_it_reached(store: AnyStore) -> None:
    with store.engine.begin() as tx:
        for contact, days_ago in ((1, 731), (2, 729), (3, 179)):
            a_call(tx, contact, days_ago, details={"amount": 100, "reason": "in words"})
        a_call(tx, 4, 731, ended_at=None)
        assert run(tx) == {"calls": 1, "notes": 3}
        rows = tx.execute(select(calls).order_by(calls.c.attempt)).all()
        assert [row.number == NOBODY for row in rows] == [True, False, False, False]
        assert (rows[0].contact, rows[0].person, rows[0].household) == (None, 0, 0)
        assert [row.note for row in rows] == [None, None, "a note", None]
        assert [row.details for row in rows[:2]] == [{"amount": 100}] * 2
        kinds = tx.execute(select(audit.c.body)).scalars()
        assert sum(b'"kind":"retention"' in body for body in kinds) == 2


def test_words_on_a_listening_form_are_dropped_also_the_phoners(store: AnyStore) -> None:
    grades = dict.fromkeys(("respectful", "serious", "positive"), 4)
    with store.engine.begin() as tx:
        sigrid = accounts.add(tx, handle="sigrid", name="Sigrid", role="supervisor")
        for call, days, words, comment in (("old", 181, "", "c"), ("new", 179, "w", "c")):
            at = NOW - timedelta(days=days)
            key = listenings.store_form(tx, call, sigrid, phoner=1, at=at, words=words, **grades)
            listenings.comment_form(tx, key, comment, NOW)
        assert run(tx) == {"forms": 1}
        rows = listenings.forms_of(tx, 1, 9)
        kept = {form.call: (form.words, form.comment) for form, _ in rows}
        assert kept == {"old": ("", ""), "new": ("w", "c")}


def test_a_long_class_is_dropped_in_parts(store: AnyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "CHUNK", 2)
    with store.engine.begin() as tx:
        for number in range(5):
            a_contact(tx, number, 181)
        assert run(tx) == {"contacts_without_relation": 5}
        assert tx.execute(select(contacts)).all() == []


def test_identifiers_of_who_is_on_no_list_go_when_they_lead_to_nothing(store: AnyStore) -> None:
    def removed(tx: Tx, number: int, days_ago: int, **more: Any) -> None:
        contact = a_contact(tx, number, days_ago, name=f"Name {number}", **more)
        at = NOW - timedelta(days=days_ago)
        assert contact_removal.remove(tx, [contact], contact_removal.never_called, at) == 1

    with store.engine.begin() as tx:
        removed(tx, 1, 181)
        removed(tx, 2, 179)  # not long enough ago
        removed(tx, 3, 181)
        suppressions.add(tx, "person:3", Scope.PERSON, NOW, "test")
        removed(tx, 4, 181)
        marks.mark(tx, "number:4", MarkKind.DECEASED, NOW)
        removed(tx, 5, 181)
        a_contact(tx, 5, 1)  # is on a list again
        removed(tx, 6, 181, household=3)  # lives with somebody who said no
        removed(tx, 7, 181, household=1)  # lived with somebody of whom nothing is known
        removed(tx, 8, 181, household=NOBODY)
        removed(tx, 9, 181)
        a_contact(tx, 90, 1)
        former_identifiers.add(
            tx, [Identifier(9, 90, 9, "Name 9")], Because.CHANGED, NOW - timedelta(days=200)
        )
        suppressions.add(tx, "person:90", Scope.PERSON, NOW, "test")  # at a former number of 9
        assert run(tx) == {"contacts_without_relation": 3}
        table = former_identifiers_table.c
        kept = set(tx.execute(select(table.person)).scalars())
        assert kept == {2, 3, 4, 5, 6, 9}


def test_own_telephones_and_released_numbers_go_with_the_calls(store: AnyStore) -> None:
    def ago(days: int) -> datetime:
        return NOW - timedelta(days=days)

    with store.engine.begin() as tx:
        for name, days in (("ane", 731), ("bo", 729), ("eva", None)):
            left = None if days is None else ago(days)
            telephone = f"+452030405{len(name)}"
            user = accounts.add(tx, handle=name, name=name, role="phoner", left_at=left)
            accounts.change(tx, user, line=telephone)
            user_lines.enter(tx, user, f"{telephone}0", ago(900), "test")
            user_lines.enter(tx, user, telephone, ago(731), "test")  # the first one ends
            seat = seats.open_for(tx, user, None, NOW)
            seats.set_line(tx, seat.id, line=telephone)
        refused_numbers.add(tx, 4532200001, None, "kanvas", 21211, ago(900))
        refused_numbers.add(tx, 4532200002, None, "kanvas", 21211, ago(900))
        [row, _] = refused_numbers.not_released(tx)
        refused_numbers.release(tx, [row], "test", ago(731))
        assert run(tx) == {"calls": 7}
        assert [accounts.user(tx, user).line is None for user in (1, 2, 3)] == [True, False, False]  # type: ignore[union-attr]
        kept = tx.execute(select(lines.c.user, lines.c.ended_at)).all()
        assert sorted(map(tuple, kept)) == [(2, None), (3, None)]
        assert [row.number for row in refused_numbers.not_released(tx)] == [4532200002]


def test_one_place_deletes_contacts(store: AnyStore) -> None:
    with store.engine.begin() as tx:
        called, other = a_contact(tx, 1, 1), a_contact(tx, 2, 1)
        a_call(tx, called, 1)
        ids = [called, other]
        assert contact_removal.remove(tx, ids, contact_removal.never_called, NOW) == 1


def test_records_of_the_staff_are_dropped_by_class(store: AnyStore) -> None:
    def ago(days: int) -> datetime:
        return NOW - timedelta(days=days)

    with store.engine.begin() as tx:
        trained = accounts.add(tx, handle="maja", name="Maja", role="phoner", trained_at=ago(366))
        new = accounts.add(tx, handle="bo", name="Bo", role="phoner")
        left = accounts.add(tx, handle="ane", name="Ane", role="phoner", left_at=ago(1826))
        for user in (trained, new, left):
            worked_shifts.add_time(tx, user, ago(400).date(), 3600)
            worked_shifts.count_day(tx, user, ago(400).date())
            worked_shifts.credit(tx, user, worked_shifts.Credit(ago(400), "command", 1, "reason"))
            worked_shifts.record_talk(tx, user, supervisor=9, supervisor_at=ago(400), words="")
            training.sign(tx, user, "ethics", "v1", ago(2000))
        for days in (1098, 1094):
            training_sessions.add(tx, "course", "nord", ago(days).date(), 9, [trained, new])
        for kind, days in (("message", 181), ("harassment", 181), ("harassment", 731)):
            values = {"at": ago(days), "phoner": new, "department": "nord", "words": "words"}
            support.add(tx, kind=kind, state=MessageState.ANSWERED.value, **values)
        support.add(tx, kind="message", at=ago(900), phoner=new, department="nord", words="open")
        for days in (181, 179):
            support.offer(tx, at=ago(days), minutes=15, supervisor=9, department="nord")
        applicant = applicants.add(tx, "Ida Prøve", "nord", NOW)
        empty, known = (
            applicants.add_interview(tx, Module.INTRODUCTION, ago(366), "nord") for _ in range(2)
        )
        applicants.invite(tx, known, applicant)

        assert run(tx) == {
            "support": 1,
            "harassment": 1,
            "conversations": 1,
            "training": 2,
            "exercises": 1,
            "signatures": 1,
            "interviews": 1,
        }
        assert [len(worked_shifts.counted_days(tx, user)) for user in (trained, new, left)] == [
            0,
            1,
            0,
        ]
        assert [len(worked_shifts.credits_of(tx, user)) for user in (trained, new)] == [0, 1]
        account = accounts.user(tx, trained)
        assert account is not None
        assert account.trained_at == ago(366)  # that they are trained stays
        assert [len(training.signatures_of(tx, user)) for user in (trained, left)] == [1, 0]
        assert len(training_sessions.of_user(tx, trained)) == 1
        assert len(training_sessions.participants(tx, [1, 2])) == 1
        assert len(support.of_phoner(tx, new)) == 2
        assert applicants.find_interview(tx, empty) is None
        assert applicants.find_interview(tx, known) is not None
