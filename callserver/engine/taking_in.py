"""Taking a list in: every row is taken, unchanged, a duplicate or refused, and nothing is lost.

One transaction a file; the same file twice changes nothing. The list's own order, or the campaign's
order column, becomes the rank by which contacts are dialed.
"""

import gc
import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice

from callserver.database import audit, contacts_import
from callserver.domain import contact, subject
from callserver.domain.audit import Kind
from callserver.domain.campaign import Campaign, Direction
from callserver.domain.contact import Row, RowProblem
from callserver.domain.facts import Segment
from callserver.domain.sheet import Sheet
from callserver.errors import ConfigurationProblem
from callserver.ports import Tx

CHUNK = 10_000
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


@contextmanager
def no_collector() -> Iterator[None]:
    """A million small rows, none of them in a cycle: collecting costs a sixth of the time.

    And a whole collection stops every thread; beside a server that is felt.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def open_sheet(raw: bytes) -> Sheet:
    """The file as a sheet.

    Raises:
        ConfigurationProblem: it cannot be read as one at all.
    """
    try:
        return Sheet(raw)
    except ValueError as error:
        raise ConfigurationProblem(str(error)) from error


def take_in(
    tx: Tx,
    campaign: Campaign,
    raw: bytes,
    now: datetime,
    *,
    given: Mapping[str, str] | None = None,
    region: str = "DK",
    progress: Callable[[int], None] = lambda _: None,
) -> Summary:
    """Take a CSV file into a campaign's list.

    `given`: column -> field, before the synonyms. `region`: of numbers without a country code.
    `progress` hears how many rows were read so far.

    Raises:
        ConfigurationProblem: the file cannot be read as a list at all.
    """
    listed = open_list(campaign, raw, given=given)
    summary = listed.summary
    number = contacts_import.begin(tx, campaign.name, summary.content, now)
    head = (campaign.name, number, "ready")
    base = contacts_import.last_rank(tx, campaign.name) if campaign.order is None else 0
    rebuilding = contacts_import.rebuilds_indexes(tx, raw.count(b"\n"))
    if rebuilding:
        contacts_import.drop_indexes(tx)
    for fresh in listed.fresh(region, source_of(campaign, number)):
        values = [(*head, base + rank, *row) for row, rank in fresh]
        taken = contacts_import.write(tx, values)
        summary.taken += taken
        summary.unchanged += len(values) - taken
        progress(summary.read)
    if rebuilding:
        contacts_import.create_indexes(tx)
    summary.elsewhere = contacts_import.elsewhere(tx, campaign.name, number)
    contacts_import.add_places(tx, campaign.name, listed.places)
    finish(tx, campaign, summary, number, now)
    return summary


def source_of(campaign: Campaign, number: int) -> str | None:
    """A lead must say itself where it comes from; for other lists the list is the source."""
    return None if campaign.segment is Segment.LEADS else f"import:{number}"


@dataclass(slots=True)
class Listed:
    """A file that was opened as a campaign's list; its rows are read as they are asked for, once."""

    sheet: Sheet
    rank_of: Callable[[Sequence[str]], int | RowProblem] | None
    summary: Summary
    places: set[str] = field(default_factory=set)

    def fresh(self, region: str, source: str | None) -> Iterator[list[tuple[Row, int]]]:
        """The rows of persons who did not stand in the file before, with their ranks, by chunks.

        The summary counts along; `taken` and `unchanged` are the database's to say.
        """
        summary, seen = self.summary, _Seen()
        read = contact.reader(self.sheet.header, summary.columns, region, source)
        rows = _rows(self.sheet, read, self.rank_of, summary)
        while chunk := list(islice(rows, CHUNK)):
            fresh = [(row, rank) for row, rank in chunk if not seen.again(row)]
            summary.duplicates += len(chunk) - len(fresh)
            self.places.update({row.place for row, _ in fresh})
            yield fresh
        summary.shared = seen.shared()


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
        own = sheet.header[: contact.own_width(sheet.header)]
        columns = contact.mapping(own, given or {})
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


def _rows(
    sheet: Sheet,
    read: Callable[[Sequence[str]], Row | RowProblem],
    rank_of: Callable[[Sequence[str]], int | RowProblem] | None,
    summary: Summary,
) -> Iterator[tuple[Row, int]]:
    """The readable rows with their ranks; the others go to the summary."""
    width = len(summary.header)
    for line, cells in sheet.rows():
        summary.read += 1
        odd = sheet.odd(cells)
        row = read(cells) if odd is None else RowProblem("", odd)
        rank: int | RowProblem = line
        if rank_of is not None and isinstance(row, Row):
            rank = rank_of(cells)
        problem = row if isinstance(row, RowProblem) else rank
        if isinstance(problem, RowProblem):
            refused = Refused(line, problem.column, problem.reason, cells[:width])
            summary.refused.append(refused)
        elif isinstance(row, Row) and isinstance(rank, int):
            yield row, rank


class _Seen:
    """Who stood in the file before: by key, or by the same number and name under another reference."""

    def __init__(self) -> None:
        self._persons: set[int] = set()
        # A plain text where one name is known, as for nearly every number: a million small tuples
        # would keep the garbage collector busy.
        self._names: dict[int, str | tuple[str, ...]] = {}
        self._households: dict[int, int] = {}

    def again(self, row: Row) -> bool:
        if row.person in self._persons:
            return True
        name = row.name or ""
        known = self._names.get(row.number)
        if known is None:
            self._names[row.number] = name
        else:
            names = (known,) if isinstance(known, str) else known
            if name and subject.fold(name) in map(subject.fold, names):
                return True
            self._names[row.number] = (*names, name)
        self._persons.add(row.person)
        # Not a Counter: that takes three times as long over a key it has not seen.
        self._households[row.household] = self._households.get(row.household, 0) + 1
        return False

    def shared(self) -> int:
        return sum(count for count in self._households.values() if count > 1)


def _ranker(
    campaign: Campaign, header: Sequence[str], columns: Mapping[str, int]
) -> Callable[[Sequence[str]], int | RowProblem] | None:
    """The rank of a row by the campaign's order column; None: its line in the file."""
    order = campaign.order
    if order is None:
        return None
    names = [contact.folded(name) for name in header]
    wanted = contact.folded(order.column)
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
            day = None if text.lstrip("-").isdecimal() else contact.as_date(text)
            found = int(text) if day is None else date.fromisoformat(day).toordinal()
        except ValueError:
            return problem
        return sign * found if abs(found) < LAST else problem

    return rank


def finish(
    tx: Tx,
    campaign: Campaign,
    summary: Summary,
    number: int,
    now: datetime,
    *,
    by: str = "command",
    refused: bytes | None = None,
) -> None:
    """The import's figures and its entry. `refused`: the refused rows as a file, kept for a while."""
    counts = summary.counts()
    kept = sum(counts[name] for name in ("taken", "unchanged", "duplicates", "refused"))
    if counts["read"] != kept:
        raise AssertionError(f"of {counts['read']} rows {kept} are accounted for")
    figures = {**counts, "elsewhere": summary.elsewhere}
    contacts_import.finish(tx, number, figures, by=by, refused=refused)
    audit.append(
        tx,
        now,
        Kind.IMPORTED,
        campaign=campaign.name,
        imported=number,
        content=summary.content,
        counts=counts,
        elsewhere=summary.elsewhere,
        by=by,
    )
