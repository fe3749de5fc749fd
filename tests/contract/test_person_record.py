"""Finding a person, their record, their copy and an undo: the same on SQLite and PostgreSQL."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import true, update

from callserver.adapters.config_folder import ConfigFolder
from callserver.database import (
    accounts,
    calls,
    contact_removal,
    contacts,
    marks,
    person_search,
    suppressions,
)
from callserver.database.store import AnyStore
from callserver.database.tables import calls as calls_table
from callserver.domain import subject
from callserver.domain.facts import Scope
from callserver.domain.marks import MarkKind
from callserver.engine.context import Rules
from callserver.engine.reporting import person_copy, person_copy_page, person_record
from callserver.engine.reporting.person_record import LookUpReason
from callserver.engine.suppressions import mark_undo
from callserver.ports import Tx
from tests.contract.test_store import a_call, a_contact

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
NUMBER = 4532200001


@pytest.fixture(scope="module")
def rules() -> Rules:
    configuration, _ = ConfigFolder(ROOT / "config").read()
    return Rules(configuration)


def a_person(tx: Tx) -> int:
    more: dict[str, Any] = {"ref": "K1", "name": "Åse Ærø-Holm", "source": "gade", "person": 11}
    key = a_contact(tx, NUMBER, **more)
    calls.open_call(tx, {**a_call("a", NUMBER), "contact": key})
    tx.execute(
        update(calls_table).values(ended_at=NOW, cause="no_answer", outcome="deceased", note="ok")
    )
    return key


@pytest.mark.parametrize("text", ["åse", "ÆRØ", "holm åse", "Åse Ærø-Holm", "rø"])
def test_a_name_is_found_by_the_beginnings_of_its_words(store: AnyStore, text: str) -> None:
    with store.engine.begin() as tx:
        a_person(tx)
        a_contact(tx, 4532200002, name="Aase Holm")
        names = [row.name for row in person_search.by_name(tx, text, 10)]
    assert names == ([] if text in ("rø", "holm åse") else ["Åse Ærø-Holm"])


def test_a_reference_is_found_as_it_is_written(store: AnyStore) -> None:
    with store.engine.begin() as tx:
        a_person(tx)
        assert [row.ref for row in person_search.by_reference(tx, " K1 ", 10)] == ["K1"]
        assert person_search.by_reference(tx, "k1", 10) == []
        assert person_search.by_name(tx, "%", 10) == []
        assert person_search.by_name(tx, "_se", 10) == []


def test_the_record_and_the_copy(store: AnyStore, rules: Rules) -> None:
    with store.engine.begin() as tx:
        key = a_person(tx)
        about = subject.of_person(11)
        marks.mark(tx, about, MarkKind.CONSENT_GIVEN, NOW, {"phone": True, "proof": "7"}, "command")
        suppressions.add(tx, about, Scope.PERSON, NOW, "command", received_by="letter")
        known = person_record.rows_of(tx, key)
        person_record.record_view(tx, known, LookUpReason.ASKED, "user:1", NOW)
        record = person_record.of_person(tx, known, b"key")
        [answer] = person_record.explanations(tx, rules, b"key", known, NOW)
        copy = person_copy.make(tx, rules, b"key", known, "en", NOW)
    assert [row.id for row in record.contacts] == [key]
    assert [(look.by, look.what) for look in record.look_ups] == [("user:1", "asked")]
    assert [mark.by for mark in record.marks] == ["command"]
    assert "SUP_PERSON" in [reason.value for reason in answer.reasons]
    assert len(copy.calls) == len(copy.opt_outs) == len(copy.consents) == 1
    assert copy.calls[0].note == "ok"
    assert "Åse Ærø-Holm" in person_copy_page.page(copy)


def test_an_undo(store: AnyStore, rules: Rules) -> None:
    with store.engine.begin() as tx:
        key = a_person(tx)
        user = accounts.add(tx, handle="mads", name="Mads", role="member_service")
        contacts.set_status(tx, key, "done", reason="deceased")
        for _ in range(2):
            marks.mark(tx, subject.of_person(11), MarkKind.DECEASED, NOW, by="user:9")
        mads = accounts.user(tx, user)
        assert mads is not None
        known = contacts.of_person(tx, 11)
        campaigns = rules.current.campaigns
        undone = mark_undo.undo(
            tx, None, known, MarkKind.DECEASED, "tastet forkert", mads, campaigns, NOW
        )
        assert len(undone.marks) == 2
        assert [row.id for row in undone.reopened] == [key]
        assert marks.marks_of(tx, [subject.of_person(11)]) == []
        assert [row.ended_by for row in marks.on_record(tx, [subject.of_person(11)])] == [
            f"user:{user}",
            f"user:{user}",
        ]
        # A list that says so again is a newer mark.
        assert len(marks.mark_deceased(tx, [subject.of_person(11)], NOW)) == 1
        row = contacts.get(tx, key)
    assert row is not None
    assert (row.status, row.reason) == ("ready", None)


def test_calls_of_a_contact_that_was_removed_are_the_persons(store: AnyStore) -> None:
    """They came again on a list: whom we called is on their record and in their copy, under every number."""
    with store.engine.begin() as tx:
        key = a_person(tx)
        tx.execute(update(calls_table).values(person=11))
        a_contact(tx, 4532200002, name="Bo Bech", person=12)
        calls.open_call(tx, {**a_call("b", 4532200002), "person": 12})
        marks.mark(tx, subject.of_person(11), MarkKind.REFUSED, NOW)
        contact_removal.remove(tx, [key], true(), NOW, old=True)
        again = a_contact(tx, 4532200077, ref="K1", name="Åse Ærø-Holm", person=11)
        known = person_record.rows_of(tx, again)
        record = person_record.of_person(tx, known, b"key")
    assert [call.attempt for call in record.calls] == ["a"]
