"""Reads a list's cells into contacts. Strict: a row that cannot be read is refused, not corrected.

Read by columns: for many rows this costs half of reading row by row. A refusal names the column and
the reason, never the value: the reasons are printed and stored.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import starmap

from callserver.domain import headings, subject
from callserver.domain.addresses import is_placeholder
from callserver.domain.cells import Columns, RowProblem
from callserver.domain.contact_rows import (
    ContactRows,
    FormerHome,
    ListedConsent,
    ListedOptOut,
    RefusedPerson,
)
from callserver.domain.dates import parse_date
from callserver.domain.headings import ColumnMapping
from callserver.domain.listed_opt_outs import HOUSEHOLD, ListedOptOuts

MOST_PROOF = 200
"""Letters of a consent's text or version that are kept."""


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
        self._at = mapping.columns
        self._region = region
        self._source = source or ""
        self._today = today
        self._namespace = namespace
        self.placeholders: Sequence[int] = ()  # rows last read whose reference is a placeholder
        self.homeless: Sequence[int] = ()  # rows last read whose household or address is none
        self.former_homes: Mapping[int, FormerHome] = {}  # of rows last read
        self._opt_outs = ListedOptOuts(header, mapping, region, namespace)
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
        sources = stated = written
        if placeholders:
            sources = stated = ["" if text in placeholders else text for text in written]
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
        households = subject.household_keys(homes, numbers)
        self.former_homes = {
            at: FormerHome(*subject.household_keys(home, ["0", "0"]))
            for at, home in homeless.items()
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
            source=sources if all(sources) else [source or self._source for source in sources],
            fields=cells.fields(self._extra),
            address=cells.addresses(),
            postcode=cells.texts("postcode"),
            written=households if homes == written else subject.household_keys(written, numbers),
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
        """Rows whose person must not be called, by the list's own columns or a word in a cell; refused rows
        included."""
        return self._opt_outs.read(rows, values)

    def refused_person(self, cells: Sequence[str], born: str) -> RefusedPerson:
        """Whom a refused row is about. In a broken row a number may be in any column. `born`: as it was read."""
        return self._opt_outs.refused_person(cells, born)
