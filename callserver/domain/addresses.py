"""Whether an address, or what a list calls a household, identifies one or is only a placeholder."""

import re
from functools import lru_cache

_LETTERS = re.compile(r"[^\W\d_]+(?:/[^\W\d_]+)*")
_WORDS = (
    "ukendt unknown ingen none null na n/a nil mangler missing hemmelig hemmeligt hidden secret ukendte"
    " adresse address beskyttet adressebeskyttet adressebeskyttelse navnebeskyttet fraflyttet flyttet"
    " retur returpost oplyst ikke ej uoplyst not provided given available tbd tba test no bopæl fast"
    " uden hjemløs homeless undisclosed withheld udeladt tom blank empty slettet deleted navne og"
    " bekendt kendes x xx xxx xxxx"
)
_UNKNOWN = frozenset(_WORDS.split())
_DIGIT = re.compile(r"\d")


def is_placeholder(text: str) -> bool:
    """Whether a cell says only that its value is unknown."""
    words = _LETTERS.findall(text.casefold())
    has_digits = any(character.isdigit() and character != "0" for character in text)
    if not words:
        return not has_digits
    return not has_digits and _UNKNOWN.issuperset(words)


@lru_cache(maxsize=65536)
def is_no_address(text: str) -> bool:
    """Whether it identifies no household: a street and a house number need letters and a digit."""
    return _is_no_address(text)


def _is_no_address(text: str) -> bool:
    if not _DIGIT.search(text) and not any(map(str.isdigit, text)):  # ² is no \d
        return True
    folded = text.casefold()
    first = _LETTERS.search(folded)
    return not first or (first[0] in _UNKNOWN and _UNKNOWN.issuperset(_LETTERS.findall(folded)))


_BOX = re.compile(
    r"(?<!\w)(?:p\.?\s?o\.?\s?box|post(?:boks|box|fach|bus)|pakkeboks|boks|box|pb|bp)"
    r"(?:\snr)?[.:]?\s?\d++[a-z]?(?!\w)"
)
"""A post-office box: `Postboks 12`, `P.O. Box 12`."""

_FORWARDED = re.compile(r"(?<!\w)(?:poste?\s?restante|c\s?[/.]\s?o)(?!\w)")

_MAY_BE_EITHER = re.compile(r"bo[xk]|post|pb|bp|c ?[/.]")
"""Stands in every box and whatever is forwarded, and is found in a fraction of the time."""

_CODE = r"(?:(?:dk|fo|gl|se?|no?|de?|fr?|nl|fi|it|es)[ -])?(?:\d{3}\s\d{2}|\d{4,5})(?!\d)(?:\s[a-z]{2}(?!\w))?"
_DISTRICT = re.compile(rf"{_CODE}(?P<town>[\s,]+[^\d]*+)?")
"""A postcode, with its town or without, and nothing else."""

_TAIL = re.compile(rf"[ ,](?<=[^ ,][ ,])[ ,]*+{_CODE}(?:\s++[^\d,]++)?(?:,[^\d,]*+)?$")
_ENGLISH_STREET = re.compile(
    r"(?<!\w)(?:street|st|road|rd|avenue|ave|lane|ln|drive|dr|boulevard|blvd|court|way)(?!\w)"
)
_WORD = re.compile(r"[^\W\d_]{3}")
_SHORTEST_CODE = 4
_NINES = re.compile(r"9{4,}(?:[.,]0)?")


@lru_cache(maxsize=65536)
def is_no_household(address: str, postcode: str = "") -> bool:
    """Whether an address is one at which nobody lives, or many: a district, a box, poste restante.

    `postcode`: the row's own cell. Where there is one, no other number is taken for a postcode.
    """
    text = _plain(address)
    if _MAY_BE_EITHER.search(text):
        text = _plain(_FORWARDED.sub(" ", _BOX.sub(" ", text)))
    return _is_no_address(_without_district(text, _plain(postcode)))


@lru_cache(maxsize=65536)
def is_no_household_name(name: str, postcode: str = "") -> bool:
    """The same for a list's own column of households, where a number or a word may be an id."""
    text, code = _plain(name), _plain(postcode)
    if _NINES.fullmatch(text) or (code and text.removeprefix("dk-") == code):
        return True
    if _BOX.search(text) or _FORWARDED.search(text):
        return is_no_household(name, postcode)
    district = _DISTRICT.fullmatch(text)
    is_id = text.isdigit() or (text[:1].isalpha() and not text.startswith("dk"))
    return district is not None and not is_id and not _ENGLISH_STREET.search(text)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" ,.;")


def _without_district(text: str, postcode: str) -> str:
    """An address without the postcode and the town at its end; empty if it has nothing else."""
    if len(postcode) >= _SHORTEST_CODE:
        head, code, tail = text.rpartition(postcode)
        is_code = (
            bool(code) and not any(map(str.isdigit, tail)) and head[-1:] in ("", " ", ",", "-")
        )
        return head if is_code else text
    if _DISTRICT.fullmatch(text) and not _ENGLISH_STREET.search(text):
        return ""
    tail_match = _TAIL.search(text)
    if tail_match is None or not _WORD.search(text, 0, tail_match.start()):
        return text  # a building's code: B 1234
    return text[: tail_match.start()]
