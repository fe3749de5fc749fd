"""Every telephone number that a cell of an opt-out list certainly holds, and whether anything is left.

Generous where phone.parse is strict: a list of people who said no may hold two numbers in a cell, a word
beside one, or an extension. What cannot be read for certain is never dropped in silence.
"""

import re
import unicodedata
from functools import lru_cache

from callserver.domain import phone

MOST_LETTERS = 500
"""A longer cell is a text, in which nobody reads numbers for certain."""

MOST_GROUPS = 24
"""Groups of digits between words: more than three numbers in pairs."""

_DATES = re.compile(r"(?<!\d)(\d{4}-\d\d-\d\d|\d\d?[-./]\d\d?[-./]\d{4})(?!\d)", re.ASCII)
_EXTENSIONS = re.compile(
    r"(?:\b(?:lokalnummer|lokalnr|lokal|lok|extension|ext|x)|#)[ .:]*\d{1,6}\b",
    re.ASCII | re.IGNORECASE,
)
_RUN = re.compile(r"[+(]?[0-9][0-9 .()-]*", re.ASCII)
_GROUP = re.compile("[+(]{0,2}[0-9]+[)]?", re.ASCII)
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212"), "-")


@lru_cache(maxsize=4096)
def read(cell: str, region: str | None = "DK") -> tuple[tuple[str, ...], bool]:
    """The numbers in E.164, and whether there are digits that belong to none of them.

    `region`: of numbers without a country code; None: it is not known, and only numbers with a code
    can be read.
    """
    if len(cell) > MOST_LETTERS:
        return (), True
    plain = unicodedata.normalize("NFKC", cell).translate(_DASHES)
    plain = "".join(sign for sign in plain if unicodedata.category(sign) != "Cf").strip()
    whole = None if _DATES.fullmatch(plain) else _parsed(plain, region)
    if whole is not None:
        return (whole,), False
    text = _EXTENSIONS.sub("|", _DATES.sub("|", plain))
    found: dict[str, None] = {}
    is_left = False
    for run in _RUN.findall(text):
        numbers, left = _run(run.strip(" .-"), region)
        found |= dict.fromkeys(numbers)
        is_left = is_left or left
    return tuple(found), is_left


def _run(run: str, region: str | None) -> tuple[list[str], bool]:
    """The numbers of one run of digits with blanks, points, dashes and brackets between them."""
    groups = [(one.start(), one.end()) for one in _GROUP.finditer(run)]
    if len(groups) <= MOST_GROUPS and (ways := _ways(run, groups, region, 0)):
        if len(ways) == 1:
            return ways[0], False
        return sorted(set(ways[0]).intersection(*ways[1:])), True
    alone = (_parsed(run[start:end], region) for start, end in groups)
    return [number for number in alone if number is not None], True


def _ways(
    run: str, groups: list[tuple[int, int]], region: str | None, first: int
) -> list[list[str]]:
    """The ways of reading the groups from `first` on as numbers, two at the most."""
    ends: list[list[list[str]]] = [[] for _ in groups] + [[[]]]
    for begin in range(len(groups) - 1, first - 1, -1):
        for end in range(begin, min(begin + 9, len(groups))):
            if not ends[end + 1]:
                continue
            number = _parsed(run[groups[begin][0] : groups[end][1]], region)
            if number is not None:
                ends[begin] += [[number, *more] for more in ends[end + 1]]
        del ends[begin][2:]
    return ends[first]


def _parsed(text: str, region: str | None) -> str | None:
    if region is None:
        if not text.lstrip("(").startswith(("+", "00")):
            return None
        region = "ZZ"
    found = phone.parse(text, region)
    return found if isinstance(found, str) else None
