"""Audit entries, written in the transaction of what they record."""

from collections.abc import Collection, Generator, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, NamedTuple

import orjson
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Text,
    bindparam,
    cast,
    func,
    insert,
    or_,
    select,
    text,
    tuple_,
    type_coerce,
    update,
)

from callserver.database import heads
from callserver.database.entries_of_calls import is_of_call, is_of_one_of
from callserver.database.feed_positions import Cursor, Position, digest_of
from callserver.database.prepared_statements import Prepared
from callserver.database.tables import audit, look_ups, seals
from callserver.database.tables.audit import COMMON_KINDS, RARE
from callserver.database.tables.types import readable
from callserver.domain.audit import EntryKind, canonical, stamp
from callserver.domain.signed_heads import Head, parse
from callserver.domain.tiles import MOST_ENTRY_BYTES
from callserver.ports import Tx

_values: dict[str, Any] = {
    name: bindparam(name) for name in ("at", "kind", "contact", "call", "body")
}
_transaction = cast(cast(func.pg_current_xact_id(), Text), BigInteger)
_insert = Prepared(
    {
        "sqlite": insert(audit).values(_values),
        "postgresql": insert(audit).values(_values | {"tx": _transaction}),
    }
)
_insert_numbered = Prepared(
    {
        "sqlite": insert(audit).values(_values).returning(audit.c.id),
        "postgresql": insert(audit).values(_values | {"tx": _transaction}).returning(audit.c.id),
    }
)
_horizon = cast(cast(func.pg_snapshot_xmin(func.pg_current_snapshot()), Text), BigInteger)
_tail = (
    select(audit.c.tx, audit.c.id, audit.c.body)
    .where(tuple_(audit.c.tx, audit.c.id) > tuple_(bindparam("tx"), bindparam("id")))
    .order_by(audit.c.tx, audit.c.id)
    .limit(bindparam("most"))
)
_tails = Prepared(
    {
        "sqlite": select(audit.c.tx, audit.c.id, audit.c.body)
        .where(audit.c.id > bindparam("id"))
        .order_by(audit.c.id)
        .limit(bindparam("most")),
        "postgresql": _tail.where(audit.c.tx < _horizon),
    }
)
_ends = Prepared(
    {
        "sqlite": select(audit.c.tx, audit.c.id).order_by(audit.c.id.desc()).limit(1),
        "postgresql": select(audit.c.tx, audit.c.id)
        .where(audit.c.tx < _horizon)
        .order_by(audit.c.tx.desc(), audit.c.id.desc())
        .limit(1),
    }
)
_entries = select(audit.c.id, audit.c.body).order_by(audit.c.id)
_of_contact = Prepared(_entries.where(audit.c.contact == bindparam("contact")))
_of_call = Prepared(
    {
        name: _entries.where(is_of_call(bindparam("call", type_=audit.c.call.type), name))
        for name in ("sqlite", "postgresql")
    }
)
_unsealed = Prepared(_entries.where(audit.c.leaf.is_(None)).limit(bindparam("most")))
_last_head = Prepared(select(seals.c.body).order_by(seals.c.size.desc()).limit(1))


class Entry(NamedTuple):
    """One entry of the tail."""

    at: Cursor
    body: dict[str, Any]
    stored: bytes

    @property
    def position(self) -> Position:
        return Position(self.at, digest_of(self.stored))


def append(
    tx: Tx,
    at: datetime,
    kind: EntryKind,
    *,
    contact: int | None = None,
    call: str | None = None,
    **details: Any,
) -> None:
    """Write one entry. `details` hold ids, reasons, instants: no name, number or note (I10).

    Raises:
        ValueError: the entry is longer than a published entry may be.
    """
    _insert(tx, _columns(at, kind, contact, call, details))


def append_numbered(
    tx: Tx,
    at: datetime,
    kind: EntryKind,
    *,
    contact: int | None = None,
    call: str | None = None,
    **details: Any,
) -> int:
    """The same; the entry's id."""
    return int(_insert_numbered(tx, _columns(at, kind, contact, call, details)).one()[0])


def _columns(
    at: datetime, kind: EntryKind, contact: int | None, call: str | None, details: dict[str, Any]
) -> dict[str, Any]:
    entry: dict[str, Any] = {"at": stamp(at), "kind": kind.value, **details}
    if contact is not None:
        entry["contact"] = contact
    if call is not None:
        entry["call"] = call
    body = canonical(entry)
    if len(body) > MOST_ENTRY_BYTES:
        raise ValueError(f"an entry of {len(body)} bytes cannot be published: {kind.value}")
    return {"at": at, "kind": kind.value, "contact": contact, "call": call, "body": body}


