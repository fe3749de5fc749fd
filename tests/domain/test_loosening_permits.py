"""What is not looser permits no more: any two policies, at any facts."""

import random
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callserver.domain import facts as f
from callserver.domain import permit
from callserver.domain.policy import Policy, merged
from tests.domain.test_rules import EASY, anything, only_time
from tests.harness.loosening import DK, loosened_keys, policy

times = st.integers(0, 24 * 4)


@st.composite
def windows(draw: st.DrawFn) -> list[str]:
    marks = sorted(draw(st.sets(times, min_size=0, max_size=4)))
    return [
        f"{opens // 4:02}:{opens % 4 * 15:02}-{closes // 4:02}:{closes % 4 * 15:02}"
        for opens, closes in zip(marks[::2], marks[1::2], strict=False)
    ]


DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
maybe = st.none() | st.integers(1, 5)
ON = ("2026-10-10", "2026-10-12", "2026-12-24", "2027-03-01")
days = st.sampled_from(ON)
closed = st.sampled_from(["06-05", "12-24", "12-31", *ON])
CHANGES: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "hours": {
        "windows": st.dictionaries(st.sampled_from(DAYS), windows()),
        "before_holiday": st.none() | windows(),
        "dates": st.dictionaries(days, windows(), max_size=3),
        "close_guard_seconds": st.sampled_from([0, 60, 900]),
        "calendars": st.sampled_from([["DK"], ["DK", "FR"], ["FR"]]),
        "calendar_checked_until": st.sampled_from([2025, 2026, 2030]),
        "closed_days": st.lists(closed, unique=True),
    },
    "numbers": {
        "regions": st.lists(st.sampled_from(["DK", "GL", "FR", "US"]), min_size=1, unique=True),
        "kinds": st.sampled_from([["ordinary"], ["ordinary", "premium"]]),
    },
    "frequency": {
        "gap_hours": maybe,
        "per_day": maybe,
        "per_24_hours": maybe,
        "per_period": st.none()
        | st.fixed_dictionaries({"count": st.integers(1, 5), "days": st.integers(1, 40)}),
        "rest_days_after_refusal": st.sampled_from([None, 1, 60, 180]),
        "rest_hours_after_abandoned": st.sampled_from([None, 1, 72]),
        "call_back_tolerance_minutes": st.integers(1, 15),
    },
    "register": {
        "respected": st.booleans(),
        "except_members": st.booleans(),
        "except_consent": st.booleans(),
        "except_last_gift_years": maybe,
        "wash_days": st.sampled_from([None, 31, 100]),
    },
    "gifts": {"restricted": st.booleans(), "last_gift_years": st.integers(1, 4)},
    "person": {"min_age": st.sampled_from([0, 18, 30])},
    "abandon": {"limit_percent": st.sampled_from([None, 1.0, 3.0]), "window_days": st.just(30)},
}
FAMILIES = [(block, key) for block, values in CHANGES.items() for key in values]
SOURCE = {"source": "en kilde", "checked": "2026-11-23"}
CONSENTS: list[dict[str, Any]] = [
    {"mode": "not_needed"},
    {"mode": "opt_in"},
    {"mode": "opt_in", "except_members": True},
    {"mode": "express", "except_ended_years": 1},
    {"mode": "express", "except_ended_years": 3, "proof": True},
]


@st.composite
def policies(draw: st.DrawFn, family: tuple[str, str]) -> tuple[Policy, Policy]:
    """Two policies that differ in one rule; of hours, perhaps in several at once."""
    block, key = family
    if block == "consent":
        pair = st.lists(st.sampled_from(CONSENTS), min_size=2, max_size=2, unique_by=str)
        was, would = ({**DK, "consent": {**SOURCE, **rules}} for rules in draw(pair))
        return policy({}, was), policy({}, would)
    base: dict[str, Any] = {"register": {"except_members": False}}
    if draw(st.booleans()):
        other = draw(st.sampled_from(FAMILIES))
        base = merged(base, {other[0]: {other[1]: draw(CHANGES[other[0]][other[1]])}})
    base = merged(base, {block: {key: draw(CHANGES[block][key])}})
    change = merged(base, {block: {key: draw(CHANGES[block][key])}})
    if block == "hours" and draw(st.booleans()):
        another = draw(st.sampled_from(list(CHANGES["hours"])))
        change = merged(change, {block: {another: draw(CHANGES[block][another])}})
    return policy(base), policy(change)


