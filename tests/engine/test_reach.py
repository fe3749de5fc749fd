"""What is known about a person reaches every dial to them, whatever the lists make of their identity.

The generator knows who is who. It writes overlapping lists of invented people, with other references,
spellings, numbers and addresses, imports them in any order, and records facts at random contacts. Nobody
may be called about whom something protective is known, as far as the lists link the two contacts.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from callserver.adapters.config_folder import load
from callserver.cli.invented_data import import_registers
from callserver.database import contacts, former_identifiers, household_keys, known_people, marks
from callserver.database.contacts import Contact
from callserver.database.store import AnyStore
from callserver.database.tables import calls, contact_addresses, person_decisions
from callserver.database.tables import contacts as contacts_table
from callserver.domain import permit, postal_addresses, reach, subject
from callserver.domain.call import DialPath
from callserver.domain.facts import Scope
from callserver.domain.identity import Known, Match
from callserver.domain.marks import MarkKind
from callserver.domain.reach import Extent, Reach
from callserver.engine.context import Rules
from callserver.engine.gate import gate, stored_facts
from callserver.engine.gate.stored_facts import DialRequest
from callserver.engine.lists import eligibility, importer
from callserver.engine.lists.importer import ImportOrder
from callserver.engine.suppressions import opt_outs
from callserver.engine.suppressions.opt_outs import Origin
from callserver.ports import Tx

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)  # a Tuesday, 17:00 in Copenhagen
SECRET = b"a key of some length"
LOADED = load(Path(__file__).parents[2] / "config")
KANVAS = LOADED.campaigns["kanvas"]
CAMPAIGNS = {name: KANVAS.model_copy(update={"name": name}) for name in ("kanvas", "k2", "k3")}
RULES = Rules(replace(LOADED, campaigns={**LOADED.campaigns, **CAMPAIGNS}))
FIRST = ["Anna", "Bo", "Gudrun", "Kirsten", "Mads", "Sigrid", "Viggo"]
SYSTEMS = ["", "crm", "webshop"]
MARKED = [
    *(MarkKind.DECEASED, MarkKind.GUARDIAN, MarkKind.VULNERABLE, MarkKind.ERASED),
    *(MarkKind.REFUSED, MarkKind.CONSENT_REVOKED),
]
SAID = [Scope.PERSON, Scope.COMPLAINT, Scope.PURPOSE]
KINDS = [*MARKED, *SAID, "attempt", "consent"]


@dataclass
class Person:
    """Somebody as they are: the lists see parts of this."""

    key: int
    first: str
    last: str
    numbers: list[int]
    addresses: list[str]
    rows: list[tuple[Any, ...]] = field(default_factory=list)  # the identifiers of each listed row

    def names(self) -> list[str]:
        slip = self.first[:2] + self.first[3:] if len(self.first) > 3 else self.first
        return [
            *(f"{self.first} {self.last}", f"{self.first.upper()}  {self.last}"),
            *(f"{self.first[0]}. {self.last}", f"{slip} {self.last}", f"{self.last}, {self.first}"),
            f"{self.first} Vang {self.last}",
        ]

    def linked(self) -> dict[int, int]:
        """For each number, the group of the rows that identifiers of the person link."""
        group: dict[Any, int] = {}
        for row in self.rows:
            joined = {group[key] for key in row if key in group}
            name = min(joined, default=len(group))
            for linked in [*row, *(key for key, other in group.items() if other in joined)]:
                group[linked] = name
        return {key[1]: name for key, name in group.items() if key[0] == "number"}


class World:
    """People, their lists, and what was learned of whom."""

    def __init__(self, tx: Tx, dice: random.Random, kinds: Sequence[Any] = KINDS) -> None:
        self.tx, self.dice, self.kinds = tx, dice, kinds
        self.people: list[Person] = []
        self.protected: dict[int, set[int]] = defaultdict(set)  # person: numbers of the contacts
        self.consented: set[int] = set()
        self.is_old = False  # keys of households are those of the address as it is spelled
        free = iter(range(4532200001, 4532200999))
        for family in range(dice.randint(1, 3)):
            landline, homes = (
                next(free),
                [f"Lynvej {family + 1}, 1. tv", f"Lynvej {family + 1}, 2. th"],
            )
            for _ in range(dice.randint(1, 2)):
                key = len(self.people)
                last = ["Holm", "Lind", "Krogh"][family]
                numbers = [next(free), next(free), landline]
                self.people.append(Person(key, FIRST[key], last, numbers, homes))

    def live(self, events: int) -> None:
        self.is_old = bool(self.dice.randrange(2))
        self.a_list()
        for at in range(events):
            if self.is_old and at == events // 2:
                self.an_upgrade()
            event = self.dice.choice([self.a_list, self.a_list, self.a_fact, self.a_merge])
            event()

    def a_list(self) -> None:
        dice, system = self.dice, self.dice.choice(SYSTEMS)
        lines = ["medlemsnr;navn;telefon;adresse;kilde;hvem"]
        for _ in range(dice.randint(1, 5)):
            person = dice.choice(self.people)
            has_ref = bool(dice.randrange(3))
            number = dice.choice(person.numbers)
            address = dice.choice([*person.addresses, ""])
            spelled = spelling(dice, address)
            name = dice.choice([*person.names(), *([""] if has_ref else [])])
            ref = f"M{person.key}" if has_ref else dice.choice(["", "0", "ukendt"])
            lines.append(f'{ref};"{name}";+{number};{spelled};gade;p{person.key}')
            identifiers: list[tuple[Any, ...]] = [("number", number)]
            if has_ref:
                identifiers.append(("ref", system, person.key))
            if address:
                identifiers.append(("spelled", subject.fold(spelled)))
            if address and not self.is_old:
                identifiers.append(("address", address))
            person.rows.append(tuple(identifiers))
        raw = ("\n".join(lines) + "\n").encode()
        campaign = dice.choice(list(CAMPAIGNS.values()))
        order = ImportOrder(campaign, raw, {}, namespace=system)
        with as_spelled(self.is_old):
            staged = importer.stage(self.tx, order, NOW.date())
            importer.write(staged, NOW, by="test")
        assert not staged.summary.refused

    def an_upgrade(self) -> None:
        """The migration, with some addresses that are not stored any more."""
        for contact in self.contacts():
            if self.dice.randrange(2):
                here = contact_addresses.c.person == contact.person
                self.tx.execute(contact_addresses.delete().where(here))
                kept = {"hvem": (contact.fields or {})["hvem"]}
                mine = contacts_table.c.id == contact.id
                self.tx.execute(update(contacts_table).where(mine).values(fields=kept))
        household_keys.upgrade(self.tx)
        self.is_old = False

    def contacts(self) -> list[Contact]:
        ids = (
            self.tx.execute(select(contacts_table.c.id).order_by(contacts_table.c.id))
            .scalars()
            .all()
        )
        return [*contacts.by_ids(self.tx, ids).values()]

    def a_fact(self) -> None:
        contact = self.dice.choice(self.contacts())
        at = NOW - timedelta(minutes=self.dice.randrange(1, 600))
        kind = self.dice.choice(self.kinds)
        if kind == "consent":  # of somebody, later: it ends nothing that others have said
            if not self.protected[whose(contact)]:
                marks.mark(self.tx, subject.of_person(contact.person), MarkKind.CONSENT_GIVEN, NOW)
                self.consented.add(whose(contact))
            return
        if whose(contact) in self.consented:
            return
        if kind == "attempt":
            an_attempt(self.tx, contact, NOW - timedelta(minutes=1))
        elif isinstance(kind, Scope):
            opt_outs.add(self.tx, [kind], None, [contact], SECRET, Origin(by="test", at=at, case=1))
        else:
            marks.mark(self.tx, subject.of_person(contact.person), kind, at)
        self.protected[whose(contact)].add(contact.number)

    def a_merge(self) -> None:
        """Right or wrong: a merge makes nobody callable."""
        one, other = self.dice.choice(self.contacts()), self.dice.choice(self.contacts())
        if one.person != other.person:
            pair = sorted((one.person, other.person))
            decided(self.tx, pair[0], pair[1], Match.SAME)

    def wronged(self) -> list[tuple[Contact, int]]:
        """Contacts that the gate permits, though something protective is known about the person."""
        import_registers(self.tx, RULES, NOW)
        wrong = []
        for contact in self.contacts():
            person = self.people[whose(contact)]
            groups = person.linked()
            known = {groups[number] for number in self.protected[person.key]}
            if groups[contact.number] in known and not reasons(self.tx, contact):
                wrong.append((contact, person.key))
        return wrong


def spelling(dice: random.Random, address: str) -> str:
    return dice.choice(
        [
            address,
            address.upper(),
            address.replace(",", "").replace(". ", "."),
            address.replace(". tv", ". sal, t.v.").replace(". th", ". sal, t.h."),
        ]
    )


@contextmanager
def as_spelled(is_old: bool) -> Iterator[None]:
    """Lists are imported as they were before addresses were normalised."""
    with pytest.MonkeyPatch.context() as patch:
        if is_old:
            patch.setattr(postal_addresses, "household", lambda text: text)
        yield


def whose(contact: Contact) -> int:
    assert contact.fields is not None
    return int(contact.fields["hvem"].removeprefix("p"))


def decided(tx: Tx, person: int, other: int, verdict: Match) -> None:
    values = {"person": person, "other": other, "verdict": verdict.value, "at": NOW}
    tx.execute(insert(person_decisions).values(**values, by="user:1", why="test"))


def an_attempt(tx: Tx, contact: Contact, at: datetime, **more: Any) -> None:
    values = {
        "attempt": f"a{len(tx.execute(select(calls.c.attempt)).all())}",
        "contact": contact.id,
        "campaign": contact.campaign,
        "path": "list",
        "number": contact.number,
        "person": contact.person,
        "household": contact.household,
        "seat": 1,
        "phoner": 1,
        "caller_id": KANVAS.caller_id,
        "room": "r",
        "revision": "r",
        "permit_at": at,
        "state": "ended",
        "ended_at": at,
        "cause": "no_answer",
        **more,
    }
    tx.execute(insert(calls).values(values))


def reasons(tx: Tx, contact: Contact) -> list[str]:
    """Why the gate refuses the contact; the same answer as about the whole list."""
    campaign = RULES.campaign(contact.campaign)
    request = DialRequest(contact, campaign, DialPath.EXPLAIN, None, NOW)
    answer = permit.decide(gate.collect(tx, RULES, SECRET, request), "a")
    (facts,) = eligibility.facts_of(tx, RULES, SECRET, campaign, [contact], NOW)
    again = permit.decide(facts, "a")
    said = [reason.value for reason in getattr(answer, "reasons", ())]
    assert said == [reason.value for reason in getattr(again, "reasons", ())]
    return said


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