def unsealed(tx: Tx, most: int) -> list[tuple[int, bytes]]:
    """Entries that no head covers yet, oldest first."""
    return [(key, body) for key, body in _unsealed(tx, {"most": most})]


def seal(tx: Tx, keys: Sequence[int], head: Head) -> bytes:
    """Give the entries their leaf numbers, and store the head that covers them. Returns its line."""
    numbered = [{"key": key, "number": head.first + n} for n, key in enumerate(keys)]
    tx.execute(
        update(audit).where(audit.c.id == bindparam("key")).values(leaf=bindparam("number")),
        numbered,
    )
    tx.execute(insert(seals).values(size=head.size, body=heads.row(tx, head)))
    return heads.line(tx, head)


def last_head(tx: Tx) -> Head | None:
    """The newest head. On SQLite without its leaves, as in `head_of_size`."""
    body = _last_head(tx, {}).scalar()
    return None if body is None else parse(body)


def head_of_size(tx: Tx, size: int) -> Head | None:
    """The head that covers exactly the first `size` entries."""
    body = tx.execute(select(seals.c.body).where(seals.c.size == size)).scalar()
    return None if body is None else parse(body)


def entries(tx: Tx) -> Iterator[tuple[int | None, bytes]]:
    """Every entry with its leaf number, sealed ones first, streamed."""
    return ((leaf, body) for leaf, body in _in_order(tx, audit.c.leaf, audit.c.body))


def _in_order(tx: Tx, *columns: ColumnElement[Any]) -> Iterator[Any]:
    """Sealed entries by their numbers, then the others by their ids, as they are at one instant."""
    query = select(*columns).execution_options(yield_per=1_000)
    # The index has this order, with entries without a number last.
    if tx.dialect.name == "postgresql":
        queries = [query.order_by(audit.c.leaf, audit.c.id)]
    else:  # SQLite has them first, and would sort everything; its transactions see one instant throughout
        numbered = query.where(audit.c.leaf.is_not(None)).order_by(audit.c.leaf)
        queries = [numbered, query.where(audit.c.leaf.is_(None)).order_by(audit.c.id)]
    return chain.from_iterable(map(tx.execute, queries))  # asked when the first row is wanted


def sealed(tx: Tx, first: int, size: int, chunk: int) -> Generator[Sequence[bytes]]:
    """The sealed entries from `first` up to, but not including, `size`, in their order, in chunks.

    Leaf numbers are unique: as many entries as numbers mean that none is missing.
    """
    query = select(audit.c.body).where(audit.c.leaf >= first, audit.c.leaf < size)
    with tx.execute(query.order_by(audit.c.leaf).execution_options(yield_per=chunk)) as rows:
        yield from rows.scalars().partitions(chunk)


def stored(tx: Tx) -> Iterator[Any]:
    """As `entries`, with the values of each entry's search columns."""
    # The instant as it is stored: one that cannot be read must not end a verification.
    columns = (type_coerce(audit.c.at, BigInteger), audit.c.kind, audit.c.contact, audit.c.call)
    for leaf, body, at, *others in _in_order(tx, audit.c.leaf, audit.c.body, *columns):
        yield leaf, body, readable(at), *others


def permitted(tx: Tx, attempts: Sequence[str]) -> set[str]:
    """Those of the calls that the log has permitted."""
    recorded: set[str] = set()
    for at in range(0, len(attempts), 1_000):
        some = is_of_one_of(attempts[at : at + 1_000])
        query = select(audit.c.call).where(audit.c.kind == EntryKind.PERMITTED.value, some)
        recorded.update(tx.execute(query).scalars())
    return recorded


def beyond(tx: Tx, size: int, kinds: Collection[EntryKind] = ()) -> Iterator[dict[str, Any]]:
    """The entries that are not among the first `size` leaves, in the order of writing."""
    query = select(audit.c.body).where(or_(audit.c.leaf.is_(None), audit.c.leaf >= size))
    if kinds:
        query = query.where(audit.c.kind.in_([kind.value for kind in kinds]))
    return map(orjson.loads, tx.execute(query.order_by(audit.c.id)).scalars())


