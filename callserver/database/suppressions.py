"""Suppressions: who said no. One indexed look-up for every subject of a dial; stops what rings."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Text, bindparam, cast, func, insert, literal, or_, select, update

from callserver import outbox
from callserver.database.prepared_statements import Prepared
from callserver.database.tables import calls, contacts, marks, suppressions
from callserver.domain import subject
from callserver.domain.facts import Purpose, Scope, Suppression
from callserver.outbox import EndCalls
from callserver.ports import Tx

_for_subjects = select(
    suppressions.c.scope,
    suppressions.c.at,
    suppressions.c.lifted_at,
    suppressions.c.purpose,
    suppressions.c.list,
).where(suppressions.c.subject.in_(bindparam("subjects", expanding=True)))

_for_four = Prepared(
    select(*_for_subjects.selected_columns).where(
        suppressions.c.subject.in_([bindparam(name) for name in "abcd"])
    )
)
"""The dial's own: number, person, household, hash. Compiled once, which an open list is not."""

DIALING_LOCK = 7_204_118
"""PostgreSQL's advisory lock between dial decisions (shared) and new suppressions (exclusive)."""


def for_subjects(tx: Tx, subjects: Sequence[str]) -> tuple[Suppression, ...]:
    """Every suppression about any of the subjects, lifted ones too."""
    rows = (
        _for_four(tx, dict(zip("abcd", subjects, strict=True)))
        if len(subjects) == 4
        else tx.execute(_for_subjects, {"subjects": list(subjects)})
    )
    return tuple(
        Suppression(
            scope=Scope(scope),
            at=at,
            lifted_at=lifted_at,
            purpose=None if purpose is None else Purpose(purpose),
            list_name=list_name,
        )
        for scope, at, lifted_at, purpose, list_name in rows
    )


def before_deciding(tx: Tx) -> None:
    """A dial decision begins: no suppression may commit between its reading and its writing."""
    if tx.dialect.name == "postgresql":
        tx.exec_driver_sql(f"SELECT pg_advisory_xact_lock_shared({DIALING_LOCK})")


def before_suppressing(tx: Tx) -> None:
    """A suppression is written: decisions under way finish first, and their calls are seen."""
    if tx.dialect.name == "postgresql":
        tx.exec_driver_sql(f"SELECT pg_advisory_xact_lock({DIALING_LOCK})")


def add(
    tx: Tx,
    subject: str,
    scope: Scope,
    at: datetime,
    by: str,
    *,
    purpose: Purpose | None = None,
    list_name: str | None = None,
    heard: str | None = None,
    opt_out: str | None = None,
) -> int:
    """Write one suppression; its id. Call want_stopped in the same transaction."""
    before_suppressing(tx)
    key = tx.execute(
        insert(suppressions).values(
            subject=subject,
            scope=scope.value,
            purpose=None if purpose is None else purpose.value,
            at=at,
            by=by,
            list=list_name,
            heard=heard,
            opt_out=opt_out,
        )
    ).inserted_primary_key
    return 0 if key is None else int(key[0])


def in_force(tx: Tx, numbers: Sequence[int]) -> set[int]:
    """Those of the numbers that are suppressed already, by a no that no consent came after.

    A person who said yes later may be rung again; a newer list that names her is a newer no.
    """
    subjects = {subject.of_number(number): number for number in numbers}
    query = (
        select(suppressions.c.subject, func.max(suppressions.c.at))
        .where(
            suppressions.c.subject.in_(list(subjects)),
            suppressions.c.scope == Scope.NUMBER.value,
            suppressions.c.lifted_at.is_(None),
        )
        .group_by(suppressions.c.subject)
    )
    said = {subjects[about]: at for about, at in tx.execute(query)}
    consents = _consents(tx, list(said)) if said else {}
    return {
        number for number, at in said.items() if number not in consents or at >= consents[number]
    }


