"""Data past its period: the rows of each class, and whether they are deleted or emptied."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Select,
    and_,
    delete,
    exists,
    func,
    null,
    or_,
    select,
    update,
)

from callserver.database import (
    applicants,
    cases,
    contact_removal,
    detail_words,
    leavings,
    staff_records,
)
from callserver.database.former_identifiers import without_use
from callserver.database.tables import applicants as applicants_table
from callserver.database.tables import (
    calls,
    contacts,
    devices,
    former_identifiers,
    forms,
    imports,
    lines,
    listenings,
    look_ups,
    notice_questions,
    notices,
    openings,
    refused_numbers,
    seats,
    survey_texts,
    surveys,
    users,
)
from callserver.database.tables import cases as cases_table
from callserver.database.tables import leavings as leavings_table
from callserver.domain.contact_status import ContactStatus
from callserver.domain.identity import NOBODY
from callserver.domain.retention import ATTEMPTS_COUNT_FOR, RetentionClass
from callserver.ports import Tx

CHUNK = 5_000
"""Rows that one look finds: it may read the whole table."""

UNLINKED: Mapping[str, Any] = {
    "number": NOBODY,
    "person": NOBODY,
    "household": NOBODY,
    "contact": null(),
    "note": null(),
}
"""What remains of a call after the person's data is removed."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Where the data of a class is. `change`: what becomes of an old row; None: it is deleted.

    `needs`: a query of something that there must be for a row to be old; where there is none, the table is not read.
    """

    key: Column[Any]
    old: ColumnElement[bool]
    change: Mapping[str, Any] | None = None
    needs: Select[Any] | None = None


_WHOLE_ROWS: Mapping[RetentionClass, tuple[Column[Any], Column[Any]]] = {
    RetentionClass.SIGN_INS: (devices.c.device, devices.c.seen_at),
    RetentionClass.DECISIONS: (openings.c.entry, openings.c.at),
    RetentionClass.LOOK_UPS: (look_ups.c.entry, look_ups.c.at),
}
"""Classes whose rows are deleted by their age alone: the key and the instant."""


def everywhere(kind: RetentionClass, before: datetime, now: datetime) -> list[Stored]:
    """All rows of a class that are older than `before`; none: it is not in the database."""
    first = _stored(kind, before, now)
    rows = [] if first is None else [first]
    if kind is RetentionClass.CONTACTS:
        rows.append(Stored(former_identifiers.c.id, without_use(before)))
    if kind is RetentionClass.CALLS:
        rows += _other_telephones(before)
    return rows


def _other_telephones(before: datetime) -> list[Stored]:
    """Users' own telephones that they no longer have here, and numbers that a carrier refused once."""
    left = select(users.c.id).where(users.c.left_at < before)
    none = {"line": null()}
    of_left = and_(seats.c.phoner.in_(left), seats.c.line.is_not(None))
    heard = and_(listenings.c.ended_at < before, listenings.c.line.is_not(None))
    return [
        Stored(lines.c.id, or_(lines.c.ended_at < before, lines.c.user.in_(left))),
        Stored(users.c.id, and_(users.c.left_at < before, users.c.line.is_not(None)), none),
        Stored(seats.c.id, of_left, none),
        Stored(listenings.c.id, heard, none),
        Stored(refused_numbers.c.id, refused_numbers.c.released_at < before),
    ]


