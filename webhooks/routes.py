"""Twilio's door: verify, parse, ONE engine call, render. Nothing waits on the network here."""

import asyncio
import re
from collections.abc import Awaitable, Callable

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from callserver.database.store import UNAVAILABLE
from callserver.domain.call import Report
from callserver.domain.instruction import HangUp, Instruction
from callserver.engine.provider_events import ProviderEvents
from callserver.settings import Settings
from webhooks import signature, status_reports, twiml
from webhooks.status_reports import NUMBER, Form, Malformed, one

log = structlog.get_logger(__name__)

MOST_BYTES = 64 * 1024
EMPTY = b""
TAKEN = Response(EMPTY, 204)
NOT_TAKEN = Response(EMPTY, 503)
"""The database does not answer: what was told is not kept, and the provider is to tell it again."""

HOLD_S = 12.0
"""How long a request may wait for the database: the provider gives up after fifteen seconds."""
NUL = re.compile(rb"%00|\0")
"""No telephone says it, and no database takes it."""
IDENTITY = "client:"
LISTENER = "listener_"

Handler = Callable[[Request, Form], Awaitable[Response]]


def routes(settings: Settings, door: ProviderEvents) -> list[Route]:
    """Every address that Twilio is given."""
    return Webhooks(settings, door).routes()


