"""The supervisor's room: the floor live, one seat in detail, campaigns and alarms, presence."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, Field

from callserver.console.endpoint import Answer, Asked, Body, Done, Endpoint, Nothing
from callserver.console.floor import views
from callserver.console.floor.views import Figures, FloorSeat, FloorView, SeatDetails
from callserver.console.listening.api import forms_of
from callserver.console.live import Told
from callserver.console.phone.views import correctable
from callserver.database import accounts, audit, calls, floor, listenings, seats
from callserver.database.audit import Cursor, Entry
from callserver.database.calls import CallRow
from callserver.domain import phone
from callserver.domain.audit import EntryKind
from callserver.domain.listening import Mode
from callserver.domain.role import Action
from callserver.engine.calls import campaign_pauses
from callserver.engine.context import EngineContext
from callserver.engine.listening import placement
from callserver.engine.reporting import floor_figures
from callserver.engine.reporting.floor_figures import FloorFigures
from callserver.engine.shared_read import SharedRead
from callserver.engine.shifts.supervisor_actions import SupervisorActions
from callserver.errors import NotFound
from callserver.ports import Tx

HOME = ZoneInfo("Europe/Copenhagen")
"""The organisation's time zone: its day begins at midnight there."""

FRESH = timedelta(seconds=8)
"""Figures so old are still shown: one reading serves every open page."""

COUNTED = timedelta(seconds=20)
"""Contacts are counted so often, however many pages ask."""

GONE = timedelta(hours=12)
"""Who left the shift within this time is still shown."""

MOST_CALLS = 60

CHANGES = {
    *(EntryKind.SEAT, EntryKind.BREAKER, EntryKind.HAND, EntryKind.SHIFT_ENDED),
    *(
        EntryKind.LISTENING_STARTED,
        EntryKind.LISTENING_CHANGED,
        EntryKind.LISTENING_STOPPED,
        EntryKind.NO_LISTENER,
    ),
}
"""Entries of the log after which the floor looks different."""


class CampaignSwitch(Body):
    paused: bool
    reason: str = Field(default="", max_length=200)


class Switched(Answer):
    campaign: str
    paused: bool


class Present(Answer):
    seen_at: AwareDatetime


@dataclass(slots=True)
class Snapshot:
    """The whole floor as of one place in the log, and what each department sees of it."""

    at: Cursor
    whole: FloorView
    parts: dict[str, FloorView] = field(default_factory=dict)

    def of(self, department: str | None) -> FloorView:
        if department is None:
            return self.whole
        if department not in self.parts:
            whole = self.whole
            self.parts[department] = FloorView(
                now=whole.now,
                seats=[seat for seat in whole.seats if seat.department == department],
                campaigns={
                    name: campaign
                    for name, campaign in whole.campaigns.items()
                    if campaign.department == department
                },
                departments={
                    name: title for name, title in whole.departments.items() if name == department
                },
            )
        return self.parts[department]


