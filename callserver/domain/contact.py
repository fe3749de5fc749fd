"""A list's cells -> contacts' values | why not. Strict: what cannot be read is refused, not mended.

Read by columns: for many rows that costs half of what reading one row after the other does.
A refusal names the column and the reason, never the value: the reasons are printed and stored.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import compress, starmap
from json.encoder import encode_basestring as quoted
from typing import NamedTuple, TypeVar

from callserver.domain import headings, hours, phone, subject
from callserver.domain.sheet import Unreadable

_YES = frozenset({"ja", "j", "yes", "y", "1", "true"})
_NO = frozenset({"nej", "n", "no", "0", "false", ""})
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DANISH_DATE = re.compile(r"(\d{2})([-.])(\d{2})\2(\d{4})", re.ASCII)
T = TypeVar("T")
_NOBODY = "+0"
"""Stands for the number of a row that is refused, until the row is."""


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Why a row was refused: the column, and a reason that holds no value."""

    column: str
    reason: str  # one of REASONS


REASONS = frozenset(
    {f"number_{problem.value}" for problem in phone.NumberProblem}
    | {
        "cells",
        "quotes",
        "nul",
        "encoding",
        "not_a_date",
        "not_yes_or_no",
        "not_a_zone",
        "not_a_rank",
    }
)
"""Every reason for which a row is refused; the texts explain each."""


class Row(NamedTuple):
    """A contact's values as the list gives them; an empty text says nothing, and no None does.

    A tuple: lists hold millions. Python's SQLite takes a third of a microsecond for each None and
    each bool, ten times what it takes for a text or an integer.
    """

    number: int
    person: int
    household: int
    place: str
    ref: str
    name: str
    zone: str
    born: str
    member: int  # 1: yes
    last_gift: str
    ended: str
    source: str
    fields: str  # JSON of the other columns that hold something


class Rows(NamedTuple):
    """Many rows: for each field of Row, in its order, the list of their values."""

    number: list[int]
    person: list[int]
    household: list[int]
    place: list[str]
    ref: list[str]
    name: list[str]
    zone: list[str]
    born: list[str]
    member: list[int]
    last_gift: list[str]
    ended: list[str]
    source: list[str]
    fields: list[str]

    def chosen(self, which: Sequence[bool]) -> "Rows":
        """Those of the rows, in their order, for which `which` holds."""
        return Rows._make(list(compress(column, which)) for column in self)

    def rows(self) -> list[Row]:
        return list(starmap(Row, zip(*self, strict=True)))


@lru_cache(maxsize=65536)
def as_date(text: str) -> str:
    """ISO form of an ISO date or a Danish one (DD-MM-YYYY, DD.MM.YYYY); nothing of nothing.

    Raises:
        ValueError: it is none. A slash is refused: 03/04/2025 is another day in another country.
    """
    text = text.strip()
    if not text:
        return ""
    if found := _DANISH_DATE.fullmatch(text):
        day, _, month, year = found.groups()
        return date(int(year), int(month), int(day)).isoformat()
    if not _ISO.fullmatch(text):
        raise ValueError("neither YYYY-MM-DD nor DD-MM-YYYY")
    return date.fromisoformat(text).isoformat()


@lru_cache(maxsize=4096)
def _place(number: str, zone: str) -> str:
    return str(hours.place_of(number, zone or None))


def _place_text(number: str, zone: str) -> str:
    if not zone and number.startswith("+45"):
        return "DK Europe/Copenhagen"  # one country, one zone: most rows, without a look-up
    return _place(number, zone)


class Reader:
    """Turns one file's rows into contacts."""

    def __init__(
        self, header: Sequence[str], columns: Mapping[str, int], region: str, source: str | None
    ) -> None:
        """`columns`: field -> position. `source`: where they come from when the row does not say."""
        self._header = header
        self._at = columns
        self._region = region
        self._source = source or ""
        self._widths = {headings.own_width(header), len(header)}
        # What makes the household's key stays a merge field besides; a column without a heading stays.
        kept = {columns.get(field) for field in ("household", "address", "postcode")}
        used = set(columns.values()) - kept
        self._extra = [
            (f"{json.dumps(name or f'column {at + 1}', ensure_ascii=False)}: ", at)
            for at, name in enumerate(header[: min(self._widths)])
            if at not in used
        ]

    def read(self, rows: Sequence[Sequence[str]]) -> tuple[Rows, dict[int, RowProblem]]:
        """The rows' values, and by position the first problem of each row that is refused.

        The values of a refused row stand for nothing.
        """
        found = _Columns(rows, self._header, self._at, self._widths)
        numbers = found.numbers(self._region)
        born, gifts, ended = found.dates("born"), found.dates("last_gift"), found.dates("ended")
        members = found.yes_or_no("member")
        zones = found.texts("zone")
        names, refs = found.names(), found.texts("ref")
        keys = [int(number[1:]) for number in numbers]
        values = Rows(
            number=keys,
            person=subject.person_keys(refs, keys, names),
            household=subject.household_keys(found.households(), keys),
            place=found.places(numbers, zones),
            ref=refs,
            name=names,
            zone=zones,
            born=born,
            member=members,
            last_gift=gifts,
            ended=ended,
            source=[source or self._source for source in found.texts("source")],
            fields=found.fields(self._extra),
        )
        return values, found.problems


