"""Who stood in a list before: the same person twice, or two people under one reference."""

from collections import Counter
from collections.abc import Collection
from itertools import compress

from callserver.domain import subject
from callserver.domain.contact import ContactRows


class Duplicates:
    """Who stood in the file before: by key, or by the same number and name under another reference."""

    def __init__(self) -> None:
        self._persons: dict[int, int] = {}  # key -> number
        # A plain text where one name is known, as for nearly every number: a million small tuples
        # would keep the garbage collector busy.
        self._names: dict[int, str | tuple[str, ...]] = {}
        self._households: list[int] = []

    def others(self, rows: ContactRows, problems: Collection[int]) -> list[int]:
        """Rows whose reference stood before with another number and another name: two people."""
        before = self._persons
        positions: list[int] = []
        own: dict[int, tuple[int, str]] = {}
        for at, (person, number) in enumerate(zip(rows.person, rows.number, strict=True)):
            if at in problems:
                continue
            known = before.get(person)
            names: tuple[str, ...] = ()
            if known is not None:
                held = self._names[known]
                names = (held,) if isinstance(held, str) else held
            elif person in own:
                known, name = own[person]
                names = (name,)
            else:
                own[person] = (number, rows.name[at])
            if known not in (None, number) and not any(
                subject.may_be_same_person(rows.name[at], name) for name in names
            ):
                positions.append(at)
        return positions

    def first(self, rows: ContactRows) -> list[bool]:
        """Whether each row is the first of its person."""
        persons, names, firsts = self._persons, self._names, []
        for person, number, name in zip(rows.person, rows.number, rows.name, strict=True):
            is_first = person not in persons
            if is_first and number not in names:
                names[number] = name
            elif is_first:
                is_first = self._is_another(number, name)
            if is_first:
                persons[person] = number
            firsts.append(is_first)
        self._households.extend(compress(rows.household, firsts))
        return firsts

    def _is_another(self, number: int, name: str) -> bool:
        """Whether nobody of that name had the number."""
        known = self._names[number]
        names = (known,) if isinstance(known, str) else known
        if name and subject.fold(name) in map(subject.fold, names):
            return False
        self._names[number] = (*names, name)
        return True

    def shared(self) -> int:
        return sum(count for count in self.households().values() if count > 1)

    def households(self) -> Counter[int]:
        return Counter(self._households)