def persons_in_force(tx: Tx, persons: Sequence[int]) -> set[int]:
    """Those of the persons who are suppressed already, by a no that no consent came after."""
    subjects = {subject.of_person(person): person for person in persons}
    query = (
        select(suppressions.c.subject, func.max(suppressions.c.at))
        .where(
            suppressions.c.subject.in_(list(subjects)),
            suppressions.c.scope == Scope.PERSON.value,
            suppressions.c.lifted_at.is_(None),
        )
        .group_by(suppressions.c.subject)
    )
    found = {row[0]: row[1] for row in tx.execute(query)}
    given = select(marks.c.subject, func.max(marks.c.at)).where(
        marks.c.kind == "consent_given", marks.c.subject.in_(list(found))
    )
    consents = {row[0]: row[1] for row in tx.execute(given.group_by(marks.c.subject))}
    return {
        subjects[about]
        for about, at in found.items()
        if about not in consents or at >= consents[about]
    }


def _consents(tx: Tx, numbers: Sequence[int]) -> dict[int, datetime]:
    """The latest consent about a number, or about a person whom we know at it."""
    given = marks.c.kind == "consent_given"
    subjects = {subject.of_number(number): number for number in numbers}
    of_number = select(marks.c.subject, marks.c.at).where(
        given, marks.c.subject.in_(list(subjects))
    )
    of_person = (
        select(contacts.c.number, marks.c.at)
        .join(marks, marks.c.subject == literal("person:") + cast(contacts.c.person, Text))
        .where(given, contacts.c.number.in_(numbers))
    )
    found = [(subjects[about], at) for about, at in tx.execute(of_number)]
    found += [(number, at) for number, at in tx.execute(of_person)]
    return dict(sorted(found, key=lambda one: one[1]))  # the latest stands


class Row(NamedTuple):
    """A suppression as it stands on record, lifted or not."""

    id: int
    subject: str
    scope: str
    purpose: str | None
    at: datetime
    lifted_at: datetime | None
    by: str
    list: str | None
    heard: str | None


def on_record(tx: Tx, subjects: Sequence[str]) -> list[Row]:
    """Everything on record about any of the subjects, newest first."""
    query = select(*[suppressions.c[name] for name in Row._fields])
    query = query.where(suppressions.c.subject.in_(list(subjects)))
    return [Row._make(row) for row in tx.execute(query.order_by(suppressions.c.id.desc()))]


def by_id(tx: Tx, ids: Sequence[int]) -> list[Row]:
    """These suppressions, lifted or not."""
    query = select(*[suppressions.c[name] for name in Row._fields])
    query = query.where(suppressions.c.id.in_(list(ids))).order_by(suppressions.c.id)
    return [Row._make(row) for row in tx.execute(query)]


def of_same_opt_out(tx: Tx, ids: Sequence[int]) -> list[Row]:
    """What is in force of these suppressions and of the opt-outs that they belong to."""
    named = suppressions.c.id.in_(list(ids))
    groups = select(suppressions.c.opt_out).where(named, suppressions.c.opt_out.is_not(None))
    query = (
        select(*[suppressions.c[name] for name in Row._fields])
        .where(or_(named, suppressions.c.opt_out.in_(groups)), suppressions.c.lifted_at.is_(None))
        .order_by(suppressions.c.id)
    )
    return [Row._make(row) for row in tx.execute(query)]


def lift(tx: Tx, suppression: int, at: datetime) -> bool:
    """End one suppression; the row stays. False when it was not in force."""
    return (
        tx.execute(
            update(suppressions)
            .where(suppressions.c.id == suppression, suppressions.c.lifted_at.is_(None))
            .values(lifted_at=at)
        ).rowcount
        == 1
    )


def want_stopped(tx: Tx, subjects: Sequence[str]) -> int:
    """Open calls to these subjects that nobody has answered must be silenced; how many.

    A conversation is not cut off: the person on the line is just saying so.
    """
    keys: dict[str, list[int]] = {"number": [], "person": [], "household": []}
    for one in subjects:
        kind, _, key = one.partition(":")
        if kind in keys:
            keys[kind].append(int(key))
    if not any(keys.values()):
        return 0
    about = or_(*(calls.c[kind].in_(found) for kind, found in keys.items() if found))
    stopped = tx.execute(
        update(calls)
        .where(
            about,
            calls.c.ended_at.is_(None),
            calls.c.answered_at.is_(None),
            calls.c.stop_wanted.is_(None),
        )
        .values(stop_wanted="suppressed")
    ).rowcount
    if stopped:
        outbox.add(tx, EndCalls())
    return stopped
