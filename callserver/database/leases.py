"""Leases: work that one process does at a time."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, select, update

from callserver.database.prepared_statements import Prepared
from callserver.database.tables import process_leases
from callserver.database.upserts import PerDialect
from callserver.ports import Tx

_lease = Prepared(
    select(process_leases.c.owner, process_leases.c.until).where(
        process_leases.c.name == bindparam("name")
    )
)


def added(insert: Any) -> Any:
    """The insert of a lease that is not there yet."""
    return insert(process_leases).values(
        {column: bindparam(column) for column in ("name", "owner", "until")}
    )


def _acquired(insert: Any) -> Any:
    new = added(insert)
    return new.on_conflict_do_update(
        index_elements=["name"],
        set_={"owner": new.excluded.owner, "until": new.excluded.until},
        where=(process_leases.c.owner == new.excluded.owner)
        | (process_leases.c.owner == bindparam("nobody"))
        | (process_leases.c.until < bindparam("now"))
        | (process_leases.c.until > bindparam("too_far")),
    )


_acquire = Prepared(PerDialect(_acquired))

LEASE = timedelta(seconds=10)
"""How long a dead process keeps others from taking its work over."""

SCHEDULER = "scheduler"
"""The lease of the process that runs the scheduler."""

EXCHANGE = "exchange"
"""The lease of the process that receives the events of the only exchange."""


def events_of(exchange: str) -> str:
    """The lease of the process that receives the events of one of several exchanges."""
    return f"events:{exchange}" if exchange else EXCHANGE


def apology_to(leg: str) -> str:
    """The lease of the process that orders the apology to a leg: ordered by two, it would begin twice."""
    return f"apology:{leg}"


NOBODY = ""
"""The owner of a lease that was released."""

CLOCKS_DIFFER = timedelta(seconds=2)
"""How far the clocks of two servers may be apart."""


def acquire(tx: Tx, name: str, owner: str, now: datetime) -> bool:
    """Take or keep a lease; False while another owner holds it.

    A lease that lasts longer than LEASE was written by a clock that was ahead, and does not count.
    """
    for holder, until in _lease(tx, {"name": name}):
        if holder == owner and LEASE / 2 < until - now <= LEASE:
            return True  # fresh enough: no write, no commit to wait for
        if holder not in (owner, NOBODY) and now <= until <= now + LEASE + CLOCKS_DIFFER:
            return False
    row = {"name": name, "owner": owner, "until": now + LEASE}
    free = {"nobody": NOBODY, "now": now, "too_far": now + LEASE + CLOCKS_DIFFER}
    return _acquire(tx, {**row, **free}).rowcount == 1


def held_until(tx: Tx, name: str, now: datetime) -> datetime | None:
    """When the lease ends that a process has now; None: nobody has it."""
    for holder, until in _lease(tx, {"name": name}):
        if holder != NOBODY and until > now:
            ends: datetime = until
            return ends
    return None


def release(tx: Tx, name: str, owner: str, now: datetime) -> None:
    """Let another process take the lease at once. The row stays, and shows since when nobody has it."""
    tx.execute(
        update(process_leases)
        .where(process_leases.c.name == name, process_leases.c.owner == owner)
        .values(owner=NOBODY, until=now)
    )


def drop(tx: Tx, name: str, owner: str) -> None:
    """Give up a lease that nobody takes again."""
    tx.execute(
        delete(process_leases).where(process_leases.c.name == name, process_leases.c.owner == owner)
    )
