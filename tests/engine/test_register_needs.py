"""Which public registers the policies in use require, and whose issue is missing or too old."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from callserver.adapters.config_folder import load
from callserver.database.store import AnyStore
from callserver.database.tables import registers
from callserver.domain.alarm import RegisterAge
from callserver.domain.configuration import Configuration
from callserver.engine.gate import register_needs

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
LOADED = load(Path(__file__).parents[2] / "config")
KANVAS = LOADED.campaigns["kanvas"]

Rule = dict[str, Any]
RESPECTED: Rule = {"respected": True, "name": "robinson", "wash_days": 100}
IGNORED: Rule = {"respected": False, "name": "robinson", "wash_days": None}


def configuration(*rules: Rule) -> Configuration:
    """A campaign for each rule, with a policy that has it."""
    dk = LOADED.policies["dk"]
    policies = {
        f"p{at}": dk.model_copy(update={"register_rule": dk.register_rule.model_copy(update=rule)})
        for at, rule in enumerate(rules)
    }
    campaigns = {
        name: KANVAS.model_copy(update={"name": name, "policy": name}) for name in policies
    }
    return replace(LOADED, policies=policies, campaigns=campaigns)


@pytest.mark.parametrize(
    ("rules", "needed", "missing"),
    [
        ([], [], []),
        ([RESPECTED], [("robinson", 100)], ["robinson"]),
        ([IGNORED], [], []),
        ([IGNORED | {"wash_days": 30}], [], []),  # an old copy matters only if there is one
        ([RESPECTED, RESPECTED | {"wash_days": 30}], [("robinson", 30)], ["robinson"]),
        ([RESPECTED | {"wash_days": 30}, RESPECTED], [("robinson", 30)], ["robinson"]),
        ([IGNORED, RESPECTED], [("robinson", 100)], ["robinson"]),
        ([RESPECTED | {"wash_days": None}], [("robinson", None)], ["robinson"]),
        ([RESPECTED | {"wash_days": None}, RESPECTED], [("robinson", 100)], ["robinson"]),
        ([RESPECTED | {"name": None}], [("robinson", 100)], ["robinson"]),
        (
            [RESPECTED, RESPECTED | {"name": "another"}],
            [("another", 100), ("robinson", 100)],
            ["another", "robinson"],
        ),
    ],
)
def test_registers_that_were_never_imported(
    store: AnyStore, rules: list[Rule], needed: list[tuple[str, int | None]], missing: list[str]
) -> None:
    in_force = configuration(*rules)
    with store.engine.begin() as tx:
        assert register_needs.needed(tx, in_force) == [
            RegisterAge(name, None, days) for name, days in needed
        ]
        assert register_needs.missing(tx, in_force) == missing


@pytest.mark.parametrize(
    ("rules", "needed"),
    [
        ([RESPECTED], [("robinson", 100)]),
        ([IGNORED], []),
        ([IGNORED | {"wash_days": 30}], [("robinson", 30)]),
        ([RESPECTED | {"name": None}], [("another", 100), ("robinson", 100)]),
        ([IGNORED | {"name": None, "wash_days": 9}], [("another", 9), ("robinson", 9)]),
        ([RESPECTED, IGNORED | {"wash_days": 30}], [("robinson", 30)]),
    ],
)
def test_registers_with_an_issue_in_force(
    store: AnyStore, rules: list[Rule], needed: list[tuple[str, int | None]]
) -> None:
    in_force = configuration(*rules)
    with store.engine.begin() as tx:
        for name, days in (("robinson", 2), ("robinson", 1), ("another", 3)):
            issue = {"name": name, "washed_at": NOW - timedelta(days=days), "active": True}
            tx.execute(insert(registers).values(issue))
        issued = {"robinson": NOW - timedelta(days=2), "another": NOW - timedelta(days=3)}
        assert register_needs.needed(tx, in_force) == [
            RegisterAge(name, issued[name], days) for name, days in needed
        ]
        assert register_needs.missing(tx, in_force) == []


def test_a_policy_that_no_campaign_uses_requires_nothing(store: AnyStore) -> None:
    in_force = replace(configuration(RESPECTED), campaigns={})
    with store.engine.begin() as tx:
        assert register_needs.needed(tx, in_force) == []
