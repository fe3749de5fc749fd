"""The network's REST API in Twilio's format: orders and questions about calls and conferences."""

import base64
import hmac
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from callserver.simulator import rest_documents
from callserver.simulator.legs import Callback, Conference, Leg, OrderRefused
from callserver.simulator.network import Network


class Rest:
    """Routes under /2010-04-01/Accounts/{account}."""

    def __init__(self, network: Network, account: str, token: str) -> None:
        self._network = network
        self._account = account
        self.credentials = b"Basic " + base64.b64encode(f"{account}:{token}".encode())
        self.faults_injected = 0

    def app(self) -> Starlette:
        base = f"/2010-04-01/Accounts/{self._account}"
        participant = "/Conferences/{room}/Participants/{who}.json"
        return Starlette(
            routes=[
                # By far the most frequent: matched first.
                Route(f"{base}/Calls/{{sid}}.json", self._guarded(self._call), methods=["GET"]),
                Route(
                    f"{base}/Conferences/{{room}}/Participants.json",
                    self._guarded(self._create_participant),
                    methods=["POST"],
                ),
                Route(f"{base}/Calls.json", self._guarded(self._create_call), methods=["POST"]),
                Route(f"{base}/Calls.json", self._guarded(self._list_calls), methods=["GET"]),
                Route(f"{base}/Calls/{{sid}}.json", self._guarded(self._update), methods=["POST"]),
                Route(f"{base}/Conferences.json", self._guarded(self._rooms), methods=["GET"]),
                Route(f"{base}/Conferences/{{room}}.json", self._guarded(self._room)),
                Route(
                    f"{base}/Conferences/{{room}}.json",
                    self._guarded(self._end_room),
                    methods=["POST"],
                ),
                Route(
                    f"{base}/Conferences/{{room}}/Participants.json",
                    self._guarded(self._participants),
                ),
                Route(f"{base}{participant}", self._guarded(self._participant), methods=["GET"]),
                Route(f"{base}{participant}", self._guarded(self._remove), methods=["DELETE"]),
            ]
        )

    def _guarded(self, handler: Any) -> Any:
        async def endpoint(request: Request) -> Response:
            try:
                given = request.headers.get("authorization", "").encode()
                if not hmac.compare_digest(given, self.credentials):
                    raise OrderRefused(401, 20003, "Authenticate")
                body = parse_qs((await request.body()).decode(), keep_blank_values=True)
                reply: Response = await handler(request, body)
            except OrderRefused as refusal:
                about = "https://www.twilio.com/docs/errors/"
                return JSONResponse(
                    {
                        "code": refusal.code,
                        "message": refusal.message,
                        "more_info": f"{about}{refusal.code}",
                        "status": refusal.status,
                    },
                    refusal.status,
                )
            return reply

        return endpoint

    # -- orders -------------------------------------------------------------------------------

    async def _create_call(self, _: Request, form: dict[str, list[str]]) -> Response:
        leg = self._leg(form)
        leg.url = _value(form, "Url")
        if not leg.url and "Twiml" not in form:
            raise OrderRefused(400, 21205, "Url parameter is required")
        return await self.create_leg(
            leg, lambda queued: rest_documents.call(leg, self._account, queued)
        )

    async def _create_participant(self, request: Request, form: dict[str, list[str]]) -> Response:
        name = request.path_params["room"]
        known_room = self._network.room(name)
        if known_room is None and not name.startswith("CF"):
            known_room = self._network.open_room(name)
        if known_room is None:
            raise OrderRefused(404, 20404, "The requested resource was not found")
        room = known_room
        leg = self._leg(form)
        leg.label = _value(form, "Label")
        self._network.reserve(room, leg)
        self._network.listening_record.beeped(leg, _value(form, "Beep") or "true")
        if _value(form, "EndConferenceOnExit") == "true":
            room.ends_with.add(leg.sid)
        return await self.create_leg(
            leg, lambda queued: rest_documents.participant(leg, room, self._account, queued)
        )

    def _leg(self, form: dict[str, list[str]]) -> Leg:
        to, caller = _value(form, "To"), _value(form, "From")
        if not to:
            raise OrderRefused(400, 21201, "No 'To' number is specified")
        if not caller:
            raise OrderRefused(400, 21213, "No 'From' number is specified")
        if to.startswith("+") and not (to[1:].isdecimal() and 7 <= len(to) <= 16):
            raise OrderRefused(400, 21211, "Invalid 'To' Phone Number")
        events = frozenset(form.get("StatusCallbackEvent", ["completed"]))
        return Leg(
            sid=self._network.sid("CA"),
            to=to,
            caller=caller,
            created=self._network.now(),
            timeout=float(_value(form, "Timeout") or 60),
            callback=Callback(_value(form, "StatusCallback"), events),
        )

    async def create_leg(self, leg: Leg, document: Any) -> Response:
        """Carry the order out, with this network's faults."""
        faults, dice = self._network.faults, self._network.dice
        roll = dice.random()
        limits = (
            ("too_many", faults.too_many),
            ("broken", faults.broken),
            ("order_lost", faults.order_lost),
            ("broken_after", faults.broken_after),
            ("reply_lost", faults.reply_lost),
            ("early", faults.early),
        )
        fault = ""
        for name, share in limits:
            if roll < share:
                fault = name
                break
            roll -= share
        if fault in ("too_many", "broken", "order_lost") and leg.conference and leg.label:
            self._network.rooms[leg.conference].labels.pop(leg.label, None)
        self.faults_injected += bool(fault)
        match fault:
            case "too_many":
                raise OrderRefused(429, 20429, "Too Many Requests")
            case "broken":
                raise OrderRefused(500, 20500, "Internal Server Error")
            case "order_lost":
                raise httpx.ReadTimeout("lost on the way")
        queued = self._network.order(leg)
        match fault:
            case "broken_after":
                raise OrderRefused(500, 20500, "Internal Server Error")
            case "reply_lost":
                raise httpx.ReadTimeout("the reply was lost")
            case "early":
                news = {**self._network.news(leg), "CallStatus": "initiated"}
                await self._network.callbacks.tell_now(leg.callback.url, news)
        return JSONResponse(document(queued), 201)

    async def _update(self, request: Request, form: dict[str, list[str]]) -> Response:
        leg = self.known(request)
        status, twiml, url = _value(form, "Status"), _value(form, "Twiml"), _value(form, "Url")
        fault = self.update_fault("hang_up" if status else "redirect")
        if fault == "refused":
            raise OrderRefused(429, 20429, "Too Many Requests")
        if fault == "broken":
            raise OrderRefused(500, 20500, "Internal Server Error")
        if not leg.live or (status == "canceled" and leg.answered):
            raise OrderRefused(400, 21220, "Invalid call state")
        if status in ("completed", "canceled"):
            await self._network.end(leg, status)
        elif twiml or url:
            if leg.answered is None:
                raise OrderRefused(400, 21220, "Call is not in-progress")
            await self._network.instruct(leg, twiml, url)
        if fault == "broken_after":
            raise OrderRefused(500, 20500, "Internal Server Error")
        return JSONResponse(rest_documents.call(leg, self._account, 0))

    def update_fault(self, order: str) -> str:
        """Which fault occurs with an order to an existing leg; empty: none."""
        faults = self._network.faults
        shares = {
            name: getattr(faults, f"{order}_{name}")
            for name in ("refused", "broken", "broken_after")
        }
        if not any(shares.values()):
            return ""
        roll = self._network.dice.random()
        for name, share in shares.items():
            if roll < share:
                self.faults_injected += 1
                return name
            roll -= share
        return ""

    async def _end_room(self, request: Request, form: dict[str, list[str]]) -> Response:
        room = self._known_room(request)
        if _value(form, "Status") == "completed":
            self._network.close(room, "conference-ended-via-api")
        return JSONResponse(rest_documents.room_document(room, self._account))

    async def _remove(self, request: Request, _: dict[str, list[str]]) -> Response:
        room = self._known_room(request)
        await self._network.end(self._in_room(room, request), "completed")
        return Response(status_code=204)

    # -- questions ----------------------------------------------------------------------------

    async def _call(self, request: Request, _: dict[str, list[str]]) -> Response:
        return JSONResponse(rest_documents.call(self.known(request), self._account, 0))

    async def _list_calls(self, request: Request, _: dict[str, list[str]]) -> Response:
        filters = request.query_params
        after = filters.get("StartTime>")
        since = datetime.fromisoformat(after) if after else None
        legs = [
            leg
            for leg in reversed(self._network.legs.values())
            if filters.get("To") in (None, leg.to)
            and filters.get("From") in (None, leg.caller)
            and filters.get("Status") in (None, leg.status)
            and (since is None or leg.created >= since)
        ][: int(filters.get("PageSize", "50"))]
        return self._page("calls", [rest_documents.call(leg, self._account, 0) for leg in legs])

    async def _rooms(self, request: Request, _: dict[str, list[str]]) -> Response:
        name, status = (request.query_params.get(key) for key in ("FriendlyName", "Status"))
        rooms = [
            rest_documents.room_document(room, self._account)
            for room in self._network.rooms.values()
            if name in (None, room.name) and status in (None, room.status)
        ]
        return self._page("conferences", rooms)

    async def _room(self, request: Request, _: dict[str, list[str]]) -> Response:
        return JSONResponse(rest_documents.room_document(self._known_room(request), self._account))

    async def _participants(self, request: Request, _: dict[str, list[str]]) -> Response:
        room = self._known_room(request)
        participants = [
            rest_documents.participant(leg, room, self._account, 0) for leg in room.legs.values()
        ]
        return self._page("participants", participants)

    async def _participant(self, request: Request, _: dict[str, list[str]]) -> Response:
        room = self._known_room(request)
        return JSONResponse(
            rest_documents.participant(self._in_room(room, request), room, self._account, 0)
        )

    def _page(self, key: str, items: list[dict[str, Any]]) -> Response:
        page = {"page": 0, "page_size": 50, "start": 0, "end": len(items), "uri": "/"}
        links = {"first_page_uri": "/", "next_page_uri": None, "previous_page_uri": None}
        return JSONResponse({key: items, **page, **links})

    def known(self, request: Request) -> Leg:
        leg = self._network.legs.get(request.path_params["sid"])
        if leg is None:
            raise OrderRefused(404, 20404, "The requested resource was not found")
        return leg

    def _known_room(self, request: Request) -> Conference:
        room = self._network.room(request.path_params["room"])
        if room is None:
            raise OrderRefused(404, 20404, "The requested resource was not found")
        return room

    def _in_room(self, room: Conference, request: Request) -> Leg:
        who = request.path_params["who"]
        leg = self._network.legs.get(room.labels.get(who, who))
        if leg is None or leg.conference != room.sid or not leg.live:
            raise OrderRefused(404, 20404, "The requested resource was not found")
        return leg


def _value(form: dict[str, list[str]], name: str) -> str | None:
    return form[name][0] or None if name in form else None
