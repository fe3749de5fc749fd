"""The lists page's data: how a file would be read, an import's result, and the history of imports."""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice

from callserver.console.endpoint import Answer
from callserver.domain import heading_words, headings, phone
from callserver.domain.campaign import Campaign
from callserver.domain.cells import RowProblem
from callserver.domain.contact import Reader
from callserver.domain.contact_rows import ContactRow
from callserver.domain.heading_words import FIELDS, OPT_OUTS
from callserver.domain.headings import IGNORE, ColumnMapping
from callserver.domain.label import Label
from callserver.engine.lists.doubtful_columns import Doubtful
from callserver.engine.lists.reader import counts_rows, open_list, open_sheet
from callserver.engine.lists.summary import Summary
from callserver.errors import ConfigurationProblem
from callserver.texts import InvalidInput

SHOWN = 12
"""Rows of a preview."""

REFUSED_SHOWN = 20
_MANY_DIGITS = re.compile(r"\d[\d .()-]{6,}\d")


class ColumnView(Answer):
    """One column of the file: its heading, sample cells, and the field that it is read as."""

    name: str
    samples: list[str]
    field: str | None


class RowView(Answer):
    """One row as it would be read; `reason` if it would be refused, with the column at fault."""

    number: str | None = None
    name: str | None = None
    ref: str | None = None
    born: str | None = None
    member: bool = False
    last_gift: str | None = None
    ended: str | None = None
    source: str | None = None
    zone: str | None = None
    opted_out: bool = False  # by the list's own columns
    reason: str | None = None
    column: str | None = None


class PreviewView(Answer):
    """How the file would be read. `problem`: the key of a sentence that says why it cannot be imported yet."""

    columns: list[ColumnView]
    fields: list[str]
    rows: list[RowView]
    problem: str | None = None
    values: Mapping[str, str] = {}  # of the sentence
    unread: Sequence[str] = ()
    doubtful: Sequence[str] = ()  # may mean "do not call": a field must be chosen for each
    row_numbers: str = ""  # a column of row numbers
    other_phones: Sequence[str] = ()  # columns that are called where the first one is empty
    encoding: str | None = None  # as it was guessed
    above: str = ""  # a title above the headings, which is skipped: lines and texts
    has_source: bool = False  # the list has a column with the people's source


class RefusedView(Answer):
    line: int
    column: str
    reason: str


class ImportResult(Answer):
    """The result of an import or a dry run.

    `counts`: read = taken + changed + unchanged + duplicates + refused; `callable`: the whole list at `at`, by
    the first reason against each, `callable` for those who may be called.
    """

    number: int | None = None  # of the import; None: nothing was changed
    counts: Mapping[str, int]
    reasons: Mapping[str, int]
    elsewhere: Mapping[str, int]
    refused: list[RefusedView]  # the first of them
    callable: Mapping[str, int] | None = None
    at: datetime | None = None
    changes: Mapping[str, int] = {}  # contacts that change, by field
    consents: int = 0  # recorded: given on a day that the list names
    missing: int = 0  # contacts of the campaign that are not in the file
    set_aside: int = 0  # known contacts that are not called until their row is corrected
    unread: Sequence[str] = ()  # headings
    unrecognised: int = 0  # rows of people who said no, without a number or a reference
    unrecognised_lines: Sequence[int] = ()  # the first of them
    unclear: int = 0  # rows whose "do not call" cell is neither yes nor no
    unclear_lines: Sequence[int] = ()  # the first of them
    no_keys: int = 0  # rows whose reference is not used to recognise the person
    no_keys_lines: Sequence[int] = ()  # the first of them
    no_homes: int = 0  # rows whose household or address identifies no household
    no_homes_lines: Sequence[int] = ()  # the first of them
    encoding: str | None = None  # as it was guessed
    above: str = ""  # a title above the headings, which is skipped: lines and texts
    row_numbers: str = ""  # a column of row numbers


class ImportView(Answer):
    id: int
    campaign: str
    at: datetime
    by: str
    counts: Mapping[str, int]
    refused_kept: bool


class ListView(Answer):
    """A campaign's list: its contacts by status."""

    campaign: str
    title: Label
    sizes: Mapping[str, int]
    ordered_by: str | None


