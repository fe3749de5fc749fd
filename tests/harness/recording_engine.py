"""Twilio's webhooks before an engine that only notes what it is told."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any
from urllib.parse import urlencode

import httpx
from starlette.applications import Starlette
from starlette.datastructures import FormData, UploadFile
from starlette.routing import Route
from twilio.request_validator import RequestValidator

from callserver.domain.audit import EntryKind
from callserver.domain.call import Receipt
from callserver.domain.instruction import (
    AskKey,
    HangUp,
    Hear,
    Instruction,
    JoinRolePlay,
    JoinRoom,
    Say,
    SayCode,
)
from callserver.domain.listening import Mode
from callserver.domain.role_play import Player
from callserver.engine.audit_log.refused_requests import RefusedRequests
from callserver.ports import Declined
from callserver.provider_events import CallReport, ProviderEvents, RoomEvent
from callserver.settings import Settings
from webhooks.routes import Webhooks

AC, CF, CA = "AC" + "1" * 32, "CF" + "2" * 32, "CA" + "3" * 32
BASE = "https://calls.example.org/house"
SETTINGS = Settings(account_sid=AC, auth_token="token", public_url=BASE + "/")
WHO = {"organisation": "Lys & <Værk>", "why": "Vi ringede."}


class RecordingEngine(RefusedRequests):
    """Notes what it is told, and gives one instruction of each kind."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.codes: list[tuple[str, int, Declined | None]] = []
        self.not_stored = 0
        self.events = ProviderEvents(self, self, self, self, self, self, self, self._not_stored)

    def _not_stored(self) -> None:
        self.not_stored += 1

    async def phoner_asks(self, seat: int | None, identity: str | None, leg: str) -> Instruction:
        self.told.append(("phoner_asks", seat, identity, leg))
        return JoinRoom("seat-1-abc", 1)

    async def phoner_left_room(self, seat: int, leg: str, room: str) -> Instruction:
        self.told.append(("phoner_left_room", seat, leg, room))
        return HangUp()

    async def phoner_leg_ended(
        self, seat: int, leg: str, receipt: Receipt | None, reason: str = ""
    ) -> None:
        del reason
        self.told.append(("phoner_leg_ended", seat, leg, receipt))

    async def room_event(self, event: RoomEvent) -> None:
        self.told.append(("room_event", event))

    async def code_for(self, attempt: str) -> Instruction:
        self.told.append(("code_for", attempt))
        return SayCode("Lys & <Værk>", "012345")

    async def listener_asks(
        self,
        listening: int | None,
        listener: int | None,
        leg: str,
        hears: tuple[Mode, str] | None = None,
    ) -> Instruction:
        del hears
        self.told.append(("listener_asks", listening, listener, leg))
        return Hear("seat-1-abc", 7, Mode.SILENT, CA)

    async def listener_leg_ended(self, leg: str) -> None:
        self.told.append(("listener_leg_ended", leg))

    async def role_play_asks(self, role_play: int, player: Player, leg: str) -> Instruction:
        self.told.append(("role_play_asks", role_play, player, leg))
        return JoinRolePlay("role-play-7-abc", 7, player)

    async def role_play_leg_ended(self, role_play: int, player: Player, leg: str) -> None:
        self.told.append(("role_play_leg_ended", role_play, player, leg))

    async def receive(self, report: CallReport) -> None:
        news = report.attempt, report.report, report.at, report.leg, report.receipt
        self.told.append(("report", *news))
        if report.code is not None:
            self.codes.append((report.attempt, report.code, report.declined))

    async def greet(self, caller: str, called: str, leg: str) -> Instruction:
        self.told.append(("greet", caller, called, leg))
        return AskKey("inbound_who", WHO)

    async def pressed(self, caller: str, called: str, leg: str, key: str) -> Instruction:
        self.told.append(("pressed", caller, called, leg, key))
        return Say("inbound_never_done")

    async def note(self, kind: EntryKind, what: str, why: str) -> None:
        self.told.append((kind.value, what, why))


def webhook_routes(settings: Settings, engine: RecordingEngine) -> list[Route]:
    return Webhooks(settings, engine.events, engine).routes()


Fields = Sequence[tuple[str, str]]


def post(path: str, *fields: tuple[str, str]) -> tuple[httpx.Response, list[tuple[Any, ...]]]:
    """What is answered to a form that Twilio signed, and what the engine was told."""
    whole: list[tuple[str, str | UploadFile]] = [("AccountSid", AC), *fields]
    signed = RequestValidator("token").compute_signature(BASE + path, FormData(whole))
    return send(path, urlencode(whole).encode(), signed)


def send(
    path: str, body: bytes | AsyncIterator[bytes], signed: str = "", method: str = "POST"
) -> tuple[httpx.Response, list[tuple[Any, ...]]]:
    engine = RecordingEngine()

    async def go() -> httpx.Response:
        app = Starlette(routes=list(webhook_routes(SETTINGS, engine)))
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://inside:8000") as http:
            headers = {b"content-type": b"application/x-www-form-urlencoded"}
            if signed:
                headers[b"x-twilio-signature"] = signed.encode("latin-1")
            return await http.request(method, path, content=body, headers=headers)

    return asyncio.run(go()), engine.told
