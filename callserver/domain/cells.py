"""A list's cells, read column by column into values; an unreadable cell makes its row a problem."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, partial
from json.encoder import encode_basestring as quoted
from typing import NamedTuple, TypeVar

from callserver.domain import countries, hours, opt_out_cells, phone, postal_addresses
from callserver.domain.addresses import (
    is_no_address,
    is_no_household,
    is_no_household_name,
    is_placeholder,
)
from callserver.domain.birth_headings import BirthColumns
from callserver.domain.dates import birth_of_parts, latest_birth_date, parse_birth, parse_date
from callserver.domain.heading_words import MAY_CALL
from callserver.domain.opt_out_cells import NO, YES
from callserver.domain.sheet_rows import Rows, Unreadable, together

T = TypeVar("T")
NO_NUMBER = "0"
"""Placeholder for the number of a row that will be refused."""

MOST_APART = 2
"""Years between a date of birth and an age that was true when the list was made; else the younger counts."""

DANISH_PLACE = "DK Europe/Copenhagen"


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Why a row was refused: the column, and a reason that does not contain the value."""

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
        "number_of_many",
        "not_an_event",
        "nobody_known",
        "several_people",
        "consent_ends_opt_out",
        "consent_in_the_future",
    }
)
"""Every reason for which a row is refused; the catalogues explain each."""


@lru_cache(maxsize=4096)
def _place(digits: str, zone: str) -> str:
    return str(hours.place_of(f"+{digits}", zone or None))


def _place_text(digits: str, zone: str) -> str:
    if not zone and digits.startswith("45"):
        return DANISH_PLACE  # most rows: no look-up is needed
    return _place(digits, zone)


class Homes(NamedTuple):
    """What identifies the households of rows; empty where only the number does."""

    homes: list[str]
    written: list[str]  # as it is spelled
    homeless: dict[int, tuple[str, str]]
    """By row: the key and spelling of a former household, such as a district, a post-office box or a
    placeholder."""

    unused: list[int]  # rows with a household or an address that identifies none


