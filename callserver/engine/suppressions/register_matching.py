"""Everybody on our lists, compared with the registers of names and addresses: one stored result per person.

A dial reads the result and compares nothing. A person without a result counts as unsure. The results of an issue
are computed before it is put into force; those of a new list, or of a new name or address, right after the
import. The comparison reads on a side connection and writes in short transactions, so a dialing server does
not wait.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from callserver.database import (
    register_people,
    register_records,
    reopened_contacts,
    suppressions,
)
from callserver.database.engines import Engine, reading
from callserver.database.register_people import Decision, ListedPerson
from callserver.database.side_connection import one_part, side_engine
from callserver.domain import register_match, robinson
from callserver.domain.configuration import Configuration
from callserver.domain.reason import Reason
from callserver.domain.register_match import NOTHING, Candidate, Entry, Match, Person
from callserver.domain.robinson import Record
from callserver.engine.context import EngineContext
from callserver.engine.gate import forbidden_calls
from callserver.ports import Tx

CHUNK = 500
"""Persons who are compared at once, and written in one transaction."""


@lru_cache(maxsize=4096)
def entry_of(text: str) -> Entry:
    """A stored record, prepared for comparison."""
    record = robinson.parse(text)
    if not isinstance(record, Record):
        raise TypeError("the stored text is not a record")
    return register_match.entry(record)


class Comparison:
    """Compares several persons with one issue: their rows, their possible entries, earlier decisions."""

    def __init__(
        self,
        tx: Tx,
        version: int,
        rows: Mapping[int, Sequence[Person]],
    ) -> None:
        self.rows = {person: list(dict.fromkeys(own)) for person, own in rows.items()}
        keys = {
            person: set().union(*map(register_match.keys_of_person, own))
            for person, own in self.rows.items()
        }
        self._texts = register_records.records(tx, version, keys)
        self._decisions = register_people.decisions(tx, list(rows))

    def candidates(self, person: int) -> list[Candidate]:
        """The entries that the person is or may be."""
        entries = map(entry_of, self._texts.get(person, ()))
        return list(register_match.candidates(entries, self.rows[person]))

    def details(self, person: int) -> int:
        return register_match.details(self.rows[person])

    def is_comparable(self, person: int) -> bool:
        return any(map(register_match.is_comparable, self.rows[person]))

    def is_open(self, person: int) -> bool:
        """Whether a user may decide about the person: no entry certainly matches, and one may."""
        candidates = self.candidates(person)
        if not candidates:
            return not self.is_comparable(person)
        return all(candidate.match is Match.UNSURE for candidate in candidates)

    def result(self, person: int) -> Match:
        decided = self._decisions.get(person, ())
        candidates = self.candidates(person)
        results = [self._decided(candidate, person, decided) for candidate in candidates]
        if not candidates and not self.is_comparable(person):
            results.append(self._undecided(NOTHING, person, decided) or Match.NO)
        return max(results, default=Match.NO)

    def _decided(self, candidate: Candidate, person: int, decided: Iterable[Decision]) -> Match:
        if candidate.match is Match.YES:
            return Match.YES
        entry = register_match.fingerprint(candidate.entry.record.text)
        return self._undecided(entry, person, decided)

    def _undecided(self, entry: int, person: int, decided: Iterable[Decision]) -> Match:
        """The decision about the entry. A no holds only while the person's details are the same."""
        for decision in decided:
            if decision.entry == entry and decision.same:
                return Match.YES
            if decision.entry == entry and decision.details == self.details(person):
                return Match.NO
        return Match.UNSURE


def people(rows: Mapping[int, Sequence[ListedPerson]]) -> dict[int, list[Person]]:
    return {person: [row.person for row in own] for person, own in rows.items()}


def results_of(tx: Tx, version: int, persons: Sequence[int]) -> dict[int, Match]:
    """Each person's result, from what is stored about them."""
    comparison = Comparison(tx, version, people(register_people.rows_of(tx, persons)))
    return {person: comparison.result(person) for person in persons}