def _stored(  # noqa: C901, PLR0912 - one case for each class
    kind: RetentionClass, before: datetime, now: datetime
) -> Stored | None:
    match kind:
        case RetentionClass.CONTACTS:
            lists = select(imports.c.id).where(imports.c.at < before).limit(1)
            return Stored(contacts.c.id, _old_contacts(before, now), needs=lists)
        case RetentionClass.CALLS:
            old = and_(calls.c.permit_at < before, calls.c.number != NOBODY)
            return Stored(calls.c.attempt, and_(old, calls.c.ended_at.is_not(None)), UNLINKED)
        case RetentionClass.NOTES:
            old = and_(calls.c.permit_at < before, calls.c.note.is_not(None))
            return Stored(calls.c.attempt, old, {"note": null()})
        case RetentionClass.FORMS:
            written = or_(forms.c.words != "", forms.c.comment != "")
            old = and_(forms.c.at < before, written)
            return Stored(forms.c.id, old, {"words": "", "comment": ""})
        case RetentionClass.CASES:
            return Stored(cases_table.c.id, cases.may_be_forgotten(before))
        case RetentionClass.NOTICES:
            return Stored(notices.c.id, notices.c.at < before)
        case RetentionClass.NOTICE_QUESTIONS:
            kept = select(notices.c.id).where(notices.c.at >= before)
            return Stored(notice_questions.c.id, notice_questions.c.notice.not_in(kept))
        case RetentionClass.SURVEY_TEXTS:
            closed = select(surveys.c.quarter).where(surveys.c.closes_at < before)
            return Stored(survey_texts.c.id, survey_texts.c.quarter.in_(closed))
        case RetentionClass.REFUSED_ROWS:
            old = and_(imports.c.at < before, imports.c.refused.is_not(None))
            return Stored(imports.c.id, old, {"refused": null()})
        case RetentionClass.APPLICANTS:
            return Stored(applicants_table.c.id, applicants.old(before))
        case RetentionClass.LEAVINGS:
            return Stored(leavings_table.c.user, leavings.old(before))
        case RetentionClass.SIGN_INS | RetentionClass.DECISIONS | RetentionClass.LOOK_UPS:
            key, at = _WHOLE_ROWS[kind]
            return Stored(key, at < before)
        case RetentionClass.UPLOADS:
            return None
        case _:
            return Stored(*staff_records.old(kind, before))


def _old_contacts(before: datetime, now: datetime) -> ColumnElement[bool]:
    """People without a relation whose list is old, whom nobody called lately and nobody promised a call."""
    old_import = select(imports.c.id).where(imports.c.at < before)
    since, earlier = now - ATTEMPTS_COUNT_FOR, calls.alias()
    every_call_counts = ~exists(select(earlier.c.attempt).where(earlier.c.permit_at < since))
    counted = select(calls.c.attempt).where(
        calls.c.contact == contacts.c.id,
        or_(every_call_counts, calls.c.permit_at >= since),  # then no call itself is read
    )
    return and_(
        contacts.c.imported.in_(old_import),
        contacts.c.member.is_(False),
        contacts.c.last_gift.is_(None),
        contacts.c.ended.is_(None),
        contacts.c.status.not_in((ContactStatus.CLAIMED, ContactStatus.CALL_BACK)),
        ~exists(counted),
    )


def _may_be_old(tx: Tx, rows: Stored) -> bool:
    return rows.needs is None or tx.execute(rows.needs).first() is not None


def count(tx: Tx, rows: Stored, most: int | None = None) -> int:
    """How many rows are old; `most`: counting ends there."""
    if not _may_be_old(tx, rows):
        return 0
    some = select(rows.key).where(rows.old).limit(most).subquery()
    return int(tx.execute(select(func.count()).select_from(some)).scalar_one())


def old_keys(tx: Tx, rows: Stored) -> list[Any]:
    """The keys of old rows, CHUNK at most."""
    if not _may_be_old(tx, rows):
        return []
    return list(tx.execute(select(rows.key).where(rows.old).limit(CHUNK)).scalars())


def drop(tx: Tx, rows: Stored, old: Sequence[Any], now: datetime) -> int:
    """Drop those of these rows that are still old. Returns how many."""
    query = select(rows.key).where(rows.key.in_(old), rows.old)
    keys = list(tx.execute(query).scalars())
    if not keys:
        return 0
    table: Any = rows.key.table
    if table is contacts:
        return contact_removal.remove(tx, keys, rows.old, now, old=True)
    if table is cases_table:
        return cases.forget_words(tx, keys)
    if table is applicants_table:
        return applicants.delete_all(tx, keys)
    if table is leavings_table:
        return leavings.forget(tx, keys)
    if table in staff_records.FORGET and rows.change is None:
        return staff_records.FORGET[table](tx, keys)
    if table is calls:
        detail_words.forget(tx, keys)
    statement = delete(table) if rows.change is None else update(table).values(**rows.change)
    return tx.execute(statement.where(rows.key.in_(keys), rows.old)).rowcount
