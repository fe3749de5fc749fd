"""Compares the tables with the log every night, while nobody is on shift."""

import asyncio
from datetime import datetime, timedelta

import structlog

from callserver.database import log_comparisons, seats
from callserver.database.side_connection import side_connection
from callserver.domain.home import HOME
from callserver.domain.seat import SeatState
from callserver.engine.audit_log import reconciliation
from callserver.engine.audit_log.reconciliation import Reconciled
from callserver.engine.context import EngineContext
from callserver.ports import Tx

log = structlog.get_logger(__name__)

NIGHT = range(1, 5)
"""Local hours in which it may start. A million entries take some minutes on one core."""

ONCE_IN = timedelta(hours=20)


class NightlyReconciliation:
    """Run hourly by the process that holds the scheduler's lease."""

    def __init__(self, ctx: EngineContext, database: str) -> None:
        self._ctx = ctx
        self._database = database

    async def run(self, now: datetime) -> None:
        """Start the comparison if it is due. It runs in the background."""
        if now.astimezone(HOME).hour in NIGHT and await self._ctx.store.read(
            lambda tx: _is_due(tx, now)
        ):
            self._ctx.background.start(self._compare())

    async def _compare(self) -> None:
        result = await asyncio.to_thread(self._reconciled)
        if result.different:
            log.error("log_differs", rows=result.different, table=result.named[0].table)
        now = self._ctx.clock.now()
        await self._ctx.store.run(lambda tx: reconciliation.record(tx, result, "server", now))

    def _reconciled(self) -> Reconciled:
        with side_connection(self._database, snapshot=True) as tx, tx.begin():
            return reconciliation.reconcile(tx)


def _is_due(tx: Tx, now: datetime) -> bool:
    last = log_comparisons.last(tx)
    if last is not None and timedelta() <= now - last.at < ONCE_IN:
        return False
    return all(row.state == SeatState.OFF for row in seats.every(tx))
