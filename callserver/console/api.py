"""The JSON API under /api/v1: what a phoner does, what a supervisor sees. docs/running.md lists it."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from callserver.console import views
from callserver.console.problems import Unwritable
from callserver.console.sign_in import user_of
from callserver.database import audit, house, seats
from callserver.database.house import User
from callserver.domain.audit import Kind
from callserver.domain.phone import LINE
from callserver.engine.dialer import Dialer
from callserver.engine.house import House
from callserver.engine.phoning import Given, Phoning
from callserver.errors import NotAllowed, NotFound
from callserver.ports import Tx


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Shift(Body):
    campaign: str
    line: str | None = Field(default=None, pattern=f"^({LINE})$")


class Pause(Body):
    reason: str = Field(default="pause", max_length=60)


class OutcomeGiven(Body):
    outcome: str
    details: dict[str, Any] = Field(default_factory=dict)
    note: str = Field(default="", max_length=2000)
    next: Literal["ready", "pause"] = "ready"


class Correction(Body):
    attempt: str
    outcome: str
    details: dict[str, Any] = Field(default_factory=dict)
    note: str = Field(default="", max_length=2000)


class Wish(Body):
    wish: str


class Number(Body):
    number: str


class CampaignSwitch(Body):
    paused: bool
    reason: str = Field(default="", max_length=200)


T = TypeVar("T", bound=Body)
Act = Callable[[User, Request], Awaitable[Any]]

_LEADING = ("supervisor", "administrator", "leader")


class Api:
    """The routes; each is one engine call."""

    def __init__(self, ours: House, phoning: Phoning, dialer: Dialer) -> None:
        self._ours = ours
        self._phoning = phoning
        self._dialer = dialer

    def routes(self) -> list[Route]:
        phoner = ("phoner",)
        return [
            self._route("/shift", self._shift, phoner),
            self._route("/ready", self._ready, phoner),
            self._route("/pause", self._pause, phoner),
            self._route("/off", self._off, phoner),
            self._route("/hang-up", self._hang_up, phoner),
            self._route("/outcome", self._outcome, phoner),
            self._route("/correct", self._correct, (*phoner, *_LEADING)),
            self._route("/wish", self._wish, phoner),
            self._route("/dial", self._dial, phoner),
            self._route("/redial", self._redial, phoner),
            self._route("/seat", self._seat, phoner, method="GET"),
            self._route("/floor", self._floor, _LEADING, method="GET"),
            self._route("/presence", self._presence, _LEADING),
            self._route("/campaigns/{campaign}", self._campaign, _LEADING),
        ]

    def _route(self, path: str, act: Act, roles: tuple[str, ...], *, method: str = "POST") -> Route:
        async def endpoint(request: Request) -> Response:
            user = await user_of(request, self._ours.store)
            if user.role not in roles:
                raise NotAllowed(f"this is for {' or '.join(roles)}")
            return JSONResponse(await act(user, request))

        return Route(f"/api/v1{path}", endpoint, methods=[method])

    async def _shift(self, user: User, request: Request) -> Any:
        body = await _body(request, Shift)
        await self._phoning.on_shift(user, body.campaign, body.line)
        return await self._seat(user, request)

    async def _ready(self, user: User, request: Request) -> Any:
        await self._phoning.ready(user)
        return await self._seat(user, request)

    async def _pause(self, user: User, request: Request) -> Any:
        await self._phoning.pause(user, (await _body(request, Pause)).reason)
        return await self._seat(user, request)

    async def _off(self, user: User, request: Request) -> Any:
        await self._phoning.off_shift(user)
        return await self._seat(user, request)

    async def _hang_up(self, user: User, request: Request) -> Any:
        await self._phoning.hang_up(user)
        return await self._seat(user, request)

    async def _outcome(self, user: User, request: Request) -> Any:
        body = await _body(request, OutcomeGiven)
        await self._phoning.outcome(user, Given(body.outcome, body.details, body.note), body.next)
        return await self._seat(user, request)

    async def _correct(self, user: User, request: Request) -> Any:
        body = await _body(request, Correction)
        await self._phoning.correct(
            user, body.attempt, Given(body.outcome, body.details, body.note)
        )
        return {"attempt": body.attempt, "outcome": body.outcome}

    async def _wish(self, user: User, request: Request) -> Any:
        await self._phoning.wish(user, (await _body(request, Wish)).wish)
        return await self._seat(user, request)

    async def _dial(self, user: User, request: Request) -> Any:
        body = await _body(request, Number)
        return {"attempt": await self._dialer.dial_number(user.id, body.number)}

    async def _redial(self, user: User, _: Request) -> Any:
        return {"attempt": await self._dialer.redial(user.id)}

    async def _seat(self, user: User, _: Request) -> Any:
        return await self._ours.store.run(lambda tx: views.seat(tx, self._ours.rules, user))

    async def _floor(self, user: User, _: Request) -> Any:
        return await self._ours.store.run(lambda tx: views.floor(tx, self._ours.rules, user))

    async def _presence(self, user: User, _: Request) -> Any:
        now = self._ours.clock.now()
        await self._ours.store.run(lambda tx: house.seen(tx, user.id, now))
        return {"seen_at": now.isoformat()}

    async def _campaign(self, user: User, request: Request) -> Any:
        name = request.path_params["campaign"]
        body = await _body(request, CampaignSwitch)
        campaign = self._ours.rules.campaign(name)
        if user.department is not None and campaign.department != user.department:
            raise NotFound(f"there is no campaign {name!r}")

        def work(tx: Tx) -> list[int]:
            now = self._ours.clock.now()
            house.set_campaign_state(tx, name, body.paused, body.reason, now)
            audit.append(
                tx, now, Kind.BREAKER, campaign=name, paused=body.paused, by=f"user:{user.id}"
            )
            return [
                row.id for row in seats.every(tx) if row.campaign == name and row.state == "waiting"
            ]

        for seat in await self._ours.store.run(work):
            self._ours.background.start(self._dialer.dial(seat))
        return {"campaign": name, "paused": body.paused}


async def _body(request: Request, model: type[T]) -> T:
    raw = await request.body()
    if b"\\u0000" in raw:
        raise Unwritable("a text holds the character NUL, which no database takes")
    return model.model_validate_json(raw or b"{}")
