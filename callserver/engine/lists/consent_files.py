"""A file of consents, given or taken back: read row by row, each row recorded or refused with a reason.

A consent permits calls, so it is recorded only for one certain person: known at the number, and the only
one there or the one whose reference or name the row gives. One that is taken back protects: it is recorded
for everybody whom the row may mean, at every readable number, also who had it formerly. A contradictory row (`ja`, and yes in a column
such as "Ring ikke") counts as taken back.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time

from callserver.database import contacts, marks
from callserver.database.contacts import Contact
from callserver.domain import heading_words, names, numbers_in_text, opt_out_cells, phone, subject
from callserver.domain.dates import parse_date
from callserver.domain.heading_words import MAY_CALL, folded
from callserver.domain.marks import MarkKind
from callserver.domain.names import Likeness
from callserver.domain.sheet_rows import Unreadable
from callserver.engine.identity import known_at
from callserver.engine.lists import stray_rows
from callserver.engine.lists.reader import open_sheet
from callserver.engine.lists.summary import RefusedRow
from callserver.engine.suppressions import person_facts
from callserver.engine.suppressions.person_facts import Fact
from callserver.errors import ConfigurationProblem, Impossible
from callserver.ports import Tx
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

MOST_PROOF = 200
"""The most characters of the text that says where the proof is kept."""


@dataclass(slots=True)
class Consents:
    """The results of a file's rows: read = given + revoked + unchanged + refused."""

    read: int = 0
    given: int = 0
    revoked: int = 0
    unchanged: int = 0
    refused: list[RefusedRow] = field(default_factory=list)
    header: Sequence[str] = ()
    separator: str = ","
    encoding: str | None = None
    above: str = ""  # a title above the headings, which is skipped


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    ref: str
    name: str
    at: datetime | None  # None: no date, and none is needed
    is_given: bool
    proof: str


def take(tx: Tx, raw: bytes, by: str, now: datetime, region: str = "DK") -> Consents:
    """Record every row that can be recorded.

    Raises:
        ConfigurationProblem: the columns for the number, the date or the event are missing.
    """
    sheet = open_sheet(raw)
    columns = _columns(sheet.header)
    spaces = contacts.namespaces(tx)
    result = Consents(
        header=sheet.header,
        separator=sheet.separator,
        encoding=sheet.encoding if sheet.is_guessed else None,
        above=sheet.above,
    )
    for line, cells in sheet.rows():
        result.read += 1
        problem = ("", cells.reason) if isinstance(cells, Unreadable) else None
        if problem is None:
            problem = _record(tx, cells, columns, result, spaces, by, now, region)
        if problem is not None:
            stray_rows.check(sheet, line, cells)
            result.refused.append(RefusedRow(line, problem[0], problem[1], cells))
    return result


def _columns(header: Sequence[str]) -> dict[str, int]:
    columns: dict[str, int] = {}
    for at, heading in enumerate(header):
        name = _NAMED.get(folded(heading).strip("_.:")) or heading_words.field(heading)
        if name in ("phone", "ref", "name", "date", "event", "proof"):
            columns.setdefault(name, at)
    missing = [name for name in ("phone", "date", "event") if name not in columns]
    if missing:
        wrong = InvalidInput("consent_columns", missing=", ".join(missing))
        raise ConfigurationProblem(str(wrong)) from wrong
    return columns


def _record(
    tx: Tx,
    cells: Sequence[str],
    columns: Mapping[str, int],
    result: Consents,
    spaces: Sequence[str],
    by: str,
    now: datetime,
    region: str,
) -> tuple[str, str] | None:
    """Record one row. Returns the column and the reason if it is refused."""

    def named(problem: tuple[str, str]) -> tuple[str, str]:
        name, reason = problem
        return (result.header[columns[name]] if name else ""), reason

    opts_out = _opts_out(result.header, cells, columns)
    row = _read(cells, columns, region, now, opts_out=opts_out)
    if isinstance(row, tuple):
        if _takes_back(cells, columns, opts_out=opts_out):
            for number in _numbers(cells, columns, region):
                here = contacts.by_number(tx, number)
                _revoke(tx, here, number, by, now)
                if had := _formerly(tx, number, here):
                    _revoke(tx, had, number, by, now)
            _revoke_others(tx, cells, columns, spaces, (), by, now)
        return named(row)
    here = contacts.by_number(tx, row.number)
    known = list(_meant(here, row))
    if row.is_given:
        problem = _give(tx, row, known, result, by, now)
        return None if problem is None else named(problem)
    _revoke(tx, known, row.number, by, now)
    if had := list(_meant(_formerly(tx, row.number, here), row)):
        _revoke(tx, had, row.number, by, now)
    _revoke_others(tx, cells, columns, spaces, [*known, *had], by, now)
    result.revoked += 1
    return None


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


