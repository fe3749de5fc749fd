"""What counts for a new phoner: days in their room, listenings, the conversation, credited shifts."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import bindparam, exists, insert, literal_column, or_, select, update

from callserver.database.prepared_statements import Prepared
from callserver.database.tables import (
    attendances,
    heard_calls,
    listening_intervals,
    listenings,
    shift_credits,
    training_sessions,
    training_talks,
    users,
    worked_shifts,
)
from callserver.database.upserts import INSERTS
from callserver.domain.role import Role
from callserver.ports import Tx

SUPERVISORS = (Role.SUPERVISOR.value, Role.LEADER.value)


class Heard(NamedTuple):
    """An ended interval in which a listener's leg was in a room."""

    listening: int
    since: datetime
    until: datetime


class Talk(NamedTuple):
    supervisor: int | None
    phoner_at: datetime | None
    supervisor_at: datetime | None
    words: str


class Credit(NamedTuple):
    at: datetime
    by: str
    shifts: int
    reason: str


def counted_days(tx: Tx, user: int) -> list[date]:
    """The days on which a shift counted, in order."""
    return [date.fromisoformat(row[0]) for row in _counted(tx, {"user": user})]


def add_time(tx: Tx, user: int, day: date, seconds: int) -> int:
    """Add time in the room to a day; how much the day has then."""
    row = INSERTS[tx.dialect.name](worked_shifts).values(
        user=user, day=day.isoformat(), seconds=seconds, counts=False
    )
    key = [worked_shifts.c.user, worked_shifts.c.day]
    more = {"seconds": worked_shifts.c.seconds + seconds}
    added = row.on_conflict_do_update(index_elements=key, set_=more)
    return int(tx.execute(added.returning(worked_shifts.c.seconds)).scalar_one())


def count_day(tx: Tx, user: int, day: date) -> None:
    """The shift of this day counts, whatever happens to the rules later."""
    tx.execute(
        update(worked_shifts)
        .where(worked_shifts.c.user == user, worked_shifts.c.day == day.isoformat())
        .values(counts=True)
    )


_interval = (
    select(
        listening_intervals.c.listening,
        listening_intervals.c.since,
        listening_intervals.c.until,
    )
    .join(listenings, listenings.c.id == listening_intervals.c.listening)
    .where(listening_intervals.c.until.is_not(None))
    .order_by(listening_intervals.c.id)
)
_counted = Prepared(
    select(worked_shifts.c.day)
    .where(worked_shifts.c.user == bindparam("user"), worked_shifts.c.counts)
    .order_by(worked_shifts.c.day)
)
_heard = Prepared(
    _interval.join(users, users.c.id == listenings.c.listener).where(
        listenings.c.phoner == bindparam("phoner"),
        or_(*(users.c.role == literal_column(f"'{role}'") for role in SUPERVISORS)),
        exists().where(heard_calls.c.listening == listenings.c.id),
    )
)
_attended = Prepared(
    select(training_sessions.c.activity)
    .join(attendances, attendances.c.session == training_sessions.c.id)
    .where(
        attendances.c.user == bindparam("user"),
        attendances.c.attended,
        training_sessions.c.day <= bindparam("until"),
    )
)
_talk = Prepared(
    select(*(training_talks.c[name] for name in Talk._fields)).where(
        training_talks.c.user == bindparam("user")
    )
)


def heard_by_supervisors(tx: Tx, phoner: int) -> list[Heard]:
    """When supervisors listened to this phoner's calls, in listenings that heard a call."""
    return [Heard(*row) for row in _heard(tx, {"phoner": phoner})]


def heard_by(tx: Tx, trainee: int) -> list[Heard]:
    """When this trainee listened to calls."""
    query = _interval.where(listenings.c.listener == trainee)
    return [Heard(*row) for row in tx.execute(query)]


def attended(tx: Tx, user: int, until: date) -> frozenset[str]:
    """The activities that a user has attended by this day."""
    rows = _attended(tx, {"user": user, "until": until.isoformat()})
    return frozenset(row[0] for row in rows)


def talk(tx: Tx, user: int) -> Talk | None:
    row = _talk(tx, {"user": user}).one_or_none()
    return None if row is None else Talk._make(row)


def record_talk(tx: Tx, user: int, **values: object) -> None:
    """Write one side of the conversation."""
    row = INSERTS[tx.dialect.name](training_talks).values(user=user, **values)
    key = [training_talks.c.user]
    tx.execute(row.on_conflict_do_update(index_elements=key, set_=values))


def forget_words(tx: Tx, before: datetime) -> None:
    """Drop the words about conversations that were recorded before this instant."""
    old = training_talks.c.supervisor_at < before
    tx.execute(update(training_talks).where(old).values(words=""))


def credit(tx: Tx, user: int, given: Credit) -> None:
    tx.execute(insert(shift_credits).values(user=user, **given._asdict()))


def credits_of(tx: Tx, user: int) -> Sequence[Credit]:
    query = select(*(shift_credits.c[name] for name in Credit._fields))
    rows = tx.execute(query.where(shift_credits.c.user == user).order_by(shift_credits.c.id))
    return [Credit._make(row) for row in rows]
