"""A CSV file read as a campaign's list: who is on it, each person once and ranked, and who is not.

Reads only; what becomes of the rows is taking_in.py's (one transaction) and staging.py's.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import compress, islice

from callserver.domain import contact, headings, subject
from callserver.domain.campaign import Campaign, Direction
from callserver.domain.contact import Reader, RowProblem, Rows
from callserver.domain.sheet import Sheet
from callserver.errors import ConfigurationProblem

CHUNK = 500
"""Rows read at once: few enough to stay in a processor's cache; 5,000 cost a quarter more."""

LAST = 2**62
"""The rank of a row whose order column is empty: nobody knows, so after all the others."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that was not taken: the line on which it begins, why, and its own cells."""

    line: int
    column: str
    reason: str
    cells: Sequence[str]


@dataclass(slots=True)
class Summary:
    """What became of a file's rows. read = taken + unchanged + duplicates + refused."""

    read: int = 0
    taken: int = 0
    unchanged: int = 0  # stand in the campaign already, and stay as they are
    duplicates: int = 0  # stand in this file already
    refused: list[Refused] = field(default_factory=list)
    elsewhere: dict[str, int] = field(default_factory=dict)  # of those taken, by other campaign
    shared: int = 0  # persons of the file who live with another person of the file
    content: str = ""  # SHA-256 of the file
    header: Sequence[str] = ()
    separator: str = ","
    columns: Mapping[str, int] = field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        return {
            "read": self.read,
            "taken": self.taken,
            "unchanged": self.unchanged,
            "duplicates": self.duplicates,
            "refused": len(self.refused),
            "shared": self.shared,
        }

    def reasons(self) -> Counter[str]:
        return Counter(one.reason for one in self.refused)


def open_sheet(raw: bytes) -> Sheet:
    """The file as a sheet.

    Raises:
        ConfigurationProblem: it cannot be read as one at all.
    """
    try:
        return Sheet(raw)
    except ValueError as error:
        raise ConfigurationProblem(str(error)) from error


@dataclass(slots=True)
class Listed:
    """A file that was opened as a campaign's list; its rows are read as they are asked for, once."""

    sheet: Sheet
    rank_of: Callable[[Sequence[str]], int | RowProblem] | None  # None: its line in the file
    summary: Summary
    places: set[str] = field(default_factory=set)

    def fresh(self, region: str, source: str | None) -> Iterator[tuple[list[int], Rows]]:
        """The ranks and values of persons who did not stand in the file before, by chunks.

        The summary counts along; `taken` and `unchanged` are the database's to say.
        """
        summary, seen = self.summary, _Seen()
        reader = Reader(self.sheet.header, summary.columns, region, source)
        lines = self.sheet.rows()
        while chunk := list(islice(lines, CHUNK)):
            summary.read += len(chunk)
            rows, problems = reader.read([cells for _, cells in chunk])
            ranks = self._ranks(chunk, problems)
            if problems:
                self._refuse(chunk, problems)
                whole = [at not in problems for at in range(len(chunk))]
                ranks, rows = list(compress(ranks, whole)), rows.chosen(whole)
            first = seen.first(rows)
            if not all(first):
                summary.duplicates += first.count(False)
                ranks, rows = list(compress(ranks, first)), rows.chosen(first)
            self.places.update(rows.place)
            yield ranks, rows
        summary.shared = seen.shared()

    def _ranks(
        self, chunk: Sequence[tuple[int, Sequence[str]]], problems: dict[int, RowProblem]
    ) -> list[int]:
        """Each row's rank; a row whose rank cannot be read is added to the problems."""
        if self.rank_of is None:
            return [line for line, _ in chunk]
        found = []
        for at, (_, cells) in enumerate(chunk):
            rank = LAST if at in problems else self.rank_of(cells)
            if isinstance(rank, RowProblem):
                problems[at], rank = rank, LAST
            found.append(rank)
        return found

    def _refuse(
        self, chunk: Sequence[tuple[int, Sequence[str]]], problems: Mapping[int, RowProblem]
    ) -> None:
        width = len(self.summary.header)
        for at, problem in sorted(problems.items()):
            line, cells = chunk[at]
            refused = Refused(line, problem.column, problem.reason, cells[:width])
            self.summary.refused.append(refused)


def open_list(
    campaign: Campaign,
    raw: bytes,
    *,
    given: Mapping[str, str] | None = None,
    ignored: Collection[str] = (),
) -> Listed:
    """The file as a list of this campaign. `ignored`: fields that no column is taken for.

    Raises:
        ConfigurationProblem: it cannot be read as a list at all.
    """
    sheet = open_sheet(raw)
    try:
        own = sheet.header[: headings.own_width(sheet.header)]
        columns = headings.mapping(own, given or {})
    except ValueError as error:
        raise ConfigurationProblem(str(error)) from error
    columns = {name: at for name, at in columns.items() if name not in ignored}
    rank_of = _ranker(campaign, own, columns)
    summary = Summary(
        header=own,
        separator=sheet.separator,
        columns=columns,
        content=hashlib.sha256(raw).hexdigest(),
    )
    return Listed(sheet, rank_of, summary)


class _Seen:
    """Who stood in the file before: by key, or by the same number and name under another reference."""

    def __init__(self) -> None:
        self._persons: set[int] = set()
        # A plain text where one name is known, as for nearly every number: a million small tuples
        # would keep the garbage collector busy.
        self._names: dict[int, str | tuple[str, ...]] = {}
        self._households: list[int] = []

    def first(self, rows: Rows) -> list[bool]:
        """Whether each row is the first of its person."""
        persons, names, found = self._persons, self._names, []
        for person, number, name in zip(rows.person, rows.number, rows.name, strict=True):
            is_first = person not in persons
            if is_first and number not in names:
                names[number] = name
            elif is_first:
                is_first = self._is_another(number, name)
            if is_first:
                persons.add(person)
            found.append(is_first)
        self._households.extend(compress(rows.household, found))
        return found

    def _is_another(self, number: int, name: str) -> bool:
        """Whether nobody of that name had the number."""
        known = self._names[number]
        names = (known,) if isinstance(known, str) else known
        if name and subject.fold(name) in map(subject.fold, names):
            return False
        self._names[number] = (*names, name)
        return True

    def shared(self) -> int:
        return sum(count for count in Counter(self._households).values() if count > 1)


def _ranker(
    campaign: Campaign, header: Sequence[str], columns: Mapping[str, int]
) -> Callable[[Sequence[str]], int | RowProblem] | None:
    """The rank of a row by the campaign's order column; None: its line in the file."""
    order = campaign.order
    if order is None:
        return None
    names = [headings.folded(name) for name in header]
    wanted = headings.folded(order.column)
    at = columns.get(wanted, names.index(wanted) if wanted in names else None)
    if at is None:
        raise ConfigurationProblem(f"the campaign orders by {order.column!r}, a column not there")
    sign = -1 if order.direction is Direction.DESCENDING else 1
    problem = RowProblem(header[at], "not_a_rank")

    def rank(cells: Sequence[str]) -> int | RowProblem:
        text = cells[at].strip()
        if not text:
            return LAST
        try:
            if text.lstrip("-").isdecimal():
                found = int(text)
            else:
                found = date.fromisoformat(contact.as_date(text)).toordinal()
        except ValueError:
            return problem
        return sign * found if abs(found) < LAST else problem

    return rank
