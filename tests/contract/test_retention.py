"""What is dropped and what stays, on SQLite and PostgreSQL."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from callserver.database import contact_removal, retention
from callserver.database.store import AnyStore
from callserver.database.tables import audit, calls, contacts, imports
from callserver.domain.contact_status import ContactStatus
from callserver.domain.identity import NOBODY
from callserver.domain.retention import RetentionClass, RetentionPolicy
from callserver.engine import retention as chore
from callserver.ports import Tx

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
        while chore.drop_some(tx, POLICY, kind, NOW, "test"):
            pass
    assert not any(chore.due(tx, POLICY, NOW).values())
    return due


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


def test_who_was_called_lately_stays(store: AnyStore) -> None:
    """Their attempts count in caps and rests, which find them by the contact."""
    with store.engine.begin() as tx:
        recent, old = a_contact(tx, 1, 400), a_contact(tx, 2, 400)
        a_call(tx, recent, 369)
        a_call(tx, old, 371)
        assert run(tx)["contacts_without_relation"] == 1
        assert list(tx.execute(select(contacts.c.id)).scalars()) == [recent]


def test_an_old_call_says_no_longer_whom_it_reached(store: AnyStore) -> None:
    with store.engine.begin() as tx:
        for contact, days_ago in ((1, 731), (2, 729), (3, 179)):
            a_call(tx, contact, days_ago)
        a_call(tx, 4, 731, ended_at=None)
        assert run(tx) == {"calls": 1, "notes": 3}
        rows = tx.execute(select(calls).order_by(calls.c.attempt)).all()
        assert [row.number == NOBODY for row in rows] == [True, False, False, False]
        assert (rows[0].contact, rows[0].person, rows[0].household) == (None, 0, 0)
        assert [row.note for row in rows] == [None, None, "a note", None]
        kinds = tx.execute(select(audit.c.body)).scalars()
        assert sum(b'"kind":"retention"' in body for body in kinds) == 2


def test_a_long_class_is_dropped_in_parts(store: AnyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "CHUNK", 2)
    with store.engine.begin() as tx:
        for number in range(5):
            a_contact(tx, number, 181)
        assert run(tx) == {"contacts_without_relation": 5}
        assert tx.execute(select(contacts)).all() == []


def test_one_place_deletes_contacts(store: AnyStore) -> None:
    with store.engine.begin() as tx:
        called, other = a_contact(tx, 1, 1), a_contact(tx, 2, 1)
        a_call(tx, called, 1)
        ids = [called, other]
        assert contact_removal.remove(tx, ids, contact_removal.never_called, NOW) == 1
