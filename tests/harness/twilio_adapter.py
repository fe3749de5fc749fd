"""Twilio's side of the adapter's tests: one answer for whatever is asked, and what was asked."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import httpx
import respx

from callserver.adapters.twilio.client import order_client
from callserver.adapters.twilio.telephony import Twilio
from callserver.domain.permit import DialPermit
from callserver.ports import Room
from callserver.settings import Settings
from callserver.simulator.virtual_time import VirtualClock

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
AC, CF, CA = "AC" + "1" * 32, "CF" + "2" * 32, "CA" + "3" * 32
BASE = f"https://api.twilio.com/2010-04-01/Accounts/{AC}"
CALL = {"sid": CA, "status": "ringing", "to": "+4532200000", "date_created": None}
PARTICIPANT = {"call_sid": CA, "conference_sid": CF, "label": "a1", "status": "queued"}
SETTINGS = Settings(
    account_sid=AC,
    auth_token="token",
    public_url="https://calls.example.org",
    api_key="SK" + "4" * 32,
    api_secret="s" * 32,
    app_sid="AP" + "5" * 32,
)


def permit(at: datetime = NOW) -> DialPermit:
    return DialPermit("a1", "+4532200000", "+4532123400", at, 25, "r")


def adapter(http: httpx.AsyncClient, **more: Any) -> Twilio:
    settings = SETTINGS.model_copy(update=more)
    clock = VirtualClock(NOW)
    return Twilio(settings, clock, order_client(settings, http, clock))


Work = Callable[[Twilio], Coroutine[Any, Any, Any]]


def run(work: Work, reply: Any = None, **more: Any) -> tuple[Any, list[httpx.Request]]:
    """Let the adapter do one thing against one answer; its result, and what was sent."""

    async def go() -> tuple[Any, list[httpx.Request]]:
        sent: list[httpx.Request] = []

        def answer(request: httpx.Request) -> httpx.Response:
            sent.append(request)
            response = reply(request) if callable(reply) else reply
            if isinstance(response, Exception):
                raise response
            assert isinstance(response, httpx.Response)
            return response

        with respx.mock(assert_all_called=False) as router:
            router.route().mock(side_effect=answer)
            async with httpx.AsyncClient() as http:
                return await work(adapter(http, **more)), sent

    return asyncio.run(go())


def ok(document: Any, status: int = 200) -> httpx.Response:
    return httpx.Response(status, json=document)


def error(status: int, code: int) -> httpx.Response:
    return httpx.Response(status, json={"code": code, "message": "no", "status": status})


def place(twilio: Twilio) -> Coroutine[Any, Any, Any]:
    return twilio.place(permit(), Room("room", CF))


def either(request: httpx.Request) -> httpx.Response:
    """A sensible answer for whatever was asked."""
    path = request.url.path
    if path.endswith("Participants.json"):
        return ok(PARTICIPANT, 201)
    if "/Participants/" in path:
        return ok(PARTICIPANT)
    if path.endswith("Conferences.json"):
        return ok({"conferences": [{"sid": CF, "status": "in-progress"}], "next_page_uri": None})
    if path.endswith("Calls.json") and request.method == "GET":
        return ok({"calls": [CALL], "next_page_uri": None})
    return ok(CALL, 201 if path.endswith("Calls.json") else 200)
