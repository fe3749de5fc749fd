"""The floor's API: every seat live, one seat in detail, campaigns, alarms, the supervisor's presence."""

from datetime import timedelta

from pydantic import AwareDatetime, Field

from callserver.console.endpoint import Answer, Body, Done, Endpoint, Nothing, UserRequest
from callserver.console.floor import views
from callserver.console.floor.shown import KnownFloor
from callserver.console.floor.views import Figures, FloorView, SeatDetails
from callserver.console.listening.api import forms_of
from callserver.console.phone.views import correctable
from callserver.database import accounts, calls, listenings
from callserver.database.calls import CallRow
from callserver.domain import phone
from callserver.domain.home import HOME
from callserver.domain.role import Action
from callserver.engine.calls import campaign_pauses
from callserver.engine.context import EngineContext
from callserver.engine.reporting import floor_figures
from callserver.engine.reporting.floor_figures import FloorFigures
from callserver.engine.shared_read import SharedRead
from callserver.engine.shifts.supervisor_actions import SupervisorActions
from callserver.engine.training import standings
from callserver.errors import NotAllowed, NotFound
from callserver.ports import Tx

FRESH = timedelta(seconds=8)
"""Figures up to this age are served again: one reading serves every open page."""

COUNTED = timedelta(seconds=20)
"""How often contacts are counted at most, for all pages together."""

MOST_CALLS = 60


class CampaignSwitch(Body):
    paused: bool
    reason: str = Field(default="", max_length=200)
    since: AwareDatetime | None = None  # the beginning of the pause that is to end


class Switched(Answer):
    campaign: str
    paused: bool


class Present(Answer):
    seen_at: AwareDatetime


