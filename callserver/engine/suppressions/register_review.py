"""People of whom it is unsure whether they are on a register: a colleague sees both records and decides.

A decision is about the entries that were shown, and holds for the next issues: a yes as long as one of the
entries is in the register, a no as long as the person's name and address are the same. An entry that is
new or has changed is shown again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from callserver.database import (
    audit,
    contacts,
    look_ups,
    register_people,
    register_records,
    reopened_contacts,
    suppressions,
)
from callserver.database.register_people import ListedPerson
from callserver.domain import register_match
from callserver.domain.audit import EntryKind
from callserver.domain.configuration import Configuration
from callserver.domain.reason import Reason
from callserver.domain.register_match import NOTHING, Candidate, Match
from callserver.engine.gate import forbidden_calls
from callserver.engine.identity import people_in_reach
from callserver.engine.suppressions.register_matching import CHUNK, Comparison, people
from callserver.errors import Impossible, NotFound
from callserver.ports import Tx

MOST_SHOWN = 50
"""Persons shown at once; those decided make room for the next."""

MOST_CHUNKS = 40
"""Bounds the search for persons who can be decided."""


@dataclass(frozen=True, slots=True)
class UnsurePerson:
    """A person and the entries that may be them."""

    register: str
    rows: list[ListedPerson]
    candidates: list[Candidate]
    state: str  # of what is shown: a decision names it


@dataclass(frozen=True, slots=True)
class Review:
    """The persons to decide about."""

    people: list[UnsurePerson]
    unsure: int  # on all lists, the people shown included
    incomparable: int  # of those looked at: no whole name, or an initial and no address


def to_decide(
    tx: Tx, rules: Configuration, sees: Callable[[str], bool], most: int = MOST_SHOWN
) -> Review:
    """The first persons who can be decided, on campaigns that the user sees (by department)."""
    shown: list[UnsurePerson] = []
    unsure = incomparable = 0
    for version, name in register_records.in_force(tx).items():
        unsure += register_people.tally(tx, version).get(Match.UNSURE, 0)
        for persons in _chunks(tx, version):
            rows = register_people.rows_of(tx, persons)
            concerned = {
                person: own
                for person, own in rows.items()
                if any(_is_refused(rules, row, sees) for row in own)
            }
            comparable = {
                person: own
                for person, own in concerned.items()
                if any(register_match.is_comparable(row.person) for row in own)
            }
            incomparable += len(concerned) - len(comparable)
            comparison = Comparison(tx, version, people(comparable))
            shown += [
                _unsure(comparison, name, person, own)
                for person, own in comparable.items()
                if comparison.result(person) is Match.UNSURE
            ]
            if len(shown) >= most:
                break
    return Review(shown[:most], unsure, incomparable)


def _chunks(tx: Tx, version: int) -> Iterator[list[int]]:
    after = -1
    for _ in range(MOST_CHUNKS):
        persons = register_people.unsure(tx, version, after, CHUNK)
        if not persons:
            return
        yield persons
        after = persons[-1]


def _is_refused(rules: Configuration, row: ListedPerson, sees: Callable[[str], bool]) -> bool:
    """Whether the register matters for the contact, and the user may see it."""
    campaign = rules.campaigns.get(row.campaign)
    if campaign is None or not sees(campaign.department):
        return False
    rule = rules.policies[campaign.policy].register_rule
    return rule.respected and not (rule.except_members and row.member)


def _unsure(
    comparison: Comparison, register: str, person: int, rows: list[ListedPerson]
) -> UnsurePerson:
    candidates = comparison.candidates(person)
    return UnsurePerson(register, rows, candidates, _state(comparison, person, candidates))


def _state(comparison: Comparison, person: int, candidates: list[Candidate]) -> str:
    entries = sorted(_fingerprints(candidates))
    return f"{register_match.fingerprint(f'{comparison.details(person)} {entries}'):x}"


def _fingerprints(candidates: list[Candidate]) -> list[int]:
    return [
        register_match.fingerprint(candidate.entry.record.text) for candidate in candidates
    ] or [NOTHING]


def record_look_up(tx: Tx, review: Review, by: str, now: datetime) -> None:
    """Log who was shown which people: those people may ask."""
    ids = sorted({row.contact for person in review.people for row in person.rows})
    look_ups.record(tx, now, by, ids, what="registers")


def of_contact(
    tx: Tx, contact: int, rules: Configuration, sees: Callable[[str], bool]
) -> list[UnsurePerson]:
    """The contact's person beside each register in force; empty: nothing is unsure about them.

    Raises:
        NotFound: there is no such contact on a campaign that the user sees.
    """
    known = contacts.by_ids(tx, [contact]).get(contact)
    campaign = None if known is None else rules.campaigns.get(known.campaign)
    if known is None or campaign is None or not sees(campaign.department):
        raise NotFound(f"there is no contact {contact}", key="not_found")
    rows = register_people.rows_of(tx, [known.person])
    unsure = []
    for version, name in register_records.in_force(tx).items():
        comparison = Comparison(tx, version, people(rows))
        if comparison.is_open(known.person):
            unsure.append(_unsure(comparison, name, known.person, rows[known.person]))
    return unsure


def decide(
    tx: Tx,
    contact: int,
    rules: Configuration,
    sees: Callable[[str], bool],
    now: datetime,
    *,
    by: str,
    is_listed: bool,
    state: str | None = None,
) -> None:
    """Decide whether the contact's person is among the entries; in force at the next dial.

    A telephone that rings for a person who is on the register is silenced.

    `state`: what the user was shown; None: whatever there is.

    Raises:
        NotFound: there is no such contact on a campaign that the user sees.
        Impossible: nothing is unsure about the person, or something has changed since it was shown.
    """
    suppressions.before_suppressing(tx)
    register_people.lock_comparing(tx)
    unsure = of_contact(tx, contact, rules, sees)
    if state is not None:
        unsure = [pair for pair in unsure if pair.state == state]
    if not unsure:
        raise Impossible(
            "nothing is unsure about this person, or it has changed: look again",
            key="register_not_unsure",
        )
    person = contacts.by_ids(tx, [contact])[contact].person
    details = register_match.details(row.person for row in unsure[0].rows)
    for pair in unsure:
        entries = _fingerprints(pair.candidates)
        register_people.decide(tx, person, entries, details, now, by, same=is_listed)
        audit.append(
            tx,
            now,
            EntryKind.REGISTER_DECIDED,
            contact=contact,
            register=pair.register,
            listed=is_listed,
            entries=len(entries),
            by=by,
        )
    register_people.forget_results(tx, [person])
    rows = register_people.rows_of(tx, [person])
    for version in register_records.in_force(tx):
        result = Comparison(tx, version, people(rows)).result(person)
        register_people.keep(tx, version, {person: result})
    forbidden_calls.silence(tx, rules, now)
    in_reach = sorted(people_in_reach.of_persons(tx, [person]))
    everywhere = register_people.rows_of(tx, in_reach).values()
    ids = [row.contact for own in everywhere for row in own]
    reopened_contacts.reopen(tx, ids, (Reason.SUP_EXTERNAL_UNSURE,))
