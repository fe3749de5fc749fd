"""Two networks behind one face, for the telephony contract: the simulated Twilio, a real Asterisk.

The door only notes what it is told. The last two digits of a number say what its telephone does:
00 answers after a second, 02 rings for ever, 04 does not exist, 17 is busy.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import httpx
from starlette.applications import Starlette

from callserver.adapters.asterisk.channel_names import NOWHERE
from callserver.adapters.asterisk.events import Events
from callserver.adapters.asterisk.inbound_callers import InboundCallers
from callserver.adapters.asterisk.leg_events import LegEvents
from callserver.adapters.asterisk.softphones import Softphones, objects
from callserver.adapters.asterisk.speech import Speech
from callserver.adapters.asterisk.telephony import Asterisk
from callserver.adapters.clock import SystemClock
from callserver.adapters.config_folder import load
from callserver.adapters.twilio.client import order_client
from callserver.adapters.twilio.telephony import Twilio
from callserver.database.softphones import Softphone
from callserver.database.store import open_store
from callserver.domain.call import Report
from callserver.domain.instruction import Instruction, JoinRoom, WaitToHear
from callserver.domain.line import OwnLine
from callserver.domain.permit import DialPermit
from callserver.domain.role_play import Player, softphone
from callserver.ports import Placed, Room, Telephony
from callserver.provider_events import RoomChange
from callserver.settings import Settings
from callserver.simulator.evening import Evening, Plan
from callserver.simulator.legs import Behaviour
from tests.harness.databases import sqlite_file
from tests.harness.exchange.real import ROOT, Called, Exchange
from tests.harness.exchange.sip import Telephone
from tests.harness.exchange.tones import tone, whom
from tests.harness.recording_engine import RecordingEngine, webhook_routes
from tests.harness.simulated import TUESDAY, People
from tests.harness.waiting import PATIENCE_S, eventually

CALLER_ID = "+4532123400"

TONES = {"phoner": 400, "contact": 650, "listener": 1100, "applicant": 500, "interviewer": 850}
HeardVoices = dict[str, set[str]]
"""Whom each of them hears."""


def heard(voices_heard: HeardVoices) -> HeardVoices:
    """Without those who hear nobody."""
    return {name: voices for name, voices in voices_heard.items() if voices}


class Engine(RecordingEngine):
    """Puts the phoner into one room of their own, tells listeners what a test wants, and notes."""

    def __init__(self) -> None:
        super().__init__()
        self.tells: Instruction = WaitToHear(7)
        self.name = f"seat-1-{secrets.token_hex(6)}"

    async def phoner_asks(self, seat: int | None, identity: str | None, leg: str) -> Instruction:
        await super().phoner_asks(seat, identity, leg)
        return JoinRoom(self.name, 1)

    async def listener_asks(self, *asked: Any) -> Instruction:
        await super().listener_asks(*asked)
        return self.tells

    def reports(self, attempt: str) -> list[Report]:
        return [told[2] for told in self.told if told[:2] == ("report", attempt)]

    def of(self, kind: str) -> list[tuple[Any, ...]]:
        return [told for told in self.told if told[0] == kind]


class Carrier(Protocol):
    telephony: Telephony
    engine: Engine

    def now(self) -> datetime: ...
    async def until(self, what: Callable[[], Any], seconds: float = PATIENCE_S) -> None: ...
    async def pass_time(self, seconds: float) -> None: ...
    async def phoner_in_room(self) -> Room: ...
    async def talk(self) -> Room:
        """Phoner and contact talk; each party is heard by itself."""
        ...

    async def listener(self) -> str:
        """The line of a listener, at which somebody answers."""
        ...

    async def players(self) -> None:
        """The two softphones of role-play call 7 are ready, and answer."""
        ...

    async def until_heard(self, voices_heard: HeardVoices) -> None:
        """Wait until each hears exactly these."""
        ...

    def rung(self) -> list[str]: ...


def permit(carrier: Carrier, ending: str, attempt: str = "a1") -> DialPermit:
    return DialPermit(attempt, f"+45322001{ending}", CALLER_ID, carrier.now(), 10, "r")


async def _phoner(carrier: Carrier, line: str) -> Room:
    """Call the phoner, and wait for the report that they are in their room."""
    name = carrier.engine.name
    answer = await carrier.telephony.ring_phoner(OwnLine(line), 1, Room(name), CALLER_ID)
    assert isinstance(answer, Placed), answer
    await carrier.until(
        lambda: [
            told for told in carrier.engine.of("room_event") if told[1].change is RoomChange.JOINED
        ]
    )
    return Room(name, carrier.engine.of("room_event")[-1][1].room_ref)


async def _talk(carrier: Carrier) -> Room:
    room = await carrier.phoner_in_room()
    assert isinstance(await carrier.telephony.place(permit(carrier, "00"), room), Placed)
    await carrier.until(lambda: Report.ANSWERED in carrier.engine.reports("a1"))
    return room


class SimulatedTwilio:
    """Twilio's adapter before the simulated network, in virtual time; news comes by webhooks."""

    def __init__(self) -> None:
        self._evening = Evening(Plan(start=TUESDAY, calls_per_second=50))
        people = People()
        people.default = Behaviour(answers_after=1)
        for ending, does in (
            ("02", Behaviour(answers_after=None)),
            ("04", Behaviour(ends="failed")),
            ("17", Behaviour(ends="busy")),
        ):
            people.does[f"+45322001{ending}"] = does
        self._evening.network.people = people
        plan = self._evening.plan
        settings = Settings(
            public_url=plan.public_url,
            account_sid=plan.account,
            auth_token=plan.token,
            api_url="http://network.test",
        )
        self.engine = Engine()
        self._evening.app = Starlette(routes=list(webhook_routes(settings, self.engine)))
        http = httpx.AsyncClient(transport=httpx.ASGITransport(self._evening.rest))
        self.telephony: Telephony = Twilio(
            settings,
            self._evening.clock,
            order_client(settings, http, self._evening.clock),
        )

    def now(self) -> datetime:
        return self._evening.clock.now()

    async def until(self, what: Callable[[], Any], seconds: float = PATIENCE_S) -> None:
        end = self.now() + timedelta(seconds=seconds)
        while not what():
            due = self._evening.agenda.next_at()
            assert due is not None, "it did not come about"
            assert due <= end, "it did not come about"
            self._evening.clock.set(due)
            await self._evening.agenda.pop()()

    async def pass_time(self, seconds: float) -> None:
        end = self.now() + timedelta(seconds=seconds)
        while (due := self._evening.agenda.next_at()) is not None and due <= end:
            self._evening.clock.set(due)
            await self._evening.agenda.pop()()
        self._evening.clock.set(end)

    async def phoner_in_room(self) -> Room:
        return await _phoner(self, "client:phoner_1")

    async def talk(self) -> Room:
        return await _talk(self)

    async def listener(self) -> str:
        return "client:listener_9"

    async def players(self) -> None: ...

    async def until_heard(self, voices_heard: HeardVoices) -> None:
        await self.until(lambda: heard(self._heard_now()) == heard(voices_heard))

    def _heard_now(self) -> HeardVoices:
        names = {
            "client:phoner_1": "phoner",
            "client:listener_9": "listener",
            "client:applicant_7": "applicant",
            "client:interviewer_7": "interviewer",
        }
        heard: HeardVoices = {name: set() for name in TONES}
        for room in self._evening.network.rooms.values():
            for ear in room.legs.values():
                heard[names.get(ear.far_end, "contact")] |= {
                    names.get(leg.far_end, "contact")
                    for leg in room.legs.values()
                    if room.hears(ear, leg)
                }
        return heard

    def rung(self) -> list[str]:
        return [ring.number for ring in self._evening.network.record if ring.number[0] == "+"]


