"""Suppressions: stored opt-outs, found by subject with one indexed query per dial."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    Text,
    bindparam,
    case,
    cast,
    false,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    update,
)

from callserver import outbox
from callserver.database import audit, lifts
from callserver.database.prepared_statements import Prepared, PreparedMany
from callserver.database.tables import calls, contacts, marks, suppressions
from callserver.database.tables.types import Instant
from callserver.domain import subject
from callserver.domain.audit import EntryKind
from callserver.domain.facts import Purpose, Scope, Suppression
from callserver.domain.marks import MarkKind
from callserver.domain.stop_reasons import MAY_TALK, SUPPRESSED
from callserver.domain.suppression import UNDO_WITHIN
from callserver.outbox import EndCalls
from callserver.ports import Tx

_about = PreparedMany(
    lambda subjects: select(
        suppressions.c.subject,
        suppressions.c.scope,
        suppressions.c.at,
        suppressions.c.lifted_at,
        suppressions.c.purpose,
    ).where(suppressions.c.subject.in_(subjects))
)


def _stop_by(column: ColumnElement[int]) -> PreparedMany:
    return PreparedMany(
        lambda keys: (
            update(calls)
            .where(
                column.in_(keys),
                calls.c.ended_at.is_(None),
                calls.c.answered_at.is_(None),
                or_(
                    calls.c.stop_wanted.is_(None),
                    calls.c.stop_wanted.in_(
                        [literal_column(f"'{one}'") for one in sorted(MAY_TALK)]
                    ),
                ),
            )
            .values(
                stop_wanted=literal_column(f"'{SUPPRESSED}'"),
                stopped=false(),
                # Without the leg's name only a look-up helps: the provider is asked at once.
                deadline=case(
                    (calls.c.ref.is_(None), bindparam("now", type_=Instant())),
                    else_=calls.c.deadline,
                ),
            )
            .returning(calls.c.attempt)
        )
    )


AT_ONCE = 4096
"""Keys of one statement: an import may change the numbers of a hundred thousand people."""

_want_stopped = {name: _stop_by(calls.c[name]) for name in ("number", "person", "household")}

_SUBJECTS = {Scope.NUMBER: subject.of_number, Scope.PERSON: subject.of_person}
"""The scopes of lists, and how the key of a number or person becomes a subject."""

DIALING_LOCK = 7_204_118
"""PostgreSQL's advisory lock between dial decisions (shared) and new suppressions (exclusive)."""


def for_subjects(tx: Tx, subjects: Sequence[str]) -> tuple[Suppression, ...]:
    """Every suppression of any of the subjects, including lifted ones."""
    return tuple(suppression for _, suppression in about(tx, subjects))


def about(tx: Tx, subjects: Sequence[str]) -> list[tuple[str, Suppression]]:
    """The same, each with its subject."""
    return [
        (
            subject_key,
            Suppression(
                scope=Scope(scope),
                at=at,
                lifted_at=lifted_at,
                purpose=None if purpose is None else Purpose(purpose),
            ),
        )
        for subject_key, scope, at, lifted_at, purpose in _about(tx, subjects)
    ]


_lock_shared = Prepared(select(func.pg_advisory_xact_lock_shared(DIALING_LOCK)), unread=True)
_lock = Prepared(select(func.pg_advisory_xact_lock(DIALING_LOCK)), unread=True)


def before_deciding(tx: Tx) -> None:
    """A dial decision begins: no suppression may commit between its reading and its writing."""
    if tx.dialect.name == "postgresql":
        _lock_shared(tx, {})


def before_suppressing(tx: Tx) -> None:
    """A suppression is written: decisions under way finish first, and their calls are seen."""
    if tx.dialect.name == "postgresql":
        _lock(tx, {})


_COLUMNS = ("subject", "scope", "purpose", "at", "by", "list", "received_by", "opt_out")
_add = Prepared(
    insert(suppressions)
    .values({name: bindparam(name) for name in _COLUMNS})
    .returning(suppressions.c.id)
)


