"""The phone page's API: shift, ready, pause, hang up, hand, wishes, outcome, manual dial."""

from collections.abc import Callable
from typing import Any, Literal

from pydantic import Field

from callserver.console.endpoint import Answer, Body, Done, Endpoint, Nothing, UserRequest
from callserver.console.phone import views as phone_views
from callserver.console.phone.views import MySeat
from callserver.domain.role import Action
from callserver.domain.seat import Pause as PauseReason
from callserver.engine.context import EngineContext
from callserver.engine.dialing.manual_dial import ManualDial
from callserver.engine.rate_limits import RateLimited, RateLimits
from callserver.engine.shifts.phoner_actions import GivenOutcome, PhonerActions
from callserver.ports import Tx


class Shift(Body):
    campaign: str
    # One of my own lines (GET /shift); null: my account's.
    line: str | None = Field(default=None, min_length=1, max_length=180)


class Pause(Body):
    reason: PauseReason = PauseReason.PAUSE


class Hand(Body):
    up: bool


class HangUp(Body):
    # The call to end: of a double click, the second does not end the next call.
    attempt: str | None = None


class OutcomeGiven(Body):
    outcome: str
    attempt: str | None = None  # the call; an error when it is no longer in hand
    details: dict[str, Any] = Field(default_factory=dict)
    note: str = Field(default="", max_length=2000)
    confirm_outside_hours: bool = False  # the person wants a call-back outside the calling hours
    next: Literal["ready", "pause"] = "ready"


class Correction(Body):
    attempt: str
    outcome: str
    details: dict[str, Any] = Field(default_factory=dict)
    note: str = Field(default="", max_length=2000)
    confirm_outside_hours: bool = False


class Corrected(Answer):
    attempt: str
    outcome: str


class Wish(Body):
    wish: str
    attempt: str | None = None  # the call in which it was stated


class ManualDialNumber(Body):
    number: str = Field(max_length=40)


class Dialed(Answer):
    attempt: str


class PhoneApi:
    """Each method is one engine call; most answer with the seat's new state."""

    def __init__(
        self,
        ctx: EngineContext,
        actions: PhonerActions,
        manual_dial: ManualDial,
        pacing: RateLimits,
    ) -> None:
        self._ctx = ctx
        self._pacing = pacing
        self._actions = actions
        self._manual_dial = manual_dial

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint("GET", "/seat", Action.PHONE, self.seat),
            Endpoint("POST", "/shift", Action.PHONE, self.shift),
            Endpoint("POST", "/ready", Action.PHONE, self.ready),
            Endpoint("POST", "/pause", Action.PHONE, self.pause),
            Endpoint("POST", "/off", Action.PHONE, self.off),
            Endpoint("POST", "/hang-up", Action.PHONE, self.hang_up),
            Endpoint("POST", "/line/over", Action.PHONE, self.line_over),
            Endpoint("POST", "/hand", Action.PHONE, self.hand),
            Endpoint("POST", "/wish", Action.PHONE, self.wish),
            Endpoint("POST", "/outcome", Action.PHONE, self.outcome),
            Endpoint("POST", "/correct", Action.CORRECT, self.correct),
            Endpoint("POST", "/dial", Action.PHONE, self.dial),
            Endpoint("POST", "/redial", Action.PHONE, self.redial),
        ]

    async def seat(self, request: UserRequest) -> MySeat:
        """My seat, with the call in hand and what its outcome asks for."""
        return await self._ctx.store.peek(self._view(request))

    def _view(self, request: UserRequest) -> Callable[[Tx], MySeat]:
        """Reads my seat, in the transaction of what I did where that is frequent."""
        ctx = self._ctx
        return lambda tx: phone_views.seat(tx, ctx.rules, request.user.id, ctx.clock.now())

    async def shift(self, request: UserRequest, body: Shift) -> MySeat:
        """Begin a shift for a campaign; my line is called, or calls in itself."""
        await self._actions.on_shift(request.user, body.campaign, body.line)
        return await self.seat(request)

    async def ready(self, request: UserRequest, body: Nothing) -> MySeat:
        """Ready: the next contact is dialed at once."""
        del body
        return await self._actions.ready(request.user, self._view(request))

    async def pause(self, request: UserRequest, body: Pause) -> MySeat:
        """Pause after this call; nobody else sees that a pause is a breather."""
        return await self._actions.pause(request.user, body.reason, self._view(request))

    async def off(self, request: UserRequest, body: Nothing) -> MySeat:
        """End my shift; an outcome that is owed must be saved first."""
        del body
        await self._actions.off_shift(request.user)
        return await self.seat(request)

    async def hang_up(self, request: UserRequest, body: HangUp) -> MySeat:
        """End the call in hand; with an attempt, only if it is this one."""
        await self._actions.hang_up(request.user, body.attempt)
        return await self.seat(request)

    async def line_over(self, request: UserRequest, body: Nothing) -> Done:
        """My browser's telephone was cut off: the provider is asked about it at once."""
        del body
        await self._actions.line_over(request.user)
        return Done()

    async def hand(self, request: UserRequest, body: Hand) -> MySeat:
        """Raise or lower my hand."""
        await self._actions.hand(request.user, up=body.up)
        return await self.seat(request)

    async def wish(self, request: UserRequest, body: Wish) -> MySeat:
        """Record a wish of the person on the line; it takes effect during the call."""
        await self._actions.wish(request.user, body.wish, body.attempt)
        return await self.seat(request)

    async def outcome(self, request: UserRequest, body: OutcomeGiven) -> MySeat:
        """Save the outcome of the call in hand."""
        given = GivenOutcome(body.outcome, body.details, body.note, body.confirm_outside_hours)
        return await self._actions.outcome(
            request.user, given, body.next, body.attempt, self._view(request)
        )

    async def correct(self, request: UserRequest, body: Correction) -> Corrected:
        """Replace an earlier outcome; both stay in the audit log."""
        given = GivenOutcome(body.outcome, body.details, body.note, body.confirm_outside_hours)
        await self._actions.correct(request.user, body.attempt, given)
        return Corrected(attempt=body.attempt, outcome=body.outcome)

    async def dial(self, request: UserRequest, body: ManualDialNumber) -> Dialed:
        """Dial the number of a contact of my campaign; the gate decides."""
        await self._pacing.step(RateLimited.DIAL, request.user.id)
        return Dialed(attempt=await self._manual_dial.dial(request.user.id, body.number))

    async def redial(self, request: UserRequest, body: Nothing) -> Dialed:
        """Dial my last contact again; the gate decides."""
        del body
        return Dialed(attempt=await self._manual_dial.redial(request.user.id))
