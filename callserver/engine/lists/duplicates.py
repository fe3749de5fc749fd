"""Finds duplicates within a list: the same person twice, two people under one reference, placeholders.

A dropped duplicate may hold another reference or number. It is kept as an identifier of its person, so that
other lists match them by it.
"""

from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import compress
from typing import TypeVar

from callserver.database.staged_rows import DroppedRow
from callserver.domain import names, subject
from callserver.domain.contact_rows import ContactRow, ContactRows, FormerHome
from callserver.domain.names import Likeness

T = TypeVar("T")

MOST_AT_A_NUMBER = 10
"""The most people at one number. With more, it is a placeholder or an exchange, not a personal number."""

MOST_NUMBERS = 10
"""The most numbers of one reference. With more, it is a placeholder, not a personal reference."""


class Duplicates:
    """The people seen so far in the file, by key, or by number and name under another reference."""

    def __init__(self) -> None:
        self._persons: dict[int, int] = {}  # key -> number
        # A plain text where one name is known, as for nearly every number: a million small tuples
        # would keep the garbage collector busy.
        self._names: dict[int, str | tuple[str, ...]] = {}
        # By key, where the name is not the first at the number: of people who share one, and of those whose
        # first row was left out as another's.
        self._seen_as: dict[int, tuple[int, str]] = {}
        self._households: list[int] = []
        self._written: list[int] = []
        self._dropped: dict[int, list[tuple[int, int, ContactRow]]] = {}  # by key: line, rank, row
        self._merged: list[DroppedRow] = []
        self._former_homes: Mapping[int, FormerHome] = {}  # by line
        self.crowded_numbers: set[int] = set()

    def others(self, rows: ContactRows, problems: Collection[int]) -> list[int] | None:
        """Positions of rows whose reference was seen with another number and name: two different people.

        None: no key was seen before, and none stands twice among them.
        """
        if not self._holds_any(rows.person) and len(set(rows.person)) == len(rows.person):
            return None
        positions: list[int] = []
        own: dict[int, tuple[int, str]] = {}
        for at, (person, number) in enumerate(zip(rows.person, rows.number, strict=True)):
            if at in problems:
                continue
            known, name = self._first_row(person) or own.setdefault(person, (number, rows.name[at]))
            if known != number and names.compare(rows.name[at], name) is Likeness.DIFFERENT:
                positions.append(at)
        return positions

    def _holds_any(self, keys: Sequence[int]) -> bool:
        """Whether one of the references was seen before."""
        return not all(known.keys().isdisjoint(keys) for known in (self._persons, self._seen_as))

    def _first_row(self, person: int) -> tuple[int, str] | None:
        """Number and name in the reference's first row, taken or left out."""
        if person in self._seen_as:
            return self._seen_as[person]
        number = self._persons.get(person)
        if number is None:
            return None
        held = self._names[number]
        return number, held if isinstance(held, str) else held[0]

    def add_new(self, rows: ContactRows) -> bool:
        """Remember the rows if each is of a person and a number not seen before: nearly every chunk."""
        if not self._seen_as.keys().isdisjoint(rows.person):
            return False
        if not _add_new(self._names, rows.number, rows.name):
            return False
        if not _add_new(self._persons, rows.person, rows.number):
            _take_back(self._names, len(rows.number))
            return False
        self._households += rows.household
        self._written += rows.written
        return True

    def first(self, rows: ContactRows) -> list[bool]:
        """Whether each row is the first of its person."""
        persons, known_names, firsts = self._persons, self._names, []
        for person, number, name in zip(rows.person, rows.number, rows.name, strict=True):
            is_first = person not in persons
            if is_first and number not in known_names:
                known_names[number] = name
            elif is_first:
                is_first = self._is_another(number, name)
                self._seen_as.setdefault(person, (number, name))
            if is_first:
                persons[person] = number
            firsts.append(is_first)
        self._households.extend(compress(rows.household, firsts))
        self._written.extend(compress(rows.written, firsts))
        return firsts

    def _is_another(self, number: int, name: str) -> bool:
        """Whether the number was not seen with this name."""
        known = self._names[number]
        known_names = (known,) if isinstance(known, str) else known
        if name and subject.fold(name) in map(subject.fold, known_names):
            return False
        if len(known_names) < MOST_AT_A_NUMBER:
            self._names[number] = (*known_names, name)
        else:
            self.crowded_numbers.add(number)
        return True

    def drop(self, lines: Sequence[int], ranks: Sequence[int], rows: ContactRows) -> None:
        """Remember rows that are not taken."""
        for line, rank, row in zip(lines, ranks, rows.rows(), strict=True):
            self._dropped.setdefault(row.person, []).append((line, rank, row))

    def return_home(self, homes: Mapping[int, FormerHome]) -> None:
        """Set the former households, by line, of dropped rows."""
        self._former_homes = homes

    def merge(self, rows: Iterable[DroppedRow]) -> None:
        """Remember rows that looked new only because of a reference that identifies nobody."""
        self._merged += rows

    def crowded_references(self) -> set[int]:
        """Keys of references with too many numbers to be personal."""
        return {
            person
            for person, dropped in self._dropped.items()
            if person in self._persons
            and len({row.number for _, _, row in dropped}) >= MOST_NUMBERS
        }

    def rows_of_crowds(
        self, crowds: Collection[int]
    ) -> tuple[list[int], list[int], ContactRows] | None:
        """The dropped rows of these references, each under its number and name; None: there are none."""
        dropped = sorted(
            (row for person in crowds for row in self._dropped.pop(person)),
            key=lambda entry: entry[0],
        )
        if not dropped:
            return None
        rows = [
            row._replace(person=subject.person_key(None, row.number, row.name))
            for _, _, row in dropped
        ]
        columns = ContactRows._make(list(column) for column in zip(*rows, strict=True))
        return [line for line, _, _ in dropped], [rank for _, rank, _ in dropped], columns

    def dropped(self) -> Iterator[DroppedRow]:
        """The identifiers in the dropped rows."""
        for dropped in self._dropped.values():
            for line, _, row in dropped:
                home, written = self._former_homes.get(line, (row.household, row.written))
                yield DroppedRow(
                    *(row.person, row.number, home, row.name, row.born),
                    zone=row.zone,
                    ended="" if row.member else row.ended,
                    written=written,
                )
        yield from self._merged

    @cached_property
    def _households_shared(self) -> Counter[int]:
        return _repeated(self._households)

    def shared(self) -> int:
        """How many people share a household; after the last row."""
        return sum(count for count in self._households_shared.values() if count > 1)

    def written_households(self) -> Counter[int]:
        """How many people have each spelling of an address; empty if nobody shares one. After the last row."""
        if self._written == self._households:  # as in a list without addresses
            return self._households_shared
        return _repeated(self._written)


def _repeated(keys: Sequence[int]) -> Counter[int]:
    """How often each key occurs; empty if none occurs twice, which is found out in half the time."""
    return Counter(keys) if len(set(keys)) < len(keys) else Counter()


def _add_new(known: dict[int, T], keys: Sequence[int], values: Sequence[T]) -> bool:
    """Add values under their keys. False: a key is known or stands twice, and nothing was added.

    Tried rather than asked first: each key is looked up once.
    """
    before = len(known)
    deque(map(known.setdefault, keys, values), maxlen=0)
    added = len(known) - before
    if added < len(keys):
        _take_back(known, added)
        return False
    return True


def _take_back(known: dict[int, T], count: int) -> None:
    """Remove the keys that were added last."""
    for _ in range(count):
        known.popitem()
