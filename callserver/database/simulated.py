"""Whether this database belongs to a simulated network."""

from datetime import datetime

from sqlalchemy import select

from callserver.database.leases import NOBODY
from callserver.database.tables import calls, process_leases
from callserver.database.upserts import INSERTS
from callserver.ports import Tx

SIMULATED = "simulated"
"""A row among the leases that belongs to nobody."""


def mark_simulated(tx: Tx, now: datetime) -> None:
    """Record that this database's calls are invented; this is never undone."""
    tx.execute(
        INSERTS[tx.dialect.name](process_leases)
        .values(name=SIMULATED, owner=NOBODY, until=now)
        .on_conflict_do_nothing()
    )


def is_simulated(tx: Tx) -> bool:
    """Whether this database's calls are invented."""
    return (
        tx.execute(select(process_leases.c.name).where(process_leases.c.name == SIMULATED)).first()
        is not None
    )


def has_real_calls(tx: Tx) -> bool:
    """Whether anybody was called over a real network from this database."""
    return not is_simulated(tx) and tx.execute(select(calls.c.attempt).limit(1)).first() is not None
