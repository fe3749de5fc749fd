"""Which shift a phoner is on: counted by the server, or credited by an administrator with a reason.

A day counts when the phoner was in their room for `shift_minutes`, and on the first shift when they also
heard their mentor's calls for `mentor_minutes`. Time is added when the phoner's leg leaves the room.
"""

from collections.abc import Iterable
from datetime import date, datetime

from callserver.database import accounts, audit, known_time, seats, worked_shifts
from callserver.database.accounts import User
from callserver.database.seats import SeatRow
from callserver.database.worked_shifts import Credit, Heard
from callserver.domain.audit import EntryKind
from callserver.domain.home import day_of
from callserver.domain.role import Role
from callserver.domain.training import (
    THIRD,
    TRAINED,
    Progress,
    Standing,
    seconds_by_day,
    standing,
)
from callserver.domain.training_rules import TrainingRules
from callserver.errors import Impossible
from callserver.ports import Tx

DAYS_AFTER = date.max
"""A day after every counted one: shows whether the training is complete."""


def of(
    tx: Tx,
    rules: TrainingRules,
    phoner: int,
    credited: int,
    trained_at: datetime | None,
    now: datetime,
) -> Standing:
    """A phoner's current shift. Asked at every dial; one query, or none for a trained phoner."""
    if trained_at is not None:
        return TRAINED
    return standing(rules, _progress(tx, rules, phoner, credited, now), day_of(now))


def of_user(tx: Tx, rules: TrainingRules, user: User, now: datetime) -> Standing:
    if user.role != Role.PHONER:
        return TRAINED
    return of(tx, rules, user.id, user.credited, user.trained_at, now)


def shown(tx: Tx, rules: TrainingRules, user: User, now: datetime) -> int | None:
    """The shift of a phoner who is not trained yet; None for everybody else."""
    where = of_user(tx, rules, user, now)
    return None if where.trained else where.shift


def _progress(tx: Tx, rules: TrainingRules, phoner: int, credited: int, now: datetime) -> Progress:
    talk = worked_shifts.talk(tx, phoner)
    return Progress(
        credited=credited,
        days=worked_shifts.counted_days(tx, phoner),
        heard_on=_heard_on(worked_shifts.heard_by_supervisors(tx, phoner), rules.listening_minutes),
        talked=talk is not None and None not in (talk.phoner_at, talk.supervisor_at),
        attended=worked_shifts.attended(tx, phoner, day_of(now)),
    )


def was_heard(tx: Tx, rules: TrainingRules, phoner: int) -> bool:
    """Whether a supervisor has listened to the phoner for long enough."""
    intervals = worked_shifts.heard_by_supervisors(tx, phoner)
    return _heard_on(intervals, rules.listening_minutes) is not None


def _heard_on(intervals: Iterable[Heard], minutes: int) -> date | None:
    """The first day by which one listening had lasted this long."""
    seconds: dict[int, float] = {}
    for interval in intervals:
        lasted = (interval.until - interval.since).total_seconds()
        seconds[interval.listening] = seconds.get(interval.listening, 0) + lasted
        if seconds[interval.listening] >= minutes * 60:
            return day_of(interval.until)
    return None


def moved(
    tx: Tx, rules: TrainingRules, row: SeatRow, now: datetime, *, inside: bool, clock_jumped: bool
) -> None:
    """Record that the phoner's leg joined or left its room.

    Time while the clock is in doubt counts for no shift.
    """
    if inside:
        if _is_new(accounts.user(tx, row.phoner)) and not clock_jumped:
            seats.set_line(tx, row.id, in_room_since=now)
    elif row.in_room_since is not None:
        seats.set_line(tx, row.id, in_room_since=None)
        until = min(now, known_time.recorded(tx) or row.in_room_since) if clock_jumped else now
        _count(tx, rules, row.phoner, row.in_room_since, until)
        settle(tx, rules, row.phoner, now)


def nobody_looked(tx: Tx, rules: TrainingRules, until: datetime, now: datetime) -> None:
    """No server ran from `until` to now, or its clock was in doubt: that time counts for no shift."""
    for row in seats.every(tx):
        if row.in_room_since is not None:
            seats.set_line(tx, row.id, in_room_since=now)
            _count(tx, rules, row.phoner, row.in_room_since, min(until, now))


def _count(tx: Tx, rules: TrainingRules, phoner: int, since: datetime, until: datetime) -> None:
    """Add time in the room, and count the day if it is enough."""
    for day, seconds in seconds_by_day(since, until).items():
        total = worked_shifts.add_time(tx, phoner, day, seconds)
        if total >= rules.shift_minutes * 60 and _heard_enough(tx, rules, phoner, day):
            worked_shifts.count_day(tx, phoner, day)


def _heard_enough(tx: Tx, rules: TrainingRules, phoner: int, day: date) -> bool:
    """Whether a phoner on their first shift has heard enough of their mentor's calls."""
    user = accounts.user(tx, phoner)
    if user is None or user.credited or worked_shifts.counted_days(tx, phoner):
        return True
    heard = sum(
        seconds_by_day(interval.since, interval.until).get(day, 0)
        for interval in worked_shifts.heard_by(tx, phoner)
    )
    return heard >= rules.mentor_minutes * 60


def settle(tx: Tx, rules: TrainingRules, phoner: int, now: datetime) -> None:
    """Note when the training is complete."""
    if not _is_new(accounts.user(tx, phoner)):
        return
    accounts.lock(tx, phoner)  # the last two steps may be recorded at the same moment
    user = accounts.user(tx, phoner)
    if user is None or not _is_new(user):
        return
    if standing(rules, _progress(tx, rules, phoner, user.credited, now), DAYS_AFTER).trained:
        accounts.change(tx, phoner, trained_at=now)
        audit.append(tx, now, EntryKind.TRAINING, user=phoner, did="trained")


def _is_new(user: User | None) -> bool:
    return user is not None and user.role == Role.PHONER and user.trained_at is None


def credit(
    tx: Tx, rules: TrainingRules, user: User, shifts: int, reason: str, now: datetime, by: str
) -> None:
    """Credit shifts that a phoner worked earlier. The reason is stored; the log names who credited them.

    Raises:
        Impossible: not a phoner, no reason, or fewer shifts than were credited before.
    """
    accounts.lock(tx, user.id)
    user = accounts.user(tx, user.id) or user
    if user.role != Role.PHONER or not user.credited < shifts <= THIRD:
        raise Impossible("there are no shifts to credit", key="nothing_to_credit")
    if not reason.strip():
        raise Impossible("a reason is needed", key="credit_reason")
    accounts.change(tx, user.id, credited=shifts)
    worked_shifts.credit(tx, user.id, Credit(now, by, shifts, reason.strip()))
    audit.append(tx, now, EntryKind.TRAINING, user=user.id, did="credited", shifts=shifts, by=by)
    settle(tx, rules, user.id, now)
