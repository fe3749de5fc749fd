"""Whether two names may belong to one person: the same, perhaps, or clearly not.

In doubt the answer is "perhaps": an unsure match prevents calls, and a user can decide it. Names are compared
as Danes write them: initials, double names, a married name, `Bech, Bo`, `Aage` for `Åge`. Two first names
that clearly differ are two people, also with one surname.
"""

import re
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz.distance import OSA

from callserver.domain import person_names
from callserver.domain.addresses import is_placeholder
from callserver.domain.subject import fold


class Likeness(StrEnum):
    SAME = "same"  # letter by letter, apart from case and spaces
    PERHAPS = "perhaps"
    DIFFERENT = "different"


class _Name(NamedTuple):
    """The names before the surname, and the surname; either may be unknown."""

    given: tuple[str, ...]
    last: str


_WORDS = re.compile(r"[^\W\d_]+")
_AND = re.compile(r"[&+/;]|\bog\b|\band\b|\bsamt\b")
_TITLES = {"hr", "herr", "fru", "frk", "frøken", "mr", "mrs", "ms", "dr", "prof", "jr", "sr"}
_FAMILY = {"fam", "familien", "family", "boet"}
"""Before a surname, they mean everybody of that name."""

_NO_NAME = _TITLES | _FAMILY | {"efter", "att", "co"}
"""Words that are not a name."""

_VOWEL = re.compile("[aeiou]")


def compare(name: str, other: str) -> Likeness:
    """Whether two names may belong to one person. A missing name may be anybody's."""
    if name > other:  # one order, so that the answer does not depend on it
        name, other = other, name
    return _compare(name, other)


@lru_cache(maxsize=65536)
def _compare(name: str, other: str) -> Likeness:
    if fold(name) == fold(other) and fold(name):
        return Likeness.SAME
    people, others = _people(name), _people(other)
    if not people or not others:
        return Likeness.PERHAPS
    if any(_may_be_one(person, another) for person in people for another in others):
        return Likeness.PERHAPS
    return Likeness.DIFFERENT


def _people(name: str) -> list[_Name]:
    """Whom a cell names: `Bo og Ida Bech` are two. Empty: nobody, or only a placeholder."""
    text = fold(name)
    if not text or is_placeholder(text):
        return []
    last, comma, first = text.partition(",")
    if comma and _WORDS.search(first):
        text = f"{first} {last}"
    parts = [part for part in _AND.split(text) if _WORDS.search(part)]
    names = [read for part in parts if (read := _read(part)) is not None]
    if len(names) > 1:  # the surname is written once, for all of them
        shared = names[-1].last
        names = [_Name((*n.given, n.last), shared) if not n.given else n for n in names]
    return names


def _read(part: str) -> _Name | None:
    words = _WORDS.findall(part)
    is_family = bool(_FAMILY.intersection(words))
    words = [word for word in words if len(word) == 1 or word not in _NO_NAME]
    if not words:
        return None
    if is_family:
        return _Name((), words[-1])
    return _Name(tuple(words[:-1]), words[-1])


@lru_cache(maxsize=16384)
def _spelled(text: str) -> str:
    """One spelling for words that are written differently and sound alike: the register's, and more."""
    return person_names.word(text.replace("qu", "kv")).replace("j", "i").replace("y", "i")


def _may_be_one(one: _Name, other: _Name) -> bool:
    """Whether a first name stands among the other's given names, or only one word is known."""
    if not one.given or not other.given:
        known = one if not one.given else other
        full = other if known is one else one
        return any(_alike(known.last, word) for word in (*full.given, full.last))
    return (
        any(_alike(one.given[0], word) for word in other.given)
        or any(_alike(other.given[0], word) for word in one.given)
        or _is_turned(one, other)
    )


def _is_turned(one: _Name, other: _Name) -> bool:
    """`Bech Bo` for `Bo Bech`."""
    return _alike(one.given[0], other.last) and _alike(one.last, other.given[0])


def _alike(word: str, other: str) -> bool:
    """Equal, an initial or abbreviation of the other, or a typing error; compared as written and by sound."""
    return _near(word, other) or _near(_spelled(word), _spelled(other))


def _near(word: str, other: str) -> bool:
    short, long = sorted((word, other), key=len)
    if long.startswith(short):
        return len(short) != 2 or word == other or not _VOWEL.search(short)  # `Bo` is not `Bodil`
    if len(short) < 3:
        return False
    slips = 1 if len(long) < 8 else 2
    return OSA.distance(word, other, score_cutoff=slips) <= slips
