"""One server beside two real exchanges, each with the telephones at its own trunk."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import select
from starlette.applications import Starlette

from callserver.adapters.asterisk.client import Lost
from callserver.app import create
from callserver.assemble import Server, build
from callserver.database import accounts
from callserver.database.leases import NOBODY
from callserver.database.tables import process_leases
from callserver.domain.alarm import Alarm
from callserver.engine.reporting import floor_figures
from callserver.engine.shifts import exchange_choice
from callserver.exchange import Exchange as OwnExchange
from callserver.ports import Tx
from tests.harness.exchange.real import ROOT, Called, Exchange
from tests.harness.exchange.sip import Telephone
from tests.harness.exchange.system import ExchangeSystem
from tests.harness.waiting import PATIENCE_S

Pair = tuple[Exchange, Called]


class SeveralSystem(ExchangeSystem):
    """A phoner's telephone signs in at the exchange of their seat; a listener's at each."""

    def __init__(
        self,
        folder: Path,
        each: Mapping[str, Pair],
        database: str = "",
        calls_per_second: float = 50,
    ) -> None:
        super().__init__(folder, *next(iter(each.values())))
        self._calls_per_second = calls_per_second
        self.database = database or self.database
        self.each = each
        self._invited_before = {name: len(called.invited()) for name, (_, called) in each.items()}

    def _build(self) -> Server:
        file = self.folder / "exchanges.yaml"
        own = {
            name: {
                key.removeprefix("ASTERISK_").lower(): value
                for key, value in exchange.environment.items()
                if key.startswith("ASTERISK_")
            }
            for name, (exchange, _) in self.each.items()
        }
        file.write_text(yaml.safe_dump(own, sort_keys=False), "utf-8")
        settings = self.exchange.settings.model_copy(
            update={
                "asterisk_exchanges": str(file),
                "database": self.database,
                "config": ROOT / "config",
                "key": "test",
                "seal_key": self.folder / "seal.key",
                "seals": self.folder / "seals.jsonl",
                "calls_per_second": self._calls_per_second,
            }
        )
        return build(settings, clock=self.clock, durable=False)

    def at(self, name: str) -> OwnExchange:
        """One of the exchanges as the server knows it."""
        assert self.server.exchanges is not None
        return self.server.exchanges.each[name]

    def another_app(self) -> Starlette:
        """One more server on the same database."""
        return create(self._build())

    @property
    def events(self) -> Any:
        return self.app.state.events

    async def owns_all(self) -> None:
        streams = self.events.values()
        waits = (asyncio.wait_for(stream.owns.wait(), PATIENCE_S) for stream in streams)
        await asyncio.gather(*waits)

    async def telephone(self, phoner: int = 1, **more: Any) -> Telephone:
        """Signed in at the exchange of the phoner's seat."""

        def exchange(tx: Tx) -> str:
            user = accounts.user(tx, phoner)
            assert user is not None
            ctx, line = self.server.ctx, f"sip:telephone_{phoner}"
            return exchange_choice.of_phoner(tx, ctx.exchanges, user, line, ctx.clock.now())

        name = await self.server.store.run(exchange)
        return (await self.telephones_at([name], phoner, **more))[0]

    async def telephones_at(self, names: list[str], user: int, **more: Any) -> list[Telephone]:
        """One telephone of the user, with an account at each of these exchanges."""
        account = f"telephone_{user}"
        others = [self.at(other).softphones for other in names[1:]]
        sign_in = await self.at(names[0]).softphones.hand_out(account, user, others=others)
        made = []
        for name in names:
            telephone = await Telephone(account, self.each[name][0].sip, **more).open()
            self.telephones.append(telephone)
            assert await telephone.register(sign_in.password) == 200
            made.append(telephone)
        return made

    async def until(self, phoner: int, state: str) -> None:
        """Wait for the phoner's seat to be in this state."""
        await self.wait_for(lambda: self.seat_row(phoner).state == state)

    def rang_at(self, name: str) -> list[str]:
        """The numbers that were called from an exchange, in order."""
        return self.each[name][1].invited()[self._invited_before[name] :]

    def leases(self) -> set[str]:
        """Every lease that somebody has."""
        query = select(process_leases.c.name).where(process_leases.c.owner != NOBODY)
        return {row.name for row in self.rows(query)}

    def alarms(self) -> list[Alarm]:
        return list(self.read(lambda tx: floor_figures.alarms(tx, self.server.ctx)))


@contextlib.asynccontextmanager
async def several(
    folder: Path,
    each: Mapping[str, Pair],
    list_: str,
    phoners: int,
    database: str = "",
    calls_per_second: float = 50,
) -> AsyncIterator[SeveralSystem]:
    """A system that runs until the block ends; what it began on the exchanges is ended too."""
    system = SeveralSystem(folder, each, database, calls_per_second)
    system.fill(list_, phoners)
    await system.start()
    try:
        yield system
    finally:
        for name in each:
            with contextlib.suppress(Lost):
                ari = system.at(name).ari
                for channel in (await ari.get("channels")).body or ():
                    await ari.delete("channels", channel["id"])
        for telephone in system.telephones:
            telephone.die()
        await system.stop()
        system.close()