def results_as_if(tx: Tx, campaign: str, listed: Mapping[int, Person]) -> dict[int, Match]:
    """The strictest results of persons if a campaign's list brought them so; empty without a register."""
    results: dict[int, Match] = {}
    rows = people(
        {
            person: [row for row in own if row.campaign != campaign]
            for person, own in register_people.rows_of(tx, list(listed)).items()
        }
    )
    as_if = {person: [*rows[person], own] for person, own in listed.items()}
    for version in register_records.in_force(tx):
        comparison = Comparison(tx, version, as_if)
        for person in listed:
            results[person] = max(comparison.result(person), results.get(person, Match.NO))
    return results


def match_everybody(
    engine: Engine, version: int, progress: Callable[[int], None] = lambda _: None
) -> None:
    """Compare the people who were not compared with the issue yet.

    `progress` is called with the number compared so far.
    """
    after, done = -1, 0
    while True:
        with reading(engine) as connection, connection.begin():
            last_import = register_people.last_import(connection)
            persons = register_people.unmatched(connection, version, after, CHUNK)
            results = results_of(connection, version, persons)
        if not persons:
            return
        with engine.begin() as tx:
            register_people.lock_comparing(tx)
            is_current = register_people.last_import(tx) == last_import
            if is_current:
                register_people.keep(tx, version, results)
        if is_current:  # else a list came in meanwhile: the same persons once more
            after = persons[-1]
            done += len(persons)
            progress(done)


def match_new(
    engine: Engine,
    rules: Configuration,
    now: datetime,
    progress: Callable[[int], None] = lambda _: None,
) -> None:
    """After an import of a list: compare the people who are new or have changed.

    Telephones that ring for people whom a register forbids to call are silenced.
    """
    with reading(engine) as connection, connection.begin():
        versions = register_records.in_force(connection)
    for version in versions:
        match_everybody(engine, version, progress)
    if versions:
        with engine.begin() as tx:
            suppressions.before_suppressing(tx)
            forbidden_calls.silence(tx, rules, now)
        reopen_in_parts(engine)


class CatchUp:
    """Hourly: compares the people whom an import that died left uncompared."""

    def __init__(self, ctx: EngineContext, database: str) -> None:
        self._ctx = ctx
        self._database = database

    async def run(self, now: datetime) -> None:
        """Start the comparison if anybody waits for it; it is long after a long list."""
        if await self._ctx.store.read(_is_behind):
            self._ctx.background.start(asyncio.to_thread(self._match, now))

    def _match(self, now: datetime) -> None:
        with side_engine(self._database, self._ctx.secret) as engine:
            match_new(engine, self._ctx.rules.current, now)


def _is_behind(tx: Tx) -> bool:
    return any(
        register_people.unmatched(tx, version, -1, 1) for version in register_records.in_force(tx)
    )


def match_within(tx: Tx) -> None:
    """`match_new` in one transaction, for a few people."""
    versions = register_records.in_force(tx)
    for version in versions:
        while persons := register_people.unmatched(tx, version, -1, CHUNK):
            register_people.keep(tx, version, results_of(tx, version, persons))
    if versions:
        reopen(tx)


def imported(
    tx: Tx, campaign: str, number: int, changed: Collection[int], *, has_addresses: bool
) -> None:
    """Store the addresses of a staged list that has been written.

    `changed`: contacts that have another name. `has_addresses`: the list has a column of an address.
    """
    register_people.lock_comparing(tx)
    register_people.take_addresses(tx, campaign, number, has_addresses=has_addresses)
    register_people.forget_results(tx, register_people.persons_of(tx, changed))


def reopen(tx: Tx) -> None:
    """Contacts that were closed as unsure, and are not unsure now, are dialed again."""
    freed = register_people.no_longer_unsure(tx)
    reopened_contacts.reopen(tx, freed, (Reason.SUP_EXTERNAL_UNSURE,))


def reopen_in_parts(engine: Engine) -> None:
    """The same in short transactions: a new issue may free a whole list."""
    with reading(engine) as connection:
        freed = register_people.no_longer_unsure(connection)
    for at in range(0, len(freed), CHUNK):
        with one_part(engine) as tx:
            reopened_contacts.reopen(tx, freed[at : at + CHUNK], (Reason.SUP_EXTERNAL_UNSURE,))
