"""PostgreSQL: rewrites tables while nobody is on shift, so that deleted data leaves the database's files."""

import asyncio
from datetime import datetime, timedelta

import structlog

from callserver.database import audit, calls, erasure, seats, vacuum
from callserver.database.side_connection import side_engine
from callserver.database.vacuum import Rewritten
from callserver.domain.audit import EntryKind
from callserver.domain.seat import SeatState
from callserver.engine.context import EngineContext
from callserver.ports import Tx

log = structlog.get_logger(__name__)

ONCE_IN = timedelta(hours=20)
"""The usual interval. After an erasure, or with tables left, the next hourly run does it."""

MOST_S = 20
"""The most seconds for one table, at the end of which an incoming call waits. A table that takes longer is
skipped and reported."""


class TableRewrites:
    """Run hourly by the process that holds the scheduler's lease."""

    def __init__(self, ctx: EngineContext, database: str) -> None:
        self._ctx = ctx
        self._database = database
        self._is_under_way = False

    async def run(self, now: datetime) -> None:
        """Start rewriting if it is due. It runs in the background."""
        if self._is_under_way or not await self._ctx.store.read(lambda tx: _is_due(tx, now)):
            return
        self._is_under_way = True
        self._ctx.background.start(self._rewrite(now))

    async def _rewrite(self, began: datetime) -> None:
        try:
            result = await asyncio.to_thread(self._rewritten)
        finally:
            self._is_under_way = False
        if result.left:
            log.warning("tables_not_rewritten", tables=result.left)
        now = self._ctx.clock.now()
        await self._ctx.store.run(lambda tx: record(tx, result, "scheduler", began, now))

    def _rewritten(self) -> Rewritten:
        with side_engine(self._database, secret=b"") as engine:

            def is_free() -> bool:
                with engine.connect() as tx:
                    return _is_quiet(tx)

            return vacuum.rewrite(engine, is_free, most_s=MOST_S)


def record(tx: Tx, result: Rewritten, by: str, began: datetime, now: datetime) -> None:
    """Log a rewriting, with the names of the tables that were skipped."""
    vacuum.put(tx, began, len(result.left))
    audit.append(tx, now, EntryKind.REWRITTEN, tables=result.tables, left=result.left, by=by)


def _is_due(tx: Tx, now: datetime) -> bool:
    if tx.dialect.name != "postgresql" or not _is_quiet(tx):
        return False
    last = vacuum.last(tx)
    if last is None or last.remaining or not timedelta() <= now - last.at < ONCE_IN:
        return True
    people, numbers = erasure.erased_since(tx, last.at)
    return bool(people or numbers)


def _is_quiet(tx: Tx) -> bool:
    is_free = all(row.state == SeatState.OFF for row in seats.every(tx))
    return is_free and next(iter(calls.every_open(tx)), None) is None
