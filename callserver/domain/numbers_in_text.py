"""Finds every telephone number that a cell of an opt-out list certainly holds, and reports leftovers.

More tolerant than phone.parse: in an opt-out list a cell may hold two numbers, a word beside one, or an
extension. Digits that cannot be read with certainty are always reported.
"""

import re
import unicodedata
from functools import lru_cache
from itertools import repeat

from callserver.domain import phone

MOST_LETTERS = 500
"""A longer cell is a text, in which numbers cannot be found with certainty."""

MOST_GROUPS = 24
"""The most groups of digits in a run: enough for more than three numbers written in pairs."""

_DATES = re.compile(r"(?<!\d)(\d{4}-\d\d-\d\d|\d\d?[-./]\d\d?[-./]\d{4})(?!\d)", re.ASCII)
_EXTENSIONS = re.compile(
    r"(?:\b(?:lokalnummer|lokalnr|lokal|lok|extension|ext|x)|#)[ .:]*\d{1,6}\b",
    re.ASCII | re.IGNORECASE,
)
_DIGITS = re.compile(r"\d(?:[ .()-]?\d){7}")
_TRUNK_ZERO = re.compile(r"(?<=\d)[ .-]?\([ ]?0[ ]?\)[ .-]?(?=\d)", re.ASCII)
"""The `(0)` of `+45 (0) 32 20 01 36`, which is not dialed behind a country code."""
_UP_TO = r"[ )]*(?:-+|[.]{2,}|til(?: og med)?|to|t[.]?o[.]?m[.]?)[ (+]*"
_LONGEST_RANGE = 10_000
_RUN = re.compile(r"[+(]?[0-9][0-9 .()-]*", re.ASCII)
_GROUP = re.compile("[+(]{0,2}[0-9]+[)]?", re.ASCII)
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212"), "-")


@lru_cache(maxsize=4096)
def read(cell: str, region: str | None = "DK") -> tuple[tuple[str, ...], bool]:
    """The numbers in E.164, and whether there are digits that belong to none of them.

    `region`: for numbers without a country code; None: it is unknown, and only numbers with a country
    code can be read.
    """
    if len(cell) > MOST_LETTERS:
        return (), True
    plain = unicodedata.normalize("NFKC", cell).translate(_DASHES)
    plain = "".join(
        character for character in plain if unicodedata.category(character) != "Cf"
    ).strip()
    whole_cell = None if _DATES.fullmatch(plain) else _parsed(plain, region)
    if whole_cell is not None:
        return (whole_cell,), False
    text = _EXTENSIONS.sub("|", _DATES.sub("|", plain))
    numbers: dict[str, None] = {}
    has_leftover = False
    for run in _RUN.findall(text):
        plain_run = _TRUNK_ZERO.sub(" ", run.strip(" .-"))
        # One stands around words: `(kontor 32123456)`.
        if plain_run.count("(") != plain_run.count(")"):
            plain_run = plain_run.strip(" .-()")
        in_run, run_has_leftover = _run(plain_run, region)
        numbers |= dict.fromkeys(in_run)
        has_leftover = has_leftover or run_has_leftover
    found = tuple(numbers)
    return found, has_leftover or any(map(_is_range, repeat(plain), found, found[1:]))


def _is_range(cell: str, first: str, last: str) -> bool:
    """Whether the cell may mean the numbers between these two as well: `32200141-32200149`."""
    if not 1 < int(last) - int(first) < _LONGEST_RANGE:
        return False
    begin, end = ("[ .()-]*".join(number[-6:]) for number in (first, last))
    return (
        re.search(rf"{begin}{_UP_TO}[0-9 .()-]*?{end}", cell, re.ASCII | re.IGNORECASE) is not None
    )


def _run(run: str, region: str | None) -> tuple[list[str], bool]:
    """The numbers of one run of digits, separated by spaces, points, dashes and brackets."""
    groups = [(group.start(), group.end()) for group in _GROUP.finditer(run)]
    if len(groups) <= MOST_GROUPS and (readings := _readings(run, groups, region, 0)):
        if len(readings) == 1:
            return readings[0], False
        return sorted(set(readings[0]).intersection(*readings[1:])), True
    single_groups = (_parsed(run[start:end], region) for start, end in groups)
    return [number for number in single_groups if number is not None], True


def _readings(
    run: str, groups: list[tuple[int, int]], region: str | None, first: int
) -> list[list[str]]:
    """The readings of the groups from `first` on as numbers, at most two."""
    ends: list[list[list[str]]] = [[] for _ in groups] + [[[]]]
    for begin in range(len(groups) - 1, first - 1, -1):
        for end in range(begin, min(begin + 9, len(groups))):
            if not ends[end + 1]:
                continue
            number = _parsed(run[groups[begin][0] : groups[end][1]], region)
            if number is not None:
                ends[begin] += [[number, *following] for following in ends[end + 1]]
        del ends[begin][2:]
    return ends[first]


def _parsed(text: str, region: str | None) -> str | None:
    if region is None:
        if not text.lstrip("(").startswith(("+", "00")):
            return None
        region = "ZZ"
    number = phone.parse(text, region)
    return number if isinstance(number, str) else None


def may_hold_number(text: str) -> bool:
    """Whether a free text holds eight digits that may be a telephone number; of any length."""
    plain = unicodedata.normalize("NFKC", text).translate(_DASHES)
    return _DIGITS.search(_DATES.sub("|", plain)) is not None
