"""`GET /healthz`: whether this process can do its work; answered even when the database does not answer."""

import asyncio
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from callserver.adapters.ticker import Ticker
from callserver.database import floor, leases
from callserver.database.engines import UNAVAILABLE
from callserver.engine.context import EngineContext

MOST_WAIT_S = 2.0
"""A database that has not answered a read by then is unreachable."""

STALLED_S = 15.0
"""A scheduler that has not finished a round for this long has stalled."""


class Health:
    """200 when all is well, else 503; the body says what is wrong."""

    def __init__(self, ctx: EngineContext, ticker: Ticker) -> None:
        self._ctx = ctx
        self._ticker = ticker

    async def answer(self, _: Request) -> Response:
        database, scheduler = "ok", "ok"
        stalled_for = self._ticker.stalled_for
        try:
            async with asyncio.timeout(MOST_WAIT_S):
                until = await self._ctx.store.read(
                    lambda tx: floor.lease_until(tx, leases.SCHEDULER)
                )
        except UNAVAILABLE:
            database = "unreachable"
        else:
            if until is not None:  # of whichever process has it
                since_renewed = (self._ctx.clock.now() - until + leases.LEASE).total_seconds()
                stalled_for = max(stalled_for, since_renewed)
        if stalled_for > STALLED_S:
            scheduler = "stalled"
        well = database == scheduler == "ok"
        body = {
            "status": "ok" if well else "failing",
            "revision": self._ctx.rules.current.revision,
            "database": database,
            "scheduler": scheduler,
            "scheduler_seconds": round(stalled_for),
        }
        return JSONResponse(body, HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE)