def _numbers(cells: Sequence[str], columns: Mapping[str, int], region: str) -> list[int]:
    """Every number that the row certainly holds."""
    if columns["phone"] >= len(cells):
        return []
    found, _ = numbers_in_text.read(cells[columns["phone"]], region)
    return list(map(phone.to_int, found))


def _revoke_others(
    tx: Tx,
    cells: Sequence[str],
    columns: Mapping[str, int],
    spaces: Sequence[str],
    done: Sequence[Contact],
    by: str,
    now: datetime,
) -> None:
    """The same for the people whose reference the row gives, whatever their number is by now."""
    at, name_at = columns.get("ref", len(cells)), columns.get("name", len(cells))
    ref = cells[at].strip() if at < len(cells) else ""
    name = cells[name_at] if name_at < len(cells) else ""
    if not ref or not subject.is_reference(ref):
        return
    for space in spaces:
        person = subject.person_key(ref, 0, None, space)
        rows = contacts.of_person(tx, person)
        if not rows or any(contact.person == person for contact in done):
            continue
        known = (names.compare(name, contact.name or "") for contact in rows)
        if any(likeness is not Likeness.DIFFERENT for likeness in known):
            _revoke(tx, rows, rows[0].number, by, now)


def _formerly(tx: Tx, number: int, here: Sequence[Contact]) -> list[Contact]:
    """The contacts of people who had the number, and have another one now."""
    return known_at.contacts_of(known_at.formerly(tx, number, here))


def _revoke(tx: Tx, known: Sequence[Contact], number: int, by: str, now: datetime) -> None:
    people = sorted({contact.person for contact in known})
    for rows in [contacts.of_person(tx, person) for person in people] or [[]]:
        person_facts.note(tx, number, rows, Fact.CONSENT_REVOKED, by, now)


def _read(
    cells: Sequence[str],
    columns: Mapping[str, int],
    region: str,
    now: datetime,
    *,
    opts_out: bool,
) -> _Row | tuple[str, str]:
    """The row, or the column and the reason why it cannot be read."""
    if len(cells) <= max(columns.values()):
        return "", "cells"
    text = {name: cells[at].strip() for name, at in columns.items()}
    number = phone.parse(text["phone"], region)
    if isinstance(number, phone.NumberProblem):
        return "phone", f"number_{number.value}"
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
    return _Row(
        number=phone.to_int(number),
        ref=text.get("ref", ""),
        name=text.get("name", ""),
        # The start of the day, so that an opt-out of the same day is newer.
        at=None if day is None else datetime.combine(day, time(), UTC),
        is_given=is_given,
        proof=text.get("proof", "")[:MOST_PROOF],
    )


def _meant(known: Sequence[Contact], row: _Row) -> Iterator[Contact]:
    """The people at the number whom the row may mean, by its reference, or else by its name."""
    for contact in known:
        if row.ref and contact.ref:
            if subject.exact(row.ref) == subject.exact(contact.ref):
                yield contact
        elif (
            not row.name or not contact.name or subject.fold(row.name) == subject.fold(contact.name)
        ):
            yield contact


def _give(
    tx: Tx, row: _Row, known: Sequence[Contact], result: Consents, by: str, now: datetime
) -> tuple[str, str] | None:
    people = {contact.person for contact in known}
    if len(people) != 1:
        return "phone", "several_people" if people else "nobody_known"
    [person] = people
    if row.at is None:
        raise AssertionError("a consent that is given has a date")
    recorded = marks.marks_of(tx, [subject.of_person(person)])
    if any(mark.kind is MarkKind.CONSENT_GIVEN and mark.at == row.at for mark in recorded):
        result.unchanged += 1
        return None
    rows = contacts.of_person(tx, person)
    try:
        person_facts.consent(tx, row.number, rows, by, now, at=row.at, proof=row.proof or None)
    except Impossible as refused:
        return "date", refused.key or "not_a_date"
    result.given += 1
    return None
