"""What becomes looser when one configuration replaces another: what needs a second person.

Every field of a policy and a campaign is classified here, in one of the tables; a field that nobody
classified counts as looser whenever it changes (and a test names it). Where two values cannot be put
in an order, any change counts. What is not looser never permits a dial that was refused before.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
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

    file: str  # policies/dk.yaml
    key: str  # frequency.gap_hours
    was: Any  # plain values, as JSON has them; None: there was no such rule
    would: Any
    text: str


Compare = Callable[[Any, Any], bool]
"""(was, would) -> does it protect less?"""


def words(_was: Any, _would: Any) -> bool:
    """Words, order and looks: free to change."""
    return False


def changed(was: Any, would: Any) -> bool:
    """No value is stricter than another: any change counts."""
    return bool(was != would)


def less(was: Any, would: Any) -> bool:
    """A minimum or a rest became smaller, or went away."""
    return was is not None and (would is None or would < was)


def more(was: Any, would: Any) -> bool:
    """A limit became larger, or went away."""
    return was is not None and (would is None or would > was)


def reaches_further(was: Any, would: Any) -> bool:
    """An exception that was not there, or now covers more."""
    return would is not None and (was is None or would > was)


def gained(was: Any, would: Any) -> bool:
    """Something more is allowed."""
    return bool(set(would) - set(was))


def lost(was: Any, would: Any) -> bool:
    """Something is protected or asked for no more."""
    return bool(set(was) - set(would))


def fewer(was: Any, would: Any) -> bool:
    return len(would) < len(was)


def off(was: Any, would: Any) -> bool:
    return bool(was and not would)


def on(was: Any, would: Any) -> bool:
    return bool(would and not was)


def _weaker_cap(was: Any, would: Any) -> bool:
    """At most `count` in `days`: more of them, or in fewer days."""
    if was is None or would is None:
        return was is not None
    return bool(would.count > was.count or would.days < was.days)


def _weaker_mode(was: str, would: str) -> bool:
    order = ("not_needed", "opt_in", "express")
    return order.index(would) < order.index(was)


_PEACE = (Effect.RETRY, Effect.NOT_NOW, Effect.DONE, Effect.REFUSED, Effect.SUPPRESS)
"""From least to most peace afterwards. The other effects are wishes of their own."""

_WIDER = {
    Scope.PURPOSE: {Scope.PERSON, Scope.HOUSEHOLD},
    Scope.PERSON: {Scope.HOUSEHOLD},
}


def _weaker_effect(was: Effect, would: Effect) -> bool:
    if was in _PEACE and would in _PEACE:
        return _PEACE.index(would) < _PEACE.index(was)
    return was != would


def _narrower(was: Scope | None, would: Scope | None) -> bool:
    return was is not None and was != would and would not in _WIDER.get(was, ())


POLICY: Mapping[str, Compare] = {
    "name": words,
    "title": words,
    **{
        f"{block}.{key}": words
        for block in (
            *("hours", "numbers", "frequency", "register", "consent", "gifts", "person"),
            *("ring", "abandon"),
        )
        for key in ("source", "checked")
    },
    # hours.windows, before_holiday, dates, closed_days: open_hours.py, day by day
    "hours.windows": words,
    "hours.before_holiday": words,
    "hours.dates": words,
    "hours.closed_days": words,
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

_ASKS: Mapping[str, Callable[[Policy], bool]] = {
    "register.except": lambda policy: policy.register_rule.respected,
    "consent.except": lambda policy: policy.consent.mode != "not_needed",
    "gifts.last": lambda policy: policy.gifts.restricted,
}
"""Exceptions from a rule that did not exist before cannot make it looser."""

CAMPAIGN: Mapping[str, Compare] = {
    "name": words,
    "title.da": words,
    "title.en": words,
    "organisation": changed,  # who we say that we are
    "why.da": words,
    "why.en": words,
    "segment": changed,
    "purpose": changed,
    "policy": words,  # what the policies say is compared instead
    "department": changed,  # who may see these people
    "caller_id": changed,
    "ring_seconds": changed,
    "order": words,
    "priority": words,
    "retry": words,  # RETRY, cause by cause
    "most_tries": more,
    "call_backs.personal": off,
    "call_backs.release_after_minutes": less,
    "call_backs.tolerance_minutes": more,
    "call_backs.most_days_ahead": more,
    "wrap_up_seconds": less,
    "outcomes": words,  # OUTCOME, one by one
    "script": words,
    "columns": words,
    "contexts": words,
    "cards": fewer,  # an honest answer is gone
}
RETRY: Mapping[str, Compare] = {"after_minutes": less, "most": more}
OUTCOME: Mapping[str, Compare] = {
    "label.da": words,
    "label.en": words,
    "does": _weaker_effect,
    "asks": lost,
    "scope": _narrower,
    "retry_as": changed,
    "rest_days": less,
    "agreement": off,  # what is agreed would not be read back
}


def _listens_sooner(was: ListeningPolicy | None, would: ListeningPolicy | None) -> bool:
    """Somebody could listen who could not before, or a phoner would be told later."""
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
"""What a configuration may consist of. Departments are names, scripts and books are words; a part
that is not here counts whenever it changes."""


def looser(was: Configuration, would: Configuration) -> tuple[Looser, ...]:
    """Everything that would protect a called person or a phoner less."""
    found: list[Looser] = []
    for name, policy in would.policies.items():
        if name in was.policies:
            found += _policy(f"policies/{name}.yaml", was.policies[name], policy)
    for name, campaign in would.campaigns.items():
        file = f"campaigns/{name}.yaml"
        if name not in was.campaigns:
            found.append(Looser(file, "name", None, name, "looser.new_campaign"))
            continue
        before = was.campaigns[name]
        found += _campaign(file, before, campaign)
        if campaign.policy != before.policy:
            rules = was.policies[before.policy], would.policies[campaign.policy]
            found += _policy(file, *rules, under=f"policy ({before.policy} → {campaign.policy}): ")
    found += _given_up(was, would)
    found += _leaves(
        "house.yaml", was.organisation, would.organisation, ORGANISATION, family="house."
    )
    for part in fields_of(Configuration):
        before, after = getattr(was, part.name), getattr(would, part.name)
        if part.name not in PARTS and before != after:
            found.append(Looser(f"{part.name}.yaml", "-", None, None, "looser.unknown"))
    return tuple(found)


def _policy(file: str, was: Policy, would: Policy, under: str = "") -> Iterator[Looser]:
    silent = [key for key, asks in _ASKS.items() if not asks(was)]
    for one in _leaves(file, was, would, POLICY):
        if not one.key.startswith(tuple(silent)):
            yield Looser(file, under + one.key, one.was, one.would, one.text)
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
            yield Looser(file, f"outcomes.{name}", _said(before), None, "looser.outcomes.removed")
        elif after is not None:
            under = f"outcomes.{name}."
            yield from _leaves(file, before, after, OUTCOME, under, "outcomes.")
    for name, after in would.outcomes.items():
        if name not in was.outcomes and after.does is Effect.RETRY:
            yield Looser(file, f"outcomes.{name}", None, _said(after), "looser.outcomes.retries")


def _given_up(was: Configuration, would: Configuration) -> Iterator[Looser]:
    """A number that we show no more: it is rung like any other, and who calls back hears nothing."""
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
    """Every field of the two models, held against the table."""
    after = dict(fields(would, table))
    for key, before in fields(was, table):
        compare = table.get(key)
        if (compare or changed)(before, after.get(key)):
            text = f"looser.{family}{key}" if compare else "looser.unknown"
            yield Looser(file, under + key, _plain(before), _plain(after.get(key)), text)


def fields(
    model: BaseModel, table: Mapping[str, Compare], under: str = ""
) -> Iterator[tuple[str, Any]]:
    """A model's values by dotted key; what the table knows as a whole stays whole."""
    for name, field in type(model).model_fields.items():
        key, value = under + (field.alias or name), getattr(model, name)
        if key not in table and isinstance(value, BaseModel):
            yield from fields(value, table, f"{key}.")
        else:
            yield key, value


def _said(outcome: Outcome) -> str:
    return outcome.does.value if outcome.scope is None else f"{outcome.does} {outcome.scope}"


def _plain(value: Any) -> Any:
    """As JSON has it."""
    return _json.dump_python(value, mode="json")