class Columns:
    """Rows turned into columns, and the problems of the rows that cannot be read."""

    def __init__(
        self,
        rows: Sequence[Sequence[str]],
        header: Sequence[str],
        at: Mapping[str, int],
        widths: Collection[int],
    ) -> None:
        self._header, self._at, self._count = header, at, len(rows)
        self.problems: dict[int, RowProblem] = {}
        rows = together(rows)
        if not rows.are_whole(widths):
            self.problems = {
                row: RowProblem("", cells.reason if isinstance(cells, Unreadable) else "cells")
                for row, cells in enumerate(rows)
                if len(cells) not in widths or isinstance(cells, Unreadable)
            }
            blank = [""] * len(header)
            rows = Rows(blank if row in self.problems else cells for row, cells in enumerate(rows))
        # Rows of a returned file may be shorter than the header: without the columns we had appended.
        self._columns = rows.columns or [()] * len(header)
        self._are_danish = False  # all numbers

    def _cells(self, field: str) -> Sequence[str] | None:
        at = self._at.get(field)
        return None if at is None else self._columns[at]

    def _refuse(self, row: int, field: str, reason: str) -> None:
        self.problems.setdefault(row, RowProblem(self._header[self._at[field]], reason))

    def numbers(
        self, region: str, others: Sequence[int] = (), other_countries: Sequence[int] = ()
    ) -> list[str]:
        """The digits of E.164; a row's country, where it names one, takes precedence over `region`.

        `others`: columns that are read where the cell of the first one is empty. `other_countries`:
        columns that name a country beside the first one.
        """
        parse, numbers = phone.parse, []
        row_countries = self._cells("country")
        if row_countries is not None and other_countries:
            named = zip(row_countries, *(self._columns[at] for at in other_countries), strict=True)
            row_countries = list(map(countries.of_row, named))
        first = self._at["phone"]
        self._are_danish = (
            region == "DK" and row_countries is None and phone.are_danish(self._columns[first])
        )
        if self._are_danish:  # as in most lists: no cell is read by itself
            return ("45" + " 45".join(self._columns[first])).split(" ")
        for row, cell in enumerate(self._columns[first]):
            at = first
            if others and not cell.strip():
                at = next(
                    (at for at in others if any(map(str.isdigit, self._columns[at][row]))), first
                )
                cell = self._columns[at][row]  # noqa: PLW2901 - the cell that is read
            if row_countries is None:
                number = parse(cell, region)
            else:
                number = countries.number(cell, row_countries[row], region)
            if not isinstance(number, str):
                problem = RowProblem(self._header[at], f"number_{number.value}")
                self.problems.setdefault(row, problem)
                number = NO_NUMBER
            numbers.append(number.removeprefix("+"))
        return numbers

    def permissions(self, opt_outs: Sequence[tuple[int, str]]) -> None:
        """Where a column says who may be called, refuse each row that says neither yes nor no."""
        for at, field in opt_outs:
            if field == MAY_CALL:
                for row, cell in enumerate(self._columns[at]):
                    if not opt_out_cells.is_answer(cell):
                        problem = RowProblem(self._header[at], "no_permission")
                        self.problems.setdefault(row, problem)

    def texts(self, field: str) -> list[str]:
        cells = self._cells(field)
        return [""] * self._count if cells is None else list(map(str.strip, cells))

    def dates(self, field: str, this_year: int) -> list[str]:
        """In ISO form."""
        read = parse_birth if field == "born" else parse_date
        return self._read(field, lambda cell: read(cell, this_year), "", "not_a_date")

    def births(self, columns: BirthColumns, this_year: int) -> list[str]:
        """Dates of birth in ISO form, from three columns."""
        born = []
        rows = zip(*(self._columns[at] for at in columns), strict=True)
        for row, (day, month, year) in enumerate(rows):
            try:
                born.append(birth_of_parts(day, month, year, this_year))
            except ValueError:
                self._refuse(row, "born", "not_a_date")
                born.append("")
        return born

    def ages(self, born: Sequence[str], today: date | None) -> list[str]:
        """Dates of birth; where none is given, the latest one that is possible at that age."""
        by_age = self._read("age", lambda cell: latest_birth_date(cell, today), "", "not_an_age")
        return [
            max(given, latest)
            if latest[:4] > f"{int(given[:4] or 0) + MOST_APART}"
            else given or latest
            for given, latest in zip(born, by_age, strict=True)
        ]

    def yes_or_no(self, field: str) -> list[int]:
        return self._read(field, _yes, 0, "not_yes_or_no")

    def _read(self, field: str, read: Callable[[str], T], default: T, reason: str) -> list[T]:
        cells = self._cells(field)
        if cells is None:
            return [default] * self._count
        values = []
        for row, cell in enumerate(cells):
            try:
                values.append(read(cell))
            except ValueError:
                self._refuse(row, field, reason)
                values.append(default)
        return values

    def places(self, numbers: Sequence[str], zones: Sequence[str]) -> list[str]:
        if self._are_danish and "zone" not in self._at:
            return [DANISH_PLACE] * self._count
        places = [_place_text(number, zone) for number, zone in zip(numbers, zones, strict=True)]
        if "zone" in self._at:
            for row, (place, zone) in enumerate(zip(places, zones, strict=True)):
                if zone and not place.partition(" ")[2]:
                    self._refuse(row, "zone", "not_a_zone")
        return places

    def names(self) -> list[str]:
        """First and last name; where a row has neither, the whole name. With single spaces."""
        parts = [
            cells
            for field in ("first_name", "last_name")
            if (cells := self._cells(field)) is not None
        ]
        whole = self._cells("name")
        joined = [" ".join(" ".join(row).split()) for row in zip(*parts, strict=True)]
        if whole is None:
            return joined or [""] * self._count
        together = f" {' '.join(whole)} "
        if together.isprintable() and "  " not in together:  # as in most lists: nothing to change
            names = list(whole)
        else:
            names = list(map(" ".join, map(str.split, whole)))
        return [own or name for own, name in zip(joined, names, strict=True)] if parts else names

    def households(self) -> Homes:
        """What identifies each row's household."""
        if self._cells("address") is None and self._cells("household") is None:
            none = [""] * self._count
            return Homes(none, none, {}, [])
        written = self._written_homes()
        homes = [postal_addresses.household(home) if home else home for home in written]
        addresses, codes = self._addresses(), self.texts("postcode")
        homeless: dict[int, tuple[str, str]] = {}
        for at, address in enumerate(addresses or ()):
            if written[at] and is_no_household(address, codes[at]):
                homeless[at] = (homes[at], written[at])
                homes[at] = written[at] = ""
        given = self._cells("household")
        for at, cell in enumerate(given or ()):
            if is_placeholder(cell):
                continue
            name = cell.strip()
            home = postal_addresses.named_household(name)
            if is_no_household_name(name, codes[at]):
                homeless[at] = (home, name)
            else:
                homeless.pop(at, None)
                homes[at], written[at] = home, name
        named = [cells for cells in (addresses, given) if cells is not None]
        unused = [
            at
            for at, home in enumerate(homes)
            if at in homeless or (not home and any(cells[at].strip() for cells in named))
        ]
        return Homes(homes, written, homeless, unused)

    def _written_homes(self) -> list[str]:
        """Addresses with their postcode, as they are written."""
        addresses = self._addresses()
        if addresses is None:
            homes = [""] * self._count
        elif (postcodes := self._cells("postcode")) is None:
            homes = ["" if is_no_address(address) else address.strip() for address in addresses]
        else:  # a postcode alone is a district, not a household
            pairs = zip(addresses, postcodes, strict=True)
            homes = [
                "" if is_no_address(address) else f"{address} {code}" for address, code in pairs
            ]
        return homes

    def _addresses(self) -> Sequence[str] | None:
        """Streets, each with its house number, floor and door where they have columns of their own."""
        parts = [
            cells
            for field in ("address", "house_number", "floor", "door")
            if (cells := self._cells(field)) is not None
        ]
        if self._cells("address") is None or len(parts) == 1:
            return self._cells("address")
        return [" ".join(" ".join(row).split()) for row in zip(*parts, strict=True)]

    def addresses(self) -> list[str]:
        """Street and house number; empty where the cell says only that the address is unknown."""
        cells = self._addresses()
        if cells is None:
            return [""] * self._count
        return ["" if is_no_address(cell) else cell.strip() for cell in cells]

    def fields(self, extra: Sequence[tuple[str, int]]) -> list[str]:
        """The non-empty cells of the other columns, as JSON."""
        if not extra:
            return [""] * self._count
        if len(extra) == 1:
            [(name, at)] = extra
            return _of_each(lambda cell: f"{{{_member(name, cell)}}}", self._columns[at])
        parts = [_of_each(partial(_member, name), self._columns[at]) for name, at in extra]
        joined = [", ".join(filter(None, row)) for row in zip(*parts, strict=True)]
        return _of_each("{{{}}}".format, joined)


def _of_each(write: Callable[[str], str], cells: Sequence[str]) -> list[str]:
    """What is written of each cell, once for a cell that stands in many rows; nothing of an empty one."""
    written = {cell: write(cell) for cell in set(cells)} | {"": ""}
    return list(map(written.__getitem__, cells))


def _member(name: str, cell: str) -> str:
    return f"{name}{quoted(cell)}"


def _yes(cell: str) -> int:
    text = cell.strip().lower()
    if text not in YES and text not in NO:
        raise ValueError("neither yes nor no")
    return int(text in YES)