class FloorApi:
    """What supervisors and administrators see and do on the floor."""

    def __init__(self, ctx: EngineContext, actions: SupervisorActions) -> None:
        self._ctx = ctx
        self._supervisor_actions = actions
        self._counts = SharedRead(lambda: ctx.store.read(lambda tx: floor_figures.count(tx, ctx)))
        self._figures = SharedRead(self._read_figures)

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint("GET", "/floor", Action.SEE_FLOOR, self.floor),
            Endpoint("GET", "/floor/figures", Action.SEE_FLOOR, self.figures),
            Endpoint("GET", "/floor/seats/{seat}", Action.SEE_FLOOR, self.seat),
            Endpoint("POST", "/floor/seats/{seat}/hand", Action.LEAD_FLOOR, self.hand),
            Endpoint("POST", "/floor/seats/{seat}/off", Action.LEAD_FLOOR, self.off),
            Endpoint("POST", "/floor/seats/{seat}/exchange", Action.LEAD_FLOOR, self.exchange),
            Endpoint("POST", "/presence", Action.LEAD_FLOOR, self.presence),
            Endpoint("POST", "/campaigns/{campaign}", Action.LEAD_FLOOR, self.switch),
        ]

    async def floor(self, request: UserRequest) -> FloorView:
        """Every seat of my department by name, and its campaigns."""
        shown_floor = await self._ctx.store.read(lambda tx: KnownFloor().read(tx, self._ctx))
        return shown_floor.view(request.user.department)

    async def _read_figures(self) -> FloorFigures:
        now = self._ctx.clock.now()
        counted = await self._counts.get(lambda counts: now - counts.at < COUNTED)
        return await self._ctx.store.read(lambda tx: floor_figures.read(tx, self._ctx, counted))

    async def figures(self, request: UserRequest) -> Figures:
        """Figures of campaigns and of the provider, and alarms."""
        now = self._ctx.clock.now()
        figures = await self._figures.get(lambda latest: now - latest.at < FRESH)
        shown = [
            campaign for campaign in figures.campaigns if request.sees(campaign.campaign.department)
        ]
        # Also of removed campaigns: an outcome may be missing. Nobody knows whose one is that no revision has.
        known = self._ctx.rules.every
        return Figures(
            at=figures.at,
            campaigns={
                figure.campaign.name: views.CampaignFigures(
                    contacts=figure.by_status,
                    open_now=figure.open_now,
                    next_at=figure.next_at,
                    dials=figure.dials,
                    answered=figure.answered,
                    abandoned=figure.abandoned,
                    refusals=figure.refusals,
                )
                for figure in shown
            },
            provider=views.Provider(
                taken=figures.taken,
                declined=figures.declined,
                silent=figures.silent,
                per_second=round(figures.last_minute / 60, 2),
                most_per_second=self._ctx.budgets.per_second(self._ctx.rules.own_numbers),
            ),
            alarms=[
                views.AlarmView(
                    kind=alarm.kind,
                    campaign=alarm.campaign,
                    about=alarm.about,
                    values=alarm.values,
                )
                for alarm in figures.alarms
                if alarm.campaign is None
                or alarm.campaign not in known
                or request.sees(known[alarm.campaign].department)
            ],
        )

    async def seat(self, request: UserRequest, seat: int) -> SeatDetails:
        """One seat: today's calls, and the forms about the phoner's calls."""
        now = self._ctx.clock.now()
        campaigns = self._ctx.rules.current.campaigns
        midnight = now.astimezone(HOME).replace(hour=0, minute=0, second=0, microsecond=0)

        def look(tx: Tx) -> SeatDetails:
            seats = KnownFloor().read(tx, self._ctx).seats
            seat_view = next((one.view for one in seats if one.row.id == seat), None)
            user = None if seat_view is None else accounts.user(tx, seat_view.phoner)
            if seat_view is None or user is None or not request.sees(seat_view.department):
                raise NotFound("there is no such seat", key="not_found")
            made = calls.of_phoner(tx, user.id, midnight)[:MOST_CALLS]
            listened = listenings.heard_of(tx, request.user.id, [call.attempt for call in made])
            trainees = accounts.trainees_of(tx, user.id)
            return SeatDetails(
                seat=seat_view,
                shift=standings.shown(tx, self._ctx.rules.current.training, user, now),
                trainees=[trainee.name for trainee in trainees],
                calls=[_call(call, listened=call.attempt in listened) for call in made],
                campaigns={
                    name: correctable(campaigns[name])
                    for name in sorted({call.campaign for call in made})
                    if name in campaigns
                },
                forms=forms_of(tx, user.id) if request.may(Action.LISTEN) else [],
            )

        return await self._ctx.store.read(look)

    async def hand(self, request: UserRequest, seat: int, body: Nothing) -> Done:
        """Acknowledge a raised hand."""
        del body
        await self._supervisor_actions.answer_hand(request.user, seat)
        return Done()

    async def off(self, request: UserRequest, seat: int, body: Nothing) -> Done:
        """End a shift: after the call in hand and its outcome."""
        del body
        await self._supervisor_actions.end_shift(request.user, seat)
        return Done()

    async def exchange(self, request: UserRequest, seat: int, body: Nothing) -> Done:
        """Let a shift whose exchange does not answer go on through another one that does."""
        del body
        await self._supervisor_actions.change_exchange(request.user, seat)
        return Done()

    async def presence(self, request: UserRequest, body: Nothing) -> Present:
        """Report that I am on the floor: a phoner's second shift requires a supervisor. Not for tokens."""
        del body
        if request.session is None:
            raise NotAllowed("a program is not present", key="not_allowed")
        now = self._ctx.clock.now()
        await self._supervisor_actions.be_present(request.user, now)
        return Present(seen_at=now)

    async def switch(self, request: UserRequest, campaign: str, body: CampaignSwitch) -> Switched:
        """Stop or resume a campaign, and say why."""
        if not request.sees(self._ctx.rules.campaign(campaign).department):
            raise NotFound(f"there is no campaign {campaign!r}", key="no_campaign")

        def work(tx: Tx) -> None:
            now = self._ctx.clock.now()
            if body.paused:
                campaign_pauses.switch(tx, campaign, body.reason, now, paused=True, by=request.by)
            else:
                campaign_pauses.resume(tx, campaign, body.since, now, request.by)

        await self._ctx.store.run(work)
        return Switched(campaign=campaign, paused=body.paused)


def _call(call: CallRow, *, listened: bool) -> views.CallLine:
    return views.CallLine(
        attempt=call.attempt,
        campaign=call.campaign,
        at=call.permit_at,
        number=phone.masked(phone.from_int(call.number)),
        path=call.path,
        answered_at=call.answered_at,
        ended_at=call.ended_at,
        cause=call.cause,
        code=call.code,
        outcome=call.outcome,
        listened=listened,
    )
