"""Exercises and courses: planned with their participants, attendance recorded on the day or later."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from callserver.database import audit, training_sessions
from callserver.database.accounts import User
from callserver.domain.audit import EntryKind
from callserver.domain.home import day_of
from callserver.domain.training_rules import TrainingRules
from callserver.engine.training import standings
from callserver.engine.training.talks import reach
from callserver.errors import Impossible, NotFound
from callserver.ports import Tx


def plan(
    tx: Tx,
    rules: TrainingRules,
    by: User,
    activity: str,
    day: date,
    phoners: Sequence[int],
    now: datetime,
) -> int:
    """Plan an exercise or course on a day. Returns its id.

    Raises:
        NotFound: a participant is no phoner of this user's department.
        Impossible: there is no such activity.
    """
    if activity not in rules.activities:
        raise Impossible("there is no such activity", key="no_activity")
    departments = {reach(tx, by, phoner).department for phoner in phoners}
    department = departments.pop() if len(departments) == 1 else by.department
    key = training_sessions.add(tx, activity, department, day, by.id, dict.fromkeys(phoners))
    _log(tx, by, "planned", key, now)
    return key


def record(
    tx: Tx, rules: TrainingRules, by: User, key: int, phoner: int, now: datetime, *, attended: bool
) -> None:
    """Whether a participant attended.

    Raises:
        NotFound: there is no such session or participant in this user's department.
        Impossible: it has not taken place yet.
    """
    session = training_sessions.find(tx, key)
    if session is None or by.department not in (None, session.department):
        raise NotFound("there is no such session", key="not_found")
    if date.fromisoformat(session.day) > day_of(now):
        raise Impossible("it has not taken place yet", key="session_early")
    reach(tx, by, phoner)
    if not training_sessions.set_attended(tx, key, phoner, attended=attended):
        raise NotFound("they are no participant", key="not_found")
    _log(tx, by, "attended" if attended else "absent", key, now, phoner)
    standings.settle(tx, rules, phoner, now)


def _log(tx: Tx, by: User, did: str, key: int, now: datetime, user: int | None = None) -> None:
    details: dict[str, Any] = {} if user is None else {"user": user}
    audit.append(tx, now, EntryKind.TRAINING, did=did, session=key, by=f"user:{by.id}", **details)