def add(
    tx: Tx,
    subject: str,
    scope: Scope,
    at: datetime,
    by: str,
    *,
    purpose: Purpose | None = None,
    list_name: str | None = None,
    received_by: str | None = None,
    opt_out: str | None = None,
) -> int:
    """Write one suppression. Returns its id. Call want_stopped in the same transaction."""
    before_suppressing(tx)
    values = {
        "subject": subject,
        "scope": scope.value,
        "purpose": None if purpose is None else purpose.value,
        "at": at,
        "by": by,
        "list": list_name,
        "received_by": received_by,
        "opt_out": opt_out,
    }
    return int(_add(tx, values).scalar() or 0)


def add_listed(
    tx: Tx, scope: Scope, keys: Sequence[int], at: datetime, by: str, list_name: str
) -> list[tuple[int, str]]:
    """Suppress those of a list's numbers or persons who are not suppressed yet; ids and subjects.

    In the same transaction call before_suppressing, and after both want_stopped_among.
    """
    known = in_force(tx, scope, keys, at)
    values = [
        {
            "subject": _SUBJECTS[scope](key),
            "scope": scope.value,
            "at": at,
            "by": by,
            "list": list_name,
        }
        for key in keys
        if key not in known
    ]
    if not values:
        return []
    last = tx.execute(select(func.max(suppressions.c.id))).scalar() or 0
    tx.execute(insert(suppressions), values)
    query = select(suppressions.c.id, suppressions.c.subject).where(
        suppressions.c.id > last,
        suppressions.c.list == list_name,
        suppressions.c.scope == scope.value,
    )
    return [(key, about) for key, about in tx.execute(query.order_by(suppressions.c.id))]


def in_force(tx: Tx, scope: Scope, keys: Sequence[int], now: datetime) -> set[int]:
    """Those of the numbers or persons who are suppressed already, with no later consent.

    A newer list that names them is a newer opt-out where they consented later, and where an opt-out may still end: its
    lift is proposed, or its author may undo it.
    """
    subjects = {_SUBJECTS[scope](key): key for key in keys}
    query = (
        select(suppressions.c.subject, func.max(suppressions.c.at))
        .where(
            suppressions.c.subject.in_(list(subjects)),
            suppressions.c.scope == scope.value,
            suppressions.c.lifted_at.is_(None),
            suppressions.c.id.not_in(
                {key for lift in lifts.waiting(tx) for key in lift.suppressions}
            ),
            or_(
                suppressions.c.list.is_not(None),
                suppressions.c.by.not_like("user:%"),
                suppressions.c.at < now - UNDO_WITHIN,
            ),
        )
        .group_by(suppressions.c.subject)
    )
    suppressed = {subjects[about]: at for about, at in tx.execute(query)}
    consents = _consents(tx, scope, list(suppressed)) if suppressed else {}
    return {key for key, at in suppressed.items() if key not in consents or at >= consents[key]}


def _consents(tx: Tx, scope: Scope, keys: Sequence[int]) -> dict[int, datetime]:
    """The latest consent of each number or person; for a number also of the persons with that number."""
    given = marks.c.kind == MarkKind.CONSENT_GIVEN
    subjects = {_SUBJECTS[scope](key): key for key in keys}
    own = select(marks.c.subject, marks.c.at).where(given, marks.c.subject.in_(list(subjects)))
    consents = [(subjects[about], at) for about, at in tx.execute(own)]
    if scope is Scope.NUMBER:
        of_person = (
            select(contacts.c.number, marks.c.at)
            .join(marks, marks.c.subject == literal("person:") + cast(contacts.c.person, Text))
            .where(given, contacts.c.number.in_(keys))
        )
        consents += [(number, at) for number, at in tx.execute(of_person)]
    return dict(sorted(consents, key=lambda pair: pair[1]))  # the latest is kept


