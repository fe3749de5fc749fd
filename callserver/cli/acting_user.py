"""Shared by commands: the user who does it, with the rights of their account."""

from typing import Annotated

import typer

from callserver.cli import resources
from callserver.database import accounts
from callserver.database.accounts import User
from callserver.domain.role import Action, may
from callserver.errors import NotAllowed, NotFound
from callserver.ports import Tx

By = Annotated[str, typer.Option(help="the user who does it, by user name")]

Why = Annotated[str, typer.Option(help="a few words for the log, without names and numbers")]

InWords = Annotated[
    str,
    typer.Option("--by", help="who does it; written to the log", callback=resources.words_for_log),
]
"""For commands that need no account."""

BY_COMMAND = "command"
"""Nobody was named."""


def user_named(tx: Tx, handle: str) -> User:
    """A user who has not left.

    Raises:
        NotFound: there is none.
    """
    user = accounts.by_handle(tx, handle)
    if user is None or user.left_at is not None:
        raise NotFound(f"there is no user {handle!r}")
    return user


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
