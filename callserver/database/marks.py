"""Marks: protective facts about numbers, persons and households."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, insert, literal_column, select, update

from callserver.database.prepared_statements import Prepared, PreparedMany
from callserver.database.tables import marks
from callserver.domain.marks import MarkKind
from callserver.ports import Tx

CHUNK = 10_000
"""Subjects of one statement: SQLite takes 32,766 values."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A fact about a subject; an unknown `kind` is an error."""

    subject: str
    kind: MarkKind
    at: datetime
    detail: Mapping[str, Any] | None


_marks = PreparedMany(
    lambda subjects: (
        select(marks.c.id, marks.c.subject, marks.c.kind, marks.c.at, marks.c.detail)
        .where(marks.c.subject.in_(subjects), marks.c.ended_at.is_(None))
        .order_by(marks.c.id)
    )
)
_insert_mark = Prepared(
    insert(marks)
    .values({name: bindparam(name) for name in ("subject", "kind", "at", "detail", "by")})
    .returning(marks.c.id)
)


def marks_of(tx: Tx, subjects: Sequence[str]) -> list[Mark]:
    """The marks in force of the subjects, oldest first."""
    return [mark for _, mark in numbered(tx, subjects)]


def numbered(tx: Tx, subjects: Sequence[str]) -> list[tuple[int, Mark]]:
    """The same, each with its id."""
    rows = sorted(_marks(tx, subjects), key=itemgetter(0))
    return [(key, Mark(about, MarkKind(kind), at, detail)) for key, about, kind, at, detail in rows]


def mark(
    tx: Tx,
    subject: str,
    kind: MarkKind,
    at: datetime,
    detail: Mapping[str, Any] | None = None,
    by: str | None = None,
) -> int:
    """Add a mark to a subject. Returns its id. `by`: who recorded it, unless the server did."""
    written = _insert_mark(
        tx,
        {
            "subject": subject,
            "kind": kind.value,
            "at": at,
            "detail": None if detail is None else dict(detail),
            "by": by,
        },
    )
    return int(written.one()[0])


class MarkRow(NamedTuple):
    """A stored mark, in force or ended."""

    id: int
    subject: str
    kind: str
    at: datetime
    detail: Mapping[str, Any] | None
    by: str | None
    ended_at: datetime | None
    ended_by: str | None


def on_record(tx: Tx, subjects: Sequence[str]) -> list[MarkRow]:
    """Every mark of the subjects, ended ones included, newest first."""
    query = select(*[marks.c[name] for name in MarkRow._fields])
    keys = sorted(set(subjects))
    rows = [
        MarkRow._make(row)
        for at in range(0, len(keys), CHUNK)
        for row in tx.execute(query.where(marks.c.subject.in_(keys[at : at + CHUNK])))
    ]
    return sorted(rows, key=lambda row: row.id, reverse=True)


def end(
    tx: Tx,
    subjects: Sequence[str],
    kind: MarkKind,
    at: datetime,
    by: str,
    written_at: datetime | None = None,
) -> list[tuple[int, str]]:
    """End the subjects' marks of one kind; they stay on record. Ids and subjects of those in force.

    `written_at`: only those that hold since exactly then.
    """
    in_force = [
        marks.c.subject.in_(list(subjects)),
        marks.c.kind == kind,
        marks.c.ended_at.is_(None),
    ]
    if written_at is not None:
        in_force.append(marks.c.at == written_at)
    query = select(marks.c.id, marks.c.subject).where(*in_force).with_for_update()
    ended = [(key, about) for key, about in tx.execute(query)]
    ids = [key for key, _ in ended]
    tx.execute(update(marks).where(marks.c.id.in_(ids)).values(ended_at=at, ended_by=by))
    return ended


def missing_outcomes(tx: Tx) -> list[MarkRow]:
    """The marks in force of outcomes that are missing, oldest first. They have an index: they are few."""
    query = select(*[marks.c[name] for name in MarkRow._fields]).where(
        marks.c.kind == literal_column(f"'{MarkKind.OUTCOME_MISSING}'"), marks.c.ended_at.is_(None)
    )
    return [MarkRow._make(row) for row in tx.execute(query.order_by(marks.c.at))]


def end_one(tx: Tx, key: int, at: datetime, by: str) -> None:
    """End one mark; it stays on record."""
    tx.execute(update(marks).where(marks.c.id == key).values(ended_at=at, ended_by=by))


def mark_deceased(
    tx: Tx, subjects: Sequence[str], at: datetime, by: str | None = None
) -> list[tuple[int, str]]:
    """Mark the subjects as deceased that are not yet; ids and subjects of the new marks."""
    added: list[tuple[int, str]] = []
    for first in range(0, len(subjects), CHUNK):
        added += _mark_deceased(tx, subjects[first : first + CHUNK], at, by)
    return added


def _mark_deceased(
    tx: Tx, subjects: Sequence[str], at: datetime, by: str | None
) -> list[tuple[int, str]]:
    theirs = (marks.c.subject.in_(subjects), marks.c.kind == MarkKind.DECEASED)
    in_force = select(marks.c.subject).where(*theirs, marks.c.ended_at.is_(None))
    known = set(tx.execute(in_force).scalars())
    values = [
        {"subject": subject_key, "kind": MarkKind.DECEASED, "at": at, "by": by}
        for subject_key in subjects
        if subject_key not in known
    ]
    last = tx.execute(select(func.max(marks.c.id))).scalar() or 0
    if values:
        tx.execute(insert(marks), values)
    query = select(marks.c.id, marks.c.subject).where(marks.c.id > last, *theirs)
    return [(key, about) for key, about in tx.execute(query.order_by(marks.c.id))]
