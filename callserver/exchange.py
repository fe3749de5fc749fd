"""The organisation's own exchanges, assembled: orders for every process, events for their owner.

One exchange has no name. Of several, each has a name and an owner of its events.
"""

import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import httpx
import structlog

from callserver.adapters.asterisk import exchange_file, named_events
from callserver.adapters.asterisk.client import Ari
from callserver.adapters.asterisk.events import Events
from callserver.adapters.asterisk.inbound_callers import InboundCallers
from callserver.adapters.asterisk.leg_events import LegEvents
from callserver.adapters.asterisk.several_exchanges import SeveralExchanges
from callserver.adapters.asterisk.softphones import Softphones
from callserver.adapters.asterisk.speech import Speech
from callserver.adapters.asterisk.telephony import Asterisk
from callserver.database import carrier_states, exchange_states, leases
from callserver.database.unavailable import UNAVAILABLE
from callserver.engine.context import Rules
from callserver.ports import Clock, Store, Telephony
from callserver.provider_events import ProviderEvents
from callserver.settings import Settings

log = structlog.get_logger(__name__)


class ExchangeLease:
    """Says which process receives an exchange's events."""

    def __init__(self, store: Store, clock: Clock, exchange: str = "") -> None:
        self._store = store
        self._clock = clock
        self._name = leases.events_of(exchange)
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
                lambda tx: leases.acquire(tx, self._name, self._owner, now)
            )
        except UNAVAILABLE as error:
            log.warning("exchange_lease_not_renewed", error=type(error).__name__)
        return self._held

    async def release(self) -> None:
        now = self._clock.now()
        await self._store.run(lambda tx: leases.release(tx, self._name, self._owner, now))


@dataclass(frozen=True, slots=True)
class Exchange:
    """One Asterisk and what speaks with it."""

    name: str  # empty where there is only one
    settings: Settings
    clock: Clock
    store: Store
    ari: Ari
    speech: Speech
    telephony: Asterisk
    softphones: Softphones
    shown: Callable[[], frozenset[str]]  # the numbers at which people may ring back

    def events(self, engine: ProviderEvents, catch_up: Callable[[], Awaitable[None]]) -> Events:
        """The event stream. `catch_up`: the engine asks about every open call and seat."""
        engine = named_events.of_exchange(engine, self.name)
        lease = ExchangeLease(self.store, self.clock, self.name)
        callers = InboundCallers(self.ari, self.speech, engine.inbound)

        async def note_carrier(states: Mapping[str, str]) -> None:
            now = self.clock.now()
            await self.store.run(lambda tx: carrier_states.note(tx, states, now, self.name))

        async def note_exchange(answers: bool) -> None:
            now = self.clock.now()
            await self.store.run(
                lambda tx: exchange_states.note(tx, self.name, now, answers=answers)
            )

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
            note_exchange=note_exchange,
            name=self.name,
        )


@dataclass(frozen=True, slots=True)
class Exchanges:
    """All of them by name, in the order in which they are named, and what orders go through."""

    each: Mapping[str, Exchange]
    telephony: Telephony

    @property
    def names(self) -> list[str]:
        """The names of several; none where there is one."""
        return [name for name in self.each if name]

    @property
    def softphones(self) -> Mapping[str, Softphones]:
        return {name: exchange.softphones for name, exchange in self.each.items()}


def build(
    settings: Settings, clock: Clock, http: httpx.AsyncClient, store: Store, rules: Rules
) -> Exchanges | None:
    """The exchanges, where the settings choose them; else None.

    Raises:
        ConfigurationProblem: the file that names several cannot be used.
    """
    if settings.provider != "asterisk":
        return None
    each = {
        name: _exchange(name, own, clock, http, store, rules)
        for name, own in exchange_file.exchanges(settings).items()
    }
    if "" in each:
        return Exchanges(each, each[""].telephony)
    telephony = SeveralExchanges({name: exchange.telephony for name, exchange in each.items()})
    return Exchanges(each, telephony)


def _exchange(
    name: str,
    settings: Settings,
    clock: Clock,
    http: httpx.AsyncClient,
    store: Store,
    rules: Rules,
) -> Exchange:
    ari = Ari(settings, http)
    speech = Speech(settings, ari, lambda: rules.rung_back)
    return Exchange(
        name=name,
        settings=settings,
        clock=clock,
        store=store,
        ari=ari,
        speech=speech,
        telephony=Asterisk(settings, clock, ari, speech, lambda: rules.own_numbers),
        softphones=Softphones(settings, ari, store, clock),
        shown=lambda: rules.shown_numbers,
    )
