"""What a call may and may not ask for, and why: from purpose, policy and relation. Pure.

A stranger is never asked for a gift, recruiting and asking for a gift are never mixed
(Indsamlingsloven), and one refusal ends the ask for the whole call. Wishes are never asked for: they
are accepted at any time.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from callserver.domain.campaign import Campaign, Effect
from callserver.domain.facts import Purpose, Relation, Segment
from callserver.domain.marks import MarkKind
from callserver.domain.outcome import FREQUENCIES
from callserver.domain.policy import Policy
from callserver.domain.suppression import gave_within


class Topic(StrEnum):
    """What a phoner may ask a person for."""

    MEMBERSHIP = "membership"
    RAISE = "raise"  # higher dues
    RETURN = "return"  # being a member again, paying again
    WHY_LEFT = "why_left"
    GIFT = "gift"


class ClosedReason(StrEnum):
    """Why a topic is closed."""

    OTHER_PURPOSE = "other_purpose"  # this call is about something else
    MEMBER = "member"  # the person is a member already
    NO_MEMBER = "no_member"
    NO_GIFT_RELATION = "no_gift_relation"  # the person is a stranger
    GIFT_TOO_OLD = "gift_too_old"
    MIXED = "mixed"  # recruiting and a gift in one call
    ENDED = "ended"  # the ask has ended: `Guide.ended` says why


class AskEnd(StrEnum):
    """What ended the ask."""

    LATER = "later"
    REFUSED = "refused"
    NO_CALLS = "no_calls"
    WRONG_NUMBER = "wrong_number"
    DECEASED = "deceased"
    VULNERABLE = "vulnerable"
    COMPLAINT = "complaint"
    LEFT = "left"


BY_EFFECT = {
    Effect.REFUSED: AskEnd.REFUSED,
    Effect.NOT_NOW: AskEnd.LATER,
    Effect.CALL_BACK: AskEnd.LATER,
    Effect.SUPPRESS: AskEnd.NO_CALLS,
    Effect.WRONG_NUMBER: AskEnd.WRONG_NUMBER,
    Effect.DECEASED: AskEnd.DECEASED,
    Effect.VULNERABLE: AskEnd.VULNERABLE,
    Effect.COMPLAINT: AskEnd.COMPLAINT,
    Effect.LEFT: AskEnd.LEFT,
}

BY_WISH = {
    "never": AskEnd.NO_CALLS,
    "not_this_household": AskEnd.NO_CALLS,
    "not_about_this": AskEnd.REFUSED,
    "vulnerable": AskEnd.VULNERABLE,
}
"""Wishes stated during the call. "Not on this number" is about the telephone, not about the topic."""


BY_MARK = {
    MarkKind.REFUSED: AskEnd.REFUSED,
    MarkKind.LEFT: AskEnd.LEFT,
    MarkKind.VULNERABLE: AskEnd.VULNERABLE,
    MarkKind.DECEASED: AskEnd.DECEASED,
}
"""Marks that a call has written."""

CORRECTABLE = frozenset({AskEnd.LATER, AskEnd.WRONG_NUMBER})
"""An outcome of this kind may be corrected to an agreement. After an opt-out or a refusal nobody can
correct the call's outcome to an agreement."""

TOPICS = {
    Purpose.RECRUIT: (Topic.MEMBERSHIP,),
    Purpose.GIFT: (Topic.GIFT,),
    Purpose.RECRUIT_GIFT: (Topic.MEMBERSHIP, Topic.GIFT),
    Purpose.UPGRADE: (Topic.RAISE,),
    Purpose.REINSTATE: (Topic.RETURN,),
    Purpose.SERVICE: (),
}
"""What an agreement of a call with this purpose can be about."""

ONCE = "once"
"""The frequency of a gift: dues are recurring."""


@dataclass(frozen=True, slots=True)
class Guide:
    """What this call may ask for, and what it may not ask for and why."""

    may: tuple[Topic, ...]
    may_not: tuple[tuple[Topic, ClosedReason], ...]
    ended: AskEnd | None = None


def why_no_agreement(purpose: Purpose, guide: Guide) -> ClosedReason | None:
    """Why a call with this purpose cannot lead to an agreement with this person; None: it can."""
    topics = TOPICS[purpose]
    if any(topic in guide.may for topic in topics):
        return None
    return dict(guide.may_not)[topics[0]] if topics else ClosedReason.OTHER_PURPOSE


def frequencies(purpose: Purpose) -> tuple[str, ...]:
    """The payment frequencies that such a call can agree on, whatever the person's relation."""
    gifts = Topic.GIFT in TOPICS[purpose]
    return tuple(frequency for frequency in FREQUENCIES if gifts or frequency != ONCE)


def ask_end(effect: Effect | None, wishes: Collection[str]) -> AskEnd | None:
    """What has ended the ask, if anything: a wish, or the outcome. The most serious one counts."""
    endings = {BY_WISH[wish] for wish in wishes if wish in BY_WISH}
    if effect in BY_EFFECT:
        endings.add(BY_EFFECT[effect])
    return max(endings, key=list(AskEnd).index, default=None)


def guide(
    campaign: Campaign,
    policy: Policy | None,
    relation: Relation,
    today: date,
    over: AskEnd | None = None,
) -> Guide:
    """What this call may ask this person for. `today` is the date at the person's place."""
    closed = {
        topic: why for topic in Topic if (why := _why_not(topic, campaign, policy, relation, today))
    }
    open_topics = tuple(topic for topic in Topic if topic not in closed)
    if over is None:
        return Guide(open_topics, tuple(closed.items()))
    all_closed = {topic: closed.get(topic, ClosedReason.ENDED) for topic in Topic}
    return Guide((), tuple(all_closed.items()), over)


def _why_not(
    topic: Topic, campaign: Campaign, policy: Policy | None, relation: Relation, today: date
) -> ClosedReason | None:
    purpose = campaign.purpose
    match topic:
        case Topic.MEMBERSHIP:
            if relation.member:
                return ClosedReason.MEMBER
            return (
                None
                if purpose in (Purpose.RECRUIT, Purpose.RECRUIT_GIFT)
                else ClosedReason.OTHER_PURPOSE
            )
        case Topic.RAISE:
            if not relation.member:
                return ClosedReason.NO_MEMBER
            return None if purpose is Purpose.UPGRADE else ClosedReason.OTHER_PURPOSE
        case Topic.RETURN:
            return None if purpose is Purpose.REINSTATE else ClosedReason.OTHER_PURPOSE
        case Topic.WHY_LEFT:
            return None if campaign.segment is Segment.LAPSED else ClosedReason.OTHER_PURPOSE
        case Topic.GIFT:
            return _no_gift(purpose, policy, relation, today)


def _no_gift(
    purpose: Purpose, policy: Policy | None, relation: Relation, today: date
) -> ClosedReason | None:
    """Without a policy the strictest rule applies: only members are asked."""
    if not relation.member and (policy is None or policy.gifts.restricted):
        gift = relation.last_gift
        if gift is None:
            return ClosedReason.NO_GIFT_RELATION
        if policy is None or not gave_within(gift, policy.gifts.last_gift_years, today):
            return ClosedReason.GIFT_TOO_OLD
        if purpose is Purpose.RECRUIT_GIFT:
            return ClosedReason.MIXED
    if purpose is Purpose.RECRUIT:
        return ClosedReason.MIXED
    return None if purpose in (Purpose.GIFT, Purpose.RECRUIT_GIFT) else ClosedReason.OTHER_PURPOSE
