"""Which rules become looser when one configuration replaces another, and so need a second person."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from dataclasses import fields as fields_of
from typing import Any

from pydantic import BaseModel, TypeAdapter

from callserver.domain import loosening_hours
from callserver.domain.campaign import Campaign, Effect, Outcome
from callserver.domain.configuration import Configuration
from callserver.domain.loosening_tables import (
    APPLIES,
    CAMPAIGN,
    CASES,
    ORGANISATION,
    OUTCOME,
    PARTS,
    POLICY,
    RETRY,
    SURVEY,
    TRAINING,
    Compare,
    changed,
)
from callserver.domain.policy import Policy

_json = TypeAdapter(Any)


@dataclass(frozen=True, slots=True)
class Looser:
    """One rule that would protect less. `text`: the key of a sentence in the catalogues."""

    file: str  # such as policies/dk.yaml
    key: str  # such as frequency.gap_hours
    was: Any  # a JSON value; None: there was no such rule
    would: Any
    text: str


def looser(was: Configuration, would: Configuration) -> tuple[Looser, ...]:
    """Everything that would protect a called person or a phoner less."""
    changes: list[Looser] = []
    for name, policy in would.policies.items():
        if name in was.policies:
            changes += _policy(f"policies/{name}.yaml", was.policies[name], policy)
    for name, campaign in would.campaigns.items():
        file = f"campaigns/{name}.yaml"
        if name not in was.campaigns:
            changes.append(Looser(file, "name", None, name, "looser.new_campaign"))
            continue
        before = was.campaigns[name]
        changes += _campaign(file, before, campaign)
        if campaign.policy != before.policy:
            policies = was.policies[before.policy], would.policies[campaign.policy]
            under = f"policy ({before.policy} → {campaign.policy}): "
            changes += _policy(file, *policies, under=under)
    changes += _given_up(was, would)
    changes += _leaves(
        "house.yaml", was.organisation, would.organisation, ORGANISATION, family="house."
    )
    changes += _leaves("cases.yaml", was.cases, would.cases, CASES, family="cases.")
    changes += _leaves("survey.yaml", was.survey, would.survey, SURVEY, family="survey.")
    changes += _leaves("training.yaml", was.training, would.training, TRAINING, family="training.")
    for part in fields_of(Configuration):
        before, after = getattr(was, part.name), getattr(would, part.name)
        if part.name not in PARTS and before != after:
            changes.append(Looser(f"{part.name}.yaml", "-", None, None, "looser.unknown"))
    return tuple(changes)


def _policy(file: str, was: Policy, would: Policy, under: str = "") -> Iterator[Looser]:
    not_applied = tuple(key for key, applies in APPLIES.items() if not applies(was))
    for change in _leaves(file, was, would, POLICY):
        if not change.key.startswith(not_applied):
            yield replace(change, key=under + change.key)
    for key, before, after in loosening_hours.looser(was.hours, would.hours):
        text = f"looser.{'.'.join(key.split('.')[:2])}"
        yield Looser(file, under + key, _plain(before), _plain(after), text)


def _campaign(file: str, was: Campaign, would: Campaign) -> Iterator[Looser]:
    yield from _leaves(file, was, would, CAMPAIGN)
    for cause, retry in would.retry.items():
        if cause not in was.retry:
            yield Looser(file, f"retry.{cause}", None, _plain(retry), "looser.retry.added")
        else:
            yield from _leaves(file, was.retry[cause], retry, RETRY, f"retry.{cause}.", "retry.")
    for name, before in was.outcomes.items():
        after = would.outcomes.get(name)
        if after is None and before.does not in (Effect.RETRY, Effect.DONE):
            removed = _described(before)
            yield Looser(file, f"outcomes.{name}", removed, None, "looser.outcomes.removed")
        elif after is not None:
            under = f"outcomes.{name}."
            yield from _leaves(file, before, after, OUTCOME, under, "outcomes.")
    for name, after in would.outcomes.items():
        if name not in was.outcomes and after.does is Effect.RETRY:
            added = _described(after)
            yield Looser(file, f"outcomes.{name}", None, added, "looser.outcomes.retries")


def _given_up(was: Configuration, would: Configuration) -> Iterator[Looser]:
    """Displayed numbers that no campaign uses any more: a person who calls one back hears no explanation, and the
    gate no longer treats it as an own number."""
    shown = {campaign.caller_id for campaign in would.campaigns.values()}
    for name, campaign in was.campaigns.items():
        if name not in would.campaigns and campaign.caller_id not in shown:
            file = f"campaigns/{name}.yaml"
            yield Looser(file, "caller_id", campaign.caller_id, None, "looser.given_up")


def _leaves(
    file: str,
    was: BaseModel,
    would: BaseModel,
    table: Mapping[str, Compare],
    under: str = "",
    family: str = "",
) -> Iterator[Looser]:
    """Every field of the two models that the table's comparison finds looser."""
    after = dict(fields(would, table))
    for key, before in fields(was, table):
        compare = table.get(key)
        if (compare or changed)(before, after.get(key)):
            text = f"looser.{family}{key}" if compare else "looser.unknown"
            yield Looser(file, under + key, _plain(before), _plain(after.get(key)), text)


def fields(
    model: BaseModel, table: Mapping[str, Compare], under: str = ""
) -> Iterator[tuple[str, Any]]:
    """A model's values by dotted key; a block that the table names itself is not split."""
    for name, field in type(model).model_fields.items():
        key, value = under + (field.alias or name), getattr(model, name)
        if key not in table and isinstance(value, BaseModel):
            yield from fields(value, table, f"{key}.")
        else:
            yield key, value


def _described(outcome: Outcome) -> str:
    return outcome.does.value if outcome.scope is None else f"{outcome.does} {outcome.scope}"


def _plain(value: Any) -> Any:
    """The value as JSON data."""
    return _json.dump_python(value, mode="json")
