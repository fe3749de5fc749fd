"""The supervisor's room: the floor, presence, campaigns stopped and resumed."""

from collections.abc import Sequence

from pydantic import AwareDatetime, Field

from callserver.console import views
from callserver.console.endpoint import Answer, Asked, Body, Endpoint, Nothing
from callserver.console.live import Told
from callserver.console.views import FloorView
from callserver.database import accounts, audit, house, seats
from callserver.database.audit import Entry
from callserver.domain.audit import Kind
from callserver.domain.role import Action
from callserver.engine.dialer import Dialer
from callserver.engine.house import House
from callserver.errors import NotFound
from callserver.ports import Tx


class CampaignSwitch(Body):
    paused: bool
    reason: str = Field(default="", max_length=200)


class Switched(Answer):
    campaign: str
    paused: bool


class Present(Answer):
    seen_at: AwareDatetime


class Floor:
    """What whoever leads the floor sees and does."""

    def __init__(self, ours: House, dialer: Dialer) -> None:
        self._ours = ours
        self._dialer = dialer

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint("GET", "/floor", Action.SEE_FLOOR, self.floor),
            Endpoint("POST", "/presence", Action.LEAD_FLOOR, self.presence),
            Endpoint("POST", "/campaigns/{campaign}", Action.LEAD_FLOOR, self.switch),
        ]

    async def tell(self, asked: Asked, news: Sequence[Entry]) -> Told:
        """The floor, whenever a seat or a campaign of it has changed."""
        kinds = {entry.body["kind"] for entry in news}
        if not asked.may(Action.SEE_FLOOR) or not kinds & {Kind.SEAT, Kind.BREAKER}:
            return ()
        return [("floor", await self.floor(asked))]

    async def floor(self, asked: Asked) -> FloorView:
        """Every seat of my department, and its campaigns."""
        rules = self._ours.rules
        return await self._ours.store.read(lambda tx: views.floor(tx, rules, asked.user))

    async def presence(self, asked: Asked, body: Nothing) -> Present:
        """I am on the floor: a phoner's second shift needs that."""
        del body
        now = self._ours.clock.now()
        await self._ours.store.run(lambda tx: accounts.seen(tx, asked.user.id, now))
        return Present(seen_at=now)

    async def switch(self, asked: Asked, campaign: str, body: CampaignSwitch) -> Switched:
        """Stop or resume a campaign."""
        if not asked.sees(self._ours.rules.campaign(campaign).department):
            raise NotFound(f"there is no campaign {campaign!r}", key="no_campaign")

        def work(tx: Tx) -> list[int]:
            now = self._ours.clock.now()
            house.set_campaign_state(tx, campaign, body.paused, body.reason, now)
            audit.append(tx, now, Kind.BREAKER, campaign=campaign, paused=body.paused, by=asked.by)
            waiting = [row for row in seats.every(tx) if row.state == "waiting"]
            return [row.id for row in waiting if row.campaign == campaign]

        for seat in await self._ours.store.run(work):
            self._ours.background.start(self._dialer.dial(seat))
        return Switched(campaign=campaign, paused=body.paused)
