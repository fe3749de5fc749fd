"""Reads a list's cells into contacts. Strict: a row that cannot be read is refused, not corrected.

Read by columns: for many rows this costs half of reading row by row. A refusal names the column and
the reason, never the value: the reasons are printed and stored.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import compress, starmap
from typing import NamedTuple

from callserver.domain import countries, headings, numbers_in_text, opt_out_cells, phone, subject
from callserver.domain.addresses import is_placeholder
from callserver.domain.cells import Columns, RowProblem, different_cells
from callserver.domain.dates import parse_date
from callserver.domain.heading_words import DO_NOT_CALL
from callserver.domain.headings import ColumnMapping
from callserver.domain.opt_out_phrases import Search, name_says_no, says_no
from callserver.domain.sheet import Unreadable

MOST_PROOF = 200
"""Letters of a consent's text or version that are kept."""

NAMES = ("name", "first_name", "last_name")
_ASKED_ABOUT = ("source",)
"""Columns in which a cell that says no stops the import, as in an unread column."""

HOUSEHOLD = ("household", "address", "house_number", "floor", "door", "postcode")
"""The fields that the household's key is made of."""


class ContactRow(NamedTuple):
    """A contact's values as the list gives them; an empty text means that there is no value.

    A tuple of texts and integers: lists hold millions of rows, and Python's SQLite takes a third of a
    microsecond for each None and each bool, ten times as long as for a text or an integer.
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
    fields: str  # JSON of the other columns' non-empty cells
    address: str  # street and house number
    postcode: str
    written: int  # the household's key by the spelling of its address
    namespace: str  # the system of the reference


class ContactRows(NamedTuple):
    """Many rows: for each field of ContactRow, in the same order, the list of the rows' values."""

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
    address: list[str]
    postcode: list[str]
    written: list[int]
    namespace: list[str]

    def chosen(self, which: Sequence[bool]) -> "ContactRows":
        """The rows for which `which` is true, in their order."""
        return ContactRows._make(list(compress(column, which)) for column in self)

    def rows(self) -> list[ContactRow]:
        return list(starmap(ContactRow, zip(*self, strict=True)))


class ListedOptOut(NamedTuple):
    """A row in which the list itself says that the person must not be called."""

    row: int
    field: str  # do_not_call, may_call or deceased
    persons: frozenset[int]
    numbers: frozenset[int]
    is_clear: bool  # False: the cell says neither yes nor no, which counts as an opt-out


class FormerHome(NamedTuple):
    """The keys of a former household: a district, a post-office box or a placeholder."""

    household: int
    written: int  # by its spelling


class RefusedPerson(NamedTuple):
    """Whom a refused row is about, as far as it can be read."""

    person: int | None  # by its reference; None: it has none
    numbers: frozenset[int]
    born: str
    also: int | None = None  # the key of the reference's other form


class ListedConsent(NamedTuple):
    """A row that says when the person agreed to be called, and to which text."""

    row: int
    day: date
    text: str


def _dated(sources: Sequence[str], days: Sequence[str]) -> list[str]:
    """Each source with its date, as a phoner says it: `gademøde (12-05-2026)`."""
    return [
        f"{source} ({day[8:]}-{day[5:7]}-{day[:4]})" if source and day else source
        for source, day in zip(sources, days, strict=True)
    ]


