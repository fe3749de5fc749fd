"""My own evening: my calls, masked, with a way to mend my outcomes.

No sales figures, nothing that compares. Who has listened to me is told by the listening's room.
"""

from collections.abc import Mapping
from datetime import datetime

from callserver.console import views
from callserver.console.endpoint import Answer, Asked, Endpoint
from callserver.console.views import OutcomeView
from callserver.domain.campaign import Effect, Label
from callserver.domain.role import Action
from callserver.engine import evening
from callserver.engine.evening import Talked
from callserver.engine.house import House, Rules


class MyCall(Answer):
    attempt: str
    at: datetime
    who: str  # initials
    campaign: str
    answered: bool
    cause: str | None
    outcome: str | None
    does: Effect | None


class MyCampaign(Answer):
    """What the calls of one campaign may be corrected to."""

    title: Label
    most_days_ahead: int
    outcomes: Mapping[str, OutcomeView]


class EveningView(Answer):
    calls: list[MyCall]
    campaigns: Mapping[str, MyCampaign]


class EveningRoom:
    """A phoner's look at her own evening."""

    def __init__(self, ours: House) -> None:
        self._ours = ours

    def endpoints(self) -> list[Endpoint]:
        return [Endpoint("GET", "/evening", Action.PHONE, self.evening)]

    async def evening(self, asked: Asked) -> EveningView:
        """My calls of this evening, the latest first."""
        rules = self._ours.rules
        talked = await self._ours.store.read(lambda tx: evening.mine(tx, self._ours, asked.user))
        names = dict.fromkeys(one.call.campaign for one in talked)
        known = rules.current.campaigns
        return EveningView(
            calls=[_call(one, rules) for one in talked],
            campaigns={
                name: MyCampaign(
                    title=known[name].title,
                    most_days_ahead=known[name].call_backs.most_days_ahead,
                    outcomes=views.outcomes(known[name]),
                )
                for name in names
                if name in known
            },
        )


def _call(one: Talked, rules: Rules) -> MyCall:
    campaign = rules.current.campaigns.get(one.call.campaign)
    given = None if campaign is None else campaign.outcomes.get(one.call.outcome or "")
    return MyCall(
        attempt=one.call.attempt,
        at=one.at,
        who=one.initials,
        campaign=one.call.campaign,
        answered=one.call.answered_at is not None,
        cause=one.call.cause,
        outcome=one.call.outcome,
        does=None if given is None else given.does,
    )
