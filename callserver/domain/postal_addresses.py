"""Danish addresses: street, house number, floor, door and postcode, and whether two are the same place.

Streets are compared by their normalised letters, so `Nørre Allé`, `Nr. Alle` and `Noerre Alle` are one.
A column of the official list may cut a street's name; a beginning counts as similar.
"""

import re
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from callserver.domain import person_names
from callserver.domain.subject import fold


class Nearness(IntEnum):
    """How near two addresses are."""

    DIFFERENT = 0
    UNKNOWN = 1  # one has no street, and nothing else shows a difference
    NEAR = 2  # street or house number is the same, or the postcode may be wrong
    ELSEWHERE = 3  # the same street and house number, under another postcode
    SAME = 4


class PostalAddress(NamedTuple):
    """An address's normalised parts; empty where nothing is known."""

    street: str = ""
    house: int = 0
    letter: str = ""
    floor: str = ""
    door: str = ""
    postcode: str = ""


_TAIL = re.compile(
    r"[ ,](?=[ ,d\d])(?<![ ,]{2})[ ,]*+(?:dk\s*+-?\s*+)?(?P<code>\d{4})(?!\d)(?:\s++[^\d,]++)?(?:,\s*+(?:dk|danmark))?\s*+$"
)
_HOUSE = re.compile(
    r"(?<!\d)0*+(?P<house>[1-9]\d{0,2})"
    r"\s?(?P<letter>[a-zæøå](?![^\W\d_])(?!\.\s?[vh]))?(?=$|[\s,/-]|\.$)"
)
"""A house number, with its letter; in front of it stands the street."""

_NUMBERS = re.compile(r"\d[-/]\d")

_DIGIT = re.compile(r"[0-9]")
_LETTER = re.compile(r"[^\W\d_]")
_NUMBER_WORD = re.compile(r"(?<!\w)nr\.?$")
_CODE = re.compile(r"\d\d\d\d(?!\d)(?<!\d{5})")
_SIDES = (
    (re.compile(r"\b(?:t\.?\s?v|venstre|til venstre)\b\.?"), " tv "),
    (re.compile(r"\b(?:t\.?\s?h|højre|hoejre|til højre)\b\.?"), " th "),
    (re.compile(r"\b(?:m\.?\s?f|midtfor|midt)\b\.?"), " mf "),
    (re.compile(r"\b(?:stuen|stue)\b\.?"), " st "),
    (re.compile(r"\b(?:kld|kælder|kælderen|kaelder)\b\.?"), " kl "),
)
_RANGE = re.compile(r"^\s?-\s?\d+\w?")  # 12-14 is the house number 12
_PARTS = re.compile(r"\d+|[^\W\d_]+")
_COMPACT = re.compile(r"((?<!\d)\d++|st|kl)\.?(tv|th|mf)\b")
_WRITTEN_SHORT = {
    "gl": "gammel",
    "ndr": "nordre",
    "nr": "nørre",
    "sdr": "søndre",
    "str": "store",
    "skt": "sankt",
    "sct": "sankt",
    "st": "sankt",
    "kgs": "kongens",
    "chr": "christian",
    "lil": "lille",
    "ll": "lille",
    "pl": "plads",
    "v": "vej",
    "g": "gade",
    "alle": "allé",
    "frb": "frederiksberg",
    "kbh": "københavn",
    "dr": "doktor",
    "prof": "professor",
}
_ABBREVIATIONS = {
    person_names.word(short): person_names.word(long) for short, long in _WRITTEN_SHORT.items()
}


@lru_cache(maxsize=65536)
def street_key(text: str) -> str:
    """A street's normalised letters."""
    parts = person_names.words(text)
    return "".join(_ABBREVIATIONS.get(part, part) for part in parts)


def postcode(text: str) -> str:
    """The Danish postcode in a cell; empty if there is none."""
    match = _CODE.search(text)
    return match[0] if match else ""


@lru_cache(maxsize=16384)
def parse(text: str, code: str = "") -> PostalAddress:
    """The address's parts. `code`: the postcode's cell; else the one at the end of the address counts."""
    return parse_uncached(text, code)


def parse_uncached(text: str, code: str = "") -> PostalAddress:
    """The same, for a million addresses of which few occur twice."""
    return _read(" ".join(text.casefold().split()), code)[0]


