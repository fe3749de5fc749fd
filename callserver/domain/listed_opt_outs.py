"""Finds in a list's rows whom the list itself says not to call, and whom its refused rows are about.

A no counts in any row, also in one that is refused: by its number and its reference, in a broken row by every
number in it. Where a row has neither, its household and name are left (docs/identity.md).
"""

from collections.abc import Iterable, Iterator, Sequence

from callserver.domain import countries, headings, numbers_in_text, opt_out_cells, phone, subject
from callserver.domain.contact_rows import ContactRows, ListedOptOut, RefusedPerson
from callserver.domain.heading_words import DO_NOT_CALL
from callserver.domain.headings import ColumnMapping
from callserver.domain.opt_out_phrases import Search, name_says_no, says_no
from callserver.domain.sheet_rows import Rows, Unreadable, together

NAMES = ("name", "first_name", "last_name")
HOUSEHOLD = ("household", "address", "house_number", "floor", "door", "postcode")
"""The fields that the household's key is made of."""

_ASKED_ABOUT = ("source",)
"""Columns in which a cell that says no stops the import, as in an unread column."""

_ONES_OWN = ("ref", "phone")
"""Fields whose cells are nearly all different: there is nothing to gain from finding those that are."""

MOST_BROKEN = 2000
"""Letters of a broken row in which a no is looked for, and as many as one person's row may have."""


class ListedOptOuts:
    """Reads one file's rows."""

    def __init__(
        self, header: Sequence[str], mapping: ColumnMapping, region: str, namespace: str
    ) -> None:
        self._mapping = mapping
        self._at = mapping.columns
        self._region = region
        self._namespace = namespace
        self._search = Search()
        self._widths = {headings.own_width(header), len(header)}
        read_as_texts = {*mapping.columns.items(), *(("phone", at) for at in mapping.other_phones)}
        self._texts = [
            (at, name_says_no if name in (*HOUSEHOLD, *NAMES) else says_no, name in _ONES_OWN)
            for name, at in sorted(read_as_texts)
            if name not in _ASKED_ABOUT
        ]

    def read(self, rows: Sequence[Sequence[str]], values: ContactRows) -> list[ListedOptOut]:
        """`values`: as the rows were read; those of a refused row may be empty."""
        rows, opt_outs = together(rows), []
        for at, field in self._mapping.opt_outs:
            for row, cells in enumerate(rows):
                if at >= len(cells) or _is_torn(cells):
                    continue
                is_clear = opt_out_cells.read(field, cells[at])
                if is_clear is not None:
                    opt_outs.append(self._opt_out(field, row, cells, values, is_clear=is_clear))
        for at, opts_out, is_ones_own in self._texts:
            column = rows.column(at) if is_ones_own else rows.different(at)
            said = set(filter(opts_out, self._search.cells(column)))
            if not said:
                continue
            opt_outs += [
                self._opt_out(DO_NOT_CALL, row, cells, values, is_clear=False)
                for row, cells in enumerate(rows)
                if at < len(cells) and cells[at] in said and not _is_torn(cells)
            ]
        return [*opt_outs, *self._in_broken(rows, {said.row for said in opt_outs})]

    def _in_broken(self, rows: Rows, known: set[int]) -> Iterator[ListedOptOut]:
        """Broken rows that say no in any cell, or in several together: `må ikke;ringes op`."""
        if rows.are_whole(self._widths):
            return
        for row, cells in enumerate(rows):
            if row in known or not (_is_torn(cells) or len(cells) not in self._widths):
                continue
            text = " ".join(cells)[:MOST_BROKEN]
            lines = text.splitlines()
            if any(map(says_no, self._search.cells({*cells, *lines, text}))):
                is_one = len(lines) == 1 and len(text) < MOST_BROKEN
                numbers = self._numbers_in(cells, range(len(cells))) if is_one else set()
                keys = subject.person_keys(
                    [None] * len(numbers), sorted(numbers), [""] * len(numbers)
                )
                yield ListedOptOut(
                    row, DO_NOT_CALL, frozenset(keys), frozenset(numbers), is_clear=False
                )

    def refused_person(self, cells: Sequence[str], born: str) -> RefusedPerson:
        """Whom a refused row is about. In a broken row a number may be in any column. `born`: as it was read."""
        is_broken = len(cells) not in self._widths or isinstance(cells, Unreadable)
        columns = range(len(cells)) if is_broken else self._mapping.phones
        numbers = self._numbers_in(cells, columns)
        person = also = None
        ref, namespace = self._reference(cells)
        if ref:
            person = subject.person_key(ref, 0, None, namespace)
            if form := subject.other_form(ref):
                also = subject.person_key(form, 0, None, namespace)
        return RefusedPerson(person, frozenset(numbers), born, also)

    def _reference(self, cells: Sequence[str]) -> tuple[str, str]:
        """A row's reference, empty if it has none, and the system that it comes from."""
        at, space = self._at.get("ref", -1), self._at.get("namespace", -1)
        ref = cells[at].strip() if 0 <= at < len(cells) else ""
        namespace = cells[space].strip() if 0 <= space < len(cells) else self._namespace
        return (ref if ref and subject.is_reference(ref) else ""), namespace

    def _opt_out(
        self, field: str, row: int, cells: Sequence[str], values: ContactRows, *, is_clear: bool
    ) -> ListedOptOut:
        """With every key and number under which another list may contain the person."""
        number, name = values.number[row], values.name[row]
        is_broken = len(cells) not in self._widths
        columns = range(len(cells)) if is_broken else self._mapping.phones
        numbers = self._numbers_in(cells, columns) | ({number} if number else set())
        keys = set(
            subject.person_keys([None] * len(numbers), sorted(numbers), [name] * len(numbers))
        )
        ref, namespace = values.ref[row], values.namespace[row]
        if not ref and not is_broken:
            ref, namespace = self._reference(cells)
        if ref and subject.is_reference(ref):
            forms = filter(None, (ref, subject.other_form(ref)))
            keys |= {subject.person_key(form, 0, None, namespace) for form in forms}
        household = values.household[row]
        if keys or household == subject.household_key(None, number):
            return ListedOptOut(row, field, frozenset(keys), frozenset(numbers), is_clear)
        key = subject.person_key(None, household, name)
        return ListedOptOut(row, field, frozenset({key}), frozenset(), is_clear, (household, name))

    def _numbers_in(self, cells: Sequence[str], columns: Iterable[int]) -> set[int]:
        """Every number in these columns of a row, under each country that the row names."""
        at = self._at.get("country", len(cells))
        named = [cells[at] for at in (at, *self._mapping.other_countries) if at < len(cells)]
        regions: Sequence[str | None] = [self._region]
        if any(map(str.strip, named)):
            regions = countries.regions(named) or [None]
        return {
            phone.to_int(number)
            for at in columns
            if at < len(cells)
            for region in regions
            for number in numbers_in_text.read(cells[at], region)[0]
        }


def _is_torn(cells: Sequence[str]) -> bool:
    """Whether the cells of a row are not known, because of its quotes."""
    return isinstance(cells, Unreadable) and cells.reason == "quotes"
