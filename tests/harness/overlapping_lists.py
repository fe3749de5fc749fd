"""Invented people, their overlapping lists, and what was learned of whom; what the gate says of each."""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from callserver.adapters.config_folder import load
from callserver.cli.invented_data import import_registers
from callserver.database import contacts, household_keys, marks
from callserver.database.contacts import Contact
from callserver.database.tables import calls, contact_addresses, person_decisions
from callserver.database.tables import contacts as contacts_table
from callserver.domain import permit, postal_addresses, subject
from callserver.domain.call import DialPath
from callserver.domain.facts import Scope
from callserver.domain.identity import Match
from callserver.domain.marks import MarkKind
from callserver.engine.context import Rules
from callserver.engine.gate import gate
from callserver.engine.gate.stored_facts import DialRequest
from callserver.engine.lists import eligibility, importer
from callserver.engine.lists.import_order import ImportOrder
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
ASLEEP = {"zone": "Asia/Tokyo", "place": "DK Asia/Tokyo"}
KINDS = [*MARKED, *SAID, "attempt", "consent", "zone"]


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
        elif kind == "zone":
            here = contacts_table.c.id == contact.id
            self.tx.execute(update(contacts_table).where(here).values(**ASLEEP))
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
