"""Who was erased is not called under another reference that had their number, or that shares a home with it."""

from datetime import timedelta

import pytest

from callserver.cli.invented_data import import_registers
from callserver.database import contacts
from callserver.database.store import AnyStore
from callserver.engine.lists import importer, removal
from callserver.engine.lists.import_order import ImportOrder
from callserver.engine.suppressions import erasure
from callserver.ports import Tx
from tests.harness.overlapping_lists import CAMPAIGNS, NOW, RULES, SECRET, reasons

HEAD = "medlemsnr;navn;telefon;adresse;kilde\n"


def take(tx: Tx, campaign: str, rows: str, namespace: str = "") -> int:
    raw = f"{HEAD}{rows}".encode()
    order = ImportOrder(CAMPAIGNS[campaign], raw, {}, namespace=namespace)
    return importer.write(importer.stage(tx, order, NOW.date()), NOW, by="test")


def erase(tx: Tx, campaign: str, number: int) -> None:
    (known,) = contacts.by_number(tx, number, campaign)
    at = NOW - timedelta(minutes=1)
    erasure.erase(tx, number, [known], SECRET, "test", at)


def changes_number(tx: Tx) -> None:
    take(tx, "k2", "M1;A. Holm;32200001;;gade\n")
    take(tx, "k2", "M1;A. Holm;32200002;;gade\n")


def has_two_rows(tx: Tx) -> None:
    take(tx, "k2", "M1;A. Holm;32200002;;gade\nM1;A. Holm;32200001;;gade\n")


def was_on_a_list_that_was_rolled_back(tx: Tx) -> None:
    number = take(tx, "k2", "M1;A. Holm;32200001;;gade\n")
    for part in removal.parts_of(tx, number):
        removal.roll_back(tx, number, part, "test", NOW)
    take(tx, "k2", "M1;A. Holm;32200002;;gade\n")


def shares_a_home_with_the_number(tx: Tx) -> None:
    take(tx, "k3", "M2;;32200001;Lynvej 1;gade\n")
    take(tx, "k2", "M1;A. Holm;32200002;Lynvej 1;gade\n")


@pytest.mark.parametrize(
    "other",
    [
        changes_number,
        has_two_rows,
        was_on_a_list_that_was_rolled_back,
        shares_a_home_with_the_number,
    ],
)
def test_nobody_erased_is_called_under_another_reference(store: AnyStore, other: object) -> None:
    assert callable(other)
    with store.engine.connect() as tx:
        import_registers(tx, RULES, NOW)
        take(tx, "kanvas", "A9;Anna Holm;32200001;Skovvej 9;gade\n", "crm")
        other(tx)
        erase(tx, "kanvas", 4532200001)
        (contact,) = contacts.by_number(tx, 4532200002, "k2")
        assert "PERSON_ERASED" in reasons(tx, contact)
        tx.rollback()


def test_somebody_elses_number_is_called(store: AnyStore) -> None:
    with store.engine.connect() as tx:
        import_registers(tx, RULES, NOW)
        take(tx, "kanvas", "A9;Anna Holm;32200001;Skovvej 9;gade\n", "crm")
        take(tx, "k2", "M1;A. Holm;32200003;;gade\n")
        take(tx, "k2", "M1;A. Holm;32200002;;gade\n")
        erase(tx, "kanvas", 4532200001)
        (contact,) = contacts.by_number(tx, 4532200002, "k2")
        assert reasons(tx, contact) == []
        tx.rollback()
