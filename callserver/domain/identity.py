"""Are two contacts one person? The same, unsure or different; and who is in reach of a contact.

Rule: what decides here is what is known under a key (domain/subject.py), now or formerly. The same person
has one reference, or one number and name, or a user decided so. Unsure are those who share a number,
or a household and perhaps a name: until a user decides, every protective fact reaches them
(domain/reach.py). An unsure match is passed on to those whose name may be the contact's own.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Self

from callserver.domain import names
from callserver.domain.names import Likeness
from callserver.domain.subject import fold

NOBODY = 0
"""Replaces an erased number or household. It links nobody."""

MOST_ROWS = 100
"""The most people at one number or household. With more, they cannot be distinguished, and nobody is
called."""

MOST_PEOPLE = 50
"""The most people in reach of one contact; with more, nobody is called either."""


class Match(StrEnum):
    SAME = "same"
    UNSURE = "unsure"
    DIFFERENT = "different"


class KnownRow(NamedTuple):
    """A person as a list has, or had, them."""

    person: int
    number: int
    household: int
    name: str
    contact: int | None = None  # None: an identifier that the person had formerly
    member: bool = False
    ended: str | None = None
    born: str | None = None
    zone: str | None = None
    not_now_until: datetime | None = None
    replaced_at: datetime | None = None  # when the person got another number than this


class Start(NamedTuple):
    """The contact that is asked about."""

    person: int
    number: int
    household: int
    name: str
    contact: int


@dataclass(slots=True)
class Known:
    """What has been read so far; a key that is absent has not been read."""

    at_number: dict[int, Sequence[KnownRow]] = field(default_factory=dict)
    at_household: dict[int, Sequence[KnownRow]] = field(default_factory=dict)
    of_person: dict[int, Sequence[KnownRow]] = field(default_factory=dict)
    decisions: dict[int, Mapping[int, Match]] = field(default_factory=dict)  # with of_person


@dataclass(slots=True)
class Needed:
    """Keys that must be read before the answer is complete."""

    numbers: set[int] = field(default_factory=set)
    households: set[int] = field(default_factory=set)
    persons: set[int] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.numbers or self.households or self.persons)

    def __ior__(self, other: "Needed") -> Self:
        self.numbers |= other.numbers
        self.households |= other.households
        self.persons |= other.persons
        return self


@dataclass(frozen=True, slots=True)
class InReach:
    """Who else is, or may be, the person of a contact, and what their lists say."""

    same: frozenset[int] = frozenset()  # other keys of the proven same person
    unsure: frozenset[int] = frozenset()
    households: frozenset[int] = frozenset()  # other households, now or formerly, of all of them
    numbers: frozenset[int] = frozenset()  # other numbers, now or formerly, of all of them
    is_crowd: bool = False  # too many to be told apart
    replaced_at: datetime | None = None  # the number is one that this person no longer has
    rows: tuple[tuple[Match, KnownRow], ...] = ()  # the other contacts of all of them

    @property
    def keys(self) -> frozenset[int]:
        return self.same | self.unsure


NOBODY_ELSE = InReach()


def match(rows: Iterable[KnownRow], others: Sequence[KnownRow]) -> Match:
    """Compare one key's rows with another key's."""
    is_unsure = False
    for row in rows:
        for other in others:
            if row.number == other.number != NOBODY:
                if row.name and fold(row.name) == fold(other.name):
                    return Match.SAME
                is_unsure = True
            elif not is_unsure and row.household == other.household != NOBODY:
                is_unsure = names.compare(row.name, other.name) is not Likeness.DIFFERENT
    return Match.UNSURE if is_unsure else Match.DIFFERENT


def in_reach(start: Start, known: Known) -> InReach | Needed:
    """Everybody in reach of a contact, or what must be read first."""
    return _Walk(start, known).answer()


class _Walk:
    """From the contact's own key to those of the same person, and from these to the unsure ones."""

    def __init__(self, start: Start, known: Known) -> None:
        self._start = start
        self._known = known
        self._needed = Needed()
        self._is_crowd = False
        self._matches: dict[int, Match] = {start.person: Match.SAME}

    def answer(self) -> InReach | Needed:
        waiting = [self._start.person]
        while waiting:
            if len(self._matches) > MOST_PEOPLE:
                return InReach(is_crowd=True)
            key = waiting.pop()
            is_same = self._matches[key] is Match.SAME
            for other, match in self._neighbours(key, is_same=is_same).items():
                reached = match if is_same else Match.UNSURE
                before = self._matches.get(other)
                if before is None or (before is Match.UNSURE and reached is Match.SAME):
                    self._matches[other] = reached
                    waiting.append(other)
        if self._is_crowd:
            return InReach(is_crowd=True)
        return self._needed or self._in_reach()

    def _neighbours(self, key: int, *, is_same: bool) -> dict[int, Match]:
        """The keys that this one leads to.

        An unsure one leads to its same person; and, if its name may be the contact's, to others whose
        name may be the contact's as well.
        """
        known = self._known
        rows = self._rows(key)
        passes_on = is_same or self._may_be_meant(rows)
        beside: dict[int, list[KnownRow]] = {}
        for row in self._at({row.number for row in rows}, known.at_number, self._needed.numbers):
            beside.setdefault(row.person, []).append(row)
        if passes_on:
            homes = {row.household for row in rows}
            for row in self._at(homes, known.at_household, self._needed.households):
                beside.setdefault(row.person, []).append(row)
        decided = known.decisions.get(key, {})
        matches = {
            other: match(rows, theirs)
            for other, theirs in beside.items()
            if other != key and other not in decided
        }
        matches.update(decided)
        return {
            other: match
            for other, match in matches.items()
            if match is Match.SAME
            or (
                match is Match.UNSURE
                and (is_same or (passes_on and self._may_be_meant(beside[other])))
            )
        }

    def _may_be_meant(self, rows: Iterable[KnownRow]) -> bool:
        """Whether one of the names may be the contact's."""
        name = self._start.name
        return any(names.compare(row.name, name) is not Likeness.DIFFERENT for row in rows)

    def _rows(self, key: int) -> list[KnownRow]:
        if key not in self._known.of_person:
            self._needed.persons.add(key)
        rows = list(self._known.of_person.get(key, ()))
        if len(rows) > MOST_ROWS:
            self._is_crowd = True
        if key == self._start.person:
            start = self._start
            rows.append(KnownRow(key, start.number, start.household, start.name, start.contact))
        return rows

    def _at(
        self, keys: Iterable[int], read: Mapping[int, Sequence[KnownRow]], needed: set[int]
    ) -> Iterable[KnownRow]:
        for key in keys:
            if key == NOBODY:
                continue
            rows = read.get(key)
            if rows is None:
                needed.add(key)
            elif len(rows) > MOST_ROWS:
                self._is_crowd = True
            else:
                yield from rows

    def _in_reach(self) -> InReach:
        start, matches = self._start, self._matches
        own = self._known.of_person[start.person]
        if len(matches) == 1 and len(own) == 1 and own[0].contact == start.contact:
            return NOBODY_ELSE  # the same in half the time
        rows = [
            (match, row) for key, match in matches.items() for row in self._known.of_person[key]
        ]
        others = {key: match for key, match in matches.items() if key != start.person}
        return InReach(
            same=frozenset(key for key, match in others.items() if match is Match.SAME),
            unsure=frozenset(key for key, match in others.items() if match is Match.UNSURE),
            households=frozenset(row.household for _, row in rows) - {start.household},
            numbers=frozenset(row.number for _, row in rows) - {start.number, NOBODY},
            replaced_at=max(filter(None, map(self._replaced_at, others)), default=None),
            rows=tuple(pair for pair in rows if pair[1].contact not in (None, start.contact)),
        )

    def _replaced_at(self, key: int) -> datetime | None:
        """When somebody who may be this person got another number than the contact has."""
        start, rows = self._start, self._known.of_person[key]
        if any(row.contact is not None and row.number == start.number for row in rows):
            return None
        at = [
            row.replaced_at
            for row in rows
            if row.replaced_at is not None
            and row.number == start.number
            and names.compare(row.name, start.name) is not Likeness.DIFFERENT
        ]
        return max(at, default=None)
