"""Pseudonymous keys inside a transaction: the server's key comes with the engine (make_engine).

So every place that writes about a number, person or household can name its key. An engine without the
server's key writes none.
"""

from collections.abc import Iterable
from typing import Any

from callserver.database.engines import SERVER_KEY
from callserver.domain import pseudonyms
from callserver.ports import Tx

Row = tuple[int, str | None]
"""A written row in an audit entry: its id, and the key of its subject."""


def secret_of(tx: Tx) -> bytes:
    """The server's key; empty where the engine has none."""
    secret: bytes = tx.get_execution_options().get(SERVER_KEY, b"")
    return secret


def key_of(tx: Tx, about: str) -> str | None:
    """The subject's key."""
    secret = secret_of(tx)
    return pseudonyms.key_of(about, secret) if secret else None


def rows(tx: Tx, written: Iterable[tuple[int, str]]) -> list[Row]:
    """Ids and subjects of written rows, as an entry names them."""
    secret = secret_of(tx)
    return [(key, pseudonyms.key_of(about, secret) if secret else None) for key, about in written]


def digest(tx: Tx, value: Any) -> str | None:
    """A keyed digest of a value that an entry must not hold itself; None: there is no value, or no key."""
    secret = secret_of(tx)
    return pseudonyms.digest(value, secret) if secret and value is not None else None
