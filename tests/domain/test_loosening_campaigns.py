"""What needs a second person in campaigns, listening, cases and training: each loosening is named by its key."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from callserver.domain import loosening
from callserver.domain.campaign import Campaign
from callserver.domain.configuration import Configuration
from callserver.domain.listening import DisclosureTime
from callserver.domain.loosening import Looser, looser
from callserver.domain.loosening_tables import (
    CAMPAIGN,
)
from callserver.domain.organisation import Organisation
from callserver.domain.policy import merged
from callserver.domain.training_rules import Level, TrainingRules
from tests.harness.loosening import SHIPPED, policy, with_policy

KANVAS = SHIPPED.campaigns["kanvas"].model_dump(mode="json", by_alias=True)


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


def test_an_outcome_that_is_gone_is_shown_by_what_it_does_and_to_whom() -> None:
    household = {"outcomes": {"never": {"does": "suppress", "scope": "household"}}}
    removed = looser(campaigns(household), campaigns(household, drop="never"))
    assert [change.was for change in removed] == ["suppress household"]
    (refused,) = looser(SHIPPED, campaigns({}, drop="no_thanks"))
    assert refused.was == "refused"


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


@pytest.mark.parametrize(
    ("change", "keys"),
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


def training(**change: Any) -> Configuration:
    rules = TrainingRules.model_validate(merged(SHIPPED.training.model_dump(), change))
    return replace(SHIPPED, training=rules)


@pytest.mark.parametrize(
    ("key", "change"),
    [
        ("grace_days", {"grace_days": 8}),
        ("sign_again_days", {"sign_again_days": {"it_policy": 366}}),
        ("levels", {"levels": {"first": {"read": ["ethics"]}}}),
        ("colleagues", {"colleagues": []}),
    ],
)
def test_who_signs_less_is_named_by_its_key(key: str, change: dict[str, Any]) -> None:
    assert [(case.file, case.key) for case in looser(SHIPPED, training(**change))] == [
        ("training.yaml", key)
    ]


def test_a_document_that_is_no_longer_signed_again_is_looser() -> None:
    rules = SHIPPED.training.model_copy(update={"sign_again_days": {}})
    (case,) = looser(SHIPPED, replace(SHIPPED, training=rules))
    assert case.key == "sign_again_days"


def test_who_signs_more_or_earlier_needs_one_person() -> None:
    first = [*SHIPPED.training.documents_of(Level.FIRST), "law"]
    often = {"it_policy": 180, "ethics": 400}
    change = {
        "grace_days": 0,
        "sign_again_days": often,
        "levels": {"first": {"read": first}, "second": {"read": []}},
    }
    earlier = {**change, "levels": {"first": {"read": [*first, "isobro", "telemarketing"]}}}
    assert looser(SHIPPED, training(**earlier)) == ()
    assert looser(SHIPPED, training(**change)) != ()
