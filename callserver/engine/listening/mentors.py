"""Who may be whose mentor, and until when: one rule, for the floor and for the accounts."""

from datetime import datetime

from callserver.database import accounts, audit
from callserver.domain.audit import EntryKind
from callserver.domain.role import Action, may
from callserver.errors import Impossible
from callserver.ports import Tx


def check(
    tx: Tx, mentor: int | None, *, trainee: int | None, role: str, department: str | None
) -> None:
    """May the trainee hear this colleague's calls? None, nobody's, is always allowed.

    A mentor makes calls, has not left, belongs to the trainee's department, and is another person.
    `trainee`: the trainee's account (None: not made yet), with the `role` and `department` it will have.

    Raises:
        Impossible: they may not.
    """
    if mentor is None:
        return
    accounts.lock(tx, mentor)  # who leaves at this moment leaves before or after it
    colleague = accounts.user(tx, mentor)
    if (
        colleague is None
        or colleague.left_at is not None
        or colleague.id == trainee
        or colleague.department != department
        or not may(colleague.role, Action.PHONE)
        or not may(role, Action.LISTEN_TO_MENTOR)
    ):
        raise Impossible("a mentor is another phoner of the trainee's department", key="mentor")


def release(tx: Tx, mentor: int, now: datetime, by: str) -> None:
    """Their trainees have no mentor any more: this phoner leaves, or changes role or department."""
    for trainee in accounts.trainees_of(tx, mentor):
        accounts.change(tx, trainee.id, mentor=None)
        audit.append(tx, now, EntryKind.USER, user=trainee.id, did="mentor", mentor=None, by=by)
