"""What needs a second person: every field is classified, and what is not looser permits no more."""

import random
from collections.abc import Mapping
from dataclasses import fields as fields_of
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from callserver.adapters.config_folder import load
from callserver.domain import facts as f
from callserver.domain import loosening, loosening_tables, permit
from callserver.domain.campaign import Campaign, Outcome, Retry
from callserver.domain.case_rules import CaseRules
from callserver.domain.configuration import Configuration
from callserver.domain.listening import DisclosureTime
from callserver.domain.loosening import Looser, looser
from callserver.domain.loosening_tables import (
    CAMPAIGN,
    CASES,
    ORGANISATION,
    OUTCOME,
    POLICY,
    RETRY,
    SURVEY,
    TRAINING,
)
from callserver.domain.organisation import Organisation
from callserver.domain.policy import Policy, merged
from callserver.domain.training_rules import Level, TrainingRules
from callserver.texts import catalogue
from tests.domain.test_rules import EASY, anything, only_time

SHIPPED = load(Path(__file__).parents[2] / "config")
DK = SHIPPED.policies["dk"].model_dump(mode="json", by_alias=True)
KANVAS = SHIPPED.campaigns["kanvas"].model_dump(mode="json", by_alias=True)


def paths(model: type[BaseModel], table: Mapping[str, Any], under: str = "") -> set[str]:
    """The dotted keys of a model; what the table knows as a whole stays whole."""
    names: set[str] = set()
    for name, field in model.model_fields.items():
        key = under + (field.alias or name)
        kind = field.annotation
        if key not in table and isinstance(kind, type) and issubclass(kind, BaseModel):
            names |= paths(kind, table, f"{key}.")
        else:
            names.add(key)
    return names


@pytest.mark.parametrize(
    ("model", "table"),
    [
        (Policy, POLICY),
        (Campaign, CAMPAIGN),
        (Retry, RETRY),
        (Outcome, OUTCOME),
        (Organisation, ORGANISATION),
        (CaseRules, CASES),
    ],
)
def test_every_field_is_classified(model: type[BaseModel], table: Mapping[str, Any]) -> None:
    assert paths(model, table) <= set(table)


def test_every_part_of_a_configuration_is_known() -> None:
    assert {part.name for part in fields_of(Configuration)} <= loosening_tables.PARTS


def test_a_part_that_nobody_knows_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loosening, "PARTS", loosening_tables.PARTS - {"scripts"})
    would = replace(SHIPPED, scripts={})
    assert [(case.file, case.text) for case in looser(SHIPPED, would)] == [
        ("scripts.yaml", "looser.unknown")
    ]


def test_every_sentence_is_there() -> None:
    families = [(POLICY, ""), (CAMPAIGN, ""), (RETRY, "retry."), (OUTCOME, "outcomes.")]
    families.append((ORGANISATION, "house."))
    families += [(CASES, "cases."), (SURVEY, "survey."), (TRAINING, "training.")]
    wanted = {
        f"looser.{family}{key}"
        for table, family in families
        for key, compare in table.items()
        if compare is not loosening_tables.free
    }
    wanted |= {f"looser.hours.{key}" for key in ("windows", "before_holiday", "dates")}
    wanted |= {"looser.hours.closed_days", "looser.unknown", "looser.new_campaign"}
    wanted |= {"looser.given_up", "looser.retry.added"}
    wanted |= {"looser.outcomes.removed", "looser.outcomes.retries"}
    there = {key for key in catalogue("da") if key.startswith("looser.")}
    assert there == wanted


def policy(change: Mapping[str, Any], base: Mapping[str, Any] = DK) -> Policy:
    return Policy.model_validate(merged(dict(base), dict(change)))


def with_policy(policy: Policy, campaign: str = "kanvas") -> Configuration:
    """The shipped configuration, in which one policy is another."""
    del campaign
    return replace(SHIPPED, policies={**SHIPPED.policies, "dk": policy})


def keys(was: Policy, would: Policy) -> list[str]:
    return [case.key for case in looser(with_policy(was), with_policy(would))]


