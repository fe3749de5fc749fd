"""What is known about a person reaches every dial to them, whatever the lists make of their identity.

The generator knows who is who. It writes overlapping lists of invented people, with other references,
spellings, numbers and addresses, imports them in any order, and records facts at random contacts. Nobody
may be called about whom something protective is known, as far as the lists link the two contacts.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from callserver.cli.invented_data import import_registers
from callserver.database import contacts, former_identifiers, household_keys, known_people, marks
from callserver.database.contacts import Contact
from callserver.database.store import AnyStore
from callserver.database.tables import contact_addresses
from callserver.database.tables import contacts as contacts_table
from callserver.domain import postal_addresses, reach, subject
from callserver.domain.facts import Scope
from callserver.domain.identity import Known, Match
from callserver.domain.marks import MarkKind
from callserver.domain.reach import Extent, Reach
from callserver.engine.gate import stored_facts
from callserver.engine.lists import importer
from callserver.engine.lists.import_order import ImportOrder
from callserver.engine.suppressions import opt_outs
from callserver.engine.suppressions.opt_outs import Origin
from callserver.ports import Tx
from tests.harness.overlapping_lists import (
    CAMPAIGNS,
    KANVAS,
    KINDS,
    NOW,
    RULES,
    SECRET,
    World,
    an_attempt,
    as_spelled,
    decided,
    reasons,
)


def wronged(
    store: AnyStore, dice: random.Random, kinds: Sequence[Any] = KINDS
) -> list[tuple[Contact, int]]:
    with store.engine.connect() as tx:
        try:
            world = World(tx, dice, kinds)
            world.live(8)
            return world.wronged()
        finally:
            tx.rollback()


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.randoms(use_true_random=False))
def test_nobody_is_called_about_whom_something_is_known(
    store: AnyStore, dice: random.Random
) -> None:
    assert wronged(store, dice) == []


Blind = Callable[[pytest.MonkeyPatch], None]


def without(places: tuple[str, ...], *, former: bool = False) -> Blind:
    """A gate that does not look there."""

    def blind(monkeypatch: pytest.MonkeyPatch) -> None:
        sort = known_people.sort_rows

        def sort_less(known: Known, rows: Any, persons: Any) -> None:
            sort(known, rows, persons)
            for place in places:
                getattr(known, place).update(dict.fromkeys(getattr(known, place), ()))
            if former:
                for now in (known.at_number, known.at_household, known.of_person):
                    now.update({k: [r for r in v if r.contact is not None] for k, v in now.items()})

        monkeypatch.setattr(known_people, "sort_rows", sort_less)

    return blind


def nearer(**extents: Any) -> Blind:
    """A table in which a fact reaches fewer."""

    def blind(monkeypatch: pytest.MonkeyPatch) -> None:
        for name, extent in extents.items():
            monkeypatch.setattr(stored_facts, name, extent)

    return blind


def all_at(table: Any, extent: Reach) -> Any:
    return {key: Extent(extent, "") for key in table}


def no_duplicates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(former_identifiers, "add", lambda *_: None)


def spelling_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postal_addresses, "household", lambda text: text)


def no_upgrade(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(household_keys, "upgrade", lambda _: None)


CONTROLS: dict[str, Blind] = {
    "spelling": spelling_counts,
    "upgrade": no_upgrade,
    "number": without(("at_number",)),
    "household": without(("at_household",)),
    "former": without((), former=True),
    "duplicates": no_duplicates,
    "unsure marks": nearer(MARKS=all_at(reach.MARKS, Reach.SAME)),
    "same marks": nearer(MARKS=all_at(reach.MARKS, Reach.KEY)),
    "opt-outs": nearer(SCOPES=all_at(reach.SCOPES, Reach.SAME)),
    "attempts": nearer(attempts_reach=lambda _: ((), ())),
}


def dices() -> Iterator[random.Random]:
    return map(random.Random, range(200))


@pytest.mark.parametrize("missing", CONTROLS)
def test_without_one_reach_somebody_would_be_called(
    missing: str, sqlite_store: AnyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each reach is needed: without it, the generator finds somebody who is wronged."""
    CONTROLS[missing](monkeypatch)
    kinds = ["attempt"] if missing == "attempts" else KINDS
    assert any(wronged(sqlite_store, dice, kinds) for dice in dices())


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[AnyStore]:
    from callserver.database.store import open_store

    opened = open_store(sqlite_url)
    yield opened
    opened.close()


HEAD = "medlemsnr;navn;telefon;adresse;postnr;kilde;hvem\n"