class Reader:
    """Reads one file's rows into contacts."""

    def __init__(
        self,
        header: Sequence[str],
        mapping: ColumnMapping,
        region: str,
        source: str | None,
        today: date | None = None,
        namespace: str = "",
    ) -> None:
        """`source`: where the contacts come from when the row does not say. `namespace`: the system that
        the references come from.

        `today`: for ages, and for years of two digits; None: neither can be read.
        """
        self._header = header
        self._mapping = mapping
        read_as_texts = {*mapping.columns.items(), *(("phone", at) for at in mapping.other_phones)}
        self._texts = [
            (at, name_says_no if name in (*HOUSEHOLD, *NAMES) else says_no)
            for name, at in sorted(read_as_texts)
            if name not in _ASKED_ABOUT
        ]
        self._at = mapping.columns
        self._region = region
        self._source = source or ""
        self._today = today
        self._namespace = namespace
        self.placeholders: Sequence[int] = ()  # rows last read whose reference is a placeholder
        self.homeless: Sequence[int] = ()  # rows last read whose household or address is none
        self.former_homes: Mapping[int, FormerHome] = {}  # of rows last read
        self._search = Search()
        self._widths = {headings.own_width(header), len(header)}
        # The columns of the household's key are merge fields as well, and so is one without a heading.
        columns = mapping.columns
        household = set(map(columns.get, HOUSEHOLD))
        used = {
            *columns.values(),
            *(mapping.birth or ()),
            *(at for at, _ in mapping.opt_outs),
            *mapping.ignored,
        }
        used -= household
        self._extra = [
            (f"{json.dumps(name or f'column {at + 1}', ensure_ascii=False)}: ", at)
            for at, name in enumerate(header[: min(self._widths)])
            if at not in used
        ]

    def read(self, rows: Sequence[Sequence[str]]) -> tuple[ContactRows, dict[int, RowProblem]]:
        """The rows' values, and by position the first problem of each row that is refused.

        The values of a refused row are meaningless.
        """
        cells = Columns(rows, self._header, self._at, self._widths)
        cells.permissions(self._mapping.opt_outs)
        mapping = self._mapping
        numbers = cells.numbers(self._region, mapping.other_phones, mapping.other_countries)
        year = 0 if self._today is None else self._today.year
        gifts, ended = (cells.dates(name, year) for name in ("last_gift", "ended"))
        born = cells.births(mapping.birth, year) if mapping.birth else cells.dates("born", year)
        if "age" in self._at:
            born = cells.ages(born, self._today)
        members = cells.yes_or_no("member")
        written = cells.texts("source")
        placeholders = set(filter(is_placeholder, set(written)))
        stated = ["" if source in placeholders else source for source in written]
        sources = stated
        if "source_at" in self._at:
            sources = _dated(stated, cells.dates("source_at", year))
        zones = cells.texts("zone")
        names, refs = cells.names(), cells.texts("ref")
        keys = list(map(int, numbers))
        if "namespace" in self._at:  # it counts also where it is empty
            namespaces = cells.texts("namespace")
        else:
            namespaces = [self._namespace] * len(rows)
        key_refs = subject.references(refs)
        self.placeholders = []
        if key_refs != refs:
            self.placeholders = [
                row for row, (ref, key) in enumerate(zip(refs, key_refs, strict=True)) if ref != key
            ]
        homes, written, homeless, self.homeless = cells.households()
        households = subject.household_keys(homes, keys)
        self.former_homes = {
            at: FormerHome(*subject.household_keys(home, [0, 0])) for at, home in homeless.items()
        }
        values = ContactRows(
            number=keys,
            person=self._person_keys(key_refs, keys, names, namespaces),
            household=households,
            place=cells.places(numbers, zones),
            ref=refs,
            name=names,
            zone=zones,
            born=born,
            member=members,
            last_gift=gifts,
            ended=ended,
            source=[source or self._source for source in sources],
            fields=cells.fields(self._extra),
            address=cells.addresses(),
            postcode=cells.texts("postcode"),
            written=households if homes == written else subject.household_keys(written, keys),
            namespace=namespaces,
        )
        return values, cells.problems

    def _person_keys(
        self, refs: Sequence[str], numbers: Sequence[int], names: Sequence[str], spaces: list[str]
    ) -> list[int]:
        if "namespace" not in self._at:
            return subject.person_keys(refs, numbers, names, self._namespace)
        rows = zip(refs, numbers, names, spaces, strict=True)
        return list(starmap(subject.person_key, rows))

    def consents(
        self, rows: Sequence[Sequence[str]], problems: dict[int, RowProblem]
    ) -> list[ListedConsent]:
        """The consents to be called that the rows name. A row whose date cannot be read is a problem."""
        at, text_at = self._at.get("consent_at"), self._at.get("consent_text")
        if at is None:
            return []
        year = 0 if self._today is None else self._today.year
        consents = []
        for row, cells in enumerate(rows):
            if row in problems or at >= len(cells) or not cells[at].strip():
                continue
            try:
                day = date.fromisoformat(parse_date(cells[at], year))
            except ValueError:
                problems[row] = RowProblem(self._header[at], "not_a_date")
                continue
            text = "" if text_at is None else cells[text_at].strip()
            consents.append(ListedConsent(row, day, text[:MOST_PROOF]))
        return consents

    def opt_outs(self, rows: Sequence[Sequence[str]], values: ContactRows) -> list[ListedOptOut]:
        """Rows whose person must not be called, by the list's own columns or a word beside the name;
        refused rows included."""
        opt_outs = []
        for at, field in self._mapping.opt_outs:
            for row, cells in enumerate(rows):
                if at >= len(cells) or isinstance(cells, Unreadable):
                    continue
                is_clear = opt_out_cells.read(field, cells[at])
                if is_clear is not None:
                    opt_outs.append(self._opt_out(field, row, cells, values, is_clear=is_clear))
        for at, opts_out in self._texts:
            said = set(filter(opts_out, self._search.cells(different_cells(rows, at))))
            if not said:
                continue
            opt_outs += [
                self._opt_out(DO_NOT_CALL, row, cells, values, is_clear=False)
                for row, cells in enumerate(rows)
                if at < len(cells) and cells[at] in said and not isinstance(cells, Unreadable)
            ]
        return opt_outs

    def refused_person(self, cells: Sequence[str], born: str) -> RefusedPerson:
        """Whom a refused row is about. In a broken row a number may be in any column. `born`: as it was read."""
        is_broken = len(cells) not in self._widths or isinstance(cells, Unreadable)
        columns = range(len(cells)) if is_broken else self._mapping.phones
        numbers = self._numbers_in(cells, columns)
        person = also = None
        at, space = self._at.get("ref", -1), self._at.get("namespace", -1)
        if 0 <= at < len(cells) and cells[at].strip() and subject.is_reference(cells[at].strip()):
            namespace = cells[space].strip() if 0 <= space < len(cells) else self._namespace
            person = subject.person_key(cells[at].strip(), 0, None, namespace)
            if form := subject.other_form(cells[at]):
                also = subject.person_key(form, 0, None, namespace)
        return RefusedPerson(person, frozenset(numbers), born, also)

    def _opt_out(
        self, field: str, row: int, cells: Sequence[str], values: ContactRows, *, is_clear: bool
    ) -> ListedOptOut:
        """With every key and number under which another list may contain the person."""
        number = values.number[row]
        numbers = self._numbers_in(cells, self._mapping.phones) | ({number} if number else set())
        ref, name = values.ref[row], values.name[row]
        keys = set(
            subject.person_keys([None] * len(numbers), sorted(numbers), [name] * len(numbers))
        )
        if ref and subject.is_reference(ref):
            forms = filter(None, (ref, subject.other_form(ref)))
            keys |= {subject.person_key(form, 0, None, values.namespace[row]) for form in forms}
        return ListedOptOut(row, field, frozenset(keys), frozenset(numbers), is_clear)

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
