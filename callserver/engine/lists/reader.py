"""A CSV file read as a campaign's list: who is on it, each person once and ranked, and who is not.

Reads only; importer.py stages and writes the rows.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import compress

from callserver.database.staged_rows import DroppedRow
from callserver.domain import headings, subject
from callserver.domain.campaign import Campaign
from callserver.domain.cells import RowProblem
from callserver.domain.contact import Reader
from callserver.domain.contact_rows import ContactRows, FormerHome, ListedOptOut, RefusedPerson
from callserver.domain.heading_words import DECEASED, may_be_counted
from callserver.domain.headings import ColumnMapping
from callserver.domain.opt_out_phrases import Search, says_no
from callserver.domain.sheet import Sheet
from callserver.domain.sheet_rows import Rows, Unreadable
from callserver.engine.lists import ranking, stray_rows
from callserver.engine.lists.doubtful_columns import (
    MOST_SHOWN,
    doubtful,
    doubtful_countries,
    doubtful_status,
)
from callserver.engine.lists.duplicates import Duplicates
from callserver.engine.lists.listed_consents import ListedConsent
from callserver.engine.lists.summary import OptOuts, RefusedRow, Summary
from callserver.engine.lists.unread_columns import UnreadColumns
from callserver.errors import ConfigurationProblem
from callserver.texts import InvalidInput

_LONG = frozenset({15, 18})


def open_sheet(raw: bytes, *, any_encoding: bool = False) -> Sheet:
    """The file as a sheet. `any_encoding`: only its digits matter.

    Raises:
        ConfigurationProblem: it cannot be read as one at all.
    """
    try:
        return Sheet(raw, any_encoding=any_encoding)
    except ValueError as error:
        raise ConfigurationProblem(str(error)) from error


@dataclass(slots=True)
class ListReader:
    """A file opened as a campaign's list. Its rows are read lazily, once."""

    sheet: Sheet
    rank_of: Callable[[Sequence[str]], int | RowProblem] | None  # None: its line in the file
    summary: Summary
    places: set[str] = field(default_factory=set)
    opt_outs: OptOuts = field(default_factory=OptOuts)
    consents: list[ListedConsent] = field(default_factory=list)
    crowded_references: set[int] = field(default_factory=set)  # keys that are nobody's own
    refused: list[RefusedPerson] = field(default_factory=list)  # whom the refused rows are about
    former_homes: dict[FormerHome, list[int]] = field(default_factory=dict)  # lines
    has_long_ids: bool = False  # a reference is as long as an id of Salesforce
    is_padded: bool = False  # a reference begins with a zero
    _seen: Duplicates = field(default_factory=Duplicates)
    _search: Search = field(default_factory=Search)
    _unread: tuple[int, ...] = field(init=False)  # columns whose cells may say: do not call
    _unasked: tuple[int, ...] = field(init=False)  # the unread columns

    def __post_init__(self) -> None:
        heads = self.summary.heads
        texts = {*heads.unread, heads.columns.get("source", -1)} - {-1, *heads.ignored}
        self._unread = tuple(sorted(texts))
        self._unasked = tuple(sorted({*heads.unread} - {*heads.ignored}))

    def crowds(self, most: int) -> list[int]:
        """The households with more people than `most`, by the spelling of their address."""
        return [key for key, count in self._seen.written_households().items() if count > most]

    @property
    def crowded_numbers(self) -> set[int]:
        """Numbers with too many people to be personal."""
        return self._seen.crowded_numbers

    def dropped(self) -> Iterator[DroppedRow]:
        """The identifiers in the dropped rows."""
        return self._seen.dropped()

    def return_home(self, homes: Mapping[int, FormerHome]) -> None:
        """Set the former households, by line, also for dropped rows."""
        self._seen.return_home(homes)

    def merge(self, rows: Collection[DroppedRow]) -> None:
        """Count staged rows that turn out to repeat a person as duplicates."""
        self.summary.duplicates += len(rows)
        self._seen.merge(rows)

    def fresh(
        self, region: str, source: str | None, today: date, namespace: str = ""
    ) -> Iterator[tuple[Sequence[int], Sequence[int], ContactRows]]:
        """Lines, ranks and values of persons not seen before in the file, in chunks.

        The summary is updated, except `taken`, `changed` and `unchanged`, which the database determines.
        """
        summary, seen = self.summary, self._seen
        reader = Reader(self.sheet.header, summary.heads, region, source, today, namespace)
        names_countries = "country" in summary.heads.columns
        unread = UnreadColumns(summary.header, self._unasked, "ZZ" if names_countries else region)
        for chunk in self.sheet.parts():
            summary.read += len(chunk)
            lines_of = chunk.lines
            rows, problems = reader.read(chunk)
            self._check_unread(chunk, unread)
            self._note(lines_of, reader.opt_outs(chunk, rows))
            consents = reader.consents(chunk, problems)
            ranks = lines_of if self.rank_of is None else _ranks(self.rank_of, chunk, problems)
            self.has_long_ids = self.has_long_ids or not _LONG.isdisjoint(map(len, rows.ref))
            self.is_padded = self.is_padded or "\n0" in "\n".join(["", *rows.ref])
            are_new = not problems and seen.add_new(rows)
            others = None if are_new else seen.others(rows, problems)
            for at in others or ():
                rows.person[at] = subject.person_key(None, rows.number[at], rows.name[at])
                summary.no_keys.add(lines_of[at])
            summary.no_keys.update(lines_of[at] for at in reader.placeholders if at not in problems)
            summary.no_homes.update(lines_of[at] for at in reader.homeless if at not in problems)
            for at, home in reader.former_homes.items():
                self.former_homes.setdefault(home, []).append(lines_of[at])
            self.consents += [
                ListedConsent(rows.person[row], day, text)
                for row, day, text in consents
                if row not in problems
            ]
            if problems:
                self._refuse(chunk, problems)
                refused = [
                    reader.refused_person(chunk[at], rows.born[at])
                    for at, problem in problems.items()
                    if problem.reason != "not_a_rank"  # only their rank is unknown
                ]
                also = [row._replace(person=row.also) for row in refused if row.also is not None]
                self.refused += [*refused, *also]
                whole = [at not in problems for at in range(len(chunk))]
                ranks, rows = list(compress(ranks, whole)), rows.chosen(whole)
                lines_of = list(compress(lines_of, whole))
                are_new = seen.add_new(rows)
            yield self._firsts(lines_of, ranks, rows, are_new=are_new)
        if flags := unread.flags():
            raise doubtful(flags)
        if in_countries := unread.countries():
            raise doubtful_countries(in_countries)
        crowds = seen.crowded_references()
        if freed := seen.rows_of_crowds(crowds):
            summary.duplicates -= len(freed[0])
            summary.no_keys.update(freed[0])
            yield self._firsts(*freed)
        self.crowded_references = crowds
        summary.shared = seen.shared()

    def _firsts(
        self,
        lines: Sequence[int],
        ranks: Sequence[int],
        rows: ContactRows,
        *,
        are_new: bool = False,
    ) -> tuple[Sequence[int], Sequence[int], ContactRows]:
        """The rows of persons not seen before in the file. `are_new`: all are, and are remembered."""
        if not are_new and not all(first := self._seen.first(rows)):
            self.summary.duplicates += first.count(False)
            again = [not is_first for is_first in first]
            dropped = list(compress(lines, again)), list(compress(ranks, again))
            self._seen.drop(*dropped, rows.chosen(again))
            ranks, rows = list(compress(ranks, first)), rows.chosen(first)
            lines = list(compress(lines, first))
        self.places.update(rows.place)
        return lines, ranks, rows

    def _check_unread(self, chunk: Rows, unread: UnreadColumns) -> None:
        """Check unread columns for a status that says no: somebody must decide what they mean.

        Raises:
            Doubtful: a column that nobody has described holds such a cell.
        """
        columns = {at: chunk.different(at) for at in {*self._unread, *self._unasked}}
        widths = {len(self.summary.header), len(self.sheet.header)}
        # The cells of a broken row stand in other columns: one number would make flags something else.
        whole = chunk.whole(widths)
        unread.note(columns if whole is chunk else {at: whole.different(at) for at in columns})
        for at in self._unread:
            if any(map(says_no, self._search.cells(columns[at]))):
                raise doubtful_status(self.summary.header[at], at, chunk.numbered())

    def _heading(self, name: str) -> str:
        at = self.summary.heads.columns.get(name)
        return "" if at is None else self.summary.header[at]

    def _note(self, lines: Sequence[int], opt_outs: Sequence[ListedOptOut]) -> None:
        """Remember whom the rows say must not be called."""
        noted = set()
        for said in opt_outs:
            noted.add(said.row)
            self.opt_outs.persons |= said.persons
            self.opt_outs.numbers |= said.numbers
            if said.field == DECEASED:
                self.opt_outs.dead |= said.persons
            if not said.is_clear:
                self.summary.unclear.append(lines[said.row])
            if not said.is_recognised:
                self.summary.unrecognised.add(lines[said.row])
            if said.home is not None:
                [person] = said.persons
                household, name = said.home
                self.opt_outs.homes.setdefault(household, set()).add((person, name))
        self.summary.opted_out += len(noted)

    def refuse_lines(self, raw: bytes, lines: Collection[int], name: str, reason: str) -> None:
        """Refuse rows that were staged, by the lines they begin on. `name`: the field at fault."""
        own, column = len(self.summary.header), self._heading(name)
        self.summary.refused += [
            RefusedRow(line, column, reason, cells[:own])
            for line, cells in open_sheet(raw).rows()
            if line in lines
        ]
        self.summary.refused.sort(key=lambda row: row.line)

    def _refuse(self, chunk: Rows, problems: Mapping[int, RowProblem]) -> None:
        width = len(self.summary.header)
        for at, problem in sorted(problems.items()):
            line, cells = chunk.lines[at], chunk[at]
            stray_rows.check(self.sheet, line, cells)
            refused = RefusedRow(line, problem.column, problem.reason, cells[:width])
            self.summary.refused.append(refused)


