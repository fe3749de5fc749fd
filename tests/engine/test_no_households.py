"""A postcode, a post-office box or a placeholder joins nobody, except where it once did and protects somebody."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from callserver.cli.invented_data import import_registers
from callserver.database import contacts
from callserver.database.contacts import Contact
from callserver.database.store import AnyStore
from callserver.domain import addresses, cells
from callserver.domain.call import DialPath
from callserver.domain.facts import Scope
from callserver.engine.gate import gate
from callserver.engine.gate.stored_facts import DialRequest
from callserver.engine.lists import importer
from callserver.engine.lists.import_order import ImportOrder
from callserver.engine.lists.summary import Summary
from callserver.engine.suppressions import opt_outs
from callserver.engine.suppressions.opt_outs import Origin
from callserver.ports import Tx
from tests.harness.overlapping_lists import NOW, RULES, SECRET, reasons

HEADINGS = "ref;navn;telefon;husstand;adresse;postnr;kilde"
NO_HOMES = {
    "nines": "99999;;",
    "nines beside an address": "99999;Lynvej {};8000",
    "a box": ";Postboks 12;8000",
    "a box as the household": "Box 12;;",
    "a district": ";8000 Aarhus C;",
    "the row's own postcode": "8000;;8000",
    "care of": ";c/o Hansen, 8000 Aarhus;",
    "poste restante": ";Poste restante, 8000 Aarhus C;",
}


def listed(tx: Tx, campaign: str, *rows: str, headings: str = HEADINGS) -> Summary:
    text = "\n".join([headings, *(f"{row};gade" for row in rows)])
    order = ImportOrder(RULES.campaign(campaign), text.encode(), {})
    staged = importer.stage(tx, order, NOW.date())
    importer.write(staged, NOW, by="test")
    return staged.summary


def contact(tx: Tx, number: int, campaign: str = "") -> Contact:
    known = contacts.by_number(tx, number)
    return next(row for row in known if campaign in ("", row.campaign))


def opt_out(tx: Tx, scope: Scope, anna: Contact) -> None:
    opt_outs.add(tx, [scope], None, [anna], SECRET, Origin(by="test", at=NOW))


@contextmanager
def former_rules() -> Iterator[None]:
    """The time in which a district, a box and nines were taken for households."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("is_no_household", "is_no_household_name"):
            assert callable(getattr(addresses, name))
            never: Callable[..., bool] = lambda *_: False  # noqa: E731
            patch.setattr(cells, name, never)
        yield


@pytest.mark.parametrize("home", NO_HOMES.values(), ids=list(NO_HOMES))
def test_it_joins_nobody_and_is_reported(store: AnyStore, home: str) -> None:
    with store.engine.connect() as tx:
        import_registers(tx, RULES, NOW)
        anna, bo = (
            f"M{n};{name};3220000{n};{home.format(n)}"
            for n, name in ((1, "Anna Holm"), (2, "Bo Krogh"))
        )
        summary = listed(tx, "kanvas", anna, bo, "M3;Ida Falk;32200003;;Lynvej 9;8000")
        assert summary.no_homes == {2, 3}
        assert summary.shared == 0
        opt_out(tx, Scope.HOUSEHOLD, contact(tx, 4532200001))
        assert "SUP_HOUSEHOLD" in reasons(tx, contact(tx, 4532200001))
        assert reasons(tx, contact(tx, 4532200002)) == []
        tx.rollback()