WEEK = {day: ["09:00-21:00"] for day in ("mon", "tue", "wed", "thu", "fri")}
LOOSER: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("hours.windows.sat", {}, {"hours": {"windows": {**WEEK, "sat": ["10:00-16:00"]}}}),
    ("hours.windows.fri", {}, {"hours": {"windows": {**WEEK, "fri": ["09:00-21:01"]}}}),
    (
        "hours.windows.mon",  # a pause that is gone
        {"hours": {"windows": {**WEEK, "mon": ["09:00-12:00", "13:00-21:00"]}}},
        {"hours": {"windows": WEEK}},
    ),
    (
        "hours.windows.mon",  # with a guard, two windows that touch have a pause between them
        {
            "hours": {
                "windows": {**WEEK, "mon": ["09:00-12:00", "12:00-21:00"]},
                "close_guard_seconds": 60,
            }
        },
        {"hours": {"windows": WEEK, "close_guard_seconds": 60}},
    ),
    (
        "hours.before_holiday",
        {"hours": {"before_holiday": ["09:00-15:00"]}},
        {"hours": {"before_holiday": None}},
    ),
    (
        "hours.before_holiday",  # more calendars, and wider windows on the days before
        {"hours": {"before_holiday": ["08:00-22:00"]}},
        {"hours": {"before_holiday": ["08:00-22:00"], "calendars": ["DK", "FO"]}},
    ),
    (
        "hours.dates.2026-10-10",  # a Saturday
        {},
        {"hours": {"dates": {"2026-10-10": ["10:00-12:00"]}}},
    ),
    (
        "hours.dates.2026-10-12",  # a Monday that was closed, and would be any Monday
        {"hours": {"dates": {"2026-10-12": []}}},
        {"hours": {"dates": {}}},
    ),
    (
        "hours.dates.2026-12-24",
        {},
        {"hours": {"dates": {"2026-12-24": ["10:00-12:00"]}}},
    ),
    ("hours.closed_days", {}, {"hours": {"closed_days": ["06-05", "12-24"]}}),
    (
        "hours.close_guard_seconds",
        {"hours": {"close_guard_seconds": 60}},
        {"hours": {"close_guard_seconds": 0}},
    ),
    ("hours.calendars", {"hours": {"calendars": ["DK", "GL"]}}, {}),
    ("hours.calendar_checked_until", {}, {"hours": {"calendar_checked_until": 2031}}),
    ("numbers.regions", {}, {"numbers": {"regions": ["DK", "GL"]}}),
    ("numbers.kinds", {}, {"numbers": {"kinds": ["ordinary", "corporate"]}}),
    ("frequency.gap_hours", {}, {"frequency": {"gap_hours": 3}}),
    ("frequency.per_day", {}, {"frequency": {"per_day": None}}),
    ("frequency.per_24_hours", {"frequency": {"per_24_hours": 2}}, {}),
    ("frequency.per_period", {}, {"frequency": {"per_period": {"count": 4, "days": 29}}}),
    ("frequency.per_period", {}, {"frequency": {"per_period": {"count": 5, "days": 60}}}),
    ("frequency.rest_days_after_refusal", {}, {"frequency": {"rest_days_after_refusal": 60}}),
    ("frequency.rest_hours_after_abandoned", {}, {"frequency": {"rest_hours_after_abandoned": 1}}),
    (
        "frequency.call_back_tolerance_minutes",
        {"frequency": {"call_back_tolerance_minutes": 5}},
        {},
    ),
    ("register.respected", {}, {"register": {"respected": False}}),
    ("register.name", {}, {"register": {"name": "another"}}),
    ("register.except_members", {"register": {"except_members": False}}, {}),
    ("register.except_consent", {"register": {"except_consent": False}}, {}),
    ("register.except_last_gift_years", {}, {"register": {"except_last_gift_years": 1}}),
    ("register.wash_days", {}, {"register": {"wash_days": None}}),
    ("consent.mode", {"consent": {"mode": "opt_in"}}, {"consent": {"mode": "not_needed"}}),
    (
        "consent.except_members",
        {"consent": {"mode": "opt_in"}},
        {"consent": {"mode": "opt_in", "except_members": True}},
    ),
    (
        "consent.except_ended_years",
        {"consent": {"mode": "opt_in", "except_ended_years": 1}},
        {"consent": {"mode": "opt_in", "except_ended_years": 2}},
    ),
    (
        "consent.proof",
        {"consent": {"mode": "express", "proof": True}},
        {"consent": {"mode": "express"}},
    ),
    ("gifts.restricted", {}, {"gifts": {"restricted": False}}),
    ("gifts.last_gift_years", {}, {"gifts": {"last_gift_years": 3}}),
    ("person.min_age", {}, {"person": {"min_age": 17}}),
    ("ring.min_ring_seconds", {}, {"ring": {"min_ring_seconds": 10}}),
    ("abandon.limit_percent", {}, {"abandon": {"limit_percent": None}}),
    ("abandon.smallest_sample", {}, {"abandon": {"smallest_sample": 200}}),
    ("abandon.window_days", {}, {"abandon": {"window_days": 60}}),
]


