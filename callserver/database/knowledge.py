"""What we know of a number, a person and a household besides their wishes: marks and the register."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, exists, func, insert, literal, select

from callserver.database.tables import marks, register_entries, registers
from callserver.ports import Tx


@dataclass(frozen=True, slots=True)
class Mark:
    """Something learned about a subject; `kind` as listed in tables.py."""

    subject: str
    kind: str
    at: datetime
    detail: Mapping[str, Any] | None


_marks = (
    select(marks.c.subject, marks.c.kind, marks.c.at, marks.c.detail)
    .where(marks.c.subject.in_(bindparam("subjects", expanding=True)))
    .order_by(marks.c.id)
)
_insert_mark = insert(marks)
_register = select(
    func.min(registers.c.washed_at),
    exists(
        select(literal(1))
        .select_from(
            register_entries.join(registers, registers.c.version == register_entries.c.version)
        )
        .where(register_entries.c.number == bindparam("number"), registers.c.active)
    ),
).where(registers.c.active)


def marks_of(tx: Tx, subjects: Sequence[str]) -> list[Mark]:
    return [Mark(*row) for row in tx.execute(_marks, {"subjects": list(subjects)})]


def mark(
    tx: Tx, subject: str, kind: str, at: datetime, detail: Mapping[str, Any] | None = None
) -> None:
    """Remember something about a subject."""
    tx.execute(
        _insert_mark,
        {
            "subject": subject,
            "kind": kind,
            "at": at,
            "detail": None if detail is None else dict(detail),
        },
    )


def register_of(tx: Tx, number: int) -> tuple[bool, datetime | None]:
    """Whether the number stands on an active register, and the oldest active register's wash."""
    washed_at, listed = tx.execute(_register, {"number": number}).one()
    return bool(listed), washed_at
