"""Before a shift: which campaigns are there for me, and by which line I am rung in."""

from datetime import datetime

from callserver.console.endpoint import Answer, Asked, Endpoint
from callserver.database.accounts import User
from callserver.domain import phone
from callserver.domain.campaign import Label
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

    kind: lines.Kind
    line: str | None  # what to ask for; none: the account's, asked for by saying nothing
    shown: str


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
        return Choices(campaigns=found, lines=_lines(asked.user), now=now)


def _lines(user: User) -> list[Line]:
    own = lines.browser(user)
    found = [Line(kind="browser", line=own, shown=_shown(own))]
    if user.line is not None and user.line != own:
        found.append(Line(kind=lines.kind(user.line), line=None, shown=_shown(user.line)))
    return found


def _shown(line: str) -> str:
    return phone.masked(line) if line.startswith("+") else line.partition(":")[2]