@pytest.mark.parametrize(("key", "was", "would"), LOOSER, ids=[case[0] for case in LOOSER])
def test_a_looser_policy_is_named_by_its_key(
    key: str, was: dict[str, Any], would: dict[str, Any]
) -> None:
    assert key in keys(policy(was), policy(would))


def test_every_protecting_field_of_a_policy_is_tried_above() -> None:
    protecting = {key for key, compare in POLICY.items() if compare is not loosening_tables.free}
    assert protecting <= {key for key, _, _ in LOOSER}


@pytest.mark.parametrize(
    ("was", "would"),
    [
        ({}, {}),
        (
            {},
            {"title": "andre ord", "hours": {"source": "en anden kilde", "checked": "2026-12-01"}},
        ),
        ({}, {"hours": {"windows": {"mon": ["10:00-12:00", "13:00-20:00"]}}}),
        ({}, {"hours": {"close_guard_seconds": 60}}),
        ({}, {"hours": {"dates": {"2026-10-12": ["10:00-12:00"]}}}),
        ({}, {"hours": {"dates": {"2026-12-24": []}}}),
        (
            {"hours": {"closed_days": ["2026-12-24", "12-31"]}},
            {"hours": {"closed_days": ["12-24", "12-31"]}},
        ),
        ({}, {"frequency": {"per_period": {"count": 3, "days": 60}, "per_24_hours": 1}}),
        (  # a rule where there was none, whatever its exceptions
            {"register": {"respected": False, "except_members": False}},
            {"register": {"respected": True, "except_members": True}},
        ),
        ({}, {"consent": {"mode": "opt_in", "except_members": True}}),
        ({"gifts": {"restricted": False}}, {"gifts": {"restricted": True, "last_gift_years": 9}}),
    ],
)
def test_words_and_stricter_rules_need_one_person(
    was: dict[str, Any], would: dict[str, Any]
) -> None:
    assert keys(policy(was), policy(would)) == []


# -- campaigns ---------------------------------------------------------------------------------


def campaigns(change: Mapping[str, Any], drop: str = "") -> Configuration:
    data = merged(dict(KANVAS), dict(change))
    if drop:
        data["outcomes"] = {
            key: outcome for key, outcome in data["outcomes"].items() if key != drop
        }
    campaign = Campaign.model_validate(data)
    return replace(SHIPPED, campaigns={**SHIPPED.campaigns, "kanvas": campaign})


