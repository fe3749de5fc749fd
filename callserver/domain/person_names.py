"""Danish names: normalised words, and whether two names may be one person's.

Normalised, æ, ø and å are what they are often written as instead (ae, oe, aa, and what remains of them
where a system knows no such letters); ch and c are k, w is v, doubled letters are single, hyphens and
apostrophes separate. Names that differ only so are the same.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple


class Likeness(IntEnum):
    """How alike two names are."""

    NONE = 0
    GIVEN = 1  # a given name is the same, no surname is: as after a marriage
    LIKE = 2  # may be one person's: an initial, a part of a double name, a small difference in spelling
    SAME = 3


class Name(NamedTuple):
    """A name's normalised words."""

    given: tuple[str, ...]
    surname: tuple[str, ...]
    is_cut: bool = False  # the last word may be only the beginning of one


_SEPARATORS = re.compile(r"[^\w]+|_")
_LETTERS = str.maketrans(
    {
        "æ": "e",
        "ä": "e",
        "ø": "o",
        "ö": "o",
        "å": "a",
        "ü": "u",
        "ß": "s",
        "ð": "d",
        "þ": "t",
        "c": "k",
        "q": "k",
        "w": "v",
        "z": "s",
        "x": "ks",
    }
)
_TWO_LETTERS = (
    *((re.compile("ae+"), "e"), (re.compile("oe+"), "o"), (re.compile("ue+"), "u")),
    *((re.compile("kh"), "k"), (re.compile("ph"), "f"), (re.compile("th"), "t")),
)
_DOUBLED = re.compile(r"(.)\1+")


@lru_cache(maxsize=65536)
def word(text: str) -> str:
    """One normalised word."""
    plain = unicodedata.normalize("NFC", text).casefold().translate(_LETTERS)
    if not plain.isascii():
        marks = unicodedata.normalize("NFD", plain)
        plain = "".join(sign for sign in marks if not unicodedata.combining(sign))
    for letters, written in _TWO_LETTERS:
        plain = letters.sub(written, plain)
    return _DOUBLED.sub(r"\1", plain)


@lru_cache(maxsize=65536)
def words(text: str) -> tuple[str, ...]:
    """The normalised words of a text."""
    return tuple(map(word, filter(None, _SEPARATORS.split(unicodedata.normalize("NFC", text)))))


def listed(text: str, width: int) -> Name:
    """A name of the form `Efternavn,Fornavn`, cut at that width."""
    surname, _, given = text.partition(",")
    return Name(words(given), words(surname), is_cut=len(text) >= width)


def readings(text: str) -> Iterator[Name]:
    """How a name that somebody wrote may be read; nothing if it is no whole name."""
    surname, comma, given = text.partition(",")
    if comma and words(surname) and words(given):
        yield Name(words(given), words(surname))
    parts = words(text)
    if len(parts) > 1:
        yield Name(parts[:1], parts[1:])
        yield Name(parts[-1:], parts[:-1])
        if len(parts) > 2:
            yield Name(parts[:-1], parts[-1:])


def likeness(listed_name: Name, text: str) -> Likeness:
    """How alike a listed name and a name that somebody wrote are, in its most alike reading."""
    return max((_likeness(listed_name, name) for name in readings(text)), default=Likeness.NONE)


_NO, _PART, _FULL = 0, 1, 2


def _likeness(entry: Name, name: Name) -> Likeness:
    given, surname = _given(entry, name), _surname(entry, name)
    if given == _NO:
        return Likeness.NONE
    if surname == _NO:
        is_initial = len(name.given[0]) == 1
        return Likeness.NONE if is_initial or not entry.given else Likeness.GIVEN
    if given == surname == _FULL and not _contradict(entry, name):
        return Likeness.SAME
    return Likeness.LIKE


def _given(entry: Name, name: Name) -> int:
    own = name.given[0]
    if not entry.given:  # cut off
        return _PART
    if own == entry.given[0]:
        return _PART if len(own) == 1 else _FULL
    compounds = ("".join(name.given[:2]), own + name.surname[0])
    if "".join(entry.given[:2]) == own or entry.given[0] in compounds:  # Annemarie, Anne Marie
        return _FULL
    for listed_given in entry.given:
        if own == listed_given or own == listed_given[:1] or listed_given == own[:1]:
            return _PART
        if is_near(own, listed_given):
            return _PART
    if entry.is_cut and own.startswith(entry.given[-1]):
        return _PART
    # A title before the name, a couple in one row, a name that the register has without its first part.
    return _PART if set(name.given[1:]) & set(entry.given) else _NO


def _surname(entry: Name, name: Name) -> int:
    listed_words, own = set(entry.surname), set(name.surname)
    if listed_words and listed_words <= own:
        return _FULL
    if "".join(entry.surname) in ("".join(name.surname), name.surname[-1]):
        return _FULL
    if own & (listed_words | set(entry.given[1:])):
        return _PART
    for written in name.surname:
        for listed_word in entry.surname:
            if is_near(written, listed_word):
                return _PART
            if "".join(entry.surname).startswith(written) and len(written) > 3:
                return _PART
    if entry.is_cut and not entry.given and entry.surname:
        cut = "".join(entry.surname)
        if "".join(name.surname).startswith(cut) or name.surname[-1].startswith(entry.surname[-1]):
            return _PART
    return _NO


def _contradict(entry: Name, name: Name) -> bool:
    """Whether both have middle names, and none of them agree."""
    surname = set(entry.surname)
    listed_middle = [part for part in entry.given[1:] if part not in surname]
    own_middle = [part for part in (*name.given[1:], *name.surname) if part not in surname]
    if not listed_middle or not own_middle:
        return False
    initials = {part[0] for part in listed_middle} & {part[0] for part in own_middle}
    agree = set(listed_middle) & set(own_middle)
    has_initial = any(len(part) == 1 for part in (*listed_middle, *own_middle))
    return not agree and not (has_initial and initials) and not (entry.is_cut and initials)


@lru_cache(maxsize=65536)
def is_near(one: str, other: str) -> bool:
    """Whether two words of at least four letters differ in at most one of them."""
    if one == other:
        return True
    short, long = sorted((one, other), key=len)
    if len(short) < 4 or len(long) - len(short) > 1:
        return False
    same = next((at for at, sign in enumerate(short) if sign != long[at]), len(short))
    if len(short) == len(long):
        swapped = short[same + 1 : same + 2] + short[same : same + 1] + short[same + 2 :]
        return short[same + 1 :] == long[same + 1 :] or swapped == long[same:]
    return short[same:] == long[same + 1 :]


def pairs(parts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Every word as the given name with every other as a surname."""
    for at, given in enumerate(parts):
        for other, surname in enumerate(parts):
            if other != at:
                yield given, surname
