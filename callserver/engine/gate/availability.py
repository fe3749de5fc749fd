"""Whether a campaign has a contact to call for a phoner now, and if not, why and until when."""

from dataclasses import dataclass
from datetime import datetime

from callserver.database import campaign_states, contacts
from callserver.domain import hours
from callserver.domain.alarm import BREAKER
from callserver.domain.campaign import Campaign
from callserver.domain.hours import Place
from callserver.domain.policy import Policy
from callserver.domain.reason import Reason
from callserver.engine.context import Rules
from callserver.ports import Tx


@dataclass(frozen=True, slots=True)
class Availability:
    """An empty `reason`: a contact can be called now. A reason is one of a waiting seat, or the gate's."""

    reason: str = ""
    until: datetime | None = None
    said: str = ""  # words of the person who paused the campaign


def places(
    tx: Tx, rules: Rules, campaign: Campaign, now: datetime
) -> tuple[list[str], list[Place]]:
    """The campaign's places: those open now, and the others."""
    policy = rules.current.policy_of(campaign)
    open_places: list[str] = []
    closed: list[Place] = []
    for text in contacts.places_of(tx, campaign.name):
        place = Place.parse(text)
        if hours.is_open(policy, place, now):
            open_places.append(text)
        else:
            closed.append(place)
    return open_places, closed


def why_nothing(
    tx: Tx, rules: Rules, campaign: Campaign, phoner: int, closed: list[Place], now: datetime
) -> Availability:
    """Why nothing can be dialed now, and until when."""
    policy = rules.current.policy_of(campaign)
    opens = [
        at
        for place in contacts.ready_places(tx, campaign.name, [str(place) for place in closed])
        if (at := hours.next_open(policy, Place.parse(place), now)) is not None
    ]
    due = contacts.next_due(tx, campaign.name, phoner)
    call_backs = [at for kind, at in due.items() if kind != 0]
    times: list[tuple[datetime, str]] = [(at, "window_closed") for at in opens]
    times += [(at, "next_call_back") for at in call_backs]
    if 0 in due and (at := opens_from(tx, policy, campaign, due[0])) is not None:
        times.append((at, "next_contact" if at == due[0] else "window_closed"))
    if not times:
        has_list = bool(contacts.places_of(tx, campaign.name))
        return Availability("list_finished" if has_list else "no_list")
    until, reason = min(times)
    return Availability(reason, max(until, now))


def opens_from(tx: Tx, policy: Policy, campaign: Campaign, at: datetime) -> datetime | None:
    """The first instant from `at` on at which any of the campaign's places is open. A contact's due time does
    not consider calling hours."""
    its_places = (Place.parse(text) for text in contacts.places_of(tx, campaign.name))
    opens = (hours.next_open(policy, place, at) for place in its_places)
    return min((instant for instant in opens if instant is not None), default=None)


def paused(tx: Tx, campaign: str) -> tuple[bool, str]:
    """Whether the campaign is paused, and the words of the person who paused it.

    The words are empty for a campaign that was stopped automatically: an alarm explains that.
    """
    stopped, said = campaign_states.get(tx, campaign)
    return stopped, "" if said.startswith(BREAKER) else said


def of(tx: Tx, rules: Rules, campaign: Campaign, phoner: int, now: datetime) -> Availability:
    """What the campaign has for this phoner now."""
    stopped, said = paused(tx, campaign.name)
    if stopped:
        return Availability(Reason.CAMP_PAUSED.value, said=said)
    open_places, closed = places(tx, rules, campaign, now)
    if contacts.ready_places(tx, campaign.name, open_places):
        return Availability()
    reason = why_nothing(tx, rules, campaign, phoner, closed, now)
    due_now = reason.until is not None and reason.until <= now
    return Availability() if due_now else reason
