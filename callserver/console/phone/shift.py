"""Before a shift: the campaigns and lines that a phoner may choose."""

from datetime import datetime

from pydantic import Field

from callserver.console.endpoint import Answer, Body, Done, Endpoint, Nothing, UserRequest
from callserver.domain import line
from callserver.domain.label import Label
from callserver.domain.line import LineKind, LineProblem
from callserver.domain.role import Action
from callserver.engine import user_lines
from callserver.engine.context import EngineContext
from callserver.engine.dialing.line_confirmation import LineConfirmation
from callserver.engine.gate import availability
from callserver.ports import Tx


class Choice(Answer):
    """A campaign of my department. `reason` is empty where contacts may be called now."""

    name: str
    title: Label
    why: Label
    reason: str
    until: datetime | None
    said: str


class Line(Answer):
    """A telephone of mine."""

    kind: LineKind
    line: str  # as a shift's request names it
    shown: str  # a number is masked
    problem: str | None  # why it cannot be called; line_unconfirmed: a call confirms it


class Choices(Answer):
    campaigns: list[Choice]
    lines: list[Line]
    now: datetime


class Code(Body):
    code: str = Field(min_length=1, max_length=20)


class ShiftApi:
    """Offers campaigns and lines, and confirms a line."""

    def __init__(self, ctx: EngineContext, line_confirmation: LineConfirmation) -> None:
        self._ctx = ctx
        self._line_confirmation = line_confirmation

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint("GET", "/shift", Action.PHONE, self.choices),
            Endpoint("POST", "/line/call", Action.PHONE, self.call),
            Endpoint("POST", "/line/code", Action.PHONE, self.give_code),
        ]

    async def call(self, request: UserRequest, body: Nothing) -> Done:
        """Call the number of my account's line, which is not confirmed yet, and speak a code."""
        del body
        await self._line_confirmation.call(request.user.id, request.by)
        return Done()

    async def give_code(self, request: UserRequest, body: Code) -> Done:
        """Enter the code that the call spoke: my line is confirmed."""
        await self._line_confirmation.give(request.user.id, body.code, request.by)
        return Done()

    async def choices(self, request: UserRequest) -> Choices:
        """The campaigns of my department, highest priority first, and my lines."""
        return await self._ctx.store.read(lambda tx: self._choices(tx, request))

    def _choices(self, tx: Tx, request: UserRequest) -> Choices:
        now, rules = self._ctx.clock.now(), self._ctx.rules
        choices = []
        campaigns = rules.current.campaigns.values()
        for campaign in sorted(campaigns, key=lambda campaign: -campaign.priority):
            if not request.sees(campaign.department):
                continue
            available = availability.of(tx, rules, campaign, request.user.id, now)
            choices.append(
                Choice(
                    name=campaign.name,
                    title=campaign.title,
                    why=campaign.why,
                    reason=available.reason,
                    until=available.until,
                    said=available.said,
                )
            )
        addresses = user_lines.choices(tx, self._ctx.terms, request.user, now)
        lines = [_line(address, problem) for address, problem in addresses]
        return Choices(campaigns=choices, lines=lines, now=now)


def _line(address: str, problem: LineProblem | None) -> Line:
    return Line(
        kind=line.kind(address),
        line=address,
        shown=line.shown(address),
        problem=None if problem is None else problem.value,
    )
