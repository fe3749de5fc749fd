"""The provider's door before an engine that only notes what it is told."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import httpx
from starlette.applications import Starlette
from starlette.datastructures import FormData, UploadFile
from twilio.request_validator import RequestValidator

from callserver.domain.call import Receipt, Report
from callserver.domain.instruction import AskKey, HangUp, Hear, Instruction, JoinRoom, Say, SayCode
from callserver.domain.listening import Mode
from callserver.engine.provider_events import ProviderEvents
from callserver.ports import Declined
from callserver.settings import Settings
from webhooks.routes import Webhooks

AC, CF, CA = "AC" + "1" * 32, "CF" + "2" * 32, "CA" + "3" * 32
BASE = "https://calls.example.org/house"
SETTINGS = Settings(account_sid=AC, auth_token="token", public_url=BASE + "/")
WHO = {"organisation": "Lys & <Værk>", "why": "Vi ringede."}


class NotingDoor(ProviderEvents):
    """Notes what it is told, and gives one instruction of each kind."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.codes: list[tuple[str, int, Declined | None]] = []
        self.phoner_calls = self._phoner_calls
        self.phoner_left_room = self._phoner_left_room
        self.line_calls = self._line_calls
        self.listener_calls = self._listener_calls
        self.listener_came = self._listener_came
        self.listener_gone = self._listener_gone

    async def _phoner_calls(self, seat: int | None, identity: str | None, leg: str) -> Instruction:
        self.told.append(("phoner_calls", seat, identity, leg))
        return JoinRoom("seat-1-abc", 1)

    async def _phoner_left_room(self, seat: int, leg: str, room: str) -> Instruction:
        self.told.append(("phoner_left_room", seat, leg, room))
        return HangUp()

    async def _line_calls(self, attempt: str) -> Instruction:
        self.told.append(("line_calls", attempt))
        return SayCode("Lys & <Værk>", "012345")

    async def _listener_calls(
        self,
        listening: int | None,
        listener: int | None,
        leg: str,
        hears: tuple[Mode, str] | None = None,
    ) -> Instruction:
        del hears
        self.told.append(("listener_calls", listening, listener, leg))
        return Hear("seat-1-abc", 7, Mode.SILENT, CA)

    async def _listener_came(
        self, leg: str, room: str, mode: Mode | None = None, at: datetime | None = None
    ) -> None:
        del at
        self.told.append(("listener_came", leg, room, mode))

    async def _listener_gone(self, leg: str) -> None:
        self.told.append(("listener_gone", leg))

    async def reported(
        self,
        attempt: str,
        report: Report,
        at: datetime | None,
        ref: str,
        receipt: Receipt | None,
        *,
        code: int | None = None,
        declined: Declined | None = None,
    ) -> None:
        self.told.append(("reported", attempt, report, at, ref, receipt))
        if code is not None:
            self.codes.append((attempt, code, declined))

    async def phoner_leg(
        self, seat: int, leg: str, ended: bool, receipt: Receipt | None, reason: str = ""
    ) -> None:
        del reason
        self.told.append(("phoner_leg", seat, leg, ended, receipt))

    async def room(
        self, room: str, room_ref: str, leg: str, event: str, receipt: Receipt | None
    ) -> None:
        self.told.append(("room", room, room_ref, leg, event, receipt))

    async def inbound(self, caller: str, called: str, leg: str) -> Instruction:
        self.told.append(("inbound", caller, called, leg))
        return AskKey("inbound_who", WHO)

    async def inbound_key(self, caller: str, called: str, leg: str, key: str) -> Instruction:
        self.told.append(("inbound_key", caller, called, leg, key))
        return Say("inbound_never_done")

    async def machine(self, attempt: str, answered_by: str, leg: str) -> None:
        self.told.append(("machine", attempt, answered_by, leg))

    async def bad_signature(self, path: str, why: str) -> None:
        self.told.append(("bad_signature", path, why))


Fields = Sequence[tuple[str, str]]


def post(path: str, *fields: tuple[str, str]) -> tuple[httpx.Response, list[tuple[Any, ...]]]:
    """What is answered to a form that Twilio signed, and what the engine was told."""
    whole: list[tuple[str, str | UploadFile]] = [("AccountSid", AC), *fields]
    signed = RequestValidator("token").compute_signature(BASE + path, FormData(whole))
    return send(path, urlencode(whole).encode(), signed)


def send(
    path: str, body: bytes | AsyncIterator[bytes], signed: str = "", method: str = "POST"
) -> tuple[httpx.Response, list[tuple[Any, ...]]]:
    door = NotingDoor()

    async def go() -> httpx.Response:
        app = Starlette(routes=list(Webhooks(SETTINGS, door).routes()))
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://inside:8000") as http:
            headers = {b"content-type": b"application/x-www-form-urlencoded"}
            if signed:
                headers[b"x-twilio-signature"] = signed.encode("latin-1")
            return await http.request(method, path, content=body, headers=headers)

    return asyncio.run(go()), door.told
