"""Recognises a date of birth that a list writes in three columns: day, month and year."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from callserver.domain.heading_words import words

_BIRTH = r"(?:fødsels?|født|birth|born|dob|geburts?|födelse)"
_PARTS = tuple(
    re.compile(rf"(?:{_BIRTH}_?)?(?:{part})(?:_(?:of|for|i)?_?{_BIRTH})?")
    for part in ("dag|day|tag", "måned|maaned|mdr|month|monat|månad", "år|aar|year|jahr")
)
_BIRTH_WORD = re.compile(_BIRTH)


class BirthColumns(NamedTuple):
    """Positions of the three columns."""

    day: int
    month: int
    year: int


def find(header: Sequence[str], given: Mapping[int, str]) -> tuple[BirthColumns | None, bool]:
    """The three columns, if there is one of each, and whether they are a date of birth for certain.

    `given`: fields that somebody has said, by position. `Dag`, `Måned` and `År` may be the date of anything,
    unless the day's field is said to be `born`.
    """
    taken = {at for at, name in given.items() if name != "born"}
    names = ["_".join(words(heading)) for heading in header]
    found = [
        [at for at, name in enumerate(names) if at not in taken and part.fullmatch(name)]
        for part in _PARTS
    ]
    if any(len(some) != 1 for some in found):
        return None, False
    columns = BirthColumns(*(at for (at,) in found))
    if "born" in given.values():
        return columns, given.get(columns.day) == "born"
    return columns, any(_BIRTH_WORD.search(names[at]) for at in columns)