@pytest.mark.parametrize(
    ("key", "change"),
    [
        ("organisation", {"organisation": "En anden"}),
        ("segment", {"segment": "LEADS"}),
        ("purpose", {"purpose": "SERVICE"}),
        ("department", {"department": "syd"}),
        ("caller_id", {"caller_id": "+4532123499"}),
        ("ring_seconds", {"ring_seconds": 20}),
        ("most_tries", {"most_tries": 9}),
        ("call_backs.personal", {"call_backs": {"personal": False}}),
        ("call_backs.release_after_minutes", {"call_backs": {"release_after_minutes": 0}}),
        ("call_backs.most_days_ahead", {"call_backs": {"most_days_ahead": 90}}),
        ("wrap_up_seconds", {"wrap_up_seconds": 30}),
        ("cards", {"cards": []}),
        ("retry.busy.after_minutes", {"retry": {"busy": {"after_minutes": 60}}}),
        ("retry.busy.most", {"retry": {"busy": {"most": 5}}}),
        ("retry.declined", {"retry": {"declined": {"after_minutes": 60, "most": 1}}}),
        ("outcomes.never.scope", {"outcomes": {"never": {"scope": "number"}}}),
        ("outcomes.never.does", {"outcomes": {"never": {"does": "refused"}}}),
        ("outcomes.no_thanks.does", {"outcomes": {"no_thanks": {"does": "not_now"}}}),
        ("outcomes.not_now.rest_days", {"outcomes": {"not_now": {"rest_days": 5}}}),
        ("outcomes.complaint.asks", {"outcomes": {"complaint": {"asks": []}}}),
        ("outcomes.member.agreement", {"outcomes": {"member": {"agreement": False}}}),
        ("outcomes.hung_up.retry_as", {"outcomes": {"hung_up": {"retry_as": "busy"}}}),
        (
            "outcomes.again",
            {"outcomes": {"again": {"label": {"da": "A", "en": "A"}, "does": "retry"}}},
        ),
    ],
)
def test_a_looser_campaign_is_named_by_its_key(key: str, change: dict[str, Any]) -> None:
    loosenings = looser(SHIPPED, campaigns(change))
    assert [(loosening.file, loosening.key) for loosening in loosenings] == [
        ("campaigns/kanvas.yaml", key)
    ]


@pytest.mark.parametrize("name", ["never", "no_thanks", "complaint", "vulnerable", "call_back"])
def test_a_wish_that_cannot_be_given_any_more_is_looser(name: str) -> None:
    loosenings = looser(SHIPPED, campaigns({}, drop=name))
    assert [(loosening.key, loosening.text) for loosening in loosenings] == [
        (f"outcomes.{name}", "looser.outcomes.removed")
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"title": {"da": "Andre ord"}, "why": {"en": "Other words"}, "priority": 9},
        {"most_tries": 1, "wrap_up_seconds": 90, "retry": {"busy": {"after_minutes": 600}}},
        {"outcomes": {"never": {"scope": "household"}, "hung_up": {"does": "refused"}}},
        {"outcomes": {"talked": {"label": {"da": "T", "en": "T"}, "does": "done"}}},
        {"policy": "dk_guard"},
    ],
)
def test_a_stricter_campaign_needs_one_person(change: dict[str, Any]) -> None:
    assert looser(SHIPPED, campaigns(change)) == ()


def test_a_campaign_that_points_at_a_looser_policy_is_looser() -> None:
    loosenings = looser(SHIPPED, campaigns({"policy": "dk_sat"}))
    assert loosenings == (
        Looser(
            "campaigns/kanvas.yaml",
            "policy (dk → dk_sat): hours.windows.sat",
            [],
            ["10:00-16:00"],
            "looser.hours.windows",
        ),
    )


def test_a_campaign_may_point_at_a_policy_of_any_name() -> None:
    strict = replace(SHIPPED, campaigns=campaigns({"policy": "fr"}).campaigns)
    changes = looser(strict, SHIPPED)
    assert changes
    assert {change.key.partition(":")[0] for change in changes} == {"policy (fr → dk)"}


def test_a_looser_policy_is_named_once_and_not_with_its_campaigns() -> None:
    would = with_policy(policy({"frequency": {"gap_hours": 1}}))
    assert [change.file for change in looser(SHIPPED, would)] == ["policies/dk.yaml"]


def test_beside_a_new_campaign_the_others_are_compared_too() -> None:
    first = next(iter(SHIPPED.campaigns))
    others = {name: one for name, one in SHIPPED.campaigns.items() if name != first}
    changes = looser(replace(SHIPPED, campaigns=others), campaigns({"ring_seconds": 60}))
    assert [(change.file, change.key) for change in changes] == [
        (f"campaigns/{first}.yaml", "name"),
        ("campaigns/kanvas.yaml", "ring_seconds"),
    ]


