"""When may we promise to ring again? The campaign's limit, and the gate's own answer for the time.

An agreed time is the person's own wish and is kept outside the calling hours too; the phoner is told
that it lies outside, and when the hours next open, so that a slip of the finger does not ring at night.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from callserver.database.accounts import User
from callserver.domain import hours, permit
from callserver.domain.hours import Place
from callserver.domain.permit import Refusal
from callserver.domain.reason import Reason
from callserver.engine import cards, gate
from callserver.engine.gate import Question
from callserver.engine.house import House
from callserver.errors import Impossible
from callserver.ports import Tx

_OURS = frozenset(reason for reason in Reason if reason.startswith(("CAMP_", "AGENT_", "SYS_")))
"""Says something about us today, and nothing about the day of the call-back."""


@dataclass(frozen=True, slots=True)
class Window:
    """What may be promised, on the person's own clock."""

    zone: str
    now: datetime
    latest: datetime
    personal: bool  # the phoner who promises rings herself
    at: datetime | None = None  # the time that was asked about
    closed: tuple[Reason, ...] = ()  # outside the hours then: kept only as the person's own wish
    opens: datetime | None = None  # when the hours next open after it
    refused: tuple[Reason, ...] = ()  # the gate would say no then, agreed or not


def look(tx: Tx, ours: House, user: User, local: str | None) -> Window:
    """The limits; with `local` (2026-05-13T17:15, the person's clock) what the rules say of it.

    Raises:
        NotFound: there is no call in hand.
        Impossible: it is no such time.
    """
    call, contact = cards.in_hand(tx, user)
    campaign = ours.rules.campaign(call.campaign)
    policy = ours.rules.current.policies[campaign.policy]
    now = ours.clock.now()
    place = Place.parse(contact.place)
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
    asked = contact._replace(callback_for=at)
    facts = gate.collect(
        tx, ours.rules, ours.secret, Question(asked, campaign, "call_back", None, at)
    )
    # This very call is over by then, and a phoner will be there.
    then = replace(facts, active_call=False, phoner_reserved=True)
    answer = permit.decide(then, "asked about")
    reasons = answer.reasons if isinstance(answer, Refusal) else ()
    return replace(
        window,
        at=at,
        closed=hours.problems(policy, place, at),
        opens=hours.next_open(policy, place, at),
        refused=tuple(reason for reason in reasons if reason not in _OURS),
    )


def _instant(local: str, zone: ZoneInfo) -> datetime:
    try:
        found = datetime.fromisoformat(local)
        if found.tzinfo is not None:
            raise ValueError("with a zone")
    except ValueError:
        raise Impossible("a time is written like 2026-05-13T17:15", key="asks_at") from None
    return hours.instant(found.date(), found.hour * 60 + found.minute, zone)
