"""Which rules become looser when one configuration replaces another, and so need a second person.

The tables here classify every field of a policy and a campaign; an unclassified field counts as looser
whenever it changes (and a test names it). Where two values have no order, any change counts. A change
that is not looser never permits a dial that was refused before.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from dataclasses import fields as fields_of
from typing import Any

from pydantic import BaseModel, TypeAdapter

from callserver.domain import loosening_hours
from callserver.domain.campaign import Campaign, Effect, Outcome
from callserver.domain.configuration import Configuration
from callserver.domain.facts import Scope
from callserver.domain.listening import DisclosureTime, ListeningPolicy
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


Compare = Callable[[Any, Any], bool]
"""(was, would) -> whether the new value protects less."""


def free(_was: Any, _would: Any) -> bool:
    """Texts, order and appearance: any change is free."""
    return False


def changed(was: Any, would: Any) -> bool:
    """No value is stricter than another, so any change counts."""
    return bool(was != would)


def less(was: Any, would: Any) -> bool:
    """A minimum or a rest became smaller or was removed."""
    return was is not None and (would is None or would < was)


def more(was: Any, would: Any) -> bool:
    """A limit became larger or was removed."""
    return was is not None and (would is None or would > was)


def reaches_further(was: Any, would: Any) -> bool:
    """An exception was added or covers more."""
    return would is not None and (was is None or would > was)


def gained(was: Any, would: Any) -> bool:
    """More values are allowed."""
    return bool(set(would) - set(was))


def lost(was: Any, would: Any) -> bool:
    """Fewer values are protected or required."""
    return bool(set(was) - set(would))


def fewer(was: Any, would: Any) -> bool:
    return len(would) < len(was)


def off(was: Any, would: Any) -> bool:
    return bool(was and not would)


def on(was: Any, would: Any) -> bool:
    return bool(would and not was)


def _weaker_cap(was: Any, would: Any) -> bool:
    """At most `count` calls in `days`: more calls, or fewer days."""
    if was is None or would is None:
        return was is not None
    return bool(would.count > was.count or would.days < was.days)


def _weaker_mode(was: str, would: str) -> bool:
    order = ("not_needed", "opt_in", "express")
    return order.index(would) < order.index(was)


_PROTECTION = (Effect.RETRY, Effect.NOT_NOW, Effect.DONE, Effect.REFUSED, Effect.SUPPRESS)
"""From the least to the most protective effect. The other effects are not comparable."""

_WIDER = {
    Scope.PURPOSE: {Scope.PERSON, Scope.HOUSEHOLD},
    Scope.PERSON: {Scope.HOUSEHOLD},
}


def _weaker_effect(was: Effect, would: Effect) -> bool:
    if was in _PROTECTION and would in _PROTECTION:
        return _PROTECTION.index(would) < _PROTECTION.index(was)
    return was != would


def _narrower(was: Scope | None, would: Scope | None) -> bool:
    return was is not None and was != would and would not in _WIDER.get(was, ())


POLICY: Mapping[str, Compare] = {
    "name": free,
    "title": free,
    **{
        f"{block}.{key}": free
        for block in (
            *("hours", "numbers", "frequency", "register", "consent", "gifts", "person"),
            *("ring", "abandon"),
        )
        for key in ("source", "checked")
    },
    # loosening_hours.py compares windows, before_holiday, dates and closed_days day by day.
    "hours.windows": free,
    "hours.before_holiday": free,
    "hours.dates": free,
    "hours.closed_days": free,
    "hours.close_guard_seconds": less,
    "hours.calendars": lost,
    "hours.calendar_checked_until": more,
    "numbers.regions": gained,
    "numbers.kinds": gained,
    "frequency.gap_hours": less,
    "frequency.per_day": more,
    "frequency.per_24_hours": more,
    "frequency.per_period": _weaker_cap,
    "frequency.rest_days_after_refusal": less,
    "frequency.rest_hours_after_abandoned": less,
    "frequency.call_back_tolerance_minutes": more,
    "register.respected": off,
    "register.name": changed,
    "register.except_members": on,
    "register.except_consent": on,
    "register.except_last_gift_years": reaches_further,
    "register.wash_days": more,
    "consent.mode": _weaker_mode,
    "consent.except_members": on,
    "consent.except_ended_years": reaches_further,
    "consent.proof": off,
    "gifts.restricted": off,
    "gifts.last_gift_years": more,
    "person.min_age": less,
    "ring.min_ring_seconds": less,
    "abandon.limit_percent": more,
    "abandon.window_days": changed,
    "abandon.smallest_sample": more,
}

_APPLIES: Mapping[str, Callable[[Policy], bool]] = {
    "register.except": lambda policy: policy.register_rule.respected,
    "consent.except": lambda policy: policy.consent.mode != "not_needed",
    "gifts.last": lambda policy: policy.gifts.restricted,
}
"""Exceptions from a rule that did not apply before cannot make it looser."""

CAMPAIGN: Mapping[str, Compare] = {
    "name": free,
    "title.da": free,
    "title.en": free,
    "organisation": changed,  # who the call says is calling
    "why.da": free,
    "why.en": free,
    "segment": changed,
    "purpose": changed,
    "policy": free,  # the contents of the two policies are compared instead
    "department": changed,  # who may see these people
    "caller_id": changed,
    "ring_seconds": changed,
    "order": free,
    "priority": free,
    "retry": free,  # RETRY, cause by cause
    "most_tries": more,
    "call_backs.personal": off,
    "call_backs.release_after_minutes": less,
    "call_backs.tolerance_minutes": more,
    "call_backs.most_days_ahead": more,
    "wrap_up_seconds": less,
    "outcomes": free,  # OUTCOME, one by one
    "script": free,
    "columns": free,
    "contexts": free,
    "cards": fewer,  # an honest answer was removed
}
RETRY: Mapping[str, Compare] = {"after_minutes": less, "most": more}
OUTCOME: Mapping[str, Compare] = {
    **dict.fromkeys(("label.da", "label.en", "read.da", "read.en"), free),
    "does": _weaker_effect,
    "asks": lost,
    "scope": _narrower,
    "retry_as": changed,
    "rest_days": less,
    "agreement": off,  # agreements would not be read back
    "read": off,
}


def _listens_sooner(was: ListeningPolicy | None, would: ListeningPolicy | None) -> bool:
    """Listening would begin earlier, or the phoner would be told later."""
    if was is None or would is None:
        return would is not None
    told_later = (
        was.phoner_told is DisclosureTime.DURING and would.phoner_told is DisclosureTime.AFTER
    )
    return would.opens < was.opens or told_later


ORGANISATION: Mapping[str, Compare] = {"listening": _listens_sooner}

PARTS = frozenset(
    {
        "revision",
        "policies",
        "campaigns",
        "departments",
        "scripts",
        "books",
        "organisation",
        "content",
    }
)
"""The parts of a configuration. Departments, scripts and books are free to change; a part that is not in
this list counts whenever it changes."""


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
    for part in fields_of(Configuration):
        before, after = getattr(was, part.name), getattr(would, part.name)
        if part.name not in PARTS and before != after:
            changes.append(Looser(f"{part.name}.yaml", "-", None, None, "looser.unknown"))
    return tuple(changes)


def _policy(file: str, was: Policy, would: Policy, under: str = "") -> Iterator[Looser]:
    not_applied = tuple(key for key, applies in _APPLIES.items() if not applies(was))
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
    """Displayed numbers that no campaign uses any more: who calls one back hears no explanation, and the
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