class RealAsterisk:
    """Asterisk's adapter before a real exchange; news comes by its events."""

    def __init__(self, folder: Path, exchange: Exchange, called: Called) -> None:
        self._exchange = exchange
        self._called = called
        self._before = len(called.invited())
        self.http = httpx.AsyncClient()
        self.settings = exchange.settings.model_copy(
            update={"database": sqlite_file(folder / "contract.db"), "config": ROOT / "config"}
        )
        self._store = open_store(self.settings.database)
        self.clock = SystemClock()
        self.engine = Engine()
        self.ari = exchange.ari(self.http)
        campaigns = list(load(self.settings.config).campaigns.values())
        self.speech = Speech(self.settings, self.ari, lambda: campaigns)
        self.softphones = Softphones(self.settings, self.ari, self._store, self.clock)
        self.asterisk = Asterisk(
            self.settings, self.clock, self.ari, self.speech, lambda: frozenset({CALLER_ID})
        )
        self.telephony: Telephony = self.asterisk
        callers = InboundCallers(self.ari, self.speech, self.engine)

        async def yes() -> bool:
            return True

        async def nothing() -> None: ...

        async def noted(_: Mapping[str, str]) -> None: ...

        self.legs = LegEvents(self.ari, self.engine.events, callers, lambda: [CALLER_ID])
        self._events = Events(
            self.settings,
            self.ari,
            self.legs,
            self.softphones,
            lease=yes,
            release=nothing,
            catch_up=nothing,
            not_stored=self.engine.events.not_stored,
            note_carrier=noted,
        )
        self.telephones: dict[str, Telephone] = {}

    async def begin(self) -> None:
        self._events.start()
        await asyncio.wait_for(self._events.owns.wait(), PATIENCE_S)

    async def end(self) -> None:
        for channel in (await self.ari.get("channels")).body or ():
            await self.ari.delete("channels", channel["id"])
        for bridge in (await self.ari.get("bridges")).body or ():
            await self.ari.delete("bridges", bridge["id"])
        for telephone in self.telephones.values():
            telephone.die()
        if "contact" in self.telephones:
            self._called.start()
        await self._events.stop()
        await self.http.aclose()
        self._store.close()

    def now(self) -> datetime:
        return self.clock.now()

    async def until(self, what: Callable[[], Any], seconds: float = PATIENCE_S) -> None:
        end = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < end, ("it did not come about", self.engine.told)
            await asyncio.sleep(0.01)

    async def pass_time(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def phoner_in_room(self) -> Room:
        await self._telephone("phoner", 1)
        return await _phoner(self, "sip:telephone_1")

    async def talk(self) -> Room:
        self._called.stop()
        self.telephones["contact"] = contact = Telephone("contact", self._exchange.sip)
        contact.speaks = tone(TONES["contact"])
        await contact.open(self._exchange.trunk_port)
        return await _talk(self)

    async def listener(self) -> str:
        await self._telephone("listener", 9)
        return "sip:telephone_9"

    async def players(self) -> None:
        for player in Player:
            name = softphone(7, player)
            given = await self.softphones.hand_out(name, 7)
            # A browser's endpoint with an ordinary telephone's media: the tests' telephones speak no WebRTC.
            known = Softphone("telephone_7", 7, "", None)
            fields = dict(objects(self.settings, known)["endpoint"])
            fields |= {"aors": name, "auth": name, "context": NOWHERE}
            path = ("asterisk", "config", "dynamic", "res_pjsip", "endpoint", name)
            await self.ari.delete(*path)
            # Asterisk answers before it has deleted: what is put in between is deleted too.
            await eventually(partial(self._is_unknown, name))
            pairs = [{"attribute": key, "value": value} for key, value in fields.items()]
            await self.ari.put(*path, json={"fields": pairs})
            await self._sign_in(player.value, name, given.password)

    async def _is_unknown(self, endpoint: str) -> bool:
        return (await self.ari.get("endpoints", "PJSIP", endpoint)).gone

    async def _telephone(self, name: str, user: int) -> None:
        heard = await self.softphones.hand_out(f"telephone_{user}", user)
        await self._sign_in(name, f"telephone_{user}", heard.password)

    async def _sign_in(self, name: str, account: str, password: str) -> None:
        self.telephones[name] = telephone = Telephone(account, self._exchange.sip)
        telephone.speaks = tone(TONES[name])
        await telephone.open()
        assert await telephone.register(password) == 200

        async def signed_in() -> bool:
            endpoint = await self.ari.get("endpoints", "PJSIP", telephone.name)
            return bool(endpoint.body["state"] == "online")

        await eventually(signed_in)

    async def until_heard(self, voices_heard: HeardVoices) -> None:
        end = time.monotonic() + 10
        last_heard: HeardVoices = {}
        while heard(last_heard) != heard(voices_heard):
            assert time.monotonic() < end, (last_heard, voices_heard)
            with contextlib.suppress(AssertionError):  # a tone that is just coming or going
                last_heard = dict(
                    zip(TONES, await asyncio.gather(*map(self._hears, TONES)), strict=True)
                )

    async def _hears(self, name: str) -> set[str]:
        talk = self.telephones[name].talk if name in self.telephones else None
        if talk is None:
            return set()
        before = len(talk.heard)
        await asyncio.sleep(0.3)
        return whom(talk.heard[before:], TONES)

    def rung(self) -> list[str]:
        return self._called.invited()[self._before :]


@contextlib.asynccontextmanager
async def real(folder: Path, exchange: tuple[Exchange, Called]) -> AsyncIterator[RealAsterisk]:
    carrier = RealAsterisk(folder, *exchange)
    await carrier.begin()
    try:
        yield carrier
    finally:
        await carrier.end()


@contextlib.asynccontextmanager
async def simulated() -> AsyncIterator[SimulatedTwilio]:
    yield SimulatedTwilio()
