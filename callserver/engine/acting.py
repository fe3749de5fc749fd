"""Who changes an account, or decides as one of two people, still has the role that the request was admitted with.

A request is admitted before its transaction begins. Who has lost the role in between, at this server or another,
does nothing with it any more.
"""

from callserver.database import accounts
from callserver.database.accounts import User
from callserver.errors import NotAllowed, NotFound
from callserver.ports import Tx


def check_still(tx: Tx, by: User, *others: int) -> None:
    """Check that `by` has the role and department with which the request was admitted. They are kept until the
    transaction ends, and so are the accounts of `others`, which the transaction changes.

    Raises:
        NotAllowed: the account has changed, or its user has left.
    """
    accounts.lock(tx, by.id, *others)
    present = accounts.user(tx, by.id)
    if present is None or (present.role, present.department, present.left_at) != (
        by.role,
        by.department,
        None,
    ):
        raise NotAllowed("your account has just changed", key="reload")


def known(tx: Tx, key: int) -> User:
    """An account whose user has not left.

    Raises:
        NotFound: there is none.
    """
    user = accounts.user(tx, key)
    if user is None or user.left_at is not None:
        raise NotFound(f"there is no user {key}", key="not_found")
    return user
