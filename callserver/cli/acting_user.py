"""Shared by commands: who does it, with the rights of their account."""

from callserver.cli.case_answers import user_named
from callserver.database.accounts import User
from callserver.domain.role import Action, may
from callserver.errors import NotAllowed
from callserver.ports import Tx


def acting(tx: Tx, handle: str, action: Action) -> User:
    """The user who does it; their department limits what they reach.

    Raises:
        NotFound: there is no such user, or they have left.
        NotAllowed: their role may not.
    """
    user = user_named(tx, handle)
    if not may(user.role, action):
        raise NotAllowed(f"{handle} may not do this")
    return user
