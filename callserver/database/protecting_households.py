"""Former household keys that still protect somebody, although they are recognised as no household now."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import TypeVar

from sqlalchemy import or_, select

from callserver.database.tables import contacts, former_identifiers, marks, suppressions
from callserver.domain import subject
from callserver.domain.campaign import Effect
from callserver.domain.contact_status import ContactStatus
from callserver.domain.identity import NOBODY
from callserver.ports import Tx

T = TypeVar("T")
CHUNK = 5_000

_row_protects = or_(
    contacts.c.ended.is_not(None) & ~contacts.c.member,
    (contacts.c.status == ContactStatus.WAITING.value)
    & (contacts.c.reason == Effect.NOT_NOW.value),
)
"""What a contact's own row says against a call to others who may be the person (domain/reach.py)."""


def among(tx: Tx, keys: Collection[int]) -> set[int]:
    """The keys that protect somebody: an opt-out or a mark is about the key, a person under it or anybody at
    the same number, or such a person has ended their membership or asked not to be called."""
    homes_of: dict[int, set[int]] = defaultdict(set)  # by person
    homes_at: dict[int, set[int]] = defaultdict(set)  # by number
    for home, person, number in _listed(tx, "household", "number", keys):
        homes_of[person].add(home)
        if number != NOBODY:
            homes_at[number].add(home)
    for number, person, _ in _listed(tx, "number", "household", homes_at):
        homes_of[person] |= homes_at[number]
    about = {subject.of_household(key): {key} for key in keys}
    about |= {subject.of_person(person): homes for person, homes in homes_of.items()}
    protecting_keys: set[int] = set()
    for some in _parts(homes_of):
        query = select(contacts.c.person).where(contacts.c.person.in_(some), _row_protects)
        protecting_keys.update(*(homes_of[person] for person in tx.execute(query).scalars()))
    for table in (suppressions, marks):
        for subjects in _parts(about):
            recorded = select(table.c.subject).where(table.c.subject.in_(subjects)).distinct()
            protecting_keys.update(*(about[key] for key in tx.execute(recorded).scalars()))
    return protecting_keys


def _listed(tx: Tx, name: str, other: str, keys: Collection[int]) -> Iterator[tuple[int, int, int]]:
    """The key, person and other column of the rows, now and formerly, that have one of the keys."""
    for table in (contacts, former_identifiers):
        columns = [table.c[column] for column in (name, "person", other)]
        for some in _parts(keys):
            query = select(*columns).where(table.c[name].in_(some)).distinct()
            yield from ((key, person, value) for key, person, value in tx.execute(query))


def _parts(keys: Collection[T]) -> Iterator[list[T]]:
    ordered = list(keys)
    return (ordered[at : at + CHUNK] for at in range(0, len(ordered), CHUNK))
