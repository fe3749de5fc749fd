"""An erasure silences a telephone that rings for somebody who may be the person."""

from datetime import UTC, datetime

from sqlalchemy import select

from callserver.database import contacts as contact_rows
from callserver.database.store import AnyStore
from callserver.database.tables import calls
from callserver.engine.suppressions import erasure
from tests.contract.test_retention import a_call, a_contact

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)


def test_who_may_be_the_person_is_silenced(store: AnyStore) -> None:
    with store.engine.begin() as tx:
        a_contact(tx, 1, 1, household=7, name="Anna Prøve")
        other = a_contact(tx, 2, 1, household=7, name="Ana Prøve")
        row = contact_rows.get(tx, other)
        assert row is not None
        ringing = {"number": row.number, "person": row.person, "household": row.household}
        a_call(tx, other, 0, ended_at=None, state="ringing", **ringing)
        known = contact_rows.by_number(tx, 1)
        erasure.erase(tx, 1, known, b"key", "user:1", NOW)
        assert tx.execute(select(calls.c.stop_wanted)).scalar() == "suppressed"