class Webhooks:
    """One method an address."""

    def __init__(self, settings: Settings, door: ProviderEvents) -> None:
        self._settings = settings
        self._door = door
        self._base = settings.public_url.rstrip("/")

    def routes(self) -> list[Route]:
        return [
            self._route("/twilio/status/call", self._call),  # by far the most: looked at first
            self._route("/twilio/status/conference", self._conference),
            self._route("/twilio/voice/phoner", self._phoner),
            self._route("/twilio/voice/client", self._client),
            self._route("/twilio/voice/phoner/left", self._phoner_left),
            self._route("/twilio/voice/listener", self._listener),
            self._route("/twilio/voice/line", self._line),
            self._route("/twilio/voice/inbound", self._inbound),
            self._route("/twilio/voice/inbound/key", self._inbound_key),
            self._route("/twilio/status/phoner", self._phoner_status),
            self._route("/twilio/status/listener", self._listener_status),
            self._route("/twilio/status/amd", self._amd),
        ]

    def _route(self, path: str, handler: Handler) -> Route:
        async def endpoint(request: Request) -> Response:
            body = await _limited(request)
            if body is None:
                return Response(EMPTY, 413)
            try:
                async with asyncio.timeout(HOLD_S):
                    return await answer(request, body)
            except UNAVAILABLE as error:
                log.warning("webhook_not_taken", path=path, error=type(error).__name__)
                return NOT_TAKEN

        async def answer(request: Request, body: bytes) -> Response:
            form = await self._verified(path, request, body)
            if form is None:
                return Response(EMPTY, 403)
            try:
                if NUL.search(body) or NUL.search(request.scope["query_string"]):
                    raise Malformed("a text holds the character NUL")
                return await handler(request, form)
            except Malformed as error:
                log.warning("webhook_malformed", path=path, why=str(error))
                return Response(str(error), 400)

        return Route(path, _Hook(endpoint), methods=["POST"])

    async def _verified(self, path: str, request: Request, body: bytes) -> Form | None:
        """The form, if the provider signed it for our account; else None, and it is counted."""
        scope = request.scope
        query = scope["query_string"].decode("latin-1")
        raw_path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        url = f"{self._base}{raw_path}{'?' + query if query else ''}"
        signed = request.headers.get("x-twilio-signature", "")
        try:
            form = signature.parse(body)
        except (UnicodeDecodeError, ValueError):
            form = {}
        why = ""
        if not signed:
            why = "unsigned"
        elif not signature.valid(self._settings.auth_token, url, form, signed):
            why = "wrong_signature"
        elif form.get("AccountSid", [""])[0] != self._settings.account_sid:
            why = "unknown_account"
        if why:
            await self._door.bad_signature(path, why)
            return None
        return form

    def _say(self, instruction: Instruction) -> Response:
        return Response(twiml.render(instruction, self._base), media_type="text/xml")

    async def _phoner(self, request: Request, form: Form) -> Response:
        seat = _number(request, "seat")
        return self._say(await self._door.phoner_calls(seat, None, one(form, "CallSid")))

    async def _client(self, _: Request, form: Form) -> Response:
        caller = one(form, "From")
        if not caller.startswith(IDENTITY):
            raise Malformed("From is no client")
        identity, leg = caller.removeprefix(IDENTITY), one(form, "CallSid")
        if identity.startswith(LISTENER):
            who = identity.removeprefix(LISTENER)
            listener = int(who) if NUMBER.fullmatch(who) else 0  # 0 is nobody
            return self._say(await self._door.listener_calls(None, listener, leg))
        return self._say(await self._door.phoner_calls(None, identity, leg))

    async def _listener(self, request: Request, form: Form) -> Response:
        listening = _number(request, "listening")
        return self._say(await self._door.listener_calls(listening, None, one(form, "CallSid")))

    async def _line(self, request: Request, _: Form) -> Response:
        return self._say(await self._door.line_calls(_text(request, "attempt")))

    async def _phoner_left(self, request: Request, form: Form) -> Response:
        seat, leg = _number(request, "seat"), one(form, "CallSid")
        if (
            form.get("CallStatus", [""])[0] in status_reports.ENDED
        ):  # she hung up: nothing can be said to this leg any more
            await self._door.phoner_leg(seat, leg, True, None)
            return self._say(HangUp())
        room = _text(request, "room")
        return self._say(await self._door.phoner_left_room(seat, leg, room))

    async def _inbound(self, _: Request, form: Form) -> Response:
        caller, called = one(form, "From"), one(form, "To")
        return self._say(await self._door.inbound(caller, called, one(form, "CallSid")))

    async def _inbound_key(self, _: Request, form: Form) -> Response:
        caller, called = one(form, "From"), one(form, "To")
        key = form.get("Digits", [""])[0]
        return self._say(await self._door.inbound_key(caller, called, one(form, "CallSid"), key))

    async def _call(self, request: Request, form: Form) -> Response:
        receipt = status_reports.receipt(form, "call", "CallSid")
        report, at = status_reports.report(form), status_reports.at(form)
        attempt, leg = _text(request, "attempt"), one(form, "CallSid")
        code = status_reports.sip_response(form) if status_reports.ended(form) else None
        declined = status_reports.declined(report, code)
        if declined is not None:
            report = Report.DECLINED
        await self._door.reported(attempt, report, at, leg, receipt, code=code, declined=declined)
        return TAKEN

    async def _phoner_status(self, request: Request, form: Form) -> Response:
        receipt = status_reports.receipt(form, "phoner", "CallSid")
        seat, leg = _number(request, "seat"), one(form, "CallSid")
        await self._door.phoner_leg(seat, leg, status_reports.ended(form), receipt)
        return TAKEN

    async def _listener_status(self, _: Request, form: Form) -> Response:
        if status_reports.ended(form):
            await self._door.listener_gone(one(form, "CallSid"))
        return TAKEN

    async def _conference(self, _: Request, form: Form) -> Response:
        event = status_reports.EVENTS.get(one(form, "StatusCallbackEvent"))
        if event is not None:
            room, leg = one(form, "FriendlyName"), form.get("CallSid", [""])[0]
            receipt = status_reports.receipt(form, "conference", "ConferenceSid")
            await self._door.room(room, one(form, "ConferenceSid"), leg, event, receipt)
            if event == "join" and not form.get("ParticipantLabel", [""])[0]:
                # Phoners and contacts have labels.
                await self._door.listener_came(
                    leg, room, status_reports.mode(form), status_reports.at(form)
                )
        return TAKEN

    async def _amd(self, request: Request, form: Form) -> Response:
        attempt = _text(request, "attempt")
        await self._door.machine(attempt, one(form, "AnsweredBy"), one(form, "CallSid"))
        return TAKEN


class _Hook:
    """An endpoint without Starlette's own layer around it: the app catches errors already."""

    def __init__(self, endpoint: Callable[[Request], Awaitable[Response]]) -> None:
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._endpoint(Request(scope, receive))
        await response(scope, receive, send)


async def _limited(request: Request) -> bytes | None:
    """The body, or None when it is longer than any of Twilio's."""
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > MOST_BYTES:
        return None
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            return None
    return body


def _text(request: Request, name: str) -> str:
    try:
        value = signature.parse(request.scope["query_string"], strict=False).get(name, [""])[0]
    except ValueError:
        value = ""
    if not value:
        raise Malformed(f"{name} is missing in the address")
    return value


def _number(request: Request, name: str) -> int:
    value = _text(request, name)
    if not NUMBER.fullmatch(value):
        raise Malformed(f"{name} is no number")
    return int(value)
