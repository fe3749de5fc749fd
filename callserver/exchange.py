"""The parts of an own exchange, assembled: orders for every process, events for their owner."""

import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import httpx
import structlog

from callserver.adapters.asterisk import Asterisk
from callserver.adapters.asterisk.client import Ari
from callserver.adapters.asterisk.events import Events
from callserver.adapters.asterisk.inbound_callers import InboundCallers
from callserver.adapters.asterisk.leg_events import LegEvents
from callserver.adapters.asterisk.softphones import Softphones
from callserver.adapters.asterisk.speech import Speech
from callserver.database import carrier_states, leases
from callserver.database.engines import UNAVAILABLE
from callserver.engine.context import Rules
from callserver.errors import ConfigurationProblem
from callserver.ports import Clock, Store
from callserver.provider_events import ProviderEvents
from callserver.settings import Settings

log = structlog.get_logger(__name__)


class ExchangeLease:
    """Says which process receives the exchange's events."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._owner = uuid.uuid4().hex
        self._held = False

    async def renew(self) -> bool:
        """Whether this process has the lease.

        While the database is away the owner keeps it: callers are still answered. If another
        process takes it, the exchange itself says so (ApplicationReplaced).
        """
        now = self._clock.now()
        try:
            self._held = await self._store.run(
                lambda tx: leases.acquire(tx, "exchange", self._owner, now)
            )
        except UNAVAILABLE as error:
            log.warning("exchange_lease_not_renewed", error=type(error).__name__)
        return self._held

    async def release(self) -> None:
        now = self._clock.now()
        await self._store.run(lambda tx: leases.release(tx, "exchange", self._owner, now))


@dataclass(frozen=True, slots=True)
class Exchange:
    """One Asterisk and what speaks with it."""

    settings: Settings
    clock: Clock
    store: Store
    ari: Ari
    speech: Speech
    telephony: Asterisk
    softphones: Softphones
    shown: Callable[[], frozenset[str]]  # the numbers that campaigns show

    def events(self, engine: ProviderEvents, catch_up: Callable[[], Awaitable[None]]) -> Events:
        """The event stream. `catch_up`: the engine asks about every open call and seat."""
        lease = ExchangeLease(self.store, self.clock)
        callers = InboundCallers(self.ari, self.speech, engine.inbound)

        async def note_carrier(states: Mapping[str, str]) -> None:
            now = self.clock.now()
            await self.store.run(lambda tx: carrier_states.note(tx, states, now))

        return Events(
            self.settings,
            self.ari,
            LegEvents(self.ari, engine, callers, self.shown),
            self.softphones,
            lease=lease.renew,
            release=lease.release,
            catch_up=catch_up,
            not_stored=engine.not_stored,
            note_carrier=note_carrier,
        )


def build(
    settings: Settings, clock: Clock, http: httpx.AsyncClient, store: Store, rules: Rules
) -> Exchange | None:
    """The exchange, where the settings choose one; else None.

    Raises:
        ConfigurationProblem: the way to it is not set.
    """
    if settings.provider != "asterisk":
        return None
    if not settings.asterisk_password:
        raise ConfigurationProblem("ASTERISK_PASSWORD must be set: ARI's user signs in with it")
    ari = Ari(settings, http)
    speech = Speech(settings, ari, lambda: list(rules.current.campaigns.values()))
    return Exchange(
        settings=settings,
        clock=clock,
        store=store,
        ari=ari,
        speech=speech,
        telephony=Asterisk(settings, clock, ari, speech, lambda: rules.own_numbers),
        softphones=Softphones(settings, ari, store, clock),
        shown=lambda: rules.own_numbers,
    )
