"""Who may be whose mentor: one rule, for the floor and for the accounts."""

from callserver.database import accounts
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
