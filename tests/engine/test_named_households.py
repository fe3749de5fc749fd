"""A list may name the household in a column of its own: an address there is one however it is spelled."""

import pytest
from sqlalchemy import select

from callserver.cli.invented_data import import_registers
from callserver.database import contacts, household_keys
from callserver.database.contacts import Contact
from callserver.database.store import AnyStore
from callserver.database.tables import contacts as contacts_table
from callserver.domain import postal_addresses
from callserver.domain.facts import Scope
from callserver.engine.lists import importer
from callserver.engine.lists.import_order import ImportOrder
from callserver.engine.suppressions import opt_outs
from callserver.engine.suppressions.opt_outs import Origin
from callserver.ports import Tx
from tests.harness.overlapping_lists import CAMPAIGNS, NOW, RULES, SECRET, reasons

HEADINGS = "ref;navn;telefon;husstand;kilde"


def listed(tx: Tx, row: str, campaign: str) -> Contact:
    order = ImportOrder(CAMPAIGNS[campaign], f"{HEADINGS}\n{row};gade\n".encode(), {})
    importer.write(importer.stage(tx, order, NOW.date()), NOW, by="test")
    newest = tx.execute(select(contacts_table.c.id).order_by(contacts_table.c.id.desc())).scalar()
    contact = contacts.get(tx, newest or 0)
    assert contact is not None
    return contact


@pytest.mark.parametrize("is_old", [False, True], ids=["new", "upgraded"])
@pytest.mark.parametrize("is_known", [True, False], ids=["stored", "lost"])
def test_an_opt_out_of_the_household_holds_for_every_spelling(
    store: AnyStore, *, is_old: bool, is_known: bool
) -> None:
    before, after = "Gl. Lynvej 12A, st. th, 8000 Aarhus C", "GAMMEL LYNVEJ 12 a stuen t.h. 8000"
    with store.engine.connect() as tx:
        with pytest.MonkeyPatch.context() as patch:
            if is_old:
                patch.setattr(postal_addresses, "named_household", lambda text: text)
            anna = listed(tx, f"M1;Anna Holm;32200001;{before}", "kanvas")
            listed(tx, f"M9;Ida Falk;32200009;{before[3:]}", "kanvas")
        opt_outs.add(tx, [Scope.HOUSEHOLD], None, [anna], SECRET, Origin(by="test", at=NOW))
        if not is_known:
            tx.execute(contacts_table.delete().where(contacts_table.c.id == anna.id))
        if is_old:
            household_keys.upgrade_named(tx)
        import_registers(tx, RULES, NOW)
        if is_old and not is_known:  # the same spelling brings the key up to date
            listed(tx, f"M2;Viggo Lind;32200002;{before}", "k2")
        bo = listed(tx, f"M3;Bo Krogh;32200003;{after}", "k3")
        assert "SUP_HOUSEHOLD" in reasons(tx, bo)
        elsewhere = listed(tx, "M4;Gudrun Vang;32200004;Gl. Lynvej 14 st. th 8000", "k3")
        assert reasons(tx, elsewhere) == []
        tx.rollback()


def test_ids_of_households_stay_apart(store: AnyStore) -> None:
    ids = ["H-1-2", "H-1-3", "hh-012", "hh-12", "Household 7", "Household 8", "Hus 7-1", "Hus 7/2"]
    with store.engine.connect() as tx:
        households = [
            listed(tx, f"M{n};Person {n};3220000{n};{name}", "kanvas").household
            for n, name in enumerate(ids)
        ]
        assert len(set(households)) == len(ids)
        tx.rollback()
