"""Dial decisions about the same persons and households, one after another on PostgreSQL.

The unique indexes know one number, household and seat of a call; a person may have several.
"""

from collections.abc import Iterable

from sqlalchemy import text

from callserver.ports import Tx

_COUNTS = "counts_alone"
_lock = text("SELECT pg_advisory_xact_lock(key) FROM unnest(CAST(:keys AS bigint[])) AS key")


def before_counting(tx: Tx, keys: Iterable[int]) -> None:
    """Another decision about one of these persons or households finishes first, so that its call is counted."""
    if tx.dialect.name == "postgresql":
        ordered = sorted(keys)  # else two decisions could wait for each other
        tx.execute(_lock, {"keys": ordered})
        tx.info[_COUNTS] = True


def begin(tx: Tx) -> None:
    """A transaction begins that may decide about several contacts."""
    tx.info.pop(_COUNTS, None)


def is_waited_for(tx: Tx) -> bool:
    """Whether other decisions may wait for this transaction. It must not wait for them then: it decides about
    nobody else."""
    return _COUNTS in tx.info
