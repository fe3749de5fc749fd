"""Signed heads as they left the database, read in parts: a head of many entries is large."""

from collections.abc import Iterator

from sqlalchemy import bindparam, select

from callserver.database.prepared_statements import Prepared
from callserver.database.tables import seals
from callserver.ports import Tx

AT_ONCE = 50
"""A head of the most entries takes a third of a megabyte."""

_after = Prepared(
    select(seals.c.body)
    .where(seals.c.size > bindparam("size"), seals.c.size <= bindparam("last"))
    .order_by(seals.c.size)
    .limit(bindparam("most"))
)
_LAST = (1 << 63) - 1


def up_to(tx: Tx, size: int) -> Iterator[bytes]:
    """The heads that cover no more than `size` entries, the smallest first, streamed."""
    query = select(seals.c.body).where(seals.c.size <= size).order_by(seals.c.size)
    return iter(tx.execute(query.execution_options(yield_per=AT_ONCE)).scalars())


def after(tx: Tx, size: int, last: int = _LAST) -> list[bytes]:
    """The next heads that cover more than `size`, and no more than `last`, entries, the smallest first."""
    return [body for (body,) in _after(tx, {"size": size, "last": last, "most": AT_ONCE})]