def about_calls_beyond(tx: Tx, size: int) -> dict[str, list[dict[str, Any]]]:
    """Those of them that are about a call, by call."""
    entries: dict[str, list[dict[str, Any]]] = {}
    for entry in beyond(tx, size):
        if "call" in entry:
            entries.setdefault(entry["call"], []).append(entry)
    return entries


def about(tx: Tx, *, contact: int | None = None, call: str | None = None) -> list[dict[str, Any]]:
    """The entries about one contact or one call, oldest first."""
    rows = _of_contact(tx, {"contact": contact}) if call is None else _of_call(tx, {"call": call})
    return [{"id": key, **orjson.loads(body)} for key, body in rows]


def leaves_about(tx: Tx, contacts: Collection[int]) -> list[int]:
    """The leaf numbers of the sealed entries about these contacts."""
    query = select(audit.c.leaf).where(audit.c.contact.in_(contacts), audit.c.leaf.is_not(None))
    return list(tx.execute(query.order_by(audit.c.leaf)).scalars())


def tail(tx: Tx, after: Cursor, most: int) -> list[Entry]:
    """The entries that became visible after the cursor, in an order that never changes.

    On PostgreSQL an id may be given to a transaction that commits after a later one: only
    transactions below the snapshot's horizon are read, so nothing is ever skipped.
    """
    rows = _tails(tx, {"tx": after.tx, "id": after.id, "most": most})
    return [Entry(Cursor(number, key), orjson.loads(body), body) for number, key, body in rows]


def holds(tx: Tx, position: Position) -> bool:
    """Whether this log has exactly this entry: a restored log may have another one at its place."""
    if not position.digest:
        return True
    at = position.at
    query = select(audit.c.body).where(audit.c.id == at.id, audit.c.tx == at.tx)
    body = tx.execute(query).scalar()
    return body is not None and digest_of(body) == position.digest


def end(tx: Tx) -> Cursor:
    """Where the tail ends now."""
    row = _ends(tx, {}).one_or_none()
    return Cursor(0, 0) if row is None else Cursor(*row)


class LogQuery(NamedTuple):
    """Which entries a search wants; None and empty: all."""

    kinds: tuple[str, ...] = ()
    contact: int | None = None
    call: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None  # ids below this one: the next page


def search(tx: Tx, wanted: LogQuery, most: int) -> list[dict[str, Any]]:
    """The newest matching entries, newest first, each with its id and leaf."""
    query = select(audit.c.id, audit.c.leaf, audit.c.body).order_by(audit.c.id.desc()).limit(most)
    if wanted.kinds:
        query = query.where(audit.c.kind.in_(wanted.kinds))
        if not set(COMMON_KINDS) & set(wanted.kinds):
            query = query.where(text(RARE[tx.dialect.name]))
    if wanted.contact is not None:
        looked_up = select(look_ups.c.entry).where(look_ups.c.contact == wanted.contact)
        about_contact = or_(audit.c.contact == wanted.contact, audit.c.id.in_(looked_up))
        query = query.where(about_contact)
    if wanted.call is not None:
        query = query.where(is_of_call(wanted.call, tx.dialect.name))
    if wanted.before is not None:
        query = query.where(audit.c.id < wanted.before)
    if wanted.since is not None:
        query = query.where(audit.c.id >= _first_at(tx, wanted.since), audit.c.at >= wanted.since)
    if wanted.until is not None:
        last = _first_at(tx, wanted.until + 2 * _SLACK)
        query = query.where(audit.c.id < last, audit.c.at < wanted.until)
    return [
        {"id": key, "leaf": leaf, **orjson.loads(body)} for key, leaf, body in tx.execute(query)
    ]


_SLACK = timedelta(seconds=30)
"""Ids follow the instants except where transactions overlap: a search starts this much earlier."""


def _first_at(tx: Tx, at: datetime) -> int:
    """About the first id written at that instant, by binary search: the log has no index on its times."""
    low, high = 0, int(tx.execute(select(func.max(audit.c.id))).scalar() or 0) + 1
    earliest = at - _SLACK
    probe = select(audit.c.id, audit.c.at).where(audit.c.id >= bindparam("id"))
    probe = probe.order_by(audit.c.id).limit(1)
    while low < high:
        middle = (low + high) // 2
        row = tx.execute(probe, {"id": middle}).one_or_none()
        if row is None or row.at >= earliest:
            high = middle
        else:
            low = row.id + 1
    return low
