"""Exercises and courses: a day, who was invited, and who attended."""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from sqlalchemy import insert, select, update

from callserver.database.tables import attendances, training_sessions
from callserver.ports import Tx


class SessionRow(NamedTuple):
    id: int
    activity: str
    department: str | None
    day: str
    by: int


_all = select(*(training_sessions.c[name] for name in SessionRow._fields))


def add(
    tx: Tx, activity: str, department: str | None, day: date, by: int, users: Iterable[int]
) -> int:
    """Add a session with its participants. Returns its id."""
    values = {"activity": activity, "department": department, "day": day.isoformat(), "by": by}
    made = tx.execute(insert(training_sessions).values(**values)).inserted_primary_key
    key = 0 if made is None else int(made[0])
    tx.execute(insert(attendances), [{"session": key, "user": user} for user in users])
    return key


def find(tx: Tx, key: int) -> SessionRow | None:
    row = tx.execute(_all.where(training_sessions.c.id == key)).one_or_none()
    return None if row is None else SessionRow._make(row)


def latest(tx: Tx, department: str | None, most: int = 100) -> list[SessionRow]:
    """The sessions of a department, or of all; the latest day first."""
    query = _all.order_by(training_sessions.c.day.desc(), training_sessions.c.id.desc())
    if department is not None:
        query = query.where(training_sessions.c.department == department)
    return [SessionRow._make(row) for row in tx.execute(query.limit(most))]


def of_user(tx: Tx, user: int) -> list[tuple[SessionRow, bool | None]]:
    """A user's sessions, the latest first, and whether they attended (None: not recorded)."""
    query = (
        select(*_all.selected_columns, attendances.c.attended)
        .join(attendances, attendances.c.session == training_sessions.c.id)
        .where(attendances.c.user == user)
        .order_by(training_sessions.c.day.desc(), training_sessions.c.id.desc())
    )
    return [(SessionRow._make(row[:-1]), row[-1]) for row in tx.execute(query)]


def participants(tx: Tx, keys: Iterable[int]) -> dict[int, dict[int, bool | None]]:
    """By session: who is invited, and whether they attended."""
    columns = attendances.c.session, attendances.c.user, attendances.c.attended
    query = select(*columns).where(attendances.c.session.in_(list(keys)))
    by_session: dict[int, dict[int, bool | None]] = {}
    for session, user, attended in tx.execute(query.order_by(attendances.c.user)):
        by_session.setdefault(session, {})[user] = attended
    return by_session


def set_attended(tx: Tx, key: int, user: int, *, attended: bool) -> bool:
    """Record whether a participant attended; False: they were not invited."""
    changed = update(attendances).where(attendances.c.session == key, attendances.c.user == user)
    return tx.execute(changed.values(attended=attended)).rowcount == 1
