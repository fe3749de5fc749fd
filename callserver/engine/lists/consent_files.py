"""A file of consents, given or taken back: read row by row, each row recorded or refused with a reason.

A consent permits calls, so it is recorded only for one certain person: known at the number, and the only
one there or the one whose reference or name the row gives. One that is taken back protects: it is recorded
for everybody whom the row may mean, at every readable number, also who had it formerly. A contradictory row (`ja`, and yes in a column
such as "Ring ikke") counts as taken back.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime

from callserver.database import contacts, marks
from callserver.database.contacts import Contact
from callserver.domain import names, subject
from callserver.domain.marks import MarkKind
from callserver.domain.names import Likeness
from callserver.engine.identity import known_at
from callserver.engine.lists import stray_rows
from callserver.engine.lists.consent_rows import Line, Row, columns_of, numbers, read_line
from callserver.engine.lists.reader import open_sheet
from callserver.engine.lists.summary import RefusedRow
from callserver.engine.suppressions import person_facts
from callserver.engine.suppressions.person_facts import Fact
from callserver.errors import Impossible
from callserver.ports import Tx

PART = 100
"""Rows of one transaction: a tenth of a second."""


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


def take(
    part: Callable[[], AbstractContextManager[Tx]],
    raw: bytes,
    by: str,
    now: datetime,
    region: str = "DK",
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Consents:
    """Record every row that can be recorded, those that take a consent back first.

    `part` opens a transaction: a long file takes many, and a server that dials waits for one at most. The same
    file again records what is missing. `progress` is called with the rows done, and how many there are.

    Raises:
        ConfigurationProblem: the columns for the number, the date or the event are missing, or a row may be about
            others (stray_rows.py). Nothing is recorded.
    """
    sheet = open_sheet(raw)
    columns = columns_of(sheet.header)
    result = Consents(
        header=sheet.header,
        separator=sheet.separator,
        encoding=sheet.encoding if sheet.is_guessed else None,
        above=sheet.above,
    )
    lines: list[Line] = []
    for number, cells in sheet.rows():
        line = read_line(number, cells, sheet.header, columns, region, now)
        if isinstance(line.row, tuple):
            stray_rows.check(sheet, number, cells)
        lines.append(line)
    result.read = len(lines)
    lines.sort(key=lambda line: not line.takes_back)
    with part() as tx:
        spaces = contacts.namespaces(tx)
    for first in range(0, len(lines), PART):
        progress(first, len(lines))
        with part() as tx:
            for line in lines[first : first + PART]:
                problem = _record(tx, line, columns, result, spaces, by, now, region)
                if problem is not None:
                    name, reason = problem
                    heading = sheet.header[columns[name]] if name else ""
                    result.refused.append(RefusedRow(line.number, heading, reason, line.cells))
    result.refused.sort(key=lambda refused: refused.line)
    return result


def _record(
    tx: Tx,
    line: Line,
    columns: Mapping[str, int],
    result: Consents,
    spaces: Sequence[str],
    by: str,
    now: datetime,
    region: str,
) -> tuple[str, str] | None:
    """Record one row. Returns the column and the reason if it is refused."""
    row, cells = line.row, line.cells
    if isinstance(row, tuple):
        if line.takes_back:
            for number in numbers(cells, columns, region):
                here = contacts.by_number(tx, number)
                _revoke(tx, here, number, by, now)
                if had := _formerly(tx, number, here):
                    _revoke(tx, had, number, by, now)
            _revoke_others(tx, cells, columns, spaces, (), by, now)
        return row
    if row.is_given:
        known = list(_meant(contacts.by_number(tx, row.number), row))
        return _give(tx, row, known, result, by, now)
    done: list[Contact] = []
    for number in dict.fromkeys([row.number, *numbers(cells, columns, region)]):
        here = contacts.by_number(tx, number)
        known = list(_meant(here, row))
        _revoke(tx, known, number, by, now)
        if had := list(_meant(_formerly(tx, number, here), row)):
            _revoke(tx, had, number, by, now)
        done += [*known, *had]
    _revoke_others(tx, cells, columns, spaces, done, by, now)
    result.revoked += 1
    return None


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


def _meant(known: Sequence[Contact], row: Row) -> Iterator[Contact]:
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
    tx: Tx, row: Row, known: Sequence[Contact], result: Consents, by: str, now: datetime
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
