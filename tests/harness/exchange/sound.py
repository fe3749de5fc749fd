"""Listening on a real exchange: phoner, contact and listeners, each with a tone of their own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx

from callserver.database import accounts
from callserver.engine.accounts import offboarding
from callserver.ports import Tx
from tests.harness.exchange.real import Called, Exchange
from tests.harness.exchange.sip import Packet, Talk, Telephone
from tests.harness.exchange.system import SUPERVISOR, ExchangeSystem, living, people
from tests.harness.exchange.tones import tone, whom
from tests.harness.waiting import PATIENCE_S

TONES = {"phoner": 400, "contact": 650, "supervisor": 1100}

HEARD_S = 0.4
"""How long a measurement of who hears whom takes."""


class SoundSystem(ExchangeSystem):
    """`voices_heard()` says who hears whom just now."""

    def __init__(
        self, folder: Path, exchange: Exchange, called: Called, contact: Telephone
    ) -> None:
        super().__init__(folder, exchange, called)
        self.contact = contact

    async def speaking(self, user: int, name: str) -> Telephone:
        """Somebody's telephone, signed in, which speaks in its tone."""
        telephone = await self.telephone(user)
        telephone.speaks = tone(TONES[name])
        return telephone

    async def talking(self) -> None:
        """Phoner and contact talk, and a supervisor's telephone is signed in."""
        self.phoner = await self.on_shift()
        self.phoner.speaks = tone(TONES["phoner"])
        self.employ(SUPERVISOR)
        self.supervisor = await self.speaking(SUPERVISOR, "supervisor")
        await self.ready()
        await self.wait_for(lambda: self.seat_row().state == "talking")

    def leave(self, user: int) -> None:
        """Off-board a user while no server runs."""

        def work(tx: Tx) -> None:
            user_row = accounts.user(tx, user)
            assert user_row is not None
            offboarding.off_board(tx, user_row, self.clock.now(), by="test")

        self.write(work)

    async def snoop(self, leg: str, name: str) -> bool:
        """A foreign snoop channel at a leg, in our application."""
        async with httpx.AsyncClient() as http:
            ari = self.exchange.ari(http)
            made = await ari.post(
                "channels", leg, "snoop", name, app=ari.app, spy="both", whisper="none"
            )
        return made.ok

    async def heard(self, telephone: Telephone) -> list[Packet]:
        """What this telephone hears from now on, for a moment."""
        talk = telephone.talk
        if talk is None:
            return []
        before = len(talk.heard)
        await asyncio.sleep(HEARD_S)
        return talk.heard[before:]

    async def voices_heard(self, *telephones: Telephone) -> list[set[str]]:
        """Whom each of them hears just now, by their tones."""
        levels = await asyncio.gather(*(self.heard(telephone) for telephone in telephones))
        return [whom(packets, TONES) for packets in levels]

    async def until_heard(
        self, telephone: Telephone, *names: str, seconds: float = PATIENCE_S
    ) -> None:
        """Wait until a telephone hears exactly these."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        heard: set[str] | None = None
        while heard != set(names):
            assert loop.time() < end, f"{telephone.name} hears {heard}, not {names}"
            with contextlib.suppress(AssertionError):  # a tone that is just coming or going
                (heard,) = await self.voices_heard(telephone)

    async def matrix(self) -> dict[str, set[str]]:
        """Who hears whom: phoner, contact and supervisor."""
        parties = {"phoner": self.phoner, "contact": self.contact, "supervisor": self.supervisor}
        return dict(zip(parties, await self.voices_heard(*parties.values()), strict=True))


def talk_of(telephone: Telephone) -> Talk:
    talk = telephone.talk
    assert talk is not None
    return talk


@contextlib.asynccontextmanager
async def sound_system(
    folder: Path, exchange: Exchange, called: Called, contacts: int = 1, phoners: int = 1
) -> AsyncIterator[SoundSystem]:
    """The contact is a telephone of our own at the trunk's far end; SIPp waits meanwhile."""
    called.stop()
    contact = Telephone("contact", exchange.sip)
    contact.speaks = tone(TONES["contact"])
    await contact.open(exchange.trunk_port)
    try:
        list_ = people(*["00"] * contacts)
        async with living(SoundSystem(folder, exchange, called, contact), list_, phoners) as system:
            yield system
    finally:
        contact.die()
        called.start()
