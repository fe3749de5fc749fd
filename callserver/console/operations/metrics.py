"""`GET /metrics` for Prometheus: what this process counts, and what the database shows.

What the database shows is the same from every server, and its help text says so: a sum over servers would count
it several times.

Only with the word that the settings name: the figures tell strangers how much is called.
"""

import asyncio
import hmac
import math
from collections.abc import Iterator
from datetime import datetime
from http import HTTPStatus

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import REGISTRY, Collector
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from callserver.adapters.ticker import Ticker
from callserver.console.operations.health import MOST_WAIT_S
from callserver.database import operational
from callserver.database.operational import OperationalFigures
from callserver.database.unavailable import UNAVAILABLE
from callserver.domain.alarm import CARRIER_STATE_LIFETIME
from callserver.domain.call import CallState
from callserver.domain.message import MessageState
from callserver.domain.seat import SeatState
from callserver.engine import clock_checks
from callserver.engine.context import EngineContext
from callserver.engine.write_probe import WriteProbe
from callserver.metrics import BACKGROUND_TASKS
from callserver.ports import Tx

OPEN = [state for state in CallState if state is not CallState.ENDED]
WAITING = [MessageState.WAITING, MessageState.SENDING]


class Metrics:
    """The endpoint."""

    def __init__(
        self, ctx: EngineContext, ticker: Ticker, probe: WriteProbe, token: str, owner: str
    ) -> None:
        """`owner`: this process's name as the owner of leases."""
        self._ctx = ctx
        self._owner = owner
        self._ticker = ticker
        self._probe = probe
        self._token = token

    async def scrape(self, request: Request) -> Response:
        if not self._token:
            return PlainTextResponse("set CALLSERVER_METRICS_TOKEN\n", HTTPStatus.FORBIDDEN)
        given = request.headers.get("authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {self._token}".encode()):
            return PlainTextResponse(
                "", HTTPStatus.UNAUTHORIZED, {"www-authenticate": 'Bearer realm="metrics"'}
            )
        BACKGROUND_TASKS.set(self._ctx.background.under_way)
        registry = CollectorRegistry()
        registry.register(_Fixed([*self._of_process(), *await self._of_database()]))
        text = generate_latest(REGISTRY) + generate_latest(registry)
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    def _of_process(self) -> Iterator[GaugeMetricFamily]:
        stalled = GaugeMetricFamily(
            "callserver_scheduler_round_age_seconds", "Since this process finished a round"
        )
        stalled.add_metric([], self._ticker.stalled_for)
        yield stalled
        free = GaugeMetricFamily(
            "callserver_disk_free_bytes", "Space left for what the server writes", labels=["of"]
        )
        for name, count in self._ctx.disk_free().items():
            free.add_metric([name], count)
        yield free

    async def _of_database(self) -> list[GaugeMetricFamily]:
        reachable = GaugeMetricFamily("callserver_database_up", "1: it answered within two seconds")
        try:
            async with asyncio.timeout(MOST_WAIT_S):
                figures, skew_ms = await self._ctx.store.read(self._reading)
        except UNAVAILABLE:
            reachable.add_metric([], 0)
            return [reachable]
        reachable.add_metric([], 1)
        writable = GaugeMetricFamily(
            "callserver_database_writable", "1: a row became durable within two seconds"
        )
        writable.add_metric([], await self._probe.takes_writes(MOST_WAIT_S))
        held = GaugeMetricFamily(
            "callserver_scheduler_lease_held", "1: this process does what time brings about"
        )
        held.add_metric([], figures.lease_owner == self._owner)
        return [reachable, writable, held, *_families(figures, skew_ms, self._ctx.clock.now())]

    def _reading(self, tx: Tx) -> tuple[OperationalFigures, int]:
        return operational.figures(tx), clock_checks.skew_ms(tx, self._ctx.clock)


class _Fixed(Collector):
    """Metrics that were read already."""

    def __init__(self, families: list[GaugeMetricFamily]) -> None:
        self._families = families

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield from self._families


OF_DATABASE = "; of the database, the same from every server"


def _families(
    figures: OperationalFigures, skew_ms: int, now: datetime
) -> Iterator[GaugeMetricFamily]:
    for name, text, states, counts in (
        ("callserver_seats", "Seats by state", SeatState, figures.seats),
        ("callserver_open_calls", "Calls that have not ended, by state", OPEN, figures.calls),
        ("callserver_waiting_messages", "E-mails and SMS not sent yet", WAITING, figures.messages),
    ):
        family = GaugeMetricFamily(name, text + OF_DATABASE, labels=["state"])
        for state in states:
            family.add_metric([state.value], counts.get(state.value, 0))
        yield family
    lease = GaugeMetricFamily(
        "callserver_scheduler_lease_seconds",
        "Until the scheduler's lease ends; negative: nobody has it" + OF_DATABASE,
    )
    until = figures.lease_until
    lease.add_metric([], -math.inf if until is None else (until - now).total_seconds())
    yield lease
    sealing = GaugeMetricFamily(
        "callserver_sealing_lag_seconds",
        "Age of the oldest log entry that is not sealed" + OF_DATABASE,
    )
    oldest = figures.oldest_unsealed
    sealing.add_metric([], 0 if oldest is None else max((now - oldest).total_seconds(), 0))
    yield sealing
    exchanges = GaugeMetricFamily(
        "callserver_exchange_up", "1: the exchange answers" + OF_DATABASE, labels=["exchange"]
    )
    for exchange in figures.exchanges:
        if now - exchange.seen_at <= CARRIER_STATE_LIFETIME:
            exchanges.add_metric([exchange.name], exchange.answers)
    yield exchanges
    if figures.rewritten_at is not None:
        rewritten = GaugeMetricFamily(
            "callserver_table_rewrite_age_seconds",
            "Since PostgreSQL's tables were rewritten: what was deleted later may be in its files"
            + OF_DATABASE,
        )
        rewritten.add_metric([], (now - figures.rewritten_at).total_seconds())
        yield rewritten
    skew = GaugeMetricFamily(
        "callserver_clock_skew_seconds",
        "How far this server's clock is known to be off; beyond half a second nobody is dialed",
    )
    skew.add_metric([], skew_ms / 1000)
    yield skew
