"""A row of a file of consents as it was read: given or taken back, by whom, when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from callserver.domain import heading_words, numbers_in_text, opt_out_cells, phone
from callserver.domain.contact import MOST_PROOF
from callserver.domain.dates import parse_date
from callserver.domain.heading_words import MAY_CALL, folded
from callserver.domain.sheet_rows import Unreadable
from callserver.errors import ConfigurationProblem
from callserver.texts import InvalidInput

_COLUMNS: Mapping[str, str] = {
    "date": "date dato consent_date samtykke_dato samtykkedato dato_for_samtykke given_at afgivet",
    "event": "event hændelse samtykke consent status given givet",
    "proof": "proof evidence bevis dokumentation tekst tekstversion text_version version formular",
}
_NAMED = {name: column for column, names in _COLUMNS.items() for name in names.split()}

_GIVEN = frozenset(["ja", "yes", "true", "1", "x", "given", "givet", "afgivet", "granted"])
_REVOKED = frozenset(
    [
        "nej",
        "nei",
        "nein",
        "no",
        "false",
        "0",
        "revoked",
        "withdrawn",
        "tilbagekaldt",
        "trukket",
        "trukket_tilbage",
        "tilbagetrukket",
    ]
)

_PHONE = "phone"
"""The first column of numbers; the names of the others begin so."""


@dataclass(frozen=True, slots=True)
class Row:
    number: int
    ref: str
    name: str
    at: datetime | None  # None: no date, and none is needed
    is_given: bool
    proof: str


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the file, as it was read: `row` is the column and the reason if it cannot be."""

    number: int
    cells: Sequence[str]
    row: Row | tuple[str, str]
    takes_back: bool


def columns_of(header: Sequence[str]) -> dict[str, int]:
    columns: dict[str, int] = {}
    for at, heading in enumerate(header):
        name = _NAMED.get(folded(heading).strip("_.:")) or heading_words.field(heading)
        if name == "phone" and name in columns:
            columns[f"{_PHONE}{at}"] = at
        elif name in ("phone", "ref", "name", "date", "event", "proof"):
            columns.setdefault(name, at)
    missing = [name for name in ("phone", "date", "event") if name not in columns]
    if missing:
        wrong = InvalidInput("consent_columns", missing=", ".join(missing))
        raise ConfigurationProblem(str(wrong)) from wrong
    return columns


def read_line(
    number: int,
    cells: Sequence[str],
    header: Sequence[str],
    columns: Mapping[str, int],
    region: str,
    now: datetime,
) -> Line:
    if isinstance(cells, Unreadable):
        return Line(number, cells, ("", cells.reason), takes_back=False)
    opts_out = _opts_out(header, cells, columns)
    row = _read(cells, columns, region, now, opts_out=opts_out)
    takes_back = (
        _takes_back(cells, columns, opts_out=opts_out)
        if isinstance(row, tuple)
        else not row.is_given
    )
    return Line(number, cells, row, takes_back)


def _opts_out(header: Sequence[str], cells: Sequence[str], columns: Mapping[str, int]) -> bool:
    """Whether another column of the row says that the person must not be called."""
    for at, (heading, cell) in enumerate(zip(header, cells, strict=False)):
        name = heading_words.field(heading)
        is_about_calls = name in heading_words.OPT_OUTS and at not in columns.values()
        if is_about_calls and opt_out_cells.read(name or "", cell) is not None:
            return True
    return False


def _takes_back(cells: Sequence[str], columns: Mapping[str, int], *, opts_out: bool) -> bool:
    """Whether the consent is taken back in a row that is refused."""
    at = columns["event"]
    return opts_out or (at < len(cells) and _is_no(cells[at]))


def _is_no(cell: str) -> bool:
    """Whether an event takes a consent back: `nej`, or in other words, `tilbagekaldt af medlemmet`."""
    return folded(cell.strip()) in _REVOKED or opt_out_cells.read(MAY_CALL, cell) is not None


def numbers(cells: Sequence[str], columns: Mapping[str, int], region: str) -> list[int]:
    """Every number that the row certainly holds."""
    found: dict[int, None] = {}
    for _, at in _phones(columns):
        some, _ = numbers_in_text.read(cells[at], region) if at < len(cells) else ((), False)
        found |= dict.fromkeys(map(phone.to_int, some))
    return list(found)


def _phones(columns: Mapping[str, int]) -> list[tuple[str, int]]:
    return [(name, at) for name, at in columns.items() if name.startswith(_PHONE)]


def _read(
    cells: Sequence[str],
    columns: Mapping[str, int],
    region: str,
    now: datetime,
    *,
    opts_out: bool,
) -> Row | tuple[str, str]:
    """The row, or the column and the reason why it cannot be read."""
    if len(cells) <= max(columns.values()):
        return "", "cells"
    text = {name: cells[at].strip() for name, at in columns.items()}
    filled = [name for name, _ in _phones(columns) if any(map(str.isdigit, text[name]))]
    parsed = {name: phone.parse(text[name], region) for name in filled or [_PHONE]}
    first, number = next(iter(parsed.items()))
    if isinstance(number, phone.NumberProblem):
        return first, f"number_{number.value}"
    event = folded(text["event"])
    if event not in _GIVEN and not _is_no(text["event"]):
        return "event", "not_an_event"
    try:
        day = date.fromisoformat(parse_date(text["date"], now.year)) if text["date"] else None
    except ValueError:
        return "date", "not_a_date"
    is_given = event in _GIVEN and not opts_out
    if is_given and day is None:
        return "date", "not_a_date"
    for name, other in parsed.items():
        if isinstance(other, phone.NumberProblem) and not is_given:
            return name, f"number_{other.value}"
    return Row(
        number=phone.to_int(number),
        ref=text.get("ref", ""),
        name=text.get("name", ""),
        # The start of the day, so that an opt-out of the same day is newer.
        at=None if day is None else datetime.combine(day, time(), UTC),
        is_given=is_given,
        proof=text.get("proof", "")[:MOST_PROOF],
    )
