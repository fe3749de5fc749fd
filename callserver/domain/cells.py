"""A list's cells, column by column -> values; a cell that cannot be read makes its row a problem."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from json.encoder import encode_basestring as quoted
from typing import TypeVar

from callserver.domain import countries, hours, opt_out_cells, phone
from callserver.domain.addresses import is_no_address, is_placeholder
from callserver.domain.dates import latest_birth_date, parse_date
from callserver.domain.heading_words import MAY_CALL
from callserver.domain.opt_out_cells import NO, YES
from callserver.domain.sheet import Unreadable

T = TypeVar("T")
NO_NUMBER = "+0"
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
        "not_an_age",
        "no_permission",
        "ref_of_another",
    }
)
"""Every reason for which a row is refused; the texts explain each."""


@lru_cache(maxsize=4096)
def _place(number: str, zone: str) -> str:
    return str(hours.place_of(number, zone or None))


def _place_text(number: str, zone: str) -> str:
    if not zone and number.startswith("+45"):
        return "DK Europe/Copenhagen"  # one country, one zone: most rows, without a look-up
    return _place(number, zone)


class Columns:
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
        """In E.164, each by its row's own country where the row names one."""
        parse, found = phone.parse, []
        own = self._cells("country")
        for row, cell in enumerate(self._columns[self._at["phone"]]):
            number = parse(cell, region) if own is None else _of_country(cell, own[row], region)
            if not isinstance(number, str):
                self._refuse(row, "phone", f"number_{number.value}")
                number = NO_NUMBER
            found.append(number)
        return found

    def permissions(self, opt_outs: Sequence[tuple[int, str]]) -> None:
        """Where a column says who may be called, a row that says neither yes nor no is refused."""
        for at, field in opt_outs:
            if field == MAY_CALL:
                for row, cell in enumerate(self._columns[at]):
                    if not opt_out_cells.is_yes_or_no(cell):
                        problem = RowProblem(self._header[at], "no_permission")
                        self.problems.setdefault(row, problem)

    def texts(self, field: str) -> list[str]:
        cells = self._cells(field)
        return [""] * self._count if cells is None else [cell.strip() for cell in cells]

    def dates(self, field: str, this_year: int) -> list[str]:
        """In ISO form."""
        return self._read(field, lambda cell: parse_date(cell, this_year), "", "not_a_date")

    def ages(self, born: Sequence[str], today: date | None) -> list[str]:
        """Dates of birth; where none is known, the latest that somebody of that age can have."""
        found = self._read("age", lambda cell: latest_birth_date(cell, today), "", "not_an_age")
        return [known or by_age for known, by_age in zip(born, found, strict=True)]

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
            found = ["" if is_no_address(home) else home.strip() for home in homes]
        else:  # a postcode alone is a district, not a household
            pairs = zip(homes, towns, strict=True)
            found = ["" if is_no_address(home) else f"{home} {town}" for home, town in pairs]
        if (own := self._cells("household")) is not None:
            found = [
                home if is_placeholder(cell) else cell.strip()
                for cell, home in zip(own, found, strict=True)
            ]
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
    if said not in YES and said not in NO:
        raise ValueError("neither yes nor no")
    return int(said in YES)


@lru_cache(maxsize=4096)
def _of_country(cell: str, country: str, region: str) -> str | phone.NumberProblem:
    """A number by its row's country; one that has a country code of its own needs none."""
    if not country.strip():
        return phone.parse(cell, region)
    own = countries.region(country)
    if own is not None:
        return phone.parse(cell, own)
    if cell.strip(" \t(").startswith(("+", "00")):
        return phone.parse(cell, "ZZ")
    return phone.NumberProblem.COUNTRY
