"""The answer about a whole list is the gate's own answer, contact by contact."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from callserver.adapters.config_folder import load
from callserver.cli.invented_data import import_registers
from callserver.database import (
    bulk_facts,
    campaign_states,
    contacts,
    marks,
    refused_numbers,
    register_people,
    suppressions,
)
from callserver.database.store import AnyStore
from callserver.database.tables import calls, register_entries, registers
from callserver.database.tables import contacts as contacts_table
from callserver.domain import permit, subject
from callserver.domain.call import DialPath
from callserver.domain.facts import Purpose, Scope
from callserver.domain.identity import NOBODY_ELSE
from callserver.domain.marks import MarkKind
from callserver.domain.register_match import Match
from callserver.engine.context import Rules
from callserver.engine.gate import gate, stored_facts
from callserver.engine.gate.stored_facts import DialRequest
from callserver.engine.lists import eligibility
from callserver.engine.lists.importer import import_list
from callserver.ports import Tx

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)  # a Tuesday, 17:00 in Copenhagen
RULES = Rules(load(Path(__file__).parents[2] / "config"))
KANVAS = RULES.campaign("kanvas")
SECRET = b"a key"
KINDS = [
    MarkKind.DECEASED,
    MarkKind.VULNERABLE,
    MarkKind.REFUSED,
    MarkKind.CONSENT_GIVEN,
    MarkKind.CONSENT_REVOKED,
    MarkKind.BAD_NUMBER,
]


def a_list(tx: Tx, people: int) -> None:
    rows = [f"R{n};{32200000 + n // 2};P {n};Vej {n // 3}\n" for n in range(people)]
    import_list(tx, KANVAS, ("ref;telefon;navn;adresse\n" + "".join(rows)).encode(), NOW)


def a_call(tx: Tx, contact: contacts.Contact, number: int, at: datetime, *, is_open: bool) -> None:
    values = {
        "attempt": f"a{number}",
        "contact": contact.id,
        "campaign": "kanvas",
        "path": "list",
        "number": contact.number,
        "person": contact.person,
        "household": contact.household,
        "seat": number,
        "phoner": 1,
        "caller_id": KANVAS.caller_id,
        "room": "r",
        "revision": "r",
        "permit_at": at,
        "state": "placing",
        "ended_at": None if is_open else at,
        "cause": None if is_open else ("declined", "no_answer")[number % 2],
    }
    tx.execute(insert(calls).values(values))


def everyone(tx: Tx) -> list[contacts.Contact]:
    return [contact for chunk in bulk_facts.ready(tx, "kanvas") for contact in chunk]


def a_mark(tx: Tx, dice: random.Random, about: str, at: datetime) -> None:
    kind = dice.choice(KINDS)
    marks.mark(tx, about, kind, at + timedelta(minutes=dice.randrange(9)))
    if dice.random() < 0.3:
        marks.end(tx, [about], kind, at + timedelta(hours=1), "test")


def what_is_known(tx: Tx, dice: random.Random) -> None:
    """Opt-outs, marks, calls and a register over a list, by seeded dice."""
    people = everyone(tx)
    busy: set[int] = set()
    for number, contact in enumerate(people):
        about = dice.choice(stored_facts.subjects_of(contact, SECRET, NOBODY_ELSE))
        at = NOW - timedelta(hours=dice.randrange(1, 2000))
        if dice.random() < 0.2:
            purpose = dice.choice([None, Purpose.GIFT, Purpose.RECRUIT])
            scope = dice.choice(list(Scope))
            about_no = subject.of_hash(contact.number, SECRET) if scope is Scope.HASH else about
            key = suppressions.add(tx, about_no, scope, at, "test", purpose=purpose)
            if dice.random() < 0.3:
                suppressions.lift(tx, key, at + timedelta(minutes=1))
        while dice.random() < 0.4:
            a_mark(tx, dice, about, at)
        if dice.random() < 0.1:
            refused_numbers.add(tx, contact.number, contact.id, "kanvas", 21215, at)
        if dice.random() < 0.4:
            free = contact.number not in busy and contact.household not in busy
            a_call(tx, contact, number, at, is_open=free and dice.random() < 0.3)
            busy |= {contact.number, contact.household}
    for version, active in ((1, False), (2, True)):
        values = {"version": version, "name": "robinson", "washed_at": NOW, "active": active}
        tx.execute(insert(registers).values(values))
        numbers = {person.number for person in people if dice.random() < 0.2}
        entries = [{"number": number, "version": version} for number in numbers]
        tx.execute(insert(register_entries), entries)
    for version, active in ((3, False), (4, True)):  # somebody has no result: unsure
        values = {"version": version, "name": "names", "washed_at": NOW, "active": active}
        tx.execute(insert(registers).values(**values, kind="people"))
        results = dict.fromkeys(
            (person.person for person in people if dice.random() < 0.9), Match.NO
        )
        for person in results:
            results[person] = dice.choice([Match.NO, Match.NO, Match.NO, Match.UNSURE, Match.YES])
        register_people.keep(tx, version, results)


@pytest.mark.parametrize("seed", range(3))
def test_the_facts_are_those_that_a_dial_would_read(store: AnyStore, seed: int) -> None:
    with store.engine.begin() as tx:
        a_list(tx, 120)
        what_is_known(tx, random.Random(seed))
        people = everyone(tx)
        assert len(people) == 120
        facts_read = list(eligibility.facts_of(tx, RULES, SECRET, KANVAS, people, NOW))
        reasons = Counter[str]()
        for person, facts in zip(people, facts_read, strict=True):
            asked = gate.collect(
                tx, RULES, SECRET, DialRequest(person, KANVAS, DialPath.EXPLAIN, None, NOW)
            )
            assert set(facts.suppressions) == set(asked.suppressions)
            assert facts.consents == asked.consents
            assert facts.attempts == asked.attempts
            answer = permit.decide(facts, "a")
            again = permit.decide(asked, "a")
            assert getattr(answer, "reasons", ()) == getattr(again, "reasons", ())
            reasons[getattr(answer, "reasons", ("",))[0]] += 1
            for name in (
                *("person", "relation", "register", "active_call", "refused_at", "campaign"),
                "number_refused",
            ):
                assert getattr(facts, name) == getattr(asked, name)
        assert eligibility.tally(tx, RULES, SECRET, KANVAS, NOW) == reasons
        assert len(reasons) > 4


def test_only_those_who_are_ready_are_counted(
    store: AnyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_facts, "CHUNK", 3)
    with store.engine.begin() as tx:
        a_list(tx, 10)
        import_registers(tx, RULES, NOW)
        done = select(contacts_table.c.id).order_by(contacts_table.c.id).limit(4)
        tx.execute(
            update(contacts_table)
            .where(contacts_table.c.id.in_(list(tx.execute(done).scalars())))
            .values(status="done")
        )
        heard: list[int] = []
        tallied = eligibility.tally(tx, RULES, SECRET, KANVAS, NOW, heard.append)
        assert tallied == {eligibility.ALLOWED: 6}
        assert heard[-1] == 6


def test_a_paused_campaign_answers_for_everybody(store: AnyStore) -> None:
    with store.engine.begin() as tx:
        a_list(tx, 3)
        import_registers(tx, RULES, NOW)
        campaign_states.put(tx, "kanvas", True, "test", NOW)
        tallied = eligibility.tally(tx, RULES, SECRET, KANVAS, NOW)
    assert tallied == {"CAMP_PAUSED": 3}


def test_without_the_register_nobody_may_be_called(store: AnyStore) -> None:
    with store.engine.begin() as tx:
        a_list(tx, 3)
        assert eligibility.tally(tx, RULES, SECRET, KANVAS, NOW) == {"SYS_EXTLIST_STALE": 3}
        other = {"name": "another", "washed_at": NOW, "active": True}
        tx.execute(insert(registers).values(other))  # not the one that the policy goes by
        assert eligibility.tally(tx, RULES, SECRET, KANVAS, NOW) == {"SYS_EXTLIST_STALE": 3}
        import_registers(tx, RULES, NOW)
        assert eligibility.tally(tx, RULES, SECRET, KANVAS, NOW) == {eligibility.ALLOWED: 3}
