"""Reads dates and ages as lists write them. An ambiguous date is refused, not guessed."""

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
OLDEST_ALIVE = 115


@lru_cache(maxsize=65536)
def parse_date(text: str, this_year: int = 0) -> str:
    """A date in ISO form; empty for an empty text.

    Read are ISO dates, day-month-year, and month/day where nothing else is possible. `this_year`: years
    of two digits are read as the hundred years up to it; 0: they are refused.

    Raises:
        ValueError: it is not a date, or an ambiguous one: 03/04/2025 is April in Denmark and March in
            the United States.
    """
    text = text.strip()
    if not text:
        return ""
    if match := _MIDNIGHT.fullmatch(text):
        text = match[1]
    readings = set(_readings(text, this_year))
    if len(readings) != 1:
        raise ValueError("no date, or one that can be read in two ways")
    return readings.pop().isoformat()


def parse_birth(text: str, this_year: int = 0) -> str:
    """The same for a date of birth. A system's `1900-01-01` for an unknown one is refused.

    Raises:
        ValueError: it is not a date, an ambiguous one, or nobody alive was born then.
    """
    born = parse_date(text, this_year)
    if born and this_year and int(born[:4]) < this_year - OLDEST_ALIVE:
        raise ValueError("nobody alive was born then")
    return born


def birth_of_parts(day: str, month: str, year: str, this_year: int = 0) -> str:
    """A date of birth from three cells; the latest one that is possible where only the year is given.

    Raises:
        ValueError: they are no date, or nobody alive was born then.
    """
    parts = [part.strip() for part in (year, month, day)]
    if not any(parts):
        return ""
    # The whole date is in the first column, and its parts are repeated.
    if len(parts[2]) > len("31"):
        return parse_birth(parts[2], this_year)
    if parts[0] and not all(parts):
        parts[1:] = ["12", "31"]
    if len(parts[0]) != len("2012"):
        raise ValueError("a year has four digits")
    return parse_birth("-".join(parts), this_year)


def _readings(text: str, this_year: int) -> Iterator[date]:
    """Every date that the text may mean."""
    candidates: list[tuple[str, str, str]] = []  # year, month, day
    if match := _YEAR_FIRST.fullmatch(text):
        candidates = [(match[1], match[3], match[4])]
    elif match := _YEAR_LAST.fullmatch(text):
        candidates = [(match[4], match[3], match[1])]
        if match[2] == "/":
            candidates.append((match[4], match[1], match[3]))
    elif _DIGITS.fullmatch(text):
        candidates = [(text[:4], text[4:6], text[6:]), (text[4:], text[2:4], text[:2])]
        candidates = [parts for parts in candidates if parts[0][:2] in ("19", "20")]
    elif this_year and (match := _SHORT_YEAR.fullmatch(text)):
        first, second, third = match[1], match[3], match[4]
        candidates = [(third, second, first), (first, second, third)]
        if match[2] == "/":
            candidates.append((third, first, second))
        candidates = [(_full_year(year, this_year), month, day) for year, month, day in candidates]
    for year, month, day in candidates:
        try:
            yield date(int(year), int(month), int(day))
        except ValueError:
            continue


def _full_year(year: str, this_year: int) -> str:
    """The latest year with these two digits that is not in the future."""
    century = this_year - this_year % 100
    full = century + int(year)
    return str(full if full <= this_year else full - 100)


def latest_birth_date(text: str, today: date | None) -> str:
    """The latest possible date of birth at that age, in ISO form; empty for an empty text.

    Raises:
        ValueError: it is not an age.
    """
    text = text.strip()
    if not text:
        return ""
    match = _AGE.fullmatch(text)
    if match is None or today is None or int(match[1]) > OLDEST:
        raise ValueError("not an age")
    year = today.year - int(match[1])
    try:
        return today.replace(year=year).isoformat()
    except ValueError:  # 29 February
        return date(year, 3, 1).isoformat()
