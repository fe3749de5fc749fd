"""What a row says counts, also where the list names its person twice and another row is taken."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from callserver.cli.invented_data import import_registers
from callserver.database import contacts, household_keys, marks
from callserver.database.contacts import Contact
from callserver.database.store import AnyStore
from callserver.database.tables import contact_addresses
from callserver.database.tables import contacts as contacts_table
from callserver.domain import subject
from callserver.domain.marks import MarkKind
from callserver.engine.lists import importer
from callserver.engine.lists.import_order import ImportOrder
from callserver.ports import Tx
from tests.harness.overlapping_lists import CAMPAIGNS, NOW, RULES, as_spelled, reasons

OLD, OTHER = "Lynvej 1 1.tv", "Lynvej 1, 1. tv"
A_PLACEHOLDER = [f"M1;Person {n};322001{n:02};Skovvej {n};;gade" for n in range(10)]


def take(tx: Tx, campaign: str, *rows: str) -> None:
    lines = ["medlemsnr;navn;telefon;adresse;født;kilde", *rows]
    order = ImportOrder(CAMPAIGNS[campaign], ("\n".join(lines) + "\n").encode(), {})
    staged = importer.stage(tx, order, NOW.date())
    importer.write(staged, NOW, by="test")
    assert not staged.summary.refused


def at_number(tx: Tx, number: int) -> list[Contact]:
    mine = contacts_table.c.number == number
    ids = tx.execute(select(contacts_table.c.id).where(mine)).scalars().all()
    return [*contacts.by_ids(tx, ids).values()]


@pytest.mark.parametrize(
    "rows",
    [
        [f"M1;Anna Holm;32200002;{OTHER};;gade", f"M2;Bo Lind;32200003;{OLD};;gade"],
        [f"M1;Anna Holm;32200002;{OTHER};;gade", f"M1;Anna Holm;32200002;{OLD};;gade"],
        [f"M1;Anna Holm;32200002;{OTHER};;gade", f"M2;Anna Holm;32200002;{OLD};;gade"],
        [
            *(f";;32200002;{OTHER};;gade", f"M1;;32200002;{OLD};;gade"),
            *A_PLACEHOLDER,
        ],
    ],
    ids=["taken", "one reference", "one number and name", "reference of nobody"],
)
def test_any_row_that_names_an_address_again_brings_its_key_up_to_date(
    store: AnyStore, rows: list[str]
) -> None:
    """The key of an address that is not stored any more is still the one of its former spelling."""
    with store.engine.connect() as tx:
        with as_spelled(is_old=True):
            take(tx, "kanvas", f";Anna Holm;32200001;{OLD};;gade")
        (anna,) = at_number(tx, 4532200001)
        marks.mark(tx, subject.of_person(anna.person), MarkKind.DECEASED, NOW - timedelta(hours=1))
        tx.execute(contact_addresses.delete())
        tx.execute(update(contacts_table).values(fields=None))
        household_keys.upgrade(tx)
        import_registers(tx, RULES, NOW)
        take(tx, "k2", *rows)
        again = at_number(tx, 4532200002)
        assert [reasons(tx, contact) for contact in again] == [["PERSON_DECEASED"]]
        tx.rollback()


def test_a_row_without_a_reference_of_its_own_counts_for_its_number(store: AnyStore) -> None:
    """Its reference is nobody's, and another row has its number and no name: what it says stays known."""
    with store.engine.connect() as tx:
        take(tx, "kanvas", f"M7;Anna Holm;32200001;{OTHER};;gade")
        (anna,) = at_number(tx, 4532200001)
        marks.mark(tx, subject.of_person(anna.person), MarkKind.DECEASED, NOW - timedelta(hours=1))
        import_registers(tx, RULES, NOW)
        rows = [";;32200002;Skovvej 30;;gade", f"M1;;32200002;{OTHER};2015-01-01;gade"]
        take(tx, "k2", *rows, *A_PLACEHOLDER)
        (contact,) = at_number(tx, 4532200002)
        assert reasons(tx, contact) == ["PERSON_DECEASED", "PERSON_MINOR"]
        tx.rollback()
