"""What may be asked: the law on gifts, one no, and the relation."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callserver.adapters.config_folder import load
from callserver.domain import asking
from callserver.domain.asking import AskEnd, ClosedReason, Topic
from callserver.domain.campaign import Campaign, Effect
from callserver.domain.configuration import Configuration
from callserver.domain.facts import Purpose, Relation
from callserver.domain.policy import Policy

CONFIG: Configuration = load(Path(__file__).parents[2] / "config")
TODAY = date(2026, 5, 12)
STRANGER = Relation()
MEMBER = Relation(member=True)


def policy(*, restricted: bool = True) -> Policy:
    policy_read = CONFIG.policies["dk"]
    return policy_read.model_copy(
        update={"gifts": policy_read.gifts.model_copy(update={"restricted": restricted})}
    )


def campaign(name: str, purpose: Purpose | None = None) -> Campaign:
    campaign_read = CONFIG.campaigns[name]
    return (
        campaign_read if purpose is None else campaign_read.model_copy(update={"purpose": purpose})
    )


purposes = st.sampled_from(list(Purpose))
names = st.sampled_from(sorted(CONFIG.campaigns))


@given(names, purposes, st.sampled_from([None, *AskEnd]))
def test_a_stranger_is_never_asked_for_a_gift(
    name: str, purpose: Purpose, over: AskEnd | None
) -> None:
    for rules in (policy(), None):
        guide = asking.guide(campaign(name, purpose), rules, STRANGER, TODAY, over)
        assert Topic.GIFT not in guide.may


@given(names, purposes, st.booleans(), st.sampled_from(list(AskEnd)))
def test_nothing_is_asked_after_the_ask_has_ended(
    name: str, purpose: Purpose, member: bool, over: AskEnd
) -> None:
    relation = Relation(member=member, last_gift=TODAY)
    guide = asking.guide(campaign(name, purpose), policy(), relation, TODAY, over)
    assert guide.may == ()
    assert {topic for topic, _ in guide.may_not} == set(Topic)
    assert guide.ended is over


@given(names, purposes, st.booleans())
def test_each_topic_is_open_or_has_a_reason(name: str, purpose: Purpose, member: bool) -> None:
    guide = asking.guide(campaign(name, purpose), policy(), Relation(member=member), TODAY)
    closed = {topic for topic, _ in guide.may_not}
    assert set(guide.may) | closed == set(Topic)
    assert not set(guide.may) & closed


@pytest.mark.parametrize(
    ("name", "purpose", "relation", "may", "why_no_gift"),
    [
        ("kanvas", None, STRANGER, {Topic.MEMBERSHIP}, ClosedReason.NO_GIFT_RELATION),
        ("kanvas", None, MEMBER, set(), ClosedReason.MIXED),
        ("opgradering", None, MEMBER, {Topic.RAISE}, ClosedReason.OTHER_PURPOSE),
        ("opgradering", None, STRANGER, set(), ClosedReason.NO_GIFT_RELATION),
        ("lapsed", None, STRANGER, {Topic.RETURN, Topic.WHY_LEFT}, ClosedReason.NO_GIFT_RELATION),
        ("afmeldte", None, MEMBER, {Topic.RETURN}, ClosedReason.OTHER_PURPOSE),
        ("opgradering", Purpose.GIFT, MEMBER, {Topic.GIFT}, None),
        ("leads", Purpose.GIFT, Relation(last_gift=date(2024, 5, 12)), {Topic.GIFT}, None),
        (
            "leads",
            Purpose.GIFT,
            Relation(last_gift=date(2024, 5, 11)),
            set(),
            ClosedReason.GIFT_TOO_OLD,
        ),
        (
            "leads",
            Purpose.RECRUIT_GIFT,
            Relation(last_gift=date(2026, 1, 1)),
            {Topic.MEMBERSHIP},
            ClosedReason.MIXED,
        ),
        ("opgradering", Purpose.SERVICE, MEMBER, set(), ClosedReason.OTHER_PURPOSE),
    ],
)
def test_what_may_be_asked_follows_purpose_and_relation(
    name: str,
    purpose: Purpose | None,
    relation: Relation,
    may: set[Topic],
    why_no_gift: ClosedReason | None,
) -> None:
    guide = asking.guide(campaign(name, purpose), policy(), relation, TODAY)
    assert set(guide.may) == may
    assert dict(guide.may_not).get(Topic.GIFT) is why_no_gift


def test_without_the_law_on_gifts_the_purpose_decides() -> None:
    guide = asking.guide(campaign("leads", Purpose.GIFT), policy(restricted=False), STRANGER, TODAY)
    assert guide.may == (Topic.GIFT,)


@pytest.mark.parametrize(
    ("effect", "wishes", "over"),
    [
        (None, (), None),
        (Effect.DONE, (), None),
        (Effect.RETRY, (), None),
        (Effect.REFUSED, (), AskEnd.REFUSED),
        (Effect.CALL_BACK, (), AskEnd.LATER),
        (None, ("never",), AskEnd.NO_CALLS),
        (None, ("not_this_number",), None),  # about the telephone, not about the matter
        (Effect.DONE, ("not_this_number",), None),
        (Effect.REFUSED, ("vulnerable",), AskEnd.VULNERABLE),  # the gravest is told
        (Effect.LEFT, (), AskEnd.LEFT),
    ],
)
def test_one_no_ends_the_ask(
    effect: Effect | None, wishes: tuple[str, ...], over: AskEnd | None
) -> None:
    assert asking.ask_end(effect, wishes) is over
