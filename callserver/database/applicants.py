"""Applicants and their group interviews. What may happen to them is decided in domain/applicant.py."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, delete, exists, func, insert, or_, select, update

from callserver.database import role_plays
from callserver.database.tables import applicants, interviews, participants
from callserver.database.upserts import INSERTS
from callserver.domain.applicant import ApplicantState, Module, Progress
from callserver.ports import Tx


class ApplicantRow(NamedTuple):
    id: int
    name: str
    department: str
    state: str
    added_at: datetime
    kept_from: datetime
    decided_at: datetime | None
    account: int | None
    form: list[Mapping[str, Any]] | None
    form_at: datetime | None
    form_by: int | None


class InterviewRow(NamedTuple):
    id: int
    module: int
    at: datetime
    department: str
    cancelled_at: datetime | None


class Participant(NamedTuple):
    interview: int
    applicant: int
    present: bool | None


_applicants = select(*[applicants.c[name] for name in ApplicantRow._fields])
_interviews = select(*[interviews.c[name] for name in InterviewRow._fields])
_participants = select(*[participants.c[name] for name in Participant._fields])


def _key(row: Any) -> int:
    return 0 if row is None else int(row[0])


def add(tx: Tx, name: str, department: str, now: datetime) -> int:
    """Add an applicant. Returns the id."""
    values = {"name": name, "department": department, "state": ApplicantState.OPEN.value}
    made = insert(applicants).values(**values, added_at=now, kept_from=now)
    return _key(tx.execute(made).inserted_primary_key)


def change(tx: Tx, applicant: int, **values: Any) -> None:
    tx.execute(update(applicants).where(applicants.c.id == applicant).values(**values))


def keep_from(tx: Tx, applicant: int, at: datetime) -> None:
    """Let the retention period begin at this instant or later."""
    earlier = (applicants.c.id == applicant, applicants.c.kept_from < at)
    tx.execute(update(applicants).where(*earlier).values(kept_from=at))


def find(tx: Tx, applicant: int, *, lock: bool = False) -> ApplicantRow | None:
    query = _applicants.where(applicants.c.id == applicant)
    row = tx.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else ApplicantRow._make(row)


def every(tx: Tx, department: str | None) -> list[ApplicantRow]:
    """The applicants of a department, or of all; the newest first."""
    query = _applicants.order_by(applicants.c.id.desc())
    if department is not None:
        query = query.where(applicants.c.department == department)
    return [ApplicantRow._make(row) for row in tx.execute(query)]


def delete_all(tx: Tx, keys: Sequence[int]) -> int:
    """Delete applicants with everything about them. Returns how many."""
    tx.execute(delete(participants).where(participants.c.applicant.in_(keys)))
    count = tx.execute(delete(applicants).where(applicants.c.id.in_(keys))).rowcount
    role_plays.delete_orphans(tx)
    return count


def old(before: datetime) -> ColumnElement[bool]:
    """Applicants whose period is over."""
    return applicants.c.kept_from < before


# -- interviews ----------------------------------------------------------------------------------


def add_interview(tx: Tx, module: Module, at: datetime, department: str) -> int:
    made = insert(interviews).values(module=module.value, at=at, department=department)
    return _key(tx.execute(made).inserted_primary_key)


def find_interview(tx: Tx, interview: int, *, lock: bool = False) -> InterviewRow | None:
    query = _interviews.where(interviews.c.id == interview)
    row = tx.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else InterviewRow._make(row)


def listed_interviews(tx: Tx, department: str | None, since: datetime) -> list[InterviewRow]:
    """Interviews since an instant, and earlier ones whose participants are known; by date."""
    known = exists(
        select(participants.c.interview).where(participants.c.interview == interviews.c.id)
    )
    query = _interviews.where(
        interviews.c.cancelled_at.is_(None), or_(interviews.c.at >= since, known)
    ).order_by(interviews.c.at, interviews.c.id)
    if department is not None:
        query = query.where(interviews.c.department == department)
    return [InterviewRow._make(row) for row in tx.execute(query)]


def cancel(tx: Tx, interview: int, now: datetime) -> None:
    """Cancel an interview; its participants may be invited to another."""
    tx.execute(delete(participants).where(participants.c.interview == interview))
    tx.execute(update(interviews).where(interviews.c.id == interview).values(cancelled_at=now))


def invite(tx: Tx, interview: int, applicant: int) -> bool:
    """Add a participant; False: they are one already."""
    statement = (
        INSERTS[tx.dialect.name](participants)
        .values(interview=interview, applicant=applicant)
        .on_conflict_do_nothing()
    )
    return tx.execute(statement.execution_options(preserve_rowcount=True)).rowcount == 1


def remove(tx: Tx, interview: int, applicant: int) -> bool:
    """Remove a participant; False: they are none."""
    statement = delete(participants).where(
        participants.c.interview == interview, participants.c.applicant == applicant
    )
    return tx.execute(statement).rowcount == 1


def note_present(tx: Tx, interview: int, applicant: int, *, present: bool) -> bool:
    """Record whether a participant is present; False: they are none."""
    statement = update(participants).where(
        participants.c.interview == interview, participants.c.applicant == applicant
    )
    return tx.execute(statement.values(present=present)).rowcount == 1


def participants_of(tx: Tx, keys: Sequence[int]) -> list[Participant]:
    """The participants of these interviews."""
    query = _participants.where(participants.c.interview.in_(keys))
    return [Participant._make(row) for row in tx.execute(query)] if keys else []


def anybody_present(tx: Tx, interview: int) -> bool:
    query = select(func.count()).where(
        participants.c.interview == interview, participants.c.present.is_(True)
    )
    return bool(tx.execute(query).scalar_one())


def progress(tx: Tx, row: ApplicantRow) -> Progress:
    """An applicant's progress."""
    query = (
        select(interviews.c.module)
        .join(participants, participants.c.interview == interviews.c.id)
        .where(participants.c.applicant == row.id, participants.c.present.is_(True))
    )
    modules = frozenset(map(Module, tx.execute(query).scalars()))
    played = role_plays.took_place(tx, row.id)
    return Progress(modules, played=played, form=row.form is not None)
