"""Signed heads, as they are stored and as they leave the database.

On PostgreSQL a row is the line that left the database, in the long form: a server of the version before may
be sealing too. On SQLite the lines are short, and a row lacks the leaves' hashes: the entries have them.
A row of an earlier version is a whole line there as well. Heads are read in parts: one of many entries is large.
"""

from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy import bindparam, select

from callserver.database.prepared_statements import Prepared
from callserver.database.tables import audit, seals
from callserver.domain import merkle, signed_heads
from callserver.domain.signed_heads import Head
from callserver.ports import Tx

AT_ONCE = 50
"""A head of the most entries takes a third of a megabyte."""

_after = Prepared(
    select(seals.c.body)
    .where(seals.c.size > bindparam("size"), seals.c.size <= bindparam("last"))
    .order_by(seals.c.size)
    .limit(bindparam("most"))
)
_entries = Prepared(
    select(audit.c.body)
    .where(audit.c.leaf >= bindparam("first"), audit.c.leaf < bindparam("size"))
    .order_by(audit.c.leaf)
)
_LAST = (1 << 63) - 1


def row(tx: Tx, head: Head) -> bytes:
    """What to store of a head."""
    return head.short_line(with_leaves=False) if _is_short(tx) else head.line()


def line(tx: Tx, head: Head) -> bytes:
    """The line that leaves the database."""
    return head.short_line() if _is_short(tx) else head.line()


def up_to(tx: Tx, size: int) -> Iterator[bytes]:
    """The lines of the heads that cover no more than `size` entries, the smallest first, streamed."""
    query = select(seals.c.body).where(seals.c.size <= size).order_by(seals.c.size)
    rows = tx.execute(query.execution_options(yield_per=AT_ONCE)).scalars()
    return (_with_leaves(tx, body) for body in rows)


def after(tx: Tx, size: int, last: int = _LAST) -> list[bytes]:
    """The next lines of heads that cover more than `size`, and no more than `last`, entries."""
    rows = _after(tx, {"size": size, "last": last, "most": AT_ONCE})
    return [_with_leaves(tx, body) for (body,) in rows]


def newest(tx: Tx, count: int) -> list[Head]:
    """The newest heads with their leaves, the newest first."""
    query = select(seals.c.body).order_by(seals.c.size.desc()).limit(count)
    return [signed_heads.parse(_with_leaves(tx, body)) for (body,) in tx.execute(query)]


def long_line(tx: Tx, body: bytes) -> bytes:
    """A stored row as the line of either database."""
    return signed_heads.parse(_with_leaves(tx, body)).line()


def _is_short(tx: Tx) -> bool:
    return tx.dialect.name == "sqlite"


def _with_leaves(tx: Tx, body: bytes) -> bytes:
    """A row as it left the database. If an entry was changed since, its signature does not verify."""
    if b'"leaves":' in body:
        return body
    head = signed_heads.parse(body)
    bodies = (entry for (entry,) in _entries(tx, {"first": head.first, "size": head.size}))
    leaves = b"".join(merkle.leaf_hashes(bodies)).hex()
    return replace(head, leaves=leaves).short_line()
