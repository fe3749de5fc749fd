"""Responses of the floor page: seats, one seat in detail, figures of campaigns, alarms.

Nothing here counts, orders or compares phoners by the outcomes of their calls.
"""

from collections.abc import Mapping

from pydantic import AwareDatetime

from callserver.console.endpoint import Answer
from callserver.console.listening.views import FormView
from callserver.console.phone.views import Correctable
from callserver.domain.alarm import AlarmKind
from callserver.domain.label import Label
from callserver.domain.listening import Mode
from callserver.domain.seat import SeatState


class Listener(Answer):
    """A user who listens to this seat."""

    user: int
    name: str
    mode: Mode


class FloorSeat(Answer):
    """One seat at a glance."""

    id: int
    phoner: int
    name: str
    department: str | None
    campaign: str | None
    state: SeatState
    reason: str
    since: AwareDatetime
    until: AwareDatetime | None
    wants: SeatState
    connected: bool
    outcome_owed: bool
    hand_at: AwareDatetime | None
    listeners: list[Listener]
    no_listener: bool  # the person on the line wants no listener: listeners hear nothing


class CampaignState(Answer):
    title: Label
    department: str
    paused: bool
    reason: str
    since: AwareDatetime | None


class FloorView(Answer):
    """Every seat of my department by name, and its campaigns."""

    now: AwareDatetime
    seats: list[FloorSeat]
    campaigns: Mapping[str, CampaignState]
    departments: Mapping[str, Label]


class FloorChanges(Answer):
    """What has changed since the floor that this page was sent before."""

    now: AwareDatetime
    seats: list[FloorSeat]  # as they are now
    campaigns: Mapping[str, CampaignState] | None  # all of them; None: unchanged


class CampaignFigures(Answer):
    """A campaign's list and today's calls. Days are in UTC."""

    contacts: Mapping[str, int]  # by status
    open_now: int  # ready contacts in places with open calling hours; each dial checks all rules
    next_at: AwareDatetime | None  # when calling hours open next, if they are closed everywhere
    dials: int  # today
    answered: int
    abandoned: int
    refusals: Mapping[str, int]  # today, by the first reason


class Provider(Answer):
    """Orders to the provider in the last five minutes, and their rate."""

    taken: int
    declined: int
    silent: int
    per_second: float  # of the last minute
    most_per_second: float


class AlarmView(Answer):
    kind: AlarmKind
    campaign: str | None
    about: str  # which campaign, register, exchange …; with the kind it is one alarm's
    values: Mapping[str, str | int]


class Figures(Answer):
    """The floor at one instant."""

    at: AwareDatetime
    campaigns: Mapping[str, CampaignFigures]
    provider: Provider
    alarms: list[AlarmView]


class CallLine(Answer):
    """One call of a phoner, as their supervisor sees it."""

    attempt: str
    campaign: str
    at: AwareDatetime
    number: str  # masked
    path: str
    answered_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    cause: str | None
    code: int | None  # the final SIP response, or the provider's own code
    outcome: str | None
    listened: bool  # I listened to it


class SeatDetails(Answer):
    """One seat: today's calls, what their outcomes may be corrected to, and the forms about the phoner."""

    seat: FloorSeat
    shift: int | None  # None: trained
    trainees: list[str]  # users whose mentor this phoner is
    calls: list[CallLine]
    campaigns: Mapping[str, Correctable]
    forms: list[FormView]
