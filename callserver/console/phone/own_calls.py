"""A phoner's own calls of the last hours: masked, and their outcomes can be corrected.

No sales figures and no comparison. Who has listened is part of the listening API.
"""

from collections.abc import Mapping
from datetime import datetime

from pydantic import Field

from callserver.console.endpoint import Answer, Body, Endpoint, UserRequest
from callserver.console.phone.views import Correctable, correctable
from callserver.domain.campaign import Effect
from callserver.domain.role import Action
from callserver.engine.context import EngineContext, Rules
from callserver.engine.outcomes import own_calls
from callserver.engine.outcomes.own_calls import OwnCall
from callserver.engine.suppressions import lifting


class MyCall(Answer):
    attempt: str
    at: datetime
    who: str  # initials
    campaign: str
    answered: bool
    cause: str | None
    outcome: str | None
    does: Effect | None
    undoable_until: datetime | None  # while I may undo the opt-out that I recorded in it


class OwnCallsView(Answer):
    calls: list[MyCall]
    campaigns: Mapping[str, Correctable]


class Undoing(Body):
    attempt: str = Field(max_length=40)


class OwnCallsApi:
    """A phoner's own calls."""

    def __init__(self, ctx: EngineContext) -> None:
        self._ctx = ctx

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint("GET", "/own-calls", Action.PHONE, self.own_calls),
            Endpoint("POST", "/own-calls/undo", Action.PHONE, self.undo),
        ]

    async def own_calls(self, request: UserRequest) -> OwnCallsView:
        """My calls of the last twelve hours, latest first."""
        rules = self._ctx.rules
        own = await self._ctx.store.read(lambda tx: own_calls.mine(tx, self._ctx, request.user))
        names = dict.fromkeys(call.call.campaign for call in own)
        campaigns = rules.every
        return OwnCallsView(
            calls=[_call(call, rules) for call in own],
            campaigns={name: correctable(campaigns[name]) for name in names if name in campaigns},
        )

    async def undo(self, request: UserRequest, body: Undoing) -> OwnCallsView:
        """Undo the opt-out that I recorded by mistake in this call, within ten minutes."""
        user, now = request.user, self._ctx.clock.now()
        await self._ctx.store.run(lambda tx: lifting.undo_of_call(tx, body.attempt, user, now))
        return await self.own_calls(request)


def _call(own_call: OwnCall, rules: Rules) -> MyCall:
    campaign = rules.every.get(own_call.call.campaign)
    outcome = None if campaign is None else campaign.outcomes.get(own_call.call.outcome or "")
    return MyCall(
        attempt=own_call.call.attempt,
        at=own_call.at,
        who=own_call.initials,
        campaign=own_call.call.campaign,
        answered=own_call.call.answered_at is not None,
        cause=own_call.call.cause,
        outcome=own_call.call.outcome,
        does=None if outcome is None else outcome.does,
        undoable_until=own_call.undoable_until,
    )