def listed(tx: Tx, row: str, campaign: str = "kanvas", *, is_old: bool = False) -> Contact:
    """Import a list of one row; its contact."""
    cells, who = row.rsplit(";", 1)
    raw = f"{HEAD}{cells};p{who}\n".encode()
    order = ImportOrder(CAMPAIGNS[campaign], raw, {})
    with as_spelled(is_old):
        staged = importer.stage(tx, order, NOW.date())
        importer.write(staged, NOW, by="test")
    key = tx.execute(select(contacts_table.c.id).order_by(contacts_table.c.id.desc())).scalars()
    return contacts.by_ids(tx, [known := next(iter(key))])[known]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Lynvej 1, 2. tv;4000", "LYNVEJ 1 2.sal t.v.;DK-4000"),
        ("Gl. Lynvej 12A, st. th;8000", "Gammel Lynvej 12 a, stuen til højre;8000"),
        ("Nørre Allé 7;8000", "Noerre Alle 7;8000"),
    ],
)
@pytest.mark.parametrize("is_old", [False, True], ids=["new", "upgraded"])
@pytest.mark.parametrize("is_known", [True, False], ids=["stored", "lost"])
def test_a_household_is_one_however_its_address_is_spelled(
    store: AnyStore, before: str, after: str, is_old: bool, is_known: bool
) -> None:
    """Somebody spoke for the household; another one who lives there comes with another spelling."""
    with store.engine.connect() as tx:
        anna = listed(tx, f"1;Anna Holm;32200001;{before};gade;1", is_old=is_old)
        opt_outs.add(tx, [Scope.HOUSEHOLD], None, [anna], SECRET, Origin(by="test", at=NOW))
        an_attempt(tx, anna, NOW - timedelta(minutes=1))
        if not is_known:
            tx.execute(contact_addresses.delete())
            tx.execute(update(contacts_table).values(fields={"hvem": "p1"}))
        if is_old:
            household_keys.upgrade(tx)
        import_registers(tx, RULES, NOW)
        if is_old and not is_known:  # the same spelling brings the key up to date
            viggo = listed(tx, f"2;Viggo Lind;32200002;{before};gade;2", "k2")
            assert {"SUP_HOUSEHOLD", "FREQ_GAP"} <= set(reasons(tx, viggo))
        bo = listed(tx, f"3;Bo Krogh;32200003;{after};gade;3", "k3")
        assert {"SUP_HOUSEHOLD", "FREQ_GAP"} <= set(reasons(tx, bo))
        tx.rollback()


def test_rooms_and_floors_are_households_of_their_own(store: AnyStore) -> None:
    with store.engine.connect() as tx:
        households = {
            listed(tx, f"{n};Anna Holm;3220000{n};{address};gade;{n}").household
            for n, address in enumerate(
                [
                    "Lynvej 1, 1. tv;4000",
                    "Lynvej 1, 1. th;4000",
                    "Lynvej 1, 2. tv;4000",
                    "Lynvej 1;8000",
                    "Lynvej 1, kollegiet, værelse 12;4000",
                    "Lynvej 1, kollegiet, værelse 13;4000",
                ]
            )
        }
        assert len(households) == 6
        tx.rollback()


def test_no_merge_brings_a_consent_that_ends_a_revocation(store: AnyStore) -> None:
    """Two people are taken for one, and the other one consents later: who took it back stays in peace."""
    rows = "ref;navn;telefon;kilde\nM1;Bo Lind;+4532200001;gade\nM2;Gudrun Holm;+4532200002;gade\n"
    with store.engine.begin() as tx:
        import_registers(tx, RULES, NOW)
        staged = importer.stage(tx, ImportOrder(KANVAS, rows.encode(), {}), NOW.date())
        importer.write(staged, NOW, by="test")
        ids = list(tx.execute(select(contacts_table.c.id).order_by(contacts_table.c.id)).scalars())
        by_id = contacts.by_ids(tx, ids)
        bo, gudrun = by_id[ids[0]], by_id[ids[1]]
        assert reasons(tx, bo) == []
        earlier = NOW - timedelta(hours=2)
        marks.mark(tx, subject.of_person(bo.person), MarkKind.CONSENT_REVOKED, earlier)
        one, other = sorted((bo.person, gudrun.person))
        decided(tx, one, other, Match.SAME)
        marks.mark(tx, subject.of_person(gudrun.person), MarkKind.CONSENT_GIVEN, NOW)
        assert reasons(tx, bo) == ["SUP_CONSENT_REVOKED"]
        marks.mark(tx, subject.of_person(bo.person), MarkKind.CONSENT_GIVEN, NOW)
        assert reasons(tx, bo) == []  # their own later word counts
