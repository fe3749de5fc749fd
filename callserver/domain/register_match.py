"""Is a person of our lists on a register of names and addresses? Yes, no or unsure.

Yes: the same name at the same present address. No: nobody with such a name lives there or may live there.
Everything between is unsure, and a colleague decides:

  the name is alike but not the same (an initial, a part of a double name, a cut name), the address the same
  the name is the same or alike, and street or house number differ, or the person's own address is unknown
  the entry is a former address (`*`): the next tenant may have the same name
  there is nothing to compare: no whole name, or an initial and no address

A name that occurs once in the country proves nothing, so a name without an address is never a yes; and a
name that does occur is never a no where the address is unknown. Persons with name and address protection
are not in the register: a no says nothing about them.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple
from zlib import crc32

from callserver.domain import person_names, postal_addresses, robinson
from callserver.domain.person_names import Likeness, Name
from callserver.domain.postal_addresses import Nearness, PostalAddress
from callserver.domain.robinson import Record


class Match(IntEnum):
    """The result, the stricter the higher; stored as its number."""

    NO = 0
    UNSURE = 1
    YES = 2


class Person(NamedTuple):
    """A person as one of our lists has them; what is not known is empty."""

    name: str
    address: str
    postcode: str

    @property
    def place(self) -> PostalAddress:
        return postal_addresses.parse(self.address, self.postcode)


class Entry(NamedTuple):
    """A record, prepared for comparison."""

    record: Record
    name: Name
    place: PostalAddress


def entry(record: Record) -> Entry:
    """A record, prepared for comparison; its own columns have precedence over the written address."""
    street, house, letter, floor, door, _ = postal_addresses.parse_uncached(record.address)
    column_house, column_letter = _house(record.house)
    if column_house and house in (0, column_house):
        house, letter = column_house, column_letter
    place = PostalAddress(street, house, letter, floor, door, record.postal[:4])
    return Entry(record, person_names.listed(record.name, robinson.NAME_WIDTH), place)


_HOUSE = re.compile(r"0*(\d{1,3})([^\W\d_]?)", re.ASCII)


@lru_cache(maxsize=4096)
def _house(column: str) -> tuple[int, str]:
    """House number and letter; 0 if the column has none."""
    house = _HOUSE.fullmatch(column)
    return (0, "") if house is None else (int(house[1]), person_names.word(house[2]))


def is_comparable(person: Person) -> bool:
    """Whether there is enough to say no."""
    words = person_names.words(person.name)
    if len(words) < 2:
        return False
    place = person.place
    return (
        bool(place.street and place.house)
        or bool(place.postcode)
        or all(len(word) > 1 for word in (words[0], words[-1]))
    )


def match(listed: Entry, person: Person) -> Match:
    """Whether this entry is the person."""
    likeness = person_names.likeness(listed.name, person.name)
    if likeness is Likeness.NONE:
        return Match.NO
    nearness = postal_addresses.nearness(person.place, listed.place)
    if nearness is Nearness.DIFFERENT:
        return Match.NO
    if nearness is Nearness.SAME:
        is_sure = likeness is Likeness.SAME and not listed.record.is_former
        return Match.YES if is_sure else Match.UNSURE
    least = Likeness.SAME if nearness is Nearness.ELSEWHERE else Likeness.LIKE
    return Match.UNSURE if likeness >= least else Match.NO


# -- finding the entries that are worth comparing ----------------------------------------------------


_CUT = "*"
"""Stands for a given name that the column cut off."""


def keys_of_entry(listed: Entry) -> set[int]:
    """The keys under which an entry is stored; a person whom it may be has one of them."""
    name, place = listed.name, listed.place
    given = name.given or (_CUT,)
    code, first = place.postcode, given[0]
    texts = [_by_name(code, word[0], surname) for word in given for surname in name.surname]
    texts += [_by_name(code, first[0], middle) for middle in name.given[1:]]
    if place.street:
        texts += [_by_address(place, word) for word in given[:2]]
    whole = _CUT if name.is_cut and len(name.given) < 2 else first
    texts += [_by_whole_name(whole, surname) for surname in name.surname]
    return {crc32(text.encode()) for text in texts}


def keys_of_person(person: Person) -> set[int]:
    """The keys under which entries may be stored that are this person."""
    words, place = person_names.words(person.name)[:MOST_WORDS], person.place
    texts: set[str] = set()
    if place.postcode:
        pairs = {(given[0], surname) for given, surname in person_names.pairs(words)}
        pairs |= {(_CUT, surname) for surname in words}
        texts |= {_by_name(place.postcode, given, surname) for given, surname in pairs}
    else:
        whole = {*person_names.pairs(words), *((_CUT, surname) for surname in words)}
        texts |= {_by_whole_name(given, surname) for given, surname in whole}
    if place.street:
        texts |= {_by_address(place, given) for given in (*words, _CUT)}
    return {_key(text) for text in texts}


MOST_WORDS = 7
"""Words of a name that are looked up; people with more are still compared whole."""


def _by_name(postcode: str, given: str, surname: str) -> str:
    return f"n{postcode}{given}{surname[:3]}"


def _by_address(place: PostalAddress, given: str) -> str:
    return f"a{place.street[:12]} {place.house} {given[0]}"


def _by_whole_name(given: str, surname: str) -> str:
    return f"f{given} {surname[:12]}"


def _key(text: str) -> int:
    """A collision of two texts only costs an extra comparison."""
    return crc32(text.encode())


# -- decisions ---------------------------------------------------------------------------------------


def _digest(text: str) -> int:
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1


def fingerprint(text: str) -> int:
    """Identifies an entry in the next issue for a decision. Any change gives another fingerprint."""
    return _digest(f"entry {text}")


def details(rows: Iterable[Person]) -> int:
    """Identifies the person's own names and addresses, so that a decision notices a change of them."""
    return _digest("person " + "\n".join(sorted({"\t".join(row) for row in rows})))


NOTHING = 0
"""The fingerprint in a decision about a person of whom there was nothing to compare."""


class Candidate(NamedTuple):
    """An entry that may be the person."""

    entry: Entry
    match: Match


def candidates(entries: Iterable[Entry], rows: Sequence[Person]) -> Iterator[Candidate]:
    """The entries that the person is or may be."""
    for listed in entries:
        result = max((match(listed, row) for row in rows), default=Match.NO)
        if result is not Match.NO:
            yield Candidate(listed, result)
