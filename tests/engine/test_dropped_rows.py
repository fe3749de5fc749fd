"""What a row says counts, also where the list names its person twice and another row is taken."""

import csv
import io
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
from callserver.engine.lists import export, importer
from callserver.engine.lists.export import What
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


HEAD = "medlemsnr;navn;telefon;tidszone;medlem;ophørt;kilde\n"
NIGHT = "M1;Anna Holm;32200001;Asia/Tokyo;;;gade\n"
PLAIN = "M1;Anna Holm;32200001;;;;gade\n"


@pytest.mark.parametrize(
    ("rows", "zone"),
    [
        ([NIGHT, PLAIN], "Asia/Tokyo"),
        ([NIGHT.replace("M1", "M2"), PLAIN], "Asia/Tokyo"),
        ([NIGHT.replace("32200001", "32200002"), PLAIN], "Asia/Tokyo"),
        ([NIGHT, PLAIN.replace("1;;;", "1;Europe/Paris;;")], "Asia/Tokyo,Europe/Paris"),
    ],
    ids=["one reference", "one number and name", "two numbers", "two zones"],
)
@pytest.mark.parametrize("turned", [False, True])
def test_a_zone_in_either_row_of_a_person_counts(
    store: AnyStore, rows: list[str], zone: str, turned: bool
) -> None:
    """It is 17:00 in Copenhagen, and midnight in Tokyo. The list comes twice, and goes on another list."""
    raw = HEAD + "".join(reversed(rows) if turned else rows)
    with store.engine.connect() as tx:
        import_registers(tx, RULES, NOW)
        for campaign in ("kanvas", "kanvas", "k2"):
            importer.import_list(tx, CAMPAIGNS[campaign], raw.encode(), NOW)
        ids = tx.execute(select(contacts_table.c.id)).scalars().all()
        everybody = contacts.by_ids(tx, ids)
        assert [row.zone for row in everybody.values()] == [zone, zone]
        for row in everybody.values():
            assert reasons(tx, row)[0].startswith("TIME_")
            assert row.place in contacts.places_of(tx, row.campaign)
        file = io.StringIO()
        csv.writer(file).writerows(export.rows(tx, What.CONTACTS, "kanvas"))
        again = importer.import_list(tx, CAMPAIGNS["k3"], file.getvalue().encode(), NOW)
        assert (again.taken, again.refused) == (1, [])
        tx.rollback()


@pytest.mark.parametrize("turned", [False, True])
def test_an_end_of_the_membership_in_either_row_counts(store: AnyStore, turned: bool) -> None:
    rows = ["M1;Anna Holm;32200001;;ja;;gade\n", "M1;Anna Holm;32200001;;nej;2026-01-01;gade\n"]
    raw = HEAD + "".join(reversed(rows) if turned else rows)
    with store.engine.connect() as tx:
        importer.import_list(tx, CAMPAIGNS["kanvas"], raw.encode(), NOW)
        (anna,) = at_number(tx, 4532200001)
        assert (anna.member, anna.ended) == (False, "2026-01-01")
        tx.rollback()
