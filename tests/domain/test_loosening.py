"""What needs a second person: every field is classified, and each loosening of a policy is named by its key."""

from collections.abc import Mapping
from dataclasses import fields as fields_of
from dataclasses import replace
from typing import Any

import pytest
from pydantic import BaseModel

from callserver.domain import loosening, loosening_tables
from callserver.domain.campaign import Campaign, Effect, Outcome, Retry
from callserver.domain.case_rules import CaseRules
from callserver.domain.configuration import Configuration
from callserver.domain.facts import Scope
from callserver.domain.loosening import looser
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
from callserver.domain.policy import Cap, Policy
from callserver.texts import catalogue
from tests.harness.loosening import SHIPPED, loosened_keys, policy, with_policy


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
        "hours.windows.mon",  # the hours before those that adjoin
        {"hours": {"windows": {**WEEK, "mon": ["12:00-21:00"]}}},
        {"hours": {"windows": {**WEEK, "mon": ["09:00-12:00", "12:00-21:00"]}}},
    ),
    ("hours.windows.sat", {}, {"hours": {"windows": {**WEEK, "sat": ["20:45-21:00"]}}}),
    (
        "hours.windows.sat",  # after a window that the guard closes
        {"hours": {"close_guard_seconds": 900}},
        {
            "hours": {
                "windows": {**WEEK, "sat": ["10:00-10:10", "12:00-16:00"]},
                "close_guard_seconds": 900,
            }
        },
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
    assert key in loosened_keys(policy(was), policy(would))


def test_a_weekday_that_is_open_longer_is_named_once() -> None:
    longer = policy({"hours": {"windows": {**WEEK, "fri": ["09:00-21:01"]}}})
    assert loosened_keys(policy({}), longer) == ["hours.windows.fri"]


@pytest.mark.parametrize("day", WEEK)
def test_the_day_before_a_holiday_may_be_looser_on_one_weekday_only(day: str) -> None:
    short = {"windows": {**WEEK, day: ["09:00-12:00"]}}
    would = policy({"hours": {**short, "before_holiday": ["09:00-21:00"]}})
    assert loosened_keys(policy({"hours": short}), would) == ["hours.before_holiday"]


def test_hours_are_shown_as_the_files_write_them() -> None:
    would = policy({"hours": {"windows": {**WEEK, "sat": ["10:05-20:50"]}}})
    (change,) = looser(with_policy(policy({})), with_policy(would))
    assert (change.was, change.would) == ([], ["10:05-20:50"])


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
        (  # without a guard, two windows that touch are one
            {"hours": {"windows": {**WEEK, "mon": ["09:00-12:00", "12:00-21:00"]}}},
            {"hours": {"windows": WEEK}},
        ),
        (  # a window as short as the guard is never open, and neither is a shorter one
            {"hours": {"close_guard_seconds": 900}},
            {
                "hours": {
                    "windows": {**WEEK, "sat": ["10:00-10:10", "12:00-12:15"]},
                    "close_guard_seconds": 900,
                }
            },
        ),
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
    assert loosened_keys(policy(was), policy(would)) == []


SUPPRESS, REFUSED, DONE, NOT_NOW = Effect.SUPPRESS, Effect.REFUSED, Effect.DONE, Effect.NOT_NOW


@pytest.mark.parametrize(
    ("compare", "values"),
    [  # each from the strictest to the loosest
        (loosening_tables.less, [9, 5, 4, None]),
        (loosening_tables.less, [1, 0, None]),
        (loosening_tables.more, [1, 4, 5, None]),
        (loosening_tables.more, [0, 1, None]),
        (loosening_tables.reaches_further, [None, 0, 1, 2]),
        (loosening_tables.gained, [(), ("a",), ("a", "b")]),
        (loosening_tables.lost, [("a", "b"), ("a",), ()]),
        (loosening_tables.fewer, [("a", "b"), ("a",), ()]),
        (loosening_tables.off, [True, False]),
        (loosening_tables.on, [False, True]),
        (
            loosening_tables.weaker_cap,
            [Cap(count=3, days=30), Cap(count=4, days=30), Cap(count=4, days=29), None],
        ),
        (loosening_tables.weaker_mode, ["express", "opt_in", "not_needed"]),
        (loosening_tables.weaker_effect, [SUPPRESS, REFUSED, DONE, NOT_NOW, Effect.RETRY]),
        (loosening_tables.narrower, [Scope.HOUSEHOLD, Scope.PERSON, Scope.PURPOSE, None]),
    ],
)
def test_a_change_is_looser_in_one_direction_only(
    compare: loosening_tables.Compare, values: list[Any]
) -> None:
    for at, was in enumerate(values):
        for beside, would in enumerate(values):
            assert compare(was, would) is (beside > at), (was, would)


@pytest.mark.parametrize(
    ("compare", "one", "other"),
    [  # neither is stricter
        (loosening_tables.changed, "a", "b"),
        (loosening_tables.gained, ("a",), ("b",)),
        (loosening_tables.lost, ("a",), ("b",)),
        (loosening_tables.weaker_cap, Cap(count=4, days=30), Cap(count=5, days=60)),
        (loosening_tables.weaker_effect, Effect.SUPPRESS, Effect.CALL_BACK),
        (loosening_tables.weaker_effect, Effect.CALL_BACK, Effect.VULNERABLE),
        (loosening_tables.narrower, Scope.NUMBER, Scope.PERSON),
    ],
)
def test_where_neither_is_stricter_any_change_is_looser(
    compare: loosening_tables.Compare, one: Any, other: Any
) -> None:
    assert compare(one, other)
    assert compare(other, one)
    assert not compare(one, one)
    assert not compare(other, other)


def test_what_is_free_is_never_looser() -> None:
    assert not loosening_tables.free("a", "b")
