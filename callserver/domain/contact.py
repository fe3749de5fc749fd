"""A list's cells -> contacts' values | why not. Strict: what cannot be read is refused, not mended.

Read by columns: for many rows that costs half of what reading one row after the other does.
A refusal names the column and the reason, never the value: the reasons are printed and stored.
"""

import json
from collections.abc import Sequence
from datetime import date
from itertools import compress, starmap
from typing import NamedTuple

from callserver.domain import countries, headings, numbers_in_text, opt_out_cells, phone, subject
from callserver.domain.cells import Columns, RowProblem
from callserver.domain.headings import ColumnMapping
from callserver.domain.sheet import Unreadable


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


class ListedOptOut(NamedTuple):
    """A row of which the list itself says that the person must not be called."""

    row: int
    field: str  # do_not_call, may_call or deceased
    persons: frozenset[int]
    numbers: frozenset[int]
    is_clear: bool  # False: neither yes nor no stands there, and counts as a no to calls


class Reader:
    """Turns one file's rows into contacts."""

    def __init__(
        self,
        header: Sequence[str],
        heads: ColumnMapping,
        region: str,
        source: str | None,
        today: date | None = None,
    ) -> None:
        """`source`: where they come from when the row does not say.

        `today`: for ages, and for years of two digits; None: neither can be read.
        """
        self._header = header
        self._heads = heads
        self._at = heads.columns
        self._region = region
        self._source = source or ""
        self._today = today
        self._widths = {headings.own_width(header), len(header)}
        # What makes the household's key stays a merge field besides; a column without a heading stays.
        columns = heads.columns
        kept = {columns.get(field) for field in ("household", "address", "postcode")}
        used = {*columns.values(), *(at for at, _ in heads.opt_outs), *heads.ignored} - kept
        self._extra = [
            (f"{json.dumps(name or f'column {at + 1}', ensure_ascii=False)}: ", at)
            for at, name in enumerate(header[: min(self._widths)])
            if at not in used
        ]

    def read(self, rows: Sequence[Sequence[str]]) -> tuple[Rows, dict[int, RowProblem]]:
        """The rows' values, and by position the first problem of each row that is refused.

        The values of a refused row stand for nothing.
        """
        found = Columns(rows, self._header, self._at, self._widths)
        found.permissions(self._heads.opt_outs)
        numbers = found.numbers(self._region)
        year = 0 if self._today is None else self._today.year
        born, gifts, ended = (found.dates(name, year) for name in ("born", "last_gift", "ended"))
        if "age" in self._at:
            born = found.ages(born, self._today)
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

    def opt_outs(self, rows: Sequence[Sequence[str]], values: Rows) -> list[ListedOptOut]:
        """Who of the rows must not be called, by the list's own columns; of refused rows as well."""
        found = []
        for at, field in self._heads.opt_outs:
            for row, cells in enumerate(rows):
                if at >= len(cells) or isinstance(cells, Unreadable):
                    continue
                said = opt_out_cells.read(field, cells[at])
                if said is not None:
                    found.append(self._opt_out(field, row, cells, values, is_clear=said))
        return found

    def _opt_out(
        self, field: str, row: int, cells: Sequence[str], values: Rows, *, is_clear: bool
    ) -> ListedOptOut:
        """Under every key and number by which the person may stand on another list."""
        own = values.number[row]
        numbers = {own} if own else set()
        for at in self._heads.phones:
            if at < len(cells):
                some, _ = numbers_in_text.read(cells[at], self._region_of(cells))
                numbers.update(map(phone.to_int, some))
        ref, name = values.ref[row], values.name[row]
        keys = set(
            subject.person_keys([None] * len(numbers), sorted(numbers), [name] * len(numbers))
        )
        if ref:
            keys.add(subject.person_key(ref, 0, None))
        return ListedOptOut(row, field, frozenset(keys), frozenset(numbers), is_clear)

    def _region_of(self, cells: Sequence[str]) -> str | None:
        at = self._at.get("country")
        if at is None or at >= len(cells) or not cells[at].strip():
            return self._region
        return countries.region(cells[at])
