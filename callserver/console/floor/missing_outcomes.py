"""Calls whose outcome nobody has entered: a supervisor enters it (`POST /correct`)."""

from collections.abc import Mapping

from pydantic import AwareDatetime

from callserver.console.endpoint import Answer, Endpoint, UserRequest
from callserver.console.phone.views import Correctable, correctable
from callserver.domain import phone
from callserver.domain.role import Action
from callserver.engine.context import EngineContext
from callserver.engine.outcomes import missing_outcomes


class MissingCall(Answer):
    """A call whose outcome is missing."""

    attempt: str
    campaign: str
    at: AwareDatetime
    number: str  # masked
    phoner: str  # who talked, or was there


class MissingOutcomes(Answer):
    calls: list[MissingCall]  # oldest first
    campaigns: Mapping[str, Correctable]


class MissingOutcomesApi:
    """The calls of my department whose outcome has to be entered."""

    def __init__(self, ctx: EngineContext) -> None:
        self._ctx = ctx

    def endpoints(self) -> list[Endpoint]:
        return [Endpoint("GET", "/floor/missing-outcomes", Action.SEE_FLOOR, self.listing)]

    async def listing(self, request: UserRequest) -> MissingOutcomes:
        """Calls whose outcome nobody has entered, also of removed campaigns. Nobody calls these people until it is
        entered."""
        rules, department = self._ctx.rules, request.user.department
        missing = await self._ctx.store.read(
            lambda tx: missing_outcomes.of_department(tx, rules, department)
        )
        return MissingOutcomes(
            calls=[
                MissingCall(
                    attempt=one.call.attempt,
                    campaign=one.call.campaign,
                    at=one.call.answered_at or one.call.permit_at,
                    number=phone.masked(phone.from_int(one.call.number)),
                    phoner=one.phoner,
                )
                for one in missing
            ],
            campaigns={
                name: correctable(rules.every[name])
                for name in sorted({one.call.campaign for one in missing})
            },
        )
