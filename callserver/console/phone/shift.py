"""Before a shift: which campaigns I may choose, and by which line I am called."""

from datetime import datetime

from pydantic import Field

from callserver.console.endpoint import Answer, Asked, Body, Done, Endpoint, Nothing
from callserver.domain import line
from callserver.domain.campaign import Label
from callserver.domain.line import LineKind, LineProblem
from callserver.domain.role import Action
from callserver.engine import user_lines
from callserver.engine.context import EngineContext
from callserver.engine.dialing.line_confirmation import LineConfirmation
from callserver.engine.gate import availability
from callserver.ports import Tx


class Choice(Answer):
    """A campaign of my department. No reason: somebody may be called now."""

    name: str
    title: Label
    why: Label
    reason: str
    until: datetime | None
    said: str


class Line(Answer):
    """A telephone that I may sit at."""

    kind: LineKind
    line: str  # what to ask for
    shown: str  # a number is masked
    problem: str | None  # why it cannot be called; line_unconfirmed: a call confirms it


class Choices(Answer):
    campaigns: list[Choice]
    lines: list[Line]
    now: datetime


class Code(Body):
    code: str = Field(min_length=1, max_length=20)


class ShiftApi:
    """What there is to choose."""

    def __init__(self, ctx: EngineContext, confirming: LineConfirmation) -> None:
        self._ctx = ctx
        self._confirming = confirming

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint("GET", "/shift", Action.PHONE, self.choices),
            Endpoint("POST", "/line/call", Action.PHONE, self.call),
            Endpoint("POST", "/line/code", Action.PHONE, self.give_code),
        ]

    async def call(self, asked: Asked, body: Nothing) -> Done:
        """Call the number of my account's line, which is not confirmed yet, and speak a code."""
        del body
        await self._confirming.call(asked.user.id, asked.by)
        return Done()

    async def give_code(self, asked: Asked, body: Code) -> Done:
        """Give the code that the call spoke: my line is confirmed."""
        await self._confirming.give(asked.user.id, body.code, asked.by)
        return Done()

    async def choices(self, asked: Asked) -> Choices:
        """The campaigns of my department, the most urgent first; and my lines."""
        return await self._ctx.store.read(lambda tx: self._choices(tx, asked))

    def _choices(self, tx: Tx, asked: Asked) -> Choices:
        now, rules = self._ctx.clock.now(), self._ctx.rules
        choices = []
        for campaign in sorted(rules.current.campaigns.values(), key=lambda one: -one.priority):
            if not asked.sees(campaign.department):
                continue
            prospect = availability.of(tx, rules, campaign, asked.user.id, now)
            choices.append(
                Choice(
                    name=campaign.name,
                    title=campaign.title,
                    why=campaign.why,
                    reason=prospect.reason,
                    until=prospect.until,
                    said=prospect.said,
                )
            )
        own = user_lines.choices(tx, self._ctx.terms, asked.user, now)
        mine = [_line(address, problem) for address, problem in own]
        return Choices(campaigns=choices, lines=mine, now=now)


def _line(address: str, problem: LineProblem | None) -> Line:
    return Line(
        kind=line.kind(address),
        line=address,
        shown=line.shown(address),
        problem=None if problem is None else problem.value,
    )
