"""Marks: protective facts about numbers, persons and households."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, insert, select, update

from callserver.database.prepared_statements import Prepared, PreparedMany
from callserver.database.tables import marks
from callserver.domain.marks import MarkKind
from callserver.ports import Tx


@dataclass(frozen=True, slots=True)
class Mark:
    """A fact about a subject; an unknown `kind` is an error."""

    subject: str
    kind: MarkKind
    at: datetime
    detail: Mapping[str, Any] | None


_marks = PreparedMany(
    lambda subjects: (
        select(marks.c.subject, marks.c.kind, marks.c.at, marks.c.detail)
        .where(marks.c.subject.in_(subjects), marks.c.ended_at.is_(None))
        .order_by(marks.c.id)
    )
)
_insert_mark = Prepared(
    insert(marks).values(
        {name: bindparam(name) for name in ("subject", "kind", "at", "detail", "by")}
    )
)


def marks_of(tx: Tx, subjects: Sequence[str]) -> list[Mark]:
    """The marks in force of the subjects, oldest first."""
    return [
        Mark(about, MarkKind(kind), at, detail) for about, kind, at, detail in _marks(tx, subjects)
    ]


def mark(
    tx: Tx,
    subject: str,
    kind: MarkKind,
    at: datetime,
    detail: Mapping[str, Any] | None = None,
    by: str | None = None,
) -> None:
    """Add a mark to a subject. `by`: who recorded it, unless the server did."""
    _insert_mark(
        tx,
        {
            "subject": subject,
            "kind": kind.value,
            "at": at,
            "detail": None if detail is None else dict(detail),
            "by": by,
        },
    )


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
    query = query.where(marks.c.subject.in_(list(subjects))).order_by(marks.c.id.desc())
    return [MarkRow._make(row) for row in tx.execute(query)]


def end(tx: Tx, subjects: Sequence[str], kind: MarkKind, at: datetime, by: str) -> list[int]:
    """End the subjects' marks of one kind; they stay on record. The ids of those that were in force."""
    in_force = (
        marks.c.subject.in_(list(subjects)),
        marks.c.kind == kind,
        marks.c.ended_at.is_(None),
    )
    ids = list(tx.execute(select(marks.c.id).where(*in_force).with_for_update()).scalars())
    tx.execute(update(marks).where(marks.c.id.in_(ids)).values(ended_at=at, ended_by=by))
    return ids


def mark_deceased(tx: Tx, subjects: Sequence[str], at: datetime, by: str | None = None) -> int:
    """Mark the subjects as deceased that are not yet; how many."""
    query = select(marks.c.subject).where(
        marks.c.subject.in_(list(subjects)),
        marks.c.kind == MarkKind.DECEASED,
        marks.c.ended_at.is_(None),
    )
    known = set(tx.execute(query).scalars())
    values = [
        {"subject": subject_key, "kind": MarkKind.DECEASED, "at": at, "by": by}
        for subject_key in subjects
        if subject_key not in known
    ]
    if values:
        tx.execute(insert(marks), values)
    return len(values)
