"""Facts about many contacts at once: a few queries per thousand contacts, instead of several per contact.

Only for answers about a whole list. A dial reads its own facts (engine/gate/gate.py), in its own
transaction; a test compares the two.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, func, literal_column, or_, select

from callserver.database import marks, suppressions
from callserver.database.calls import in_hand, rang_or_may_have
from callserver.database.contacts import COLUMNS, Contact
from callserver.database.marks import Mark
from callserver.database.tables import (
    calls,
    contacts,
    refused_numbers,
    register_entries,
    register_matches,
    registers,
)
from callserver.domain.contact_status import ContactStatus
from callserver.domain.facts import Suppression
from callserver.domain.register_match import Match
from callserver.ports import Tx

CHUNK = 1_000

_ready = (
    select(*COLUMNS)
    .where(
        contacts.c.campaign == bindparam("campaign"),
        contacts.c.status == ContactStatus.READY,
        contacts.c.id > bindparam("after"),
    )
    .order_by(contacts.c.id)
    .limit(CHUNK)
)
_listed = (
    select(register_entries.c.number)
    .join(registers, registers.c.version == register_entries.c.version)
    .where(registers.c.active, register_entries.c.number.in_(bindparam("numbers", expanding=True)))
)
_attempts = (
    select(
        calls.c.attempt,
        calls.c.number,
        calls.c.household,
        contacts.c.person,
        calls.c.permit_at,
        in_hand,
    )
    .outerjoin(contacts, contacts.c.id == calls.c.contact)
    .where(
        or_(
            calls.c.number.in_(bindparam("numbers", expanding=True)),
            calls.c.household.in_(bindparam("households", expanding=True)),
            calls.c.contact.in_(
                select(contacts.c.id).where(
                    contacts.c.person.in_(bindparam("persons", expanding=True))
                )
            ),
        ),
        calls.c.permit_at >= bindparam("since"),
        rang_or_may_have,
    )
)


class AttemptFacts(NamedTuple):
    attempt: str
    at: datetime
    in_hand: bool


def ready(tx: Tx, campaign: str) -> Iterator[list[Contact]]:
    """The campaign's ready contacts, a thousand at a time."""
    after = 0
    while rows := [
        Contact._make(row) for row in tx.execute(_ready, {"campaign": campaign, "after": after})
    ]:
        yield rows
        after = rows[-1].id


def count_ready(tx: Tx, campaign: str) -> int:
    """How many contacts of the campaign are ready."""
    query = select(func.count()).where(
        contacts.c.campaign == campaign, contacts.c.status == literal_column("'ready'")
    )
    return int(tx.execute(query).scalar_one())


def suppressions_of(tx: Tx, subjects: Sequence[str]) -> dict[str, list[Suppression]]:
    """Every suppression, including lifted ones, by subject."""
    by_subject: dict[str, list[Suppression]] = defaultdict(list)
    for about, suppression in suppressions.about(tx, subjects):
        by_subject[about].append(suppression)
    return by_subject


def marks_of(tx: Tx, subjects: Sequence[str]) -> dict[str, list[tuple[int, Mark]]]:
    """Every mark in force by subject, each with its number in the order of writing."""
    by_subject: dict[str, list[tuple[int, Mark]]] = defaultdict(list)
    for key, mark in marks.numbered(tx, subjects):
        by_subject[mark.subject].append((key, mark))
    return by_subject


def listed(tx: Tx, numbers: Sequence[int]) -> set[int]:
    """Those of the numbers that are in a register in force."""
    return set(tx.execute(_listed, {"numbers": list(numbers)}).scalars())


def register_results(tx: Tx, persons: Sequence[int]) -> dict[int, Match]:
    """Each person's strictest result beside the registers of names and addresses in force.

    A person who was not compared counts as unsure. Empty if there is no such register.
    """
    results: dict[int, Match] = {}
    for known in _results_by_register(tx, persons):
        for person in persons:
            result = known.get(person, Match.UNSURE)
            results[person] = max(result, results.get(person, result))
    return results


def known_results(tx: Tx, persons: Collection[int]) -> dict[int, Match]:
    """The same of others in reach: a former key that was never compared says nothing."""
    results: dict[int, Match] = {}
    for known in _results_by_register(tx, persons) if persons else ():
        for person, result in known.items():
            results[person] = max(result, results.get(person, result))
    return results


def _results_by_register(tx: Tx, persons: Collection[int]) -> Iterator[dict[int, Match]]:
    active = select(registers.c.version).where(registers.c.active, registers.c.kind == "people")
    for version in tx.execute(active).scalars().all():
        query = select(register_matches.c.person, register_matches.c.result).where(
            register_matches.c.version == version, register_matches.c.person.in_(list(persons))
        )
        yield {person: Match(result) for person, result in tx.execute(query)}


def refused(tx: Tx, numbers: Sequence[int]) -> set[int]:
    """Those of the numbers that the carrier refused and nobody has released."""
    query = select(refused_numbers.c.number).where(
        refused_numbers.c.number.in_(list(numbers)), refused_numbers.c.released_at.is_(None)
    )
    return set(tx.execute(query).scalars())


def attempts_of(
    tx: Tx, among: Collection[tuple[str, int]], since: datetime
) -> dict[tuple[str, int], set[AttemptFacts]]:
    """Attempts since an instant, by ("number" | "household" | "person", key); for these keys."""
    by_key: dict[tuple[str, int], set[AttemptFacts]] = defaultdict(set)
    asked = {
        f"{kind}s": [key for other, key in among if other == kind]
        for kind in ("number", "household", "person")
    }
    for attempt, number, household, person, at, is_in_hand in tx.execute(
        _attempts, {**asked, "since": since}
    ):
        earlier = AttemptFacts(attempt, at, bool(is_in_hand))
        for about in (("number", number), ("household", household), ("person", person)):
            by_key[about].add(earlier)
    return by_key
