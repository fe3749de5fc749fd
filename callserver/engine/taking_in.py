"""Taking a list in: every row is taken, unchanged, a duplicate or refused, and nothing is lost.

One transaction a file; the same file twice changes nothing. The lists' own order, or the campaign's
order column, becomes the rank by which contacts are dialed.
"""

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from typing import Any

from sqlalchemy import func, insert, select

from callserver.database import audit
from callserver.database.tables import contacts, imports, places
from callserver.domain import contact
from callserver.domain.audit import Kind
from callserver.domain.campaign import Campaign, Direction
from callserver.domain.contact import Row, RowProblem
from callserver.domain.facts import Segment
from callserver.errors import ConfigurationProblem
from callserver.ports import Tx

CHUNK = 10_000
COLUMNS = [
    "campaign",
    "person",
    "household",
    "number",
    "place",
    "rank",
    "status",
    "ref",
    "name",
    "zone",
    "born",
    "member",
    "last_gift",
    "ended",
    "source",
    "fields",
    "imported",
]


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that was not taken: where it stands, why, and its own cells."""

    line: int
    column: str
    reason: str
    cells: Sequence[str]


@dataclass(slots=True)
class Summary:
    """What became of a file's rows. read = taken + unchanged + duplicates + refused."""

    read: int = 0
    taken: int = 0
    unchanged: int = 0
    duplicates: int = 0
    elsewhere: int = 0  # of those taken: their number is in another campaign as well
    shared: int = 0  # of those taken: another person of the file has the same household
    refused: list[Refused] = field(default_factory=list)
    header: Sequence[str] = ()
    content: str = ""

    def counts(self) -> dict[str, int]:
        return {
            "read": self.read,
            "taken": self.taken,
            "unchanged": self.unchanged,
            "duplicates": self.duplicates,
            "refused": len(self.refused),
            "elsewhere": self.elsewhere,
            "shared": self.shared,
        }

    def reasons(self) -> Counter[str]:
        return Counter(one.reason for one in self.refused)


def decode(raw: bytes) -> str:
    """UTF-8, with or without its mark; what is none is Windows-1252, as Danish spreadsheets write."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            return raw.decode("windows-1252")
        except UnicodeDecodeError:
            raise ConfigurationProblem("the file is neither UTF-8 nor Windows-1252") from None


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

    Raises:
        ConfigurationProblem: the file cannot be read as a list at all.
    """
    text = decode(raw)
    first = text.partition("\n")[0]
    lines = csv.reader(io.StringIO(text), delimiter=max(";,\t", key=first.count), strict=True)
    header = next(lines, None)
    if not header:
        raise ConfigurationProblem("the file is empty")
    try:
        columns = contact.mapping(header, given or {})
    except ValueError as error:
        raise ConfigurationProblem(str(error)) from error
    summary = Summary(header=header, content=hashlib.sha256(raw).hexdigest())
    number = _new_import(tx, campaign, summary, now)
    # A lead must say itself where it comes from; for other lists the list is the source.
    source = None if campaign.segment is Segment.LEADS else f"import:{number}"
    read = contact.reader(header, columns, region, source)
    ranker = _ranker(campaign, header, columns)
    seen: dict[int, int] = {}
    households: Counter[int] = Counter()
    rows = _rows(lines, read, summary)
    start = tx.execute(
        select(func.coalesce(func.max(contacts.c.rank), 0)).where(
            contacts.c.campaign == campaign.name
        )
    ).scalar_one()
    base = 0 if campaign.order else int(start)
    while chunk := list(islice(rows, CHUNK)):
        values = []
        for line, cells, row in chunk:
            if row.person in seen:
                summary.duplicates += 1
                continue
            seen[row.person] = line
            households[row.household] += 1
            try:
                rank = ranker(cells, row, base + summary.read)
            except ValueError:
                order = campaign.order
                summary.refused.append(
                    Refused(line, order.column if order else "", "not_a_date", cells)
                )
                continue
            values.append(_values(campaign, row, rank, number))
        _write(tx, values, summary)
        progress(summary.read)
    summary.shared = sum(count for count in households.values() if count > 1)
    summary.elsewhere = _elsewhere(tx, campaign, number)
    _finish(tx, campaign, summary, number, now)
    return summary