def _read(text: str, code: str) -> tuple[PostalAddress, tuple[str, ...]]:
    """The parts of a folded address; and what stands behind the house number and could not be read."""
    plain, tail = _without_postcode(text)
    own = (postcode(code) if code else "") or tail
    first = _LETTER.search(plain)
    digit = None if first is None else _DIGIT.search(plain, first.end())
    match = None if digit is None else _HOUSE.search(plain, digit.start())
    if match is None:
        return PostalAddress(street=street_key(plain), postcode=own), ()
    floor, door, unread = _floor_and_door(plain[match.end() :])
    house, letter = match.groups()
    letter = person_names.word(letter) if letter else ""
    street = _street_key(plain[: match.start()])
    return PostalAddress(street, int(house), letter, floor, door, own), unread


def _without_postcode(text: str) -> tuple[str, str]:
    """An address without the postcode at its end; and that postcode."""
    tail = _TAIL.search(text)
    return (text, "") if tail is None else (text[: tail.start()], tail["code"])


@lru_cache(maxsize=65536)
def _street_key(text: str) -> str:
    """The normalised letters of what stands before the house number, without the word for a number."""
    plain = text.rstrip(" ,")
    street = _NUMBER_WORD.sub("", plain).rstrip(" ,")
    return street_key(street if _LETTER.search(street) else plain)


@lru_cache(maxsize=65536)
def household(text: str) -> str:
    """What identifies a household: the same for every spelling of an address; another text as it is.

    Unreadable text after the house number (`kollegiet, værelse 12`) counts if it has a number, because it may
    distinguish rooms.
    """
    address, unread = _read(fold(text), "")
    if not address.street or not address.house:
        return text
    room = " ".join(unread) if unread and any(part.isdigit() for part in unread) else ""
    street, house, letter, floor, door, code = address
    return f"|{street}|{house}|{letter}|{floor}|{door}|{code}|{room}"


def named_household(text: str) -> str:
    """The same for a list's own column of households, where ids like `H-12` and `Hus 7-12` are no addresses."""
    return household(text) if " " in text and not _NUMBERS.search(text) else text


@lru_cache(maxsize=16384)
def _floor_and_door(rest: str) -> tuple[str, str, tuple[str, ...]]:
    """Floor and door; and what follows that could not be read."""
    if not rest.strip(" ,."):
        return "", "", ()
    rest = _RANGE.sub("", rest)
    for form, side in _SIDES:
        rest = form.sub(side, rest)
    parts = _PARTS.findall(_COMPACT.sub(r"\1 \2", rest))
    floor = door = ""
    unread: tuple[str, ...] = ()
    for at, part in enumerate(parts):
        if part in ("sal", "etage", "dør", "doer", "lejl"):
            continue
        number = part.lstrip("0") if part.isdigit() else part
        if part in ("tv", "th", "mf"):
            door = door or part
        elif not floor and not door and (part.isdigit() or part in ("st", "kl")):
            floor = number
        elif floor and not door and part.isdigit():
            door = number
        else:
            unread = tuple(parts[at:])
            break
    return floor, door, unread


def nearness(one: PostalAddress, other: PostalAddress) -> Nearness:
    """How near an address that somebody wrote is to a listed one."""
    is_one_code = one.postcode == other.postcode and bool(one.postcode)
    may_be_one_code = is_one_code or not one.postcode or not other.postcode
    if not one.street or not other.street:
        return Nearness.UNKNOWN if may_be_one_code else Nearness.DIFFERENT
    is_street = one.street == other.street
    is_house = one.house == other.house and one.house > 0
    if is_street and is_house and not may_be_one_code:
        return Nearness.ELSEWHERE
    if not may_be_one_code:
        return Nearness.DIFFERENT
    if is_street and is_house and is_one_code and one.letter == other.letter:
        is_door = _agree(one.floor, other.floor) and _agree(one.door, other.door)
        return Nearness.SAME if is_door else Nearness.NEAR
    if is_house or not one.house or not other.house or _is_similar(one.street, other.street):
        return Nearness.NEAR
    return Nearness.DIFFERENT


def _agree(one: str, other: str) -> bool:
    return one == other or not one or not other


def _is_similar(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return long.startswith(short[:8]) or person_names.is_near(short, long)