def fact_sets() -> list[f.Facts]:  # noqa: C901 - a list of small changes
    """Facts in which one thing or two may stand in the way of a call, and nothing else does."""
    dice = random.Random(7)
    hours, weeks = timedelta(hours=1), timedelta(days=7)
    dates = [date(2026, 1, 12) + timedelta(days=n) for n in range(7)]
    dates += [date(2026, 4, 1), date(2026, 12, 23), date(2026, 12, 25), date(2026, 12, 31)]
    dates += [*map(date.fromisoformat, ON)]

    def at(facts: f.Facts) -> f.Facts:
        minutes = timedelta(minutes=dice.choice([15 * dice.randrange(96), 719, 720, 1259]))
        day = datetime.combine(dice.choice(dates), time(), ZoneInfo("Europe/Copenhagen"))
        return replace(facts, now=(day + minutes).astimezone(UTC))

    def rung(facts: f.Facts) -> f.Facts:
        back = (hours * dice.choice([1, 2, 3, 4, 5, 23]) * 1.1, weeks * dice.choice([1, 2, 4]))
        ago = [dice.choice(back) for _ in range(dice.randrange(1, 6))]
        agreed = dice.choice([None, facts.now + timedelta(minutes=dice.randrange(-16, 17))])
        attempts = tuple(facts.now - age for age in ago)
        return replace(facts, attempts=attempts, callback_for=agreed)

    def rested(facts: f.Facts) -> f.Facts:
        ago = timedelta(days=dice.choice([1, 30, 100, 200]))
        lost = facts.now - hours * dice.choice([0.5, 5, 80])
        # An abandoned call is called again at once only with a phoner reserved.
        return replace(facts, refused_at=facts.now - ago, abandoned_at=lost)

    def elsewhere(facts: f.Facts) -> f.Facts:
        numbers = ["+299221234", "+33199001234", "+12065550100", "+4590123456"]
        return replace(facts, number=dice.choice(numbers))

    def related(facts: f.Facts) -> f.Facts:
        day = facts.now.date() - timedelta(days=dice.choice([10, 500, 900, 1300]))
        relations = [f.Relation(), f.Relation(member=True), f.Relation(last_gift=day)]
        relation = dice.choice([*relations, f.Relation(ended=day)])
        purpose = dice.choice([f.Purpose.RECRUIT, f.Purpose.GIFT])
        return replace(facts, relation=relation, purpose=purpose)

    def asked_for(facts: f.Facts) -> f.Facts:
        given = f.Consent(f.ConsentEvent.GIVEN, facts.now - weeks, proof=dice.random() < 0.5)
        return replace(facts, consents=(given,))

    def listed(facts: f.Facts) -> f.Facts:
        washed = facts.now - timedelta(days=dice.choice([10, 60, 200]))
        facts = related(facts) if dice.random() < 0.7 else facts
        return replace(facts, register=f.Register(dice.random() < 0.7, washed))

    def young(facts: f.Facts) -> f.Facts:
        born = facts.now.date() - timedelta(days=365 * dice.choice([10, 17, 20, 40]))
        return replace(facts, person=f.Person(born=born))

    def lost(facts: f.Facts) -> f.Facts:
        return replace(facts, campaign=f.CampaignState(answered=100, abandoned=dice.choice([2, 9])))

    kinds = [at, at, rung, rung, rested, elsewhere, related, asked_for, listed, young, lost]
    permits = []
    for _ in range(300):
        facts = EASY
        for change in sorted(dice.sample(kinds, dice.choice([1, 1, 2])), key=kinds.index):
            facts = change(facts)  # the clock first: the others count from it
        permits.append(facts)
    return permits


POOL = fact_sets()


def permitted(facts: f.Facts, policy: Policy) -> bool:
    return not permit.reasons_against(replace(facts, policy=policy))


NEVER_ASKED_AT_A_DIAL = {
    "ring.min_ring_seconds",  # held against the campaign when the files are read
    "abandon.window_days",
    "frequency.rest_hours_after_abandoned",  # every dial of ours has a phoner reserved
}


@pytest.mark.parametrize("family", [*FAMILIES, ("consent", "")], ids=".".join)
def test_what_is_not_looser_never_permits_what_was_refused(family: tuple[str, str]) -> None:
    """And where it is looser, such dials are found: the same look can fail."""
    opened = set()

    @given(policies(family))
    @settings(
        deadline=None, max_examples=20, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    def look(pair: tuple[Policy, Policy]) -> None:
        was, would = pair
        is_looser = bool(loosened_keys(was, would))
        for number, facts in enumerate(POOL):
            if permitted(facts, would) and not permitted(facts, was):
                assert is_looser, facts
                opened.add(number)

    look()
    assert opened or ".".join(family) in NEVER_ASKED_AT_A_DIAL


@given(st.sampled_from([*FAMILIES, ("consent", "")]).flatmap(policies), only_time() | anything())
@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
def test_whatever_the_facts(pair: tuple[Policy, Policy], facts: f.Facts) -> None:
    was, would = pair
    if not loosened_keys(was, would) and permitted(facts, would):
        assert permitted(facts, was)
