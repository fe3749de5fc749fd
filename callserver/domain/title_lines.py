"""Finds the line of the headings where a title stands above it, and what separates its columns.

A title is skipped only where it is certain: a line further down names a column of telephone numbers, and the
lines above it have fewer filled cells, and no number. A colon separates columns only in such a line of headings.
"""

import csv
import re
from collections.abc import Sequence
from typing import NamedTuple

from callserver.domain import heading_words

SEPARATORS = ";,\t|"
MOST_ABOVE = 30
"""Lines in which the headings are looked for."""

MOST_CELLS = 2
"""Filled cells of a line of a title: `Udtrukket` and `1. november 2026`."""

MOST_LETTERS = 20_000
"""Of a line of headings."""

MOST_TITLE = 500
"""Letters of a cell of a title."""

_DATE = re.compile(r"(?<!\d)(?:\d{4}-\d\d-\d\d|\d\d?[-./]\d\d?[-./]\d{4})(?!\d)")
_NUMBER = re.compile(r"\d(?:\D{0,2}\d){6}")
_DIGITS = re.compile(r"\d(?:\D?\d){4}")
_HEADING = re.compile(r"[\w .,()/+#&'-]*")


class Head(NamedTuple):
    """Where the headings are among a file's first lines."""

    skipped: int  # lines above
    separator: str


def find(lines: Sequence[str], separator: str = "") -> Head:
    """`separator`: as the file itself names it."""
    for at, line in enumerate(lines):
        by = separator or separator_of(line)
        header = _filled(line, by)
        if _names_numbers(header):
            above = [_filled(each, by) for each in lines[:at]]
            is_title = all(_is_title(cells, header) for cells in above)
            return Head(at, by) if is_title else Head(0, separator or separator_of(lines[0]))
    return Head(0, separator or separator_of(lines[0]))


def separator_of(line: str) -> str:
    """The separator of a line of headings: the most frequent one. A colon only beside no other."""
    if ":" in line and not any(one in line for one in SEPARATORS):
        cells = _filled(line, ":")
        if len(cells) > 1 and _names_numbers(cells) and all(map(_HEADING.fullmatch, cells)):
            return ":"
    return max(SEPARATORS, key=line.count)


def _filled(line: str, separator: str) -> list[str]:
    """The filled cells of a line; those of a cell with line breaks in part."""
    try:
        cells = next(csv.reader([line[:MOST_LETTERS]], delimiter=separator), [])
    except csv.Error:
        cells = [line]
    return [cell.strip() for cell in cells if cell.strip()]


def _names_numbers(cells: Sequence[str]) -> bool:
    return any(heading_words.field(cell) == "phone" for cell in cells) and not any(
        map(_DIGITS.search, cells)
    )


def _is_title(cells: Sequence[str], header: Sequence[str]) -> bool:
    fewer = len(cells) < len(header) or len(header) == 1
    return fewer and len(cells) <= MOST_CELLS and not any(map(_holds_number, cells))


def _holds_number(cell: str) -> bool:
    """Whether a cell may hold somebody's number; a date is none."""
    text = _DATE.sub(" ", cell)
    return _NUMBER.search(text) is not None or len(cell) > MOST_TITLE