def _new_import(tx: Tx, campaign: Campaign, summary: Summary, now: datetime) -> int:
    key = tx.execute(
        insert(imports).values(campaign=campaign.name, at=now, content=summary.content, counts={})
    ).inserted_primary_key
    return 0 if key is None else int(key[0])


def _rows(
    lines: Iterable[Sequence[str]],
    read: Callable[[Sequence[str]], Row | RowProblem],
    summary: Summary,
) -> Iterator[tuple[int, Sequence[str], Row]]:
    """The readable rows; the others go to the summary with the line they end on."""
    found = iter(lines)
    while True:
        try:
            cells = next(found)
        except StopIteration:
            return
        except csv.Error:
            summary.read += 1
            line = int(getattr(lines, "line_num", 0))
            summary.refused.append(Refused(line, "", "broken_quotes", ()))
            continue
        if not cells:
            continue  # a blank line is no row
        summary.read += 1
        row = read(cells)
        line = int(getattr(lines, "line_num", 0))
        if isinstance(row, RowProblem):
            summary.refused.append(Refused(line, row.column, row.reason, cells))
        else:
            yield line, cells, row


def _ranker(
    campaign: Campaign, header: Sequence[str], columns: Mapping[str, int]
) -> Callable[[Sequence[str], Row, int], int]:
    """The rank of a row: its place in the file, or by the campaign's order column."""
    order = campaign.order
    if order is None:
        return lambda _cells, _row, place: place
    at = columns.get(order.column)
    if at is None and order.column in header:
        at = list(header).index(order.column)
    if at is None:
        raise ConfigurationProblem(f"the campaign orders by {order.column!r}, a column not there")
    sign = -1 if order.direction is Direction.DESCENDING else 1

    def rank(cells: Sequence[str], _: Row, __: int) -> int:
        text = cells[at].strip()
        if text.lstrip("-").isdecimal():
            return sign * int(text)
        day = contact.as_date(text)
        return sign * (date.fromisoformat(day).toordinal() if day else 0)

    return rank


def _values(campaign: Campaign, row: Row, rank: int, number: int) -> tuple[Any, ...]:
    return (
        campaign.name,
        row.person,
        row.household,
        row.number,
        row.place,
        rank,
        "ready",
        row.ref,
        row.name,
        row.zone,
        row.born,
        row.member,
        row.last_gift,
        row.ended,
        row.source,
        None if row.fields is None else json.dumps(row.fields, ensure_ascii=False),
        number,
    )


def _write(tx: Tx, values: list[tuple[Any, ...]], summary: Summary) -> None:
    """Insert what is new; a person who stands in the campaign already stays as she is."""
    if not values:
        return
    mark = "?" if tx.dialect.name == "sqlite" else "%s"
    marks = ",".join([mark] * len(COLUMNS))
    cursor: Any = tx.connection.cursor()
    try:
        cursor.executemany(
            f"INSERT INTO contacts ({','.join(COLUMNS)}) VALUES ({marks})"
            " ON CONFLICT (person, campaign) DO NOTHING",
            values,
        )
        taken = max(cursor.rowcount, 0)
    finally:
        cursor.close()
    summary.taken += taken
    summary.unchanged += len(values) - taken


def _elsewhere(tx: Tx, campaign: Campaign, number: int) -> int:
    other = contacts.alias("other")
    query = select(func.count()).where(
        contacts.c.imported == number,
        select(1)
        .where(other.c.number == contacts.c.number, other.c.campaign != campaign.name)
        .exists(),
    )
    return int(tx.execute(query).scalar_one())


def _finish(tx: Tx, campaign: Campaign, summary: Summary, number: int, now: datetime) -> None:
    known = set(
        tx.execute(select(places.c.place).where(places.c.campaign == campaign.name)).scalars()
    )
    found = tx.execute(
        select(contacts.c.place).where(contacts.c.imported == number).distinct()
    ).scalars()
    for place in sorted(set(found) - known):
        tx.execute(insert(places).values(campaign=campaign.name, place=place))
    counts = summary.counts()
    if (
        counts["read"]
        != counts["taken"] + counts["unchanged"] + counts["duplicates"] + counts["refused"]
    ):
        raise AssertionError("a row was lost")
    tx.execute(imports.update().where(imports.c.id == number).values(counts=counts))
    audit.append(
        tx,
        now,
        Kind.IMPORTED,
        campaign=campaign.name,
        imported=number,
        content=summary.content,
        counts=counts,
    )
