"""Marks: protective facts about numbers, persons and households."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select

from callserver.database.prepared_statements import Prepared
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


_marks = Prepared(
    select(marks.c.subject, marks.c.kind, marks.c.at, marks.c.detail)
    .where(marks.c.subject.in_([bindparam(name) for name in "abcd"]))
    .order_by(marks.c.id)
)
_insert_mark = Prepared(
    insert(marks).values({name: bindparam(name) for name in ("subject", "kind", "at", "detail")})
)


def marks_of(tx: Tx, subjects: Sequence[str]) -> list[Mark]:
    """The marks of up to four subjects (number, person, household, hash), oldest first."""
    names = dict(zip("abcd", [*subjects, *(list(subjects[:1]) * 3)], strict=False))
    return [
        Mark(about, MarkKind(kind), at, detail) for about, kind, at, detail in _marks(tx, names)
    ]


def mark(
    tx: Tx, subject: str, kind: MarkKind, at: datetime, detail: Mapping[str, Any] | None = None
) -> None:
    """Add a mark to a subject."""
    _insert_mark(
        tx,
        {
            "subject": subject,
            "kind": kind.value,
            "at": at,
            "detail": None if detail is None else dict(detail),
        },
    )


def mark_deceased(tx: Tx, subjects: Sequence[str], at: datetime) -> int:
    """Mark the subjects as deceased that are not yet; how many."""
    query = select(marks.c.subject).where(
        marks.c.subject.in_(list(subjects)), marks.c.kind == MarkKind.DECEASED
    )
    known = set(tx.execute(query).scalars())
    values = [
        {"subject": subject_key, "kind": MarkKind.DECEASED, "at": at}
        for subject_key in subjects
        if subject_key not in known
    ]
    if values:
        tx.execute(insert(marks), values)
    return len(values)
