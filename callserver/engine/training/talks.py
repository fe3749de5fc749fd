"""The conversation on the third shift: recorded by the supervisor, with words, and by the phoner."""

from datetime import datetime

from callserver.database import accounts, audit, worked_shifts
from callserver.database.accounts import User
from callserver.domain.audit import EntryKind
from callserver.domain.role import Role
from callserver.domain.training import THIRD
from callserver.domain.training_rules import TrainingRules
from callserver.engine.training import standings
from callserver.errors import Impossible, NotFound
from callserver.ports import Tx


def record_as_supervisor(
    tx: Tx, rules: TrainingRules, by: User, phoner: int, words: str, now: datetime
) -> None:
    """The supervisor has talked with the phoner; the words are for both.

    Raises:
        NotFound: there is no such phoner in their department.
        Impossible: the phoner is not on their third shift.
    """
    user = reach(tx, by, phoner)
    _third(tx, rules, user, now)
    talk, words = worked_shifts.talk(tx, phoner), words.strip()
    if talk is not None and (talk.supervisor, talk.words) == (by.id, words):
        return  # sent twice
    worked_shifts.record_talk(tx, phoner, supervisor=by.id, supervisor_at=now, words=words)
    _recorded(tx, rules, phoner, by, now)


def record_as_phoner(tx: Tx, rules: TrainingRules, user: User, now: datetime) -> None:
    """The phoner has talked with the supervisor.

    Raises:
        Impossible: they are not on their third shift.
    """
    _third(tx, rules, user, now)
    talk = worked_shifts.talk(tx, user.id)
    if talk is not None and talk.phoner_at is not None:
        return  # sent twice
    worked_shifts.record_talk(tx, user.id, phoner_at=now)
    _recorded(tx, rules, user.id, user, now)


def reach(tx: Tx, by: User, phoner: int) -> User:
    """A phoner whom this user leads.

    Raises:
        NotFound: there is none.
    """
    user = accounts.user(tx, phoner)
    if (
        user is None
        or user.role != Role.PHONER
        or user.left_at is not None
        or by.department not in (None, user.department)
        or user.id == by.id
    ):
        raise NotFound(f"there is no phoner {phoner}", key="not_found")
    return user


def _third(tx: Tx, rules: TrainingRules, user: User, now: datetime) -> None:
    accounts.lock(tx, user.id)  # the same record may be on its way twice
    if user.role != Role.PHONER or user.trained_at is not None:
        raise Impossible("there is no conversation to record", key="no_talk")
    if standings.of_user(tx, rules, user, now).shift != THIRD:
        raise Impossible("the conversation is on the third shift", key="talk_early")


def _recorded(tx: Tx, rules: TrainingRules, phoner: int, by: User, now: datetime) -> None:
    audit.append(tx, now, EntryKind.TRAINING, user=phoner, did="talked", by=f"user:{by.id}")
    standings.settle(tx, rules, phoner, now)