class ListsView(Answer):
    now: datetime  # by the server's clock
    lists: list[ListView]
    imports: list[ImportView]
    most_mb: int
    only_quietly: bool  # this machine's SQLite is too old to import during calls


def preview(
    campaign: Campaign,
    raw: bytes,
    columns: Mapping[str, str] | None,
    region: str,
    today: date,
) -> PreviewView:
    """The columns and the first rows. `columns`: column -> field; None: as the headings suggest."""
    try:
        sheet = open_sheet(raw)
    except ConfigurationProblem as error:
        wrong = _unreadable(error)
        return PreviewView(columns=[], fields=[], rows=[], problem=wrong.key, values=wrong.values)
    header = list(sheet.header)
    width = headings.own_width(header)
    chosen = dict(columns or {})
    left_out = set(ignored(chosen)) if columns is not None else set()
    fields, heads = _fields(header[:width], chosen, left_out)
    row_numbers = "" if heads is None else counts_rows(raw, header, heads, chosen)
    if row_numbers:
        fields, heads = _fields(header[:width], chosen, {*left_out, "ref"})
    fields += [None] * (len(header) - width)
    sample = [cells for _, cells in islice(sheet.rows(), SHOWN)]
    shown = [
        ColumnView(name=name, samples=samples(sample, at), field=fields[at])
        for at, name in enumerate(header)
    ]
    named = {name: field for name, field in zip(header, fields, strict=True) if field}
    problem = _problem(campaign, raw, header, named, region, today)
    rows = [] if problem.key or heads is None else _rows(header, heads, sample, region, today)
    return PreviewView(
        columns=shown,
        fields=[*sorted(FIELDS), IGNORE],
        rows=rows,
        problem=problem.key,
        values=problem.values,
        unread=() if heads is None else _unread(header, heads),
        doubtful=problem.columns,
        row_numbers=row_numbers,
        other_phones=() if heads is None else _named(header, heads.other_phones),
        encoding=sheet.encoding if sheet.is_guessed else None,
        above=sheet.above,
        has_source=heads is not None and "source" in heads.columns,
    )


def _named(header: Sequence[str], places: Sequence[int], but: Collection[int] = ()) -> list[str]:
    return [header[at] for at in places if header[at] and at not in but]


def _unread(header: Sequence[str], heads: ColumnMapping) -> list[str]:
    return _named(header, heads.unread, (*heads.ignored, *heads.other_phones))


def ignored(columns: Mapping[str, str]) -> frozenset[str]:
    """The fields for which no column was chosen: their headings are not guessed then."""
    return FIELDS - set(columns.values())


def _fields(
    header: Sequence[str], chosen: Mapping[str, str], left_out: Collection[str]
) -> tuple[list[str | None], ColumnMapping | None]:
    """The field of each column, and the mapping; None where the columns cannot be mapped yet."""
    fields: list[str | None] = [chosen.get(name) for name in header]
    try:
        heads = headings.map_columns(header, chosen, left_out)
    except ValueError:
        for at, name in enumerate(header):
            field = heading_words.field(name)
            if fields[at] is None and field not in (*fields, *left_out):
                fields[at] = field
        return fields, None
    for field, at in (*heads.columns.items(), *((opt_out, at) for at, opt_out in heads.opt_outs)):
        fields[at] = field
    return fields, heads


@dataclass(frozen=True, slots=True)
class _Problem:
    """Why a file cannot be imported yet: a sentence, and the columns that it is about."""

    key: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    columns: Sequence[str] = ()


