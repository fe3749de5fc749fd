"""Twilio's webhooks: verify, parse, one engine call, render. Nothing waits for the network here."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from time import perf_counter

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from callserver.adapters.twilio import call_status
from callserver.database.unavailable import UNAVAILABLE
from callserver.domain.audit import EntryKind
from callserver.domain.instruction import HangUp, Instruction
from callserver.domain.role_play import Player
from callserver.engine.audit_log.refused_requests import RefusedRequests
from callserver.metrics import WEBHOOK_SECONDS
from callserver.provider_events import ProviderEvents
from callserver.settings import Settings
from webhooks import signature, status_reports, twiml
from webhooks.status_reports import NUMBER, Form, Malformed, field

log = structlog.get_logger(__name__)

MOST_BYTES = 64 * 1024
EMPTY = b""
STORED = Response(EMPTY, 204)
NOT_STORED = Response(EMPTY, 503)
"""The database does not answer: nothing was stored, and the provider will send it again."""

ABORTED = "aborted"
"""The status of a request that the provider closed before it was answered."""

HOLD_S = 12.0
"""How long a request may wait for the database: the provider gives up after fifteen seconds."""

NUL = re.compile(rb"%00|\0")
"""No telephone sends a NUL, and PostgreSQL cannot store one."""
IDENTITY = "client:"
LISTENER = "listener_"

Handler = Callable[[Request, Form], Awaitable[Response]]


class Webhooks:
    """One method for each address."""

    def __init__(
        self, settings: Settings, engine: ProviderEvents, refused: RefusedRequests
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._refused = refused
        self._base = settings.public_url.rstrip("/")

    def routes(self) -> list[Route]:
        """Every address that Twilio is given."""
        return [
            # By far the most frequent: matched first.
            self._route("/twilio/status/call", self._call),
            self._route("/twilio/status/conference", self._conference),
            self._route("/twilio/voice/phoner", self._phoner),
            self._route("/twilio/voice/client", self._client),
            self._route("/twilio/voice/phoner/left", self._phoner_left),
            self._route("/twilio/voice/listener", self._listener),
            self._route("/twilio/voice/role-play", self._role_play),
            self._route("/twilio/voice/line", self._line),
            self._route("/twilio/voice/inbound", self._inbound),
            self._route("/twilio/voice/inbound/key", self._inbound_key),
            self._route("/twilio/status/phoner", self._phoner_status),
            self._route("/twilio/status/listener", self._listener_status),
            self._route("/twilio/status/role-play", self._role_play_status),
            self._route("/twilio/status/amd", self._amd),
        ]

    def _route(self, path: str, handler: Handler) -> Route:
        async def endpoint(request: Request) -> Response:
            began, status = perf_counter(), ABORTED
            try:
                response = await within_time(request)
                status = str(response.status_code)
            finally:
                WEBHOOK_SECONDS.labels(path, status).observe(perf_counter() - began)
            return response

        async def within_time(request: Request) -> Response:
            body = await _limited(request)
            if body is None:
                return Response(EMPTY, 413)
            try:
                async with asyncio.timeout(HOLD_S):
                    return await answer(request, body)
            except asyncio.CancelledError:
                self._engine.not_stored()
                raise
            except UNAVAILABLE as error:
                self._engine.not_stored()
                log.warning("webhook_not_taken", path=path, error=type(error).__name__)
                return NOT_STORED

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
            await self._refused.note(EntryKind.SIGNATURE_REFUSED, path, why)
            return None
        return form

    def _say(self, instruction: Instruction) -> Response:
        return Response(twiml.render(instruction, self._base), media_type="text/xml")

    # -- legs that ask what to do -------------------------------------------------------------

    async def _phoner(self, request: Request, form: Form) -> Response:
        seat, leg = _number(request, "seat"), field(form, "CallSid")
        return self._say(await self._engine.phoners.phoner_asks(seat, None, leg))

    async def _client(self, _: Request, form: Form) -> Response:
        caller = field(form, "From")
        if not caller.startswith(IDENTITY):
            raise Malformed("From is not a client")
        identity, leg = caller.removeprefix(IDENTITY), field(form, "CallSid")
        if identity.startswith(LISTENER):
            user = identity.removeprefix(LISTENER)
            listener = int(user) if NUMBER.fullmatch(user) else 0  # no user has the id 0
            return self._say(await self._engine.listeners.listener_asks(None, listener, leg))
        return self._say(await self._engine.phoners.phoner_asks(None, identity, leg))

    async def _listener(self, request: Request, form: Form) -> Response:
        listening, leg = _number(request, "listening"), field(form, "CallSid")
        return self._say(await self._engine.listeners.listener_asks(listening, None, leg))

    async def _role_play(self, request: Request, form: Form) -> Response:
        call, player, leg = _number(request, "role_play"), _player(request), field(form, "CallSid")
        return self._say(await self._engine.role_plays.role_play_asks(call, player, leg))

    async def _line(self, request: Request, _: Form) -> Response:
        attempt = _text(request, "attempt")
        return self._say(await self._engine.line_confirmations.code_for(attempt))

    async def _phoner_left(self, request: Request, form: Form) -> Response:
        seat, leg = _number(request, "seat"), field(form, "CallSid")
        if call_status.has_ended(form.get("CallStatus", [""])[0]):  # the phoner hung up
            await self._engine.phoners.phoner_leg_ended(seat, leg, None)
            return self._say(HangUp())
        room = _text(request, "room")
        return self._say(await self._engine.phoners.phoner_left_room(seat, leg, room))

    async def _inbound(self, _: Request, form: Form) -> Response:
        caller, called, leg = field(form, "From"), field(form, "To"), field(form, "CallSid")
        return self._say(await self._engine.inbound.greet(caller, called, leg))

    async def _inbound_key(self, _: Request, form: Form) -> Response:
        caller, called, leg = field(form, "From"), field(form, "To"), field(form, "CallSid")
        key = form.get("Digits", [""])[0]
        return self._say(await self._engine.inbound.pressed(caller, called, leg, key))

    # -- reports ------------------------------------------------------------------------------

    async def _call(self, request: Request, form: Form) -> Response:
        report = status_reports.call_report(form, _text(request, "attempt"))
        await self._engine.calls.receive(report)
        return STORED

    async def _amd(self, request: Request, form: Form) -> Response:
        report = status_reports.machine_report(form, _text(request, "attempt"))
        if report is not None:
            await self._engine.calls.receive(report)
        return STORED

    async def _phoner_status(self, request: Request, form: Form) -> Response:
        receipt = status_reports.receipt(form, "phoner", "CallSid")
        seat, leg = _number(request, "seat"), field(form, "CallSid")
        if status_reports.has_ended(form):
            await self._engine.phoners.phoner_leg_ended(seat, leg, receipt)
        return STORED

    async def _listener_status(self, _: Request, form: Form) -> Response:
        if status_reports.has_ended(form):
            await self._engine.listeners.listener_leg_ended(field(form, "CallSid"))
        return STORED

    async def _role_play_status(self, request: Request, form: Form) -> Response:
        call, player, leg = _number(request, "role_play"), _player(request), field(form, "CallSid")
        if status_reports.has_ended(form):
            await self._engine.role_plays.role_play_leg_ended(call, player, leg)
        return STORED

    async def _conference(self, _: Request, form: Form) -> Response:
        event = status_reports.room_event(form)
        if event is not None:
            await self._engine.rooms.room_event(event)
        return STORED


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
        raise Malformed(f"{name} is not a number")
    return int(value)


def _player(request: Request) -> Player:
    value = _text(request, "player")
    if value not in set(Player):
        raise Malformed("player is unknown")
    return Player(value)
