"""Audit entries, written in the transaction of what they record."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from callserver.database.prepared import Prepared
from callserver.database.tables import audit, seals
from callserver.domain.audit import Kind, canonical, stamp
from callserver.domain.sealed import Head, parse
from callserver.ports import Tx

_insert = Prepared(
    insert(audit).values(
        {name: bindparam(name) for name in ("at", "kind", "contact", "call", "body")}
    )
)


def append(
    tx: Tx,
    at: datetime,
    kind: Kind,
    *,
    contact: int | None = None,
    call: str | None = None,
    **details: Any,
) -> None:
    """Write one entry. `details` hold ids, reasons, instants: no name, number or note (I10)."""
    entry: dict[str, Any] = {"at": stamp(at), "kind": kind.value, **details}
    if contact is not None:
        entry["contact"] = contact
    if call is not None:
        entry["call"] = call
    _insert(
        tx,
        {
            "at": at,
            "kind": kind.value,
            "contact": contact,
            "call": call,
            "body": canonical(entry),
        },
    )


def unsealed(tx: Tx, most: int) -> list[tuple[int, bytes]]:
    """Entries that no head covers yet, oldest first."""
    query = (
        select(audit.c.id, audit.c.body).where(audit.c.leaf.is_(None)).order_by(audit.c.id)
    ).limit(most)
    return [(key, body) for key, body in tx.execute(query)]


def seal(tx: Tx, keys: Sequence[int], head: Head) -> None:
    """Give the entries their leaf numbers and store the head that covers them."""
    numbered = [{"key": key, "number": head.first + n} for n, key in enumerate(keys)]
    tx.execute(
        update(audit).where(audit.c.id == bindparam("key")).values(leaf=bindparam("number")),
        numbered,
    )
    tx.execute(insert(seals).values(size=head.size, body=head.line()))


def last_head(tx: Tx) -> Head | None:
    body = tx.execute(select(seals.c.body).order_by(seals.c.size.desc()).limit(1)).scalar()
    return None if body is None else parse(body)


def heads_after(tx: Tx, size: int) -> list[bytes]:
    query = select(seals.c.body).where(seals.c.size > size).order_by(seals.c.size)
    return list(tx.execute(query).scalars())


def entries(tx: Tx) -> Iterator[tuple[int | None, bytes]]:
    """Every entry with its leaf number, sealed ones first, streamed."""
    query = select(audit.c.leaf, audit.c.body).order_by(
        audit.c.leaf.is_(None), audit.c.leaf, audit.c.id
    )
    for row in tx.execution_options(yield_per=10_000).execute(query):
        yield row.leaf, row.body


def about(tx: Tx, *, contact: int | None = None, call: str | None = None) -> list[dict[str, Any]]:
    """The entries about one contact or one call, oldest first."""
    query = select(audit.c.id, audit.c.body).order_by(audit.c.id)
    if contact is not None:
        query = query.where(audit.c.contact == contact)
    if call is not None:
        query = query.where(audit.c.call == call)
    return [{"id": key, **json.loads(body)} for key, body in tx.execute(query)]