def _problem(
    campaign: Campaign,
    raw: bytes,
    header: Sequence[str],
    chosen: Mapping[str, str],
    region: str,
    today: date,
) -> _Problem:
    names = [heading_words.folded(name) for name in header if name]
    fields = [field for field in chosen.values() if field not in (*OPT_OUTS, IGNORE)]
    counts = Counter(names)
    if twice := next((name for name in names if counts[name] > 1), None):
        return _Problem("lists.same_names", {"why": twice})
    if twice := next((field for field in fields if fields.count(field) > 1), None):
        return _Problem("lists.same_field", {"why": twice})
    if "phone" not in fields:
        return _Problem("lists.no_phone")
    if campaign.order is not None:
        wanted = heading_words.folded(campaign.order.column)
        if wanted not in names and wanted not in fields:
            return _Problem("lists.no_order", {"why": campaign.order.column})
    try:
        reader = open_list(campaign, raw, given=chosen, ignored=ignored(chosen))
        for _ in reader.fresh(region, None, today):
            pass  # an import reads the rows in the same way, and stops at the same cell
    except Doubtful as error:
        values = {name: str(value) for name, value in error.values.items()}
        return _Problem(f"error.{error.key}", values, error.columns)
    except ConfigurationProblem as error:
        return _unreadable(error)
    return _Problem()


def _unreadable(error: ConfigurationProblem) -> _Problem:
    cause = error.__cause__
    if isinstance(cause, InvalidInput):
        values = {name: str(value) for name, value in cause.sentence.values}
        return _Problem(cause.sentence.key, values)
    return _Problem("lists.unreadable", {"why": str(error)})


def samples(rows: Sequence[Sequence[str]], at: int) -> list[str]:
    """Sample cells of a column, long numbers masked; undecodable bytes as U+FFFD."""
    cells = [cells[at].strip() for cells in rows if at < len(cells) and cells[at].strip()]
    legible = [cell.encode(errors="surrogateescape").decode(errors="replace") for cell in cells[:3]]
    return [_MANY_DIGITS.sub(_masked, cell)[:60] for cell in legible]


def _masked(match: re.Match[str]) -> str:
    text = match.group()
    return text if re.fullmatch(r"[\d]{2,4}[-.]\d{2}[-.]\d{2,4}", text) else phone.masked(text)


def _rows(
    header: Sequence[str],
    heads: ColumnMapping,
    sample: Sequence[Sequence[str]],
    region: str,
    today: date,
) -> list[RowView]:
    reader = Reader(header, heads, region, None, today)
    rows, problems = reader.read(sample)
    opted_out = {opt_out.row for opt_out in reader.opt_outs(sample, rows)}
    return [
        _row(problems.get(at, row), opted_out=at in opted_out) for at, row in enumerate(rows.rows())
    ]


def _row(row: ContactRow | RowProblem, *, opted_out: bool) -> RowView:
    if isinstance(row, RowProblem):
        return RowView(reason=row.reason, column=row.column)
    return RowView(
        number=phone.masked(phone.from_int(row.number)),
        name=row.name or None,
        ref=row.ref or None,
        born=row.born or None,
        member=bool(row.member),
        last_gift=row.last_gift or None,
        ended=row.ended or None,
        source=row.source or None,
        zone=row.zone or None,
        opted_out=opted_out,
    )


def result_view(
    summary: Summary,
    *,
    number: int | None = None,
    callable_of: Mapping[str, int] | None = None,
    at: datetime | None = None,
) -> ImportResult:
    return ImportResult(
        number=number,
        counts=summary.counts(),
        reasons=summary.reasons(),
        elsewhere=summary.elsewhere,
        refused=[
            RefusedView(line=row.line, column=row.column, reason=row.reason)
            for row in summary.refused[:REFUSED_SHOWN]
        ],
        callable=None
        if callable_of is None
        else {key or "callable": count for key, count in callable_of.items()},
        at=at,
        changes=summary.changes,
        consents=summary.consents,
        missing=summary.missing,
        set_aside=summary.set_aside,
        unread=_unread(summary.header, summary.heads),
        unrecognised=len(summary.unrecognised),
        unrecognised_lines=sorted(summary.unrecognised)[:REFUSED_SHOWN],
        unclear=len(summary.unclear),
        unclear_lines=summary.unclear[:REFUSED_SHOWN],
        no_keys=len(summary.no_keys),
        no_keys_lines=sorted(summary.no_keys)[:REFUSED_SHOWN],
        no_homes=len(summary.no_homes),
        no_homes_lines=sorted(summary.no_homes)[:REFUSED_SHOWN],
        encoding=summary.encoding,
        above=summary.above,
        row_numbers=summary.row_numbers,
    )
