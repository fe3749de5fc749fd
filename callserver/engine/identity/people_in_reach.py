"""People in reach of a contact, read and matched within the caller's transaction."""

from collections.abc import Callable, Iterable, Sequence

from callserver.database import known_people
from callserver.database.contacts import Contact
from callserver.domain.identity import NOBODY_ELSE, InReach, Known, Needed, Start, in_reach
from callserver.ports import Tx


def of(tx: Tx, contact: Contact) -> InReach:
    """Everybody in reach, for one dial.

    One statement is enough in the usual case, where nobody else is known.
    """
    start = _start(contact)
    keys = start.number, start.household, start.person
    known = known_people.around(tx, start.contact, *keys)
    if known is None:
        return NOBODY_ELSE
    while isinstance(answer := in_reach(start, known), Needed):
        known_people.read(tx, answer, known)
    return answer


def of_many(
    tx: Tx,
    contacts: Sequence[Contact],
    also: Callable[[Tx, Needed, Known], None] = lambda *_: None,
) -> dict[int, InReach]:
    """The same for many contacts, by their ids, with a few statements for all of them.

    `also`: adds rows that are not stored yet.
    """
    known = Known()
    waiting = [_start(contact) for contact in contacts]
    answers: dict[int, InReach] = {}
    needed = Needed(
        numbers={start.number for start in waiting},
        households={start.household for start in waiting},
        persons={start.person for start in waiting},
    )
    while waiting:
        known_people.read(tx, needed, known)
        also(tx, needed, known)
        needed, still = Needed(), []
        for start in waiting:
            answer = in_reach(start, known)
            if isinstance(answer, Needed):
                needed |= answer
                still.append(start)
            else:
                answers[start.contact] = answer
        waiting = still
    return answers


def of_persons(tx: Tx, persons: Iterable[int]) -> set[int]:
    """These keys and every key in reach of one of them."""
    keys = set(persons)
    known = Known()
    for person in sorted(keys):
        known_people.read(tx, Needed(persons={person}), known)
        rows = known.of_person[person]
        if not rows:
            continue
        row = rows[0]
        start = Start(person, row.number, row.household, row.name, row.contact or 0)
        while isinstance(answer := in_reach(start, known), Needed):
            known_people.read(tx, answer, known)
        keys |= answer.keys
    return keys


def are_alone(tx: Tx, persons: set[int], households: set[int]) -> bool:
    """Whether a fact about these keys reaches nobody with other keys: they belong to one contact at most, and
    nothing is known of anybody else under its number, household and key."""
    known = Known()
    known_people.read(tx, Needed(persons=persons, households=households), known)
    rows = [row for key in persons for row in known.of_person[key]]
    rows += [row for key in households for row in known.at_household[key]]
    if not rows:
        return not known.decisions
    first = rows[0]
    if first.contact is None or any(row.contact != first.contact for row in rows):
        return False
    around = known_people.around(tx, first.contact, first.number, first.household, first.person)
    return around is None and not known.decisions


def _start(contact: Contact) -> Start:
    return Start(contact.person, contact.number, contact.household, contact.name or "", contact.id)
