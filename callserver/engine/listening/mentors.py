"""Who may be whose mentor: one rule, for the floor that binds a trainee and for the accounts."""

from callserver.database import accounts
from callserver.domain.role import Action, may
from callserver.errors import Impossible
from callserver.ports import Tx


def check(
    tx: Tx, mentor: int | None, *, trainee: int | None, role: str, department: str | None
) -> None:
    """May this colleague's calls be heard by the trainee? None may always: nobody's.

    A mentor has calls of her own, works here, is of the trainee's department, and somebody else.
    `trainee`: her account (None: not made yet), with the `role` and `department` that she is to have.

    Raises:
        Impossible: she may not.
    """
    if mentor is None:
        return
    found = accounts.user(tx, mentor)
    if (
        found is None
        or found.left_at is not None
        or found.id == trainee
        or found.department != department
        or not may(found.role, Action.PHONE)
        or not may(role, Action.LISTEN_TO_MENTOR)
    ):
        raise Impossible("a mentor is another phoner of the trainee's department", key="mentor")