class FloorApi:
    """What supervisors and administrators see and do on the floor."""

    def __init__(self, ctx: EngineContext, leading: SupervisorActions) -> None:
        self._ctx = ctx

        self._supervisor_actions = leading
        self._snapshots = SharedRead(self._read)
        self._counts = SharedRead(lambda: ctx.store.read(lambda tx: floor_figures.count(tx, ctx)))
        self._standings = SharedRead(self._stand)

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint("GET", "/floor", Action.SEE_FLOOR, self.floor),
            Endpoint("GET", "/floor/figures", Action.SEE_FLOOR, self.figures),
            Endpoint("GET", "/floor/seats/{seat}", Action.SEE_FLOOR, self.seat),
            Endpoint("POST", "/floor/seats/{seat}/hand", Action.LEAD_FLOOR, self.hand),
            Endpoint("POST", "/floor/seats/{seat}/off", Action.LEAD_FLOOR, self.off),
            Endpoint("POST", "/presence", Action.LEAD_FLOOR, self.presence),
            Endpoint("POST", "/campaigns/{campaign}", Action.LEAD_FLOOR, self.switch),
        ]

    async def tell(self, asked: Asked, news: Sequence[Entry]) -> Told:
        """The floor, whenever something on it has changed: one reading for all who follow."""
        if not asked.may(Action.SEE_FLOOR) or not {entry.body["kind"] for entry in news} & CHANGES:
            return ()
        since = news[-1].at
        snapshot_now = await self._snapshots.get(lambda snapshot: snapshot.at >= since)
        return [("floor", snapshot_now.of(asked.user.department))]

    async def floor(self, asked: Asked) -> FloorView:
        """Every seat of my department by name, and its campaigns."""
        return (await self._read()).of(asked.user.department)

    async def _read(self) -> Snapshot:
        return await self._ctx.store.read(lambda tx: Snapshot(audit.end(tx), self._whole(tx)))

    def _whole(self, tx: Tx) -> FloorView:
        now = self._ctx.clock.now()
        states = floor.states(tx)
        return FloorView(
            now=now,
            seats=self._seats(tx, now),
            campaigns={
                name: views.CampaignState(
                    title=campaign.title,
                    department=campaign.department,
                    paused=name in states and states[name][0],
                    reason=states[name][1] if name in states else "",
                    since=states[name][2] if name in states else None,
                )
                for name, campaign in self._ctx.rules.current.campaigns.items()
            },
            departments={
                name: department.title
                for name, department in self._ctx.rules.current.departments.items()
            },
        )

    def _seats(self, tx: Tx, now: datetime) -> list[FloorSeat]:
        listeners: dict[int, list[views.Listener]] = {}
        for ear in floor.listeners(tx):
            listener = views.Listener(user=ear.listener, name=ear.name, mode=Mode(ear.mode))
            listeners.setdefault(ear.seat, []).append(listener)
        return [
            FloorSeat(
                **line._asdict()
                | {
                    # A breather is a pause like any other to everybody but the phoner.
                    "reason": "pause" if line.reason == "breather" else line.reason,
                    "listeners": listeners.get(line.id, []),
                    "no_listener": line.id in listeners and _wants_none(tx, line.phoner),
                }
            )
            for line in floor.seats_shown(tx, now - GONE)
        ]

    async def _stand(self) -> FloorFigures:
        now = self._ctx.clock.now()
        counted = await self._counts.get(lambda figures_then: now - figures_then.at < COUNTED)
        return await self._ctx.store.read(lambda tx: floor_figures.standing(tx, self._ctx, counted))

    async def figures(self, asked: Asked) -> Figures:
        """Campaigns in figures, the provider's health, and alarms."""
        now = self._ctx.clock.now()
        figures_now = await self._standings.get(lambda figure: now - figure.at < FRESH)
        shown = [
            campaign
            for campaign in figures_now.campaigns
            if asked.sees(campaign.campaign.department)
        ]
        names = {figure.campaign.name for figure in shown}
        return Figures(
            at=figures_now.at,
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
                taken=figures_now.taken,
                declined=figures_now.declined,
                silent=figures_now.silent,
                per_second=round(figures_now.last_minute / 60, 2),
                most_per_second=self._ctx.calls_per_second,
            ),
            alarms=[
                views.AlarmView(kind=alarm.kind, campaign=alarm.campaign, values=alarm.values)
                for alarm in figures_now.alarms
                if alarm.campaign is None or alarm.campaign in names
            ],
        )

    async def seat(self, asked: Asked, seat: int) -> SeatDetails:
        """One seat: today's calls, and the forms about the phoner's calls."""
        now = self._ctx.clock.now()
        known = self._ctx.rules.current.campaigns
        midnight = now.astimezone(HOME).replace(hour=0, minute=0, second=0, microsecond=0)

        def look(tx: Tx) -> SeatDetails:
            line = next(
                (candidate for candidate in self._seats(tx, now) if candidate.id == seat), None
            )
            user = None if line is None else accounts.user(tx, line.phoner)
            if line is None or user is None or not asked.sees(line.department):
                raise NotFound("there is no such seat", key="not_found")
            made = calls.of_phoner(tx, user.id, midnight)[:MOST_CALLS]
            heard = listenings.heard_of(tx, asked.user.id, [call.attempt for call in made])
            trainees = accounts.trainees_of(tx, user.id)
            return SeatDetails(
                seat=line,
                shifts=user.shifts,
                trainees=[trainee.name for trainee in trainees],
                calls=[_call(call, heard=call.attempt in heard) for call in made],
                campaigns={
                    name: correctable(known[name])
                    for name in sorted({call.campaign for call in made})
                    if name in known
                },
                forms=forms_of(tx, user.id) if asked.may(Action.LISTEN) else [],
            )

        return await self._ctx.store.read(look)

    async def hand(self, asked: Asked, seat: int, body: Nothing) -> Done:
        """I have seen the raised hand."""
        del body
        await self._supervisor_actions.answer_hand(asked.user, seat)
        return Done()

    async def off(self, asked: Asked, seat: int, body: Nothing) -> Done:
        """End a shift: after the call in hand and its outcome."""
        del body
        await self._supervisor_actions.end_shift(asked.user, seat)
        return Done()

    async def presence(self, asked: Asked, body: Nothing) -> Present:
        """I am on the floor: a phoner's second shift needs that."""
        del body
        now = self._ctx.clock.now()
        await self._supervisor_actions.be_present(asked.user, now)
        return Present(seen_at=now)

    async def switch(self, asked: Asked, campaign: str, body: CampaignSwitch) -> Switched:
        """Stop or resume a campaign, and say why."""
        if not asked.sees(self._ctx.rules.campaign(campaign).department):
            raise NotFound(f"there is no campaign {campaign!r}", key="no_campaign")

        def work(tx: Tx) -> None:
            now = self._ctx.clock.now()
            paused, by = body.paused, asked.by
            campaign_pauses.switch(tx, campaign, body.reason, now, paused=paused, by=by)

        await self._ctx.store.run(work)
        return Switched(campaign=campaign, paused=body.paused)


def _wants_none(tx: Tx, phoner: int) -> bool:
    seat = seats.peek(tx, phoner)
    return seat is not None and placement.wants_no_listener(tx, seat)


def _call(call: CallRow, *, heard: bool) -> views.CallLine:
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
        heard=heard,
    )