def test_a_new_campaign_and_a_number_given_up_are_looser() -> None:
    less = {name: campaign for name, campaign in SHIPPED.campaigns.items() if name != "kanvas"}
    without = replace(SHIPPED, campaigns=less)
    assert [case.text for case in looser(without, SHIPPED)] == ["looser.new_campaign"]
    assert [case.text for case in looser(SHIPPED, without)] == ["looser.given_up"]


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        ({"notified_from": date(2026, 2, 28)}, True),
        ({"notified_from": date(2026, 3, 2)}, False),
        ({"notice_days": 60}, False),
        ({"phoner_told": DisclosureTime.AFTER}, True),
        ({"source": "elsewhere"}, False),
    ],
)
def test_listening_sooner_or_unseen_is_looser(change: dict[str, Any], counts: bool) -> None:
    assert SHIPPED.organisation.listening is not None
    during = SHIPPED.organisation.listening.model_copy(
        update={"phoner_told": DisclosureTime.DURING}
    )
    was = replace(SHIPPED, organisation=Organisation(listening=during))
    would = replace(SHIPPED, organisation=Organisation(listening=during.model_copy(update=change)))
    assert [case.text for case in looser(was, would)] == ["looser.house.listening"] * counts
    nobody = replace(SHIPPED, organisation=Organisation())
    assert looser(was, nobody) == ()
    assert [case.key for case in looser(nobody, would)] == ["listening"]


def test_a_field_that_nobody_classified_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loosening, "CAMPAIGN", {k: v for k, v in CAMPAIGN.items() if k != "title"})
    table = {key: compare for key, compare in CAMPAIGN.items() if key != "priority"}
    monkeypatch.setattr(loosening, "CAMPAIGN", table)
    loosenings = looser(SHIPPED, campaigns({"priority": 9}))
    assert [(loosening.key, loosening.text) for loosening in loosenings] == [
        ("priority", "looser.unknown")
    ]


# -- the promise -------------------------------------------------------------------------------

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


def situations() -> list[f.Facts]:  # noqa: C901 - a list of small changes
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


POOL = situations()


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
        is_looser = bool(keys(was, would))
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
    if not keys(was, would) and permitted(facts, would):
        assert permitted(facts, was)


# -- cases -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"working_days": 6}, ["working_days"]),
        ({"working_days": 4}, []),
        ({"closed_days": (*SHIPPED.cases.closed_days, "05-01")}, ["closed_days"]),
        ({"receipts": {}}, ["receipts"]),
        ({"answers": {}}, []),
    ],
)
def test_a_later_answer_to_a_person_is_looser(change: dict[str, Any], keys: list[str]) -> None:
    would = replace(SHIPPED, cases=SHIPPED.cases.model_copy(update=change))
    assert [(case.file, case.key) for case in looser(SHIPPED, would)] == [
        ("cases.yaml", key) for key in keys
    ]


# -- training ----------------------------------------------------------------------------------


def training(**change: Any) -> Configuration:
    rules = TrainingRules.model_validate(merged(SHIPPED.training.model_dump(), change))
    return replace(SHIPPED, training=rules)


@pytest.mark.parametrize(
    ("key", "change"),
    [
        ("grace_days", {"grace_days": 8}),
        ("levels", {"levels": {"first": {"read": ["ethics"]}}}),
        ("colleagues", {"colleagues": []}),
    ],
)
def test_who_signs_less_is_named_by_its_key(key: str, change: dict[str, Any]) -> None:
    assert [(case.file, case.key) for case in looser(SHIPPED, training(**change))] == [
        ("training.yaml", key)
    ]


def test_who_signs_more_or_earlier_needs_one_person() -> None:
    first = [*SHIPPED.training.documents_of(Level.FIRST), "law"]
    change = {"grace_days": 0, "levels": {"first": {"read": first}, "second": {"read": []}}}
    earlier = {**change, "levels": {"first": {"read": [*first, "isobro", "telemarketing"]}}}
    assert looser(SHIPPED, training(**earlier)) == ()
    assert looser(SHIPPED, training(**change)) != ()
