"""`/livez` and `/readyz`: whether the process lives, and whether it can do its work.

`/readyz` is answered even when the database is not: nothing here waits longer than a few seconds.
"""

import asyncio
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from callserver.adapters.ticker import Ticker
from callserver.database import carrier_states, exchange_states, floor, operational
from callserver.database.leases import LEASE
from callserver.database.operational import OperationalFigures
from callserver.database.unavailable import UNAVAILABLE
from callserver.domain import alarm
from callserver.engine import clock_checks
from callserver.engine.context import EngineContext
from callserver.engine.write_probe import WriteProbe
from callserver.ports import Tx

MOST_WAIT_S = 2.0
"""A database that has not answered a read or a write by then does not serve."""

STALLED_S = 15.0
"""A scheduler that has not finished a round for this long has stalled."""

CARRIER_LATELY = timedelta(minutes=5)

OK, FAILING = "ok", "failing"


class Reading(NamedTuple):
    """What one reading of the database shows."""

    figures: OperationalFigures
    clock_in_doubt: bool
    carrier: str
    exchanges: dict[str, str]


class Health:
    """200 when this process can do its work, else 503; the body says what is wrong."""

    def __init__(self, ctx: EngineContext, ticker: Ticker, probe: WriteProbe) -> None:
        self._ctx = ctx
        self._ticker = ticker
        self._probe = probe

    async def live(self, _: Request) -> Response:
        """The process answers. Restart it when it does not; a failing database is no reason to."""
        return JSONResponse({"status": OK})

    async def ready(self, _: Request) -> Response:
        """Every check by name. The states of carrier and exchanges are shown, and are no reason to take a
        server away: phoners still record outcomes."""
        checks = {"database": "unreachable", "disk": self._disk()}
        shown: dict[str, str] = {}
        stalled_for = self._ticker.stalled_for
        try:
            async with asyncio.timeout(MOST_WAIT_S):
                reading = await self._ctx.store.read(self._reading)
        except UNAVAILABLE:
            pass
        else:
            checks["database"] = OK if await self._probe.takes_writes(MOST_WAIT_S) else "no_writes"
            now = self._ctx.clock.now()
            until = reading.figures.lease_until  # of whichever process has it
            unattended = self._ticker.running_for  # no process has ever had it
            if until is not None:
                unattended = (now - until + LEASE).total_seconds()
            stalled_for = max(stalled_for, unattended)
            checks["sealer"] = _sealer(reading.figures.oldest_unsealed, now)
            checks["clock"] = "in_doubt" if reading.clock_in_doubt else OK
            checks["carrier"] = reading.carrier
            shown |= reading.exchanges
        checks["scheduler"] = "stalled" if stalled_for > STALLED_S else OK
        well = all(state == OK for name, state in checks.items() if name != "carrier")
        checks |= shown
        body = {
            "status": OK if well else FAILING,
            "revision": self._ctx.rules.current.revision,
            **checks,
            "scheduler_seconds": round(stalled_for),
        }
        return JSONResponse(body, HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE)

    def _reading(self, tx: Tx) -> Reading:
        return Reading(
            operational.figures(tx),
            clock_checks.in_doubt(tx, self._ctx.clock),
            _carrier(tx, self._ctx.clock.now()),
            self._exchanges(tx),
        )

    def _exchanges(self, tx: Tx) -> dict[str, str]:
        """Each of several exchanges by its name."""
        away = exchange_states.away(tx, self._ctx.clock.now()) if self._ctx.exchanges else set()
        return {f"exchange {name}": FAILING if name in away else OK for name in self._ctx.exchanges}

    def _disk(self) -> str:
        free = self._ctx.disk_free().values()
        return OK if all(bytes_free >= alarm.LEAST_FREE_BYTES for bytes_free in free) else "full"


def _sealer(oldest_unsealed: datetime | None, now: datetime) -> str:
    late = oldest_unsealed is not None and now - oldest_unsealed > alarm.SEALED_WITHIN
    return "behind" if late else OK


def _carrier(tx: Tx, now: datetime) -> str:
    """An exchange says whether its carrier answers; of another provider we know its recent answers."""
    states = [alarm.CarrierState(*row) for row in carrier_states.every(tx)]
    taken, declined, silent = floor.order_counts(tx, now - CARRIER_LATELY)
    return FAILING if alarm.carrier_in_trouble(states, (taken, declined, silent), now) else OK
