"""The official file of Robinsonlisten: fixed columns with `#` between them, in Latin-1.

The file is published by CPR-kontoret (cpr.dk, "Specifikationer for Robinsonlisten"). Its first records hold
the date of issue and the column names. A person has one or two records: the present address, and the last
former one, which has a `*`. Names are written `Efternavn,Fornavn`; each column is cut at its width.

Strict: the columns must be where they belong, or the record is refused. One bad record does not stop the file.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import NamedTuple

NAME_WIDTH = 34
"""A name that fills its column may have been cut."""

_LAYOUT = re.compile(
    r"(?P<name>.{34})#(?P<address>.{34})#(?P<place>.{34})#(?P<postal>.{25})#"
    r"(?P<mark>.{3})[# ](?P<municipality>.{4})[# ](?P<road>.{4})[# ](?P<house>.{4})[# ]"
    r"(?P<floor>.{2}).*",
    re.DOTALL,
)
"""The columns: names from position 1, addresses from 36, places from 71, postcodes from 106, the mark of a
former address from 132, municipality from 136, road from 141, house number from 146, floor from 151. The
separator before the municipality is blank in the specification. A line may have lost its last blanks; what
follows the floor is not read."""

_FULL_WIDTH = 152
_SHORTEST = 131
"""A shorter line is truncated: it is unknown whether it is a former address."""

HEADINGS = 5
"""The date of issue and the column names are within so many records of the beginning."""

LOOKED_AT = 20
"""Lines that are read to recognise the file."""

MOST_REFUSED_SHOWN = 100
"""Refused records that are named; all are counted."""

_POSTAL = re.compile(r"\d{4}(?: .*)?", re.ASCII)


class Record(NamedTuple):
    """One record. `text`: the whole record, by which the same one is recognised in the next issue."""

    text: str
    name: str
    address: str
    place: str
    postal: str  # postcode and district
    is_former: bool  # the person no longer lives there
    municipality: str
    road: str
    house: str
    floor: str


class RecordProblem(NamedTuple):
    """A refused record, without its content."""

    line: int
    reason: str  # one of PROBLEMS


PROBLEMS = frozenset({"columns", "no_name", "no_address", "mark"})


@dataclass(slots=True)
class Content:
    """What was read so far: read = records + refused."""

    issued: date | None = None
    read: int = 0
    refused: int = 0
    problems: list[RecordProblem] = field(default_factory=list)  # the first of the refused ones

    @property
    def records(self) -> int:
        return self.read - self.refused


def parse(text: str) -> Record | str:
    """One record, or which of PROBLEMS it has."""
    columns = _LAYOUT.fullmatch(text if len(text) >= _FULL_WIDTH else text.ljust(_FULL_WIDTH))
    if columns is None or "\0" in text or len(text) < _SHORTEST:
        return "columns"
    name, address, place, postal, mark, municipality, road, house, floor = columns.groups("")
    if mark not in ("   ", "*  ", " * ", "  *"):
        return "mark"
    name = name.rstrip()
    if not name.strip(" ,"):
        return "no_name"
    address, postal = address.strip(), postal.strip()
    if not address or _POSTAL.fullmatch(postal) is None:
        return "no_address"
    return Record(
        text.rstrip(),
        *(name, address, place.strip(), postal, mark != "   "),
        *(municipality.strip(), road.strip(), house.strip(), floor.strip()),
    )


def read(lines: Iterable[bytes], content: Content) -> Iterator[Record]:
    """The file's records; `content` counts along."""
    is_heading = True
    for number, raw in enumerate(lines, start=1):
        record = _parse_raw(raw)
        if record is None:
            continue
        if isinstance(record, str) and is_heading and number <= HEADINGS:
            content.issued = content.issued or issue_date(raw.decode("latin-1"))
            continue
        content.read += 1
        if isinstance(record, str):
            content.refused += 1
            if len(content.problems) < MOST_REFUSED_SHOWN:
                content.problems.append(RecordProblem(number, record))
            continue
        is_heading = False
        yield record


def _parse_raw(raw: bytes) -> Record | str | None:
    """A line's record; None: the line is empty."""
    raw = raw.rstrip(b"\r\n\x1a")
    if not raw.strip():
        return None
    record = parse(raw.decode("latin-1"))
    if isinstance(record, str) and not raw.isascii():  # a copy that was saved as UTF-8
        try:
            converted = parse(raw.decode("utf-8-sig"))
        except UnicodeDecodeError:
            return record
        return record if isinstance(converted, str) else converted
    return record


def is_official(lines: Iterable[bytes]) -> bool:
    """Whether a file that begins so has this layout."""
    return any(isinstance(_parse_raw(line), Record) for line in islice(lines, LOOKED_AT))


_MONTHS = (
    *("januar", "februar", "marts", "april", "maj", "juni", "juli", "august"),
    *("september", "oktober", "november", "december"),
)
_DATES = (
    re.compile(r"(?<!\d)(?P<y>\d{4})[-./]?(?P<m>\d{2})[-./]?(?P<d>\d{2})(?!\d)", re.ASCII),
    re.compile(r"(?<!\d)(?P<d>\d{1,2})[-./](?P<m>\d{1,2})[-./](?P<y>\d{4})(?!\d)", re.ASCII),
    re.compile(r"(?<!\d)(?P<d>\d{2})(?P<m>\d{2})(?P<y>\d{4})(?!\d)", re.ASCII),
    re.compile(rf"(?P<d>\d{{1,2}})\.? (?P<m>{'|'.join(_MONTHS)}) (?P<y>\d{{4}})", re.ASCII),
)
_YEARS = range(2000, 2200)


def issue_date(text: str) -> date | None:
    """The first date in a heading record, in one of the usual forms."""
    for form in _DATES:
        for match in form.finditer(text.casefold()):
            month = match["m"]
            number = _MONTHS.index(month) + 1 if month in _MONTHS else int(month)
            try:
                day = date(int(match["y"]), number, int(match["d"]))
            except ValueError:
                continue
            if day.year in _YEARS:
                return day
    return None