def _ranks(
    rank_of: Callable[[Sequence[str]], int | RowProblem],
    chunk: Rows,
    problems: dict[int, RowProblem],
) -> list[int]:
    """Each row's rank; a row whose rank cannot be read is added to the problems."""
    ranks = []
    for at, cells in enumerate(chunk):
        rank = ranking.LAST if at in problems else rank_of(cells)
        if isinstance(rank, RowProblem):
            problems[at], rank = rank, ranking.LAST
        ranks.append(rank)
    return ranks


def counts_rows(
    raw: bytes, header: Sequence[str], heads: ColumnMapping, given: Mapping[str, str]
) -> str:
    """The heading of a reference column that only numbers the rows (1, 2, 3 ...) and identifies nobody.

    A column of the server's own export, or one chosen by a user, is always a reference.
    """
    at = heads.columns.get("ref")
    is_our_export = headings.own_width(header) < len(header)
    if at is None or is_our_export or "ref" in given.values() or not may_be_counted(header[at]):
        return ""
    first, count = None, 0
    for _, cells in open_sheet(raw).rows():
        if at >= len(cells) or isinstance(cells, Unreadable) or not cells[at].strip():
            continue
        said = cells[at].strip().removesuffix(".0")
        if first is None:
            if said not in ("0", "1"):
                return ""
            first = int(said)
        if said != str(first + count):
            return ""
        count += 1
    return header[at] if count > 1 else ""


