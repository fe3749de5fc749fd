"""Dates and ages as lists write them. A date that can be read in two ways is refused, not guessed."""

import re
from collections.abc import Iterator
from datetime import date
from functools import lru_cache

_MIDNIGHT = re.compile(r"(.{6,10})[T ]00:00(:00(\.0+)?)?(Z|[+]00:?00)?", re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4})([-./])(\d{1,2})\2(\d{1,2})", re.ASCII)
_YEAR_LAST = re.compile(r"(\d{1,2})([-./])(\d{1,2})\2(\d{4})", re.ASCII)
_SHORT_YEAR = re.compile(r"(\d{1,2})([-./])(\d{1,2})\2(\d{2})", re.ASCII)
_DIGITS = re.compile(r"\d{8}", re.ASCII)
_AGE = re.compile(r"(\d{1,3})(\.0+)?", re.ASCII)
OLDEST = 130


@lru_cache(maxsize=65536)
def parse_date(text: str, this_year: int = 0) -> str:
    """ISO form of a date: ISO, day-month-year, month/day where it can be nothing else; nothing of nothing.

    `this_year`: for years of two digits, which lie in the hundred years before; 0: they are refused.

    Raises:
        ValueError: it is none, or may be two: 03/04/2025 is another day in another country.
    """
    text = text.strip()
    if not text:
        return ""
    if found := _MIDNIGHT.fullmatch(text):
        text = found[1]
    readings = set(_readings(text, this_year))
    if len(readings) != 1:
        raise ValueError("no date, or one that can be read in two ways")
    return readings.pop().isoformat()


def _readings(text: str, this_year: int) -> Iterator[date]:
    """Every day that the text may mean."""
    ways: list[tuple[str, str, str]] = []
    if found := _YEAR_FIRST.fullmatch(text):
        ways = [(found[1], found[3], found[4])]
    elif found := _YEAR_LAST.fullmatch(text):
        ways = [(found[4], found[3], found[1])]
        if found[2] == "/":
            ways.append((found[4], found[1], found[3]))
    elif _DIGITS.fullmatch(text):
        ways = [(text[:4], text[4:6], text[6:]), (text[4:], text[2:4], text[:2])]
        ways = [way for way in ways if way[0][:2] in ("19", "20")]
    elif this_year and (found := _SHORT_YEAR.fullmatch(text)):
        one, two, three = found[1], found[3], found[4]
        ways = [(three, two, one), (one, two, three)]
        if found[2] == "/":
            ways.append((three, one, two))
        ways = [(_full(year, this_year), month, day) for year, month, day in ways]
    for year, month, day in ways:
        try:
            yield date(int(year), int(month), int(day))
        except ValueError:
            continue


def _full(year: str, this_year: int) -> str:
    """The last such year that is not to come."""
    century = this_year - this_year % 100
    full = century + int(year)
    return str(full if full <= this_year else full - 100)


def latest_birth_date(text: str, today: date | None) -> str:
    """The latest date of birth of somebody of that age, in ISO form; nothing of nothing.

    Raises:
        ValueError: it is no age.
    """
    text = text.strip()
    if not text:
        return ""
    found = _AGE.fullmatch(text)
    if found is None or today is None or int(found[1]) > OLDEST:
        raise ValueError("no age")
    year = today.year - int(found[1])
    try:
        return today.replace(year=year).isoformat()
    except ValueError:  # 29 February
        return date(year, 3, 1).isoformat()