class _Columns:
    """Rows turned into columns; a cell that cannot be read makes its row a problem."""

    def __init__(
        self,
        rows: Sequence[Sequence[str]],
        header: Sequence[str],
        at: Mapping[str, int],
        widths: Collection[int],
    ) -> None:
        self._header, self._at, self._count = header, at, len(rows)
        self.problems = {
            row: RowProblem("", cells.reason if isinstance(cells, Unreadable) else "cells")
            for row, cells in enumerate(rows)
            if len(cells) not in widths or isinstance(cells, Unreadable)
        }
        if self.problems:
            blank = [""] * len(header)
            rows = [blank if row in self.problems else cells for row, cells in enumerate(rows)]
        # Rows that came back may be shorter than the header: they lack what we had put behind.
        self._columns = list(zip(*rows, strict=False)) or [()] * len(header)

    def _cells(self, field: str) -> Sequence[str] | None:
        at = self._at.get(field)
        return None if at is None else self._columns[at]

    def _refuse(self, row: int, field: str, reason: str) -> None:
        self.problems.setdefault(row, RowProblem(self._header[self._at[field]], reason))

    def numbers(self, region: str) -> list[str]:
        """In E.164."""
        parse, found = phone.parse, []
        for row, cell in enumerate(self._columns[self._at["phone"]]):
            number = parse(cell, region)
            if not isinstance(number, str):
                self._refuse(row, "phone", f"number_{number.value}")
                number = _NOBODY
            found.append(number)
        return found

    def texts(self, field: str) -> list[str]:
        cells = self._cells(field)
        return [""] * self._count if cells is None else [cell.strip() for cell in cells]

    def dates(self, field: str) -> list[str]:
        """In ISO form."""
        return self._read(field, as_date, "", "not_a_date")

    def yes_or_no(self, field: str) -> list[int]:
        return self._read(field, _yes, 0, "not_yes_or_no")

    def _read(self, field: str, read: Callable[[str], T], nothing: T, reason: str) -> list[T]:
        cells = self._cells(field)
        if cells is None:
            return [nothing] * self._count
        found = []
        for row, cell in enumerate(cells):
            try:
                found.append(read(cell))
            except ValueError:
                self._refuse(row, field, reason)
                found.append(nothing)
        return found

    def places(self, numbers: Sequence[str], zones: Sequence[str]) -> list[str]:
        found = [_place_text(number, zone) for number, zone in zip(numbers, zones, strict=True)]
        if "zone" in self._at:
            for row, (place, zone) in enumerate(zip(found, zones, strict=True)):
                if zone and not place.partition(" ")[2]:
                    self._refuse(row, "zone", "not_a_zone")
        return found

    def names(self) -> list[str]:
        """Of one or of two columns, with single blanks."""
        parts = [
            cells
            for field in ("name", "first_name", "last_name")
            if (cells := self._cells(field)) is not None
        ]
        if not parts:
            return [""] * self._count
        return [" ".join(" ".join(row).split()) for row in zip(*parts, strict=True)]

    def households(self) -> list[str]:
        """What tells a household; empty where only the number does."""
        homes = self._cells("address")
        if homes is None:
            found = [""] * self._count
        elif (towns := self._cells("postcode")) is None:
            found = [home.strip() for home in homes]
        else:  # a postcode alone is a district, not a household
            pairs = zip(homes, towns, strict=True)
            found = [f"{home} {town}" if home.strip() else "" for home, town in pairs]
        if (own := self._cells("household")) is not None:
            found = [cell.strip() or home for cell, home in zip(own, found, strict=True)]
        return found

    def fields(self, extra: Sequence[tuple[str, int]]) -> list[str]:
        """The other columns that hold something, as JSON."""
        parts = [
            [f"{name}{quoted(cell)}" if cell else "" for cell in self._columns[at]]
            for name, at in extra
        ]
        if not parts:
            return [""] * self._count
        joined = [", ".join(filter(None, row)) for row in zip(*parts, strict=True)]
        return [f"{{{one}}}" if one else "" for one in joined]


def _yes(cell: str) -> int:
    said = cell.strip().lower()
    if said not in _YES and said not in _NO:
        raise ValueError("neither yes nor no")
    return int(said in _YES)