def open_list(
    campaign: Campaign,
    raw: bytes,
    *,
    given: Mapping[str, str] | None = None,
    ignored: Collection[str] = (),
) -> ListReader:
    """The file as a list of this campaign. `ignored`: fields that no column is taken for.

    Raises:
        ConfigurationProblem: it cannot be read as a list at all.
    """
    sheet = open_sheet(raw)
    try:
        for line, title in sheet.titles:
            if says_no(title):
                raise InvalidInput("title_says_no", line=line, said=repr(title[:MOST_SHOWN]))
        own, line = sheet.header[: headings.own_width(sheet.header)], sheet.header_line
        heads = headings.map_columns(own, given or {}, ignored, line)
        counted = counts_rows(raw, sheet.header, heads, given or {})
        if counted:
            heads = headings.map_columns(own, given or {}, {*ignored, "ref"}, line)
    except ValueError as error:
        raise ConfigurationProblem(str(error)) from error
    if heads.doubtful:
        raise doubtful([own[at] for at in heads.doubtful])
    rank_of = ranking.ranker(campaign, own, heads.columns)
    summary = Summary(
        header=own,
        separator=sheet.separator,
        heads=heads,
        content=hashlib.sha256(raw).hexdigest(),
        encoding=sheet.encoding if sheet.is_guessed else None,
        above=sheet.above,
        row_numbers=counted,
    )
    return ListReader(sheet, rank_of, summary)
