"""When a call-back may be promised: the campaign's limit, and the gate's answer for that time.

An agreed time is the person's own wish and is kept outside the calling hours too; the phoner is told that
it lies outside, and when the hours next open, so that a typing error does not call at night.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from callserver.database import calls, contacts
from callserver.database.accounts import User
from callserver.database.calls import CallRow
from callserver.database.contacts import Contact
from callserver.domain import hours, permit
from callserver.domain.audit import FIRST_YEAR, LAST_YEAR
from callserver.domain.call import DialPath
from callserver.domain.campaign import Campaign
from callserver.domain.contact_status import ContactStatus
from callserver.domain.permit import Refusal
from callserver.domain.reason import Reason
from callserver.engine.context import EngineContext, RecordingContext
from callserver.engine.gate import gate, stored_facts
from callserver.engine.gate.stored_facts import DialRequest
from callserver.engine.identity import people_in_reach
from callserver.engine.outcomes import contact_card, correctable
from callserver.errors import Impossible, NotFound
from callserver.ports import Tx

MOST_STEPS = 5
"""How often a time is moved later because a limit on attempts excludes it."""

_ABOUT_US = frozenset(reason for reason in Reason if reason.startswith(("CAMP_", "AGENT_", "SYS_")))
"""Reasons that concern the server now and say nothing about the time of the call-back."""


@dataclass(frozen=True, slots=True)
class Window:
    """What may be promised, in the person's local time."""

    zone: str
    now: datetime
    latest: datetime
    personal: bool  # the phoner who promises makes the call
    at: datetime | None = None  # the time that was asked about
    closed: tuple[Reason, ...] = ()  # outside the hours then: kept only as the person's own wish
    opens: datetime | None = None  # when the hours next open after it
    refused: tuple[Reason, ...] = ()  # the gate would refuse then, even as an agreed call


def look(
    tx: Tx, ctx: EngineContext, user: User, local: str | None, attempt: str | None = None
) -> Window:
    """The limits for a call-back and, with `local`, the rules' answer for that time.

    `local`: the person's local time, such as 2026-05-13T17:15. `attempt`: an earlier call whose outcome this user
    may correct; None: the call in hand.

    Raises:
        NotFound, NotAllowed: there is no such call, or it is not this user's to correct.
        Impossible: `local` is not a valid time.
    """
    call, contact = (
        contact_card.in_hand(tx, user) if attempt is None else _earlier(tx, ctx, user, attempt)
    )
    campaign = ctx.rules.campaign(call.campaign)
    policy = ctx.rules.current.policy_of(campaign)
    now = ctx.clock.now()
    place = stored_facts.place_of(contact, people_in_reach.of(tx, contact))
    zone = hours.zones_of(place)[0]
    window = Window(
        zone=zone.key,
        now=now,
        latest=now + timedelta(days=campaign.call_backs.most_days_ahead),
        personal=campaign.call_backs.personal,
    )
    if local is None:
        return window
    at = _instant(local, zone)
    answer = decided(tx, ctx, contact, campaign, at)
    return replace(
        window,
        at=at,
        closed=hours.problems(policy, place, at),
        opens=hours.next_open(policy, place, at),
        refused=() if answer is None else answer.reasons,
    )


def _earlier(tx: Tx, ctx: EngineContext, user: User, attempt: str) -> tuple[CallRow, Contact]:
    """A call whose outcome the user may correct, and its contact."""
    call = calls.get(tx, attempt)
    contact = None if call is None or call.contact is None else contacts.get(tx, call.contact)
    if call is None or contact is None:
        raise NotFound("there is no such call", key="not_found")
    correctable.check(user, call, ctx.rules.known(call.campaign))
    return call, contact


def decided(
    tx: Tx,
    ctx: RecordingContext,
    contact: Contact,
    campaign: Campaign,
    at: datetime,
    *,
    asks: bool = False,
) -> Refusal | None:
    """The gate's refusal of a call agreed for that time; None: it would be permitted.

    By then the present call is over and a phoner is available. `asks`: the person asks for the call of
    their own accord, which ends their earlier "no, thank you" and "not now".
    """
    agreed = contact._replace(status=ContactStatus.CALL_BACK, callback_for=at, next_at=at)
    question = DialRequest(agreed, campaign, DialPath.CALL_BACK, None, at)
    facts = gate.collect(tx, ctx.rules, ctx.secret, question)
    facts = replace(facts, active_call=False, phoner_reserved=True)
    if asks:
        facts = replace(facts, refused_at=None, not_now_until=None)
    answer = permit.decide(facts, "asked about")
    if not isinstance(answer, Refusal):
        return None
    reasons = tuple(reason for reason in answer.reasons if reason not in _ABOUT_US)
    return Refusal(reasons, answer.next_at) if reasons else None


def on_request(
    tx: Tx, ctx: EngineContext, contact: Contact, campaign: Campaign, now: datetime
) -> datetime | None:
    """When a person who asks for a call can be called, within the hours; None: the gate would refuse."""
    policy = ctx.rules.current.policy_of(campaign)
    place = stored_facts.place_of(contact, people_in_reach.of(tx, contact))
    at = hours.next_open(policy, place, now)
    for _ in range(MOST_STEPS):
        if at is None:
            return None
        refused = decided(tx, ctx, contact, campaign, at, asks=True)
        if refused is None:
            return at
        if refused.next_at is None or not all(reason in permit.TIMED for reason in refused.reasons):
            return None
        at = hours.next_open(policy, place, refused.next_at)
    return None


def _instant(local: str, zone: ZoneInfo) -> datetime:
    try:
        written = datetime.fromisoformat(local)
        if written.tzinfo is not None or not FIRST_YEAR <= written.year <= LAST_YEAR:
            raise ValueError("with a zone, or in an impossible year")
    except ValueError:
        raise Impossible("a time is written like 2026-05-13T17:15", key="asks_at") from None
    minute = hours.instant(written.date(), written.hour * 60 + written.minute, zone)
    return minute + timedelta(seconds=written.second)
