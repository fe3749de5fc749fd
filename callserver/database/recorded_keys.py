"""Whether the server's key is the one with which the newest calls and opt-outs were recorded."""

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import select

from callserver.database import audit, calls
from callserver.database.audit import LogQuery
from callserver.database.tables import suppressions
from callserver.domain import pseudonyms, subject
from callserver.domain.audit import EntryKind
from callserver.ports import Tx

MOST_CALLS = 20
"""So many of the newest calls are compared; some may have been erased since."""

MOST_HASHES = 3


def are_of_another(tx: Tx, secret: bytes) -> bool:
    """Whether none of the newest calls, or of the newest opt-outs by hash, was recorded with this key, or there
    are some and there is no key.

    Such a key recognises nobody who was erased: the gate would permit what it must refuse.
    """
    return any(
        known and not any(known)
        for known in (list(_of_calls(tx, secret)), list(_of_hashes(tx, secret)))
    )


def _of_calls(tx: Tx, secret: bytes) -> Iterator[bool]:
    for entry in audit.search(tx, LogQuery((EntryKind.PERMITTED.value,)), MOST_CALLS):
        call = calls.get(tx, entry["call"])
        if call is not None and call.number > 0 and entry.get("keys"):
            about = subject.of_number(call.number)
            yield bool(secret) and pseudonyms.key_of(about, secret) in entry["keys"]


def _of_hashes(tx: Tx, secret: bytes) -> Iterator[bool]:
    """A hash says nothing about its key, but the entry of the same opt-out does."""
    hashed = suppressions.c.subject.between("hash:0", "hash:g")
    query = select(suppressions.c.id, suppressions.c.subject, suppressions.c.at)
    for row in tx.execute(
        query.where(hashed).order_by(suppressions.c.id.desc()).limit(MOST_HASHES)
    ):
        same_time = LogQuery(
            (EntryKind.SUPPRESSED.value,), since=row.at, until=row.at + timedelta(seconds=1)
        )
        for entry in audit.search(tx, same_time, MOST_CALLS):
            for key, named in entry.get("rows") or ():
                if key == row.id and named is not None:
                    yield bool(secret) and named == pseudonyms.key_of(row.subject, secret)
