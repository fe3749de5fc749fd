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


def test_a_wish_beside_an_outcome_and_the_gravest_of_all() -> None:
    """In the order of their gravity, whatever was said first."""
    effects: list[Effect | None] = [None, *Effect]
    for effect in effects:
        for wish in ("never", "not_about_this", "not_this_household", "vulnerable", "no_wish"):
            endings = [asking.ask_end(effect, ()), asking.ask_end(None, (wish,))]
            gravest = max((end for end in endings if end), key=list(AskEnd).index, default=None)
            assert asking.ask_end(effect, (wish,)) is gravest


def test_what_ends_the_ask_by_itself() -> None:
    assert {effect: asking.ask_end(effect, ()) for effect in Effect} == {
        Effect.DONE: None,
        Effect.RETRY: None,
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


@pytest.mark.parametrize(
    ("name", "purpose", "relation", "over", "why"),
    [
        ("kanvas", Purpose.RECRUIT, STRANGER, None, None),
        ("kanvas", Purpose.RECRUIT, MEMBER, None, ClosedReason.MEMBER),
        ("kanvas", Purpose.RECRUIT, STRANGER, AskEnd.REFUSED, ClosedReason.ENDED),
        ("opgradering", Purpose.UPGRADE, STRANGER, None, ClosedReason.NO_MEMBER),
        ("leads", Purpose.GIFT, STRANGER, None, ClosedReason.NO_GIFT_RELATION),
        ("leads", Purpose.RECRUIT_GIFT, STRANGER, None, None),
        ("leads", Purpose.RECRUIT_GIFT, MEMBER, None, None),  # a gift, and no membership
        ("leads", Purpose.SERVICE, MEMBER, None, ClosedReason.OTHER_PURPOSE),
    ],
)
def test_an_agreement_needs_one_open_topic(
    name: str,
    purpose: Purpose,
    relation: Relation,
    over: AskEnd | None,
    why: ClosedReason | None,
) -> None:
    guide = asking.guide(campaign(name, purpose), policy(), relation, TODAY, over)
    assert asking.why_no_agreement(purpose, guide) is why


def test_only_a_gift_may_be_given_once() -> None:
    dues = ("monthly", "quarterly", "yearly")
    for purpose in Purpose:
        is_gift = purpose in (Purpose.GIFT, Purpose.RECRUIT_GIFT)
        assert asking.frequencies(purpose) == ((*dues, "once") if is_gift else dues)


def test_without_a_policy_only_members_are_asked_for_a_gift() -> None:
    gift = campaign("leads", Purpose.GIFT)
    for relation, may in ((MEMBER, (Topic.GIFT,)), (STRANGER, ()), (Relation(last_gift=TODAY), ())):
        assert asking.guide(gift, None, relation, TODAY).may == may