@pytest.mark.parametrize("home", NO_HOMES.values(), ids=list(NO_HOMES))
@pytest.mark.parametrize(
    ("scope", "is_known"),
    [(Scope.HOUSEHOLD, True), (Scope.HOUSEHOLD, False), (Scope.PERSON, True)],
    ids=["household", "household of nobody known", "person"],
)
def test_nobody_becomes_callable_where_it_once_joined(
    store: AnyStore, home: str, scope: Scope, *, is_known: bool
) -> None:
    """By the household's opt-out nobody else of the former household is called; by the person's, nobody who
    may be them."""
    other = "Bo Krogh" if scope is Scope.HOUSEHOLD else "A. Holm"
    with store.engine.connect() as tx:
        import_registers(tx, RULES, NOW)
        with former_rules():
            listed(tx, "kanvas", f"M1;Anna Holm;32200001;{home.format(1)}")
        anna = contact(tx, 4532200001)
        opt_out(tx, scope, anna)
        if not is_known:
            tx.exec_driver_sql(f"DELETE FROM contacts WHERE id = {anna.id}")
        listed(tx, "k2", f"M2;{other};32200002;{home.format(1)}")
        bo = contact(tx, 4532200002)
        assert f"SUP_{scope.name}" in reasons(tx, bo)
        again = f"M2;{other};32200009;;Lynvej 7;8000", f"M2;{other};32200002;{home.format(1)}"
        listed(tx, "k3", *again)  # the second row is not taken
        assert f"SUP_{scope.name}" in reasons(tx, contact(tx, 4532200009))
        tx.rollback()


def test_a_known_contact_keeps_its_household(store: AnyStore) -> None:
    with store.engine.connect() as tx:
        import_registers(tx, RULES, NOW)
        rows = [f"M{n};{name};3220000{n};;Postboks 12;8000" for n, name in ((1, "Anna"), (2, "Bo"))]
        with former_rules():
            listed(tx, "kanvas", *rows)
        listed(tx, "kanvas", *rows)
        opt_out(tx, Scope.HOUSEHOLD, contact(tx, 4532200001))
        assert "SUP_HOUSEHOLD" in reasons(tx, contact(tx, 4532200002))
        tx.rollback()


def test_rows_that_repeat_a_person_make_no_crowd(store: AnyStore) -> None:
    """Of a few people who share a box, some stand twice in the list."""
    with store.engine.connect() as tx:
        import_registers(tx, RULES, NOW)
        with former_rules():
            listed(tx, "kanvas", "M1;Anna Holm;32200001;;Postboks 12;8000")
        opt_out(tx, Scope.HOUSEHOLD, contact(tx, 4532200001))
        rows = [f"M{n};Bo Krogh {n};3220000{n};;Postboks 12;8000" for n in range(2, 9)]
        assert listed(tx, "k2", *rows, *rows).duplicates == len(rows)
        assert "SUP_HOUSEHOLD" in reasons(tx, contact(tx, 4532200002))
        tx.rollback()


@pytest.mark.parametrize("box", ["Postboks 12", "Postboks 13"])
def test_an_ended_membership_still_counts_for_who_may_be_the_person(
    store: AnyStore, box: str
) -> None:
    headings = "ref;navn;telefon;adresse;postnr;medlem;ophørt;kilde"
    with store.engine.connect() as tx:
        import_registers(tx, RULES, NOW)
        with former_rules():
            row = "M1;Anna Holm;32200001;Postboks 12;8000;nej;2026-04-01"
            listed(tx, "kanvas", row, headings=headings)
        listed(tx, "opgradering", f"M2;A. Holm;32200002;{box};8000;ja;", headings=headings)
        campaign = RULES.campaign("opgradering")
        request = DialRequest(contact(tx, 4532200002), campaign, DialPath.EXPLAIN, None, NOW)
        facts = gate.collect(tx, RULES, SECRET, request)
        assert facts.relation.member == (box == "Postboks 13")
        tx.rollback()


def test_an_opt_out_under_another_reference_counts_at_the_same_number(store: AnyStore) -> None:
    """Anna stands on two lists; the opt-out is that of the row without the box."""
    with store.engine.connect() as tx:
        import_registers(tx, RULES, NOW)
        with former_rules():
            listed(tx, "kanvas", "M1;Anna Holm;32200001;;Postboks 12;8000")
            listed(tx, "k2", "X7;Anna Holm;32200001;;Lynvej 7;8000")
        opt_out(tx, Scope.PERSON, contact(tx, 4532200001, "k2"))
        listed(tx, "k3", "M2;A. Holm;32200002;;Postboks 12;8000")
        assert "SUP_PERSON" in reasons(tx, contact(tx, 4532200002))
        tx.rollback()
