"""Consents that a list names by the day on which they were given.

They are recorded after the list, a part at a time: a server that dials never waits long. Until then the gate
refuses for want of a consent, and the consent opens the contact again. The same list records what is missing.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import NamedTuple

from callserver.database import bulk_facts, person_search, reopened_contacts
from callserver.database.contacts import Contact
from callserver.database.engines import Engine
from callserver.database.side_connection import one_part
from callserver.domain import subject
from callserver.domain.facts import Suppression
from callserver.domain.identity import InReach
from callserver.domain.marks import MarkKind
from callserver.engine.identity import people_in_reach
from callserver.engine.suppressions import person_facts
from callserver.engine.suppressions.opt_outs import Origin
from callserver.ports import Tx

PART = 500
"""Consents of one transaction: a tenth of a second."""


class ListedConsent(NamedTuple):
    person: int
    day: date
    proof: str  # where it is kept, or the text that was agreed to; may be empty


def record_in_parts(
    engine: Engine,
    listed: Sequence[ListedConsent],
    origin: Origin,
    progress: Callable[[int], None],
) -> int:
    """Record them, each part in a transaction of its own. Returns how many were new.

    `progress` is called with the number done.
    """
    recorded = 0
    for place, part in enumerate(_parts(listed)):
        progress(place * PART)
        with one_part(engine) as tx:
            recorded += _record(tx, part, origin)
    return recorded


def record(tx: Tx, listed: Sequence[ListedConsent], origin: Origin) -> int:
    """Record them within the open transaction. Returns how many were new."""
    return sum(_record(tx, part, origin) for part in _parts(listed))


def _parts(listed: Sequence[ListedConsent]) -> Iterator[Sequence[ListedConsent]]:
    return (listed[first : first + PART] for first in range(0, len(listed), PART))


def _record(tx: Tx, listed: Sequence[ListedConsent], origin: Origin) -> int:
    """Record those that are neither known nor would end an opt-out.

    The start of the day counts, so that an opt-out of the same day is newer.
    """
    rows = person_search.of_persons(tx, {consent.person for consent in listed})
    known: dict[int, list[Contact]] = defaultdict(list)
    for row in rows:
        known[row.person].append(row)
    reach = people_in_reach.of_many(tx, rows)
    subjects = {person: _subjects(of_person, reach) for person, of_person in known.items()}
    every = sorted(set().union(*subjects.values()))
    opt_outs, marks = bulk_facts.suppressions_of(tx, every), bulk_facts.marks_of(tx, every)
    given = {
        (about, mark.at)
        for about, of_subject in marks.items()
        for _, mark in of_subject
        if mark.kind is MarkKind.CONSENT_GIVEN
    }
    opened: list[int] = []
    recorded = 0
    for consent in listed:
        about, at = subject.of_person(consent.person), datetime.combine(consent.day, time(), UTC)
        if consent.person not in known or at > origin.at or (about, at) in given:
            continue
        against: list[Suppression] = [
            found for key in subjects[consent.person] for found in opt_outs.get(key, ())
        ]
        if person_facts.would_end_one(against, at):
            continue
        of_person = known[consent.person]
        person_facts.write_consent(
            tx, of_person, origin.by, origin.at, at=at, proof=consent.proof or None
        )
        given.add((about, at))
        opened += [row.id for row in of_person]
        recorded += 1
    reopened_contacts.reopen(tx, opened, person_facts.REOPENED_BY_CONSENT)
    return recorded


def _subjects(of_person: Sequence[Contact], reach: Mapping[int, InReach]) -> set[str]:
    """Whose opt-outs a consent of this person could end."""
    persons = {row.person for row in of_person}.union(*(reach[row.id].keys for row in of_person))
    numbers = {row.number for row in of_person}
    return {*map(subject.of_person, persons), *map(subject.of_number, numbers)}
