"""Who is asking: bearer tokens, of which only the hash is stored."""

import hashlib
import secrets

from starlette.requests import Request

from callserver.database import house
from callserver.database.house import User
from callserver.errors import NotAllowed
from callserver.ports import Store


def new_token() -> tuple[str, str]:
    """A fresh token and its hash: the token is shown once, the hash is kept."""
    token = secrets.token_urlsafe(32)
    return token, hash_of(token)


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class NotSignedIn(NotAllowed):
    """No token, or one that is not valid (any more)."""


async def user_of(request: Request, store: Store) -> User:
    """The user whose token the request carries.

    Raises:
        NotSignedIn: there is none, or the user has left.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NotSignedIn("sign in with Authorization: Bearer TOKEN")
    found = await store.run(lambda tx: house.user_by_token(tx, hash_of(token.strip())))
    if found is None or found.left_at is not None:
        raise NotSignedIn("this token is not valid")
    return found
