"""Staff records past their period: training, signatures, exercises, interviews, support."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, and_, delete, exists, or_, select

from callserver.database import support
from callserver.database.tables import (
    attendances,
    interviews,
    participants,
    shift_credits,
    signatures,
    support_messages,
    support_talks,
    training_sessions,
    training_talks,
    users,
    worked_shifts,
)
from callserver.domain.home import day_of
from callserver.domain.retention import RetentionClass
from callserver.domain.support import MessageKind
from callserver.ports import Tx

_OF_TRAINING = (worked_shifts, shift_credits, training_talks)


def old(kind: RetentionClass, before: datetime) -> tuple[Column[Any], ColumnElement[bool]]:
    """The key and the old rows of a class of such records."""
    match kind:
        case RetentionClass.TRAINING:
            over = or_(users.c.trained_at < before, users.c.left_at < before)
            kept = or_(*(exists().where(table.c.user == users.c.id) for table in _OF_TRAINING))
            return users.c.id, and_(over, kept)
        case RetentionClass.SIGNATURES:
            left = select(users.c.id).where(users.c.left_at < before)
            return signatures.c.id, signatures.c.user.in_(left)
        case RetentionClass.EXERCISES:
            return training_sessions.c.id, training_sessions.c.day < day_of(before).isoformat()
        case RetentionClass.INTERVIEWS:
            empty = ~exists().where(participants.c.interview == interviews.c.id)
            return interviews.c.id, and_(interviews.c.at < before, empty)
        case RetentionClass.CONVERSATIONS:
            return support_talks.c.id, support_talks.c.at < before
        case _:
            report = support_messages.c.kind == MessageKind.HARASSMENT.value
            wanted = report if kind is RetentionClass.HARASSMENT else ~report
            return support_messages.c.id, and_(support.old_messages(before), wanted)


def forget_training(tx: Tx, keys: Sequence[int]) -> int:
    """Delete how these users were trained, except that they are. Returns how many users."""
    for table in _OF_TRAINING:
        tx.execute(delete(table).where(table.c.user.in_(keys)))
    return len(keys)


def forget_exercises(tx: Tx, keys: Sequence[int]) -> int:
    """Delete exercises and courses with their participants. Returns how many."""
    tx.execute(delete(attendances).where(attendances.c.session.in_(keys)))
    return tx.execute(delete(training_sessions).where(training_sessions.c.id.in_(keys))).rowcount


FORGET: Mapping[Any, Callable[[Tx, Sequence[int]], int]] = {
    users: forget_training,
    training_sessions: forget_exercises,
}
"""What is more than one row, by the table of its key."""
