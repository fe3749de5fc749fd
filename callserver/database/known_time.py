"""The latest recorded present instant: a clock that shows an earlier time is behind."""

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, literal_column, select

from callserver.database.leases import LEASE, NOBODY, added
from callserver.database.prepared_statements import Prepared
from callserver.database.tables import audit, process_leases
from callserver.database.tables.types import Instant
from callserver.database.upserts import PerDialect
from callserver.ports import Tx

TIME = "time"
"""A row among the leases that belongs to nobody: the latest instant at which a server ran."""

_known = (
    select(audit.c.at).order_by(audit.c.id.desc()).limit(1).scalar_subquery(),
    select(process_leases.c.until)
    .where(process_leases.c.name == literal_column(f"'{TIME}'"))
    .scalar_subquery(),
)
_POSTGRES_NOW = "(extract(epoch from clock_timestamp()) * 1000000)::bigint"
_latest = Prepared(
    {
        "sqlite": select(*_known, literal_column("NULL", Instant)),
        "postgresql": select(*_known, literal_column(_POSTGRES_NOW, Instant)),
    }
)
_last_lease = select(func.max(process_leases.c.until))
_last_entry = select(audit.c.at).order_by(audit.c.id.desc()).limit(1)


def _recording(insert: Any) -> Any:
    new = added(insert)
    return new.on_conflict_do_update(index_elements=["name"], set_={"until": new.excluded.until})


_record = Prepared(PerDialect(_recording))
_recorded = Prepared(
    select(process_leases.c.until).where(process_leases.c.name == bindparam("name"))
)


def latest(tx: Tx) -> datetime | None:
    """The latest instant that the log or the scheduler recorded."""
    return compared(tx)[0]


def compared(tx: Tx) -> tuple[datetime | None, datetime | None]:
    """The latest recorded instant, and the time by the clock of a database on a server."""
    *recorded, elsewhere = _latest(tx, {}).one()
    return max((at for at in recorded if at is not None), default=None), elsewhere


def recorded(tx: Tx) -> datetime | None:
    """The latest instant at which a server ran, to a few seconds."""
    at: datetime | None = _recorded(tx, {"name": TIME}).scalar()
    return at


def record(tx: Tx, now: datetime, *, back: bool = False) -> None:
    """Record that a server runs now; every few seconds is enough.

    `back`: the clock was corrected, and the instant recorded before was too late.
    """
    before = recorded(tx)
    if before is not None and not back and now - before < LEASE / 2:
        return
    _record(tx, {"name": TIME, "owner": NOBODY, "until": now})


def last_recorded(tx: Tx) -> datetime | None:
    """The latest instant that the log or any lease recorded; None in an empty database."""
    entry: datetime | None = tx.execute(_last_entry).scalar()
    leased: datetime | None = tx.execute(_last_lease).scalar()
    known = [at for at in (entry, leased and leased - LEASE) if at is not None]
    return max(known, default=None)
