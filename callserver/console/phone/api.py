"""The phoner's room: on shift, ready, pause, hang up, hand, wishes, outcome, dial by hand, off shift."""

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field

from callserver.console.endpoint import Answer, Asked, Body, Endpoint, Nothing
from callserver.console.live import Told
from callserver.console.phone import views as phone_views
from callserver.console.phone.views import MySeat
from callserver.database import seats
from callserver.database.audit import Entry
from callserver.domain.role import Action
from callserver.domain.seat import Pause as PauseReason
from callserver.engine.context import EngineContext
from callserver.engine.dialing.manual_dial import ManualDial
from callserver.engine.rate_limits import RateLimited, RateLimits
from callserver.engine.shifts.phoner_actions import Given, PhonerActions


class Shift(Body):
    campaign: str
    # One of my own (GET /shift), never another; none: my account's.
    line: str | None = Field(default=None, min_length=1, max_length=180)


class Pause(Body):
    reason: PauseReason = PauseReason.PAUSE


class Hand(Body):
    up: bool


class OutcomeGiven(Body):
    outcome: str
    attempt: str | None = None  # of which call; an error when it is no longer in hand
    details: dict[str, Any] = Field(default_factory=dict)
    note: str = Field(default="", max_length=2000)
    confirm_outside_hours: bool = (
        False  # the person wants the call-back at a time when we are closed
    )
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
    attempt: str | None = None  # whose it is


class Number(Body):
    number: str = Field(max_length=40)


class Dialed(Answer):
    attempt: str


class PhoneApi:
    """Each method is one engine call; most answer with the seat as it is then."""

    def __init__(
        self, ctx: EngineContext, phoning: PhonerActions, by_hand: ManualDial, pacing: RateLimits
    ) -> None:
        self._ctx = ctx
        self._pacing = pacing
        self._phoning = phoning
        self._by_hand = by_hand

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint("GET", "/seat", Action.PHONE, self.seat),
            Endpoint("POST", "/shift", Action.PHONE, self.shift),
            Endpoint("POST", "/ready", Action.PHONE, self.ready),
            Endpoint("POST", "/pause", Action.PHONE, self.pause),
            Endpoint("POST", "/off", Action.PHONE, self.off),
            Endpoint("POST", "/hang-up", Action.PHONE, self.hang_up),
            Endpoint("POST", "/hand", Action.PHONE, self.hand),
            Endpoint("POST", "/wish", Action.PHONE, self.wish),
            Endpoint("POST", "/outcome", Action.PHONE, self.outcome),
            Endpoint("POST", "/correct", Action.CORRECT, self.correct),
            Endpoint("POST", "/dial", Action.PHONE, self.dial),
            Endpoint("POST", "/redial", Action.PHONE, self.redial),
        ]

    async def tell(self, asked: Asked, news: Sequence[Entry]) -> Told:
        """My seat, whenever something has happened to it."""
        if not asked.may(Action.PHONE) or not any("seat" in entry.body for entry in news):
            return ()
        mine = await self._ctx.store.read(lambda tx: seats.peek(tx, asked.user.id))
        if mine is None or not any(entry.body.get("seat") == mine.id for entry in news):
            return ()
        return [("seat", await self.seat(asked))]

    async def seat(self, asked: Asked) -> MySeat:
        """My seat, with the call in hand and what its outcome asks for."""
        rules, now = self._ctx.rules, self._ctx.clock.now()
        return await self._ctx.store.read(lambda tx: phone_views.seat(tx, rules, asked.user, now))

    async def shift(self, asked: Asked, body: Shift) -> MySeat:
        """Take my seat for a campaign; my line is called, or calls in itself."""
        await self._phoning.on_shift(asked.user, body.campaign, body.line)
        return await self.seat(asked)

    async def ready(self, asked: Asked, body: Nothing) -> MySeat:
        """Ready: the next contact is dialed at once."""
        del body
        await self._phoning.ready(asked.user)
        return await self.seat(asked)

    async def pause(self, asked: Asked, body: Pause) -> MySeat:
        """No further call after this one; a breather is shown to nobody else."""
        await self._phoning.pause(asked.user, body.reason)
        return await self.seat(asked)

    async def off(self, asked: Asked, body: Nothing) -> MySeat:
        """Leave the shift; an outcome that is owed comes first."""
        del body
        await self._phoning.off_shift(asked.user)
        return await self.seat(asked)

    async def hang_up(self, asked: Asked, body: Nothing) -> MySeat:
        """End the call in hand."""
        del body
        await self._phoning.hang_up(asked.user)
        return await self.seat(asked)

    async def hand(self, asked: Asked, body: Hand) -> MySeat:
        """Ask for my supervisor, or no longer."""
        await self._phoning.hand(asked.user, up=body.up)
        return await self.seat(asked)

    async def wish(self, asked: Asked, body: Wish) -> MySeat:
        """What the person on the line wishes, in force while still talking."""
        await self._phoning.wish(asked.user, body.wish, body.attempt)
        return await self.seat(asked)

    async def outcome(self, asked: Asked, body: OutcomeGiven) -> MySeat:
        """The outcome of the call in hand."""
        given = Given(body.outcome, body.details, body.note, body.confirm_outside_hours)
        await self._phoning.outcome(asked.user, given, body.next, body.attempt)
        return await self.seat(asked)

    async def correct(self, asked: Asked, body: Correction) -> Corrected:
        """Replace an outcome given earlier; both stay in the audit log."""
        given = Given(body.outcome, body.details, body.note, body.confirm_outside_hours)
        await self._phoning.correct(asked.user, body.attempt, given)
        return Corrected(attempt=body.attempt, outcome=body.outcome)

    async def dial(self, asked: Asked, body: Number) -> Dialed:
        """Dial a contact of my campaign by hand, through the same gate."""
        await self._pacing.step(RateLimited.DIAL, asked.user.id)
        return Dialed(attempt=await self._by_hand.dial(asked.user.id, body.number))

    async def redial(self, asked: Asked, body: Nothing) -> Dialed:
        """Dial my last contact again, through the same gate."""
        del body
        return Dialed(attempt=await self._by_hand.redial(asked.user.id))
