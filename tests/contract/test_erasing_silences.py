"""An erasure silences a telephone that rings for somebody who may be the person."""

from datetime import UTC, datetime

from sqlalchemy import select, update

from callserver.database import contacts as contact_rows
from callserver.database import former_identifiers
from callserver.database.former_identifiers import Because
from callserver.database.store import AnyStore
from callserver.database.tables import calls, contacts
from callserver.domain.facts import Scope
from callserver.engine.identity import known_at
from callserver.engine.suppressions import erasure, opt_outs
from callserver.engine.suppressions.opt_outs import Origin
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


def test_who_had_the_number_of_somebody_erased_is_silenced(store: AnyStore) -> None:
    """As by `callserver suppress add NUMBER --scope hash`, of somebody who is on no list now."""
    with store.engine.begin() as tx:
        had = a_contact(tx, 1, 1, household=7, name="Anna Prøve")
        former_identifiers.keep(tx, [had], Because.CHANGED, NOW)
        tx.execute(update(contacts).values(number=2, household=9))
        row = contact_rows.get(tx, had)
        assert row is not None
        ringing = {"number": row.number, "person": row.person, "household": row.household}
        a_call(tx, had, 0, ended_at=None, state="ringing", **ringing)
        people = known_at.everybody(tx, 1)
        opt_outs.add(tx, [Scope.HASH], 1, people, b"key", Origin(by="test", at=NOW))
        assert tx.execute(select(calls.c.stop_wanted)).scalar() == "suppressed"