class SuppressionRow(NamedTuple):
    """A stored suppression, lifted or not."""

    id: int
    subject: str
    scope: str
    purpose: str | None
    at: datetime
    lifted_at: datetime | None
    by: str
    list: str | None
    received_by: str | None


def on_record(tx: Tx, subjects: Sequence[str]) -> list[SuppressionRow]:
    """Every stored suppression of any of the subjects, newest first."""
    query = select(*[suppressions.c[name] for name in SuppressionRow._fields])
    keys = sorted(set(subjects))
    rows = [
        SuppressionRow._make(row)
        for at in range(0, len(keys), AT_ONCE)
        for row in tx.execute(query.where(suppressions.c.subject.in_(keys[at : at + AT_ONCE])))
    ]
    return sorted(rows, key=lambda row: row.id, reverse=True)


def newest_first(tx: Tx, list_name: str | None) -> Iterator[SuppressionRow]:
    """Every suppression, or those of one list, streamed."""
    query = select(*[suppressions.c[name] for name in SuppressionRow._fields])
    if list_name is not None:
        query = query.where(suppressions.c.list == list_name)
    rows = tx.execute(
        query.order_by(suppressions.c.id.desc()), execution_options={"yield_per": 1000}
    )
    return map(SuppressionRow._make, rows)


def by_id(tx: Tx, ids: Sequence[int]) -> list[SuppressionRow]:
    """These suppressions, lifted or not."""
    query = select(*[suppressions.c[name] for name in SuppressionRow._fields])
    query = query.where(suppressions.c.id.in_(list(ids))).order_by(suppressions.c.id)
    return [SuppressionRow._make(row) for row in tx.execute(query)]


def of_group(tx: Tx, opt_out: str) -> list[SuppressionRow]:
    """The rows of one opt-out, lifted or not."""
    query = select(*[suppressions.c[name] for name in SuppressionRow._fields])
    query = query.where(suppressions.c.opt_out == opt_out).order_by(suppressions.c.id)
    return [SuppressionRow._make(row) for row in tx.execute(query)]


def of_same_opt_out(tx: Tx, ids: Sequence[int]) -> list[SuppressionRow]:
    """Those in force of these suppressions and of the other suppressions of their opt-outs."""
    named = suppressions.c.id.in_(list(ids))
    groups = select(suppressions.c.opt_out).where(named, suppressions.c.opt_out.is_not(None))
    query = (
        select(*[suppressions.c[name] for name in SuppressionRow._fields])
        .where(or_(named, suppressions.c.opt_out.in_(groups)), suppressions.c.lifted_at.is_(None))
        .order_by(suppressions.c.id)
    )
    return [SuppressionRow._make(row) for row in tx.execute(query)]


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


def want_stopped(tx: Tx, subjects: Sequence[str], now: datetime) -> int:
    """Mark open, unanswered calls to these subjects to be stopped, and log it. Returns how many.

    A conversation is not cut off: it is the person on the line who opts out.
    """
    keys: dict[str, list[int]] = {kind: [] for kind in _want_stopped}
    for subject_key in subjects:
        kind, _, key = subject_key.partition(":")
        if kind in keys:
            keys[kind].append(int(key))
    attempts = sorted(
        attempt
        for kind, of_kind in keys.items()
        for (attempt,) in _want_stopped[kind](tx, of_kind, {"now": now})
    )
    for attempt in attempts:
        audit.append(tx, now, EntryKind.STOPPED, call=attempt, reason=SUPPRESSED)
    if attempts:
        outbox.add(tx, EndCalls())
    return len(attempts)


def want_stopped_among(tx: Tx, scope: Scope, keys: Collection[int], now: datetime) -> int:
    """`want_stopped` for a long list of numbers or persons: few of them have an open call."""
    column = calls.c.number if scope is Scope.NUMBER else calls.c.person
    open_now = tx.execute(select(column).where(calls.c.ended_at.is_(None))).scalars()
    concerned = set(open_now) & set(keys)
    return want_stopped(tx, [_SUBJECTS[scope](key) for key in sorted(concerned)], now)
