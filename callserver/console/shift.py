"""Before a shift: which campaigns are there for me, and by which line I am rung in."""

from datetime import datetime

from callserver.console.endpoint import Answer, Asked, Endpoint
from callserver.domain import line
from callserver.domain.campaign import Label
from callserver.domain.line import Kind, Problem
from callserver.domain.role import Action
from callserver.engine import lines, prospects
from callserver.engine.house import House
from callserver.ports import Tx


class Choice(Answer):
    """A campaign of my department. No reason: somebody may be rung now."""

    name: str
    title: Label
    why: Label
    reason: str
    until: datetime | None
    said: str


class Line(Answer):
    """A telephone that I may sit at."""

    kind: Kind
    line: str  # what to ask for
    shown: str  # a number is masked
    problem: str | None  # why it cannot be rung; line_unconfirmed: a call confirms it


class Choices(Answer):
    campaigns: list[Choice]
    lines: list[Line]
    now: datetime


class ShiftRoom:
    """What there is to choose."""

    def __init__(self, ours: House) -> None:
        self._ours = ours

    def endpoints(self) -> list[Endpoint]:
        return [Endpoint("GET", "/shift", Action.PHONE, self.choices)]

    async def choices(self, asked: Asked) -> Choices:
        """The campaigns of my department, the most urgent first; and my lines."""
        return await self._ours.store.read(lambda tx: self._choices(tx, asked))

    def _choices(self, tx: Tx, asked: Asked) -> Choices:
        now, rules = self._ours.clock.now(), self._ours.rules
        found = []
        for campaign in sorted(rules.current.campaigns.values(), key=lambda one: -one.priority):
            if not asked.sees(campaign.department):
                continue
            prospect = prospects.of(tx, rules, campaign, asked.user.id, now)
            found.append(
                Choice(
                    name=campaign.name,
                    title=campaign.title,
                    why=campaign.why,
                    reason=prospect.reason,
                    until=prospect.until,
                    said=prospect.said,
                )
            )
        own = lines.choices(tx, self._ours.terms, asked.user, now)
        mine = [_line(address, problem) for address, problem in own]
        return Choices(campaigns=found, lines=mine, now=now)


def _line(address: str, problem: Problem | None) -> Line:
    return Line(
        kind=line.kind(address),
        line=address,
        shown=line.shown(address),
        problem=None if problem is None else problem.value,
    )
