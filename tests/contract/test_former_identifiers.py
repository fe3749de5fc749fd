"""Identifiers that people had formerly: each is kept once, and an erasure leaves neither number nor name."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import insert, select

from callserver.database import former_identifiers
from callserver.database.former_identifiers import Because, Identifier
from callserver.database.store import AnyStore
from callserver.database.tables import contacts
from callserver.database.tables import former_identifiers as table
from callserver.ports import Tx

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
ANNA = Identifier(7, 4532200001, 91, "Anna Prøve")


def a_contact(tx: Tx, key: int, identifier: Identifier) -> None:
    values = {"id": key, "campaign": f"c{key}", "place": "DK Europe/Copenhagen", "rank": key}
    tx.execute(insert(contacts).values(**values, status="ready", **identifier._asdict()))


def kept(tx: Tx) -> list[tuple[object, ...]]:
    columns = (table.c.person, table.c.number, table.c.household, table.c.name, table.c.because)
    return [tuple(row) for row in tx.execute(select(*columns, table.c.at).order_by(table.c.id))]


def test_an_identifier_is_kept_once_with_its_last_change(store: AnyStore) -> None:
    later = NOW + timedelta(days=1)
    with store.engine.begin() as tx:
        a_contact(tx, 1, ANNA)
        a_contact(tx, 2, ANNA)
        former_identifiers.keep(tx, [1, 2], Because.CHANGED, NOW)
        former_identifiers.keep(tx, [2], Because.CHANGED, later)
        former_identifiers.add(tx, [ANNA, ANNA], Because.LISTED, NOW)
        former_identifiers.add(tx, [ANNA], Because.LISTED, later)
        assert kept(tx) == [(*ANNA, "changed", later), (*ANNA, "listed", NOW)]
        assert former_identifiers.numbers_of(tx, {7, 8}) == {4532200001}


def test_of_an_erased_person_only_the_household_stays(store: AnyStore) -> None:
    moved, other = ANNA._replace(number=4532200002, household=92), ANNA._replace(person=8)
    with store.engine.begin() as tx:
        again = ANNA._replace(name="A. Prøve")
        former_identifiers.add(tx, [ANNA, again, moved, other], Because.LISTED, NOW)
        former_identifiers.forget_people(tx, {7})
        former_identifiers.forget_people(tx, {7})
        assert sorted(kept(tx), key=str) == sorted(
            [
                (*other, "listed", NOW),
                (7, 0, 91, "", "listed", NOW),
                (7, 0, 92, "", "listed", NOW),
            ],
            key=str,
        )
