"""When a change of a rule is looser: one comparison for each field of a policy and a campaign.

An unclassified field counts as looser whenever it changes (and a test names it). Where two values have
no order, any change counts. A change that is not looser never permits a dial that was refused before.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from callserver.domain.campaign import Effect
from callserver.domain.facts import Scope
from callserver.domain.leaving import LeavingItem
from callserver.domain.listening import DisclosureTime, ListeningPolicy
from callserver.domain.policy import Policy
from callserver.domain.retention import keeps_longer
from callserver.domain.training_rules import Level, LevelRules, TrainingRules

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


def weaker_cap(was: Any, would: Any) -> bool:
    """At most `count` calls in `days`: more calls, or fewer days."""
    if was is None or would is None:
        return was is not None
    return bool(would.count > was.count or would.days < was.days)


def weaker_mode(was: str, would: str) -> bool:
    order = ("not_needed", "opt_in", "express")
    return order.index(would) < order.index(was)


_PROTECTION = (Effect.RETRY, Effect.NOT_NOW, Effect.DONE, Effect.REFUSED, Effect.SUPPRESS)
"""From the least to the most protective effect. The other effects are not comparable."""

_WIDER = {
    Scope.PURPOSE: {Scope.PERSON, Scope.HOUSEHOLD},
    Scope.PERSON: {Scope.HOUSEHOLD},
}


def weaker_effect(was: Effect, would: Effect) -> bool:
    if was in _PROTECTION and would in _PROTECTION:
        return _PROTECTION.index(would) < _PROTECTION.index(was)
    return was != would


def narrower(was: Scope | None, would: Scope | None) -> bool:
    return was is not None and was != would and would not in _WIDER.get(was, ())


POLICY: Mapping[str, Compare] = {
    "name": free,
    "title.da": free,
    "title.en": free,
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
    "frequency.per_period": weaker_cap,
    "frequency.rest_days_after_refusal": less,
    "frequency.rest_hours_after_abandoned": less,
    "frequency.call_back_tolerance_minutes": more,
    "register.respected": off,
    "register.name": changed,
    "register.except_members": on,
    "register.except_consent": on,
    "register.except_last_gift_years": reaches_further,
    "register.wash_days": more,
    "consent.mode": weaker_mode,
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

APPLIES: Mapping[str, Callable[[Policy], bool]] = {
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
    "namespace": free,
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
    "label.da": free,
    "label.en": free,
    "does": weaker_effect,
    "asks": lost,
    "scope": narrower,
    "retry_as": changed,
    "rest_days": less,
    "agreement": off,  # agreements would not be read back
    "read": off,
    "read.da": free,
    "read.en": free,
}


def listens_sooner(was: ListeningPolicy | None, would: ListeningPolicy | None) -> bool:
    """Listening would begin earlier, or the phoner would be told later."""
    if was is None or would is None:
        return would is not None
    told_later = (
        was.phoner_told is DisclosureTime.DURING and would.phoner_told is DisclosureTime.AFTER
    )
    return would.opens < was.opens or told_later


def asks_less(was: Mapping[Level, LevelRules], would: Mapping[Level, LevelRules]) -> bool:
    """Somebody would make calls without what was to be signed or attended before."""
    before, after = TrainingRules(levels=dict(was)), TrainingRules(levels=dict(would))
    return any(
        lost(before.documents_of(level), after.documents_of(level))
        or lost(before.activities_of(level), after.activities_of(level))
        for level in Level
    )


def signed_less_often(was: Mapping[str, int], would: Mapping[str, int]) -> bool:
    """A signature would hold longer."""
    return any(more(days, would.get(name)) for name, days in was.items())


def asks_back_less(was: Sequence[LeavingItem], would: Sequence[LeavingItem]) -> bool:
    """Something is no longer on the checklist of a person who has left."""
    return lost([item.key for item in was], [item.key for item in would])


ORGANISATION: Mapping[str, Compare] = {
    "listening": listens_sooner,
    "retention": keeps_longer,
    "look_ups.most": more,
    "look_ups.within_minutes": less,
    "data_protection": free,
    "interviews": free,
    "support.outcome": changed,
    "support.break_minutes": less,
    "support.unanswered": free,
    "support.hard_days": free,
    "leaving": asks_back_less,
}

CASES: Mapping[str, Compare] = {
    "working_days": more,
    "most_days": more,
    "calendar": changed,
    "closed_days": gained,  # fewer working days: a later answer
    "receipts": lost,  # nobody would be told that their request has arrived
    "answers": free,
}

SURVEY: Mapping[str, Compare] = {
    "opens": free,
    "open_days": free,
    "smallest_group": less,  # answers would be shown of fewer people
    "introduction": free,
    "questions": free,
}

TRAINING: Mapping[str, Compare] = {
    "grace_days": more,
    "sign_again_days": signed_less_often,
    "shift_minutes": less,
    "mentor_minutes": less,
    "listening_minutes": less,
    "activities": free,
    "levels": asks_less,
    "colleagues": lost,
}

PARTS = frozenset(
    {
        "revision",
        "sha256",
        "policies",
        "campaigns",
        "departments",
        "scripts",
        "books",
        "organisation",
        "cases",
        "survey",
        "training",
        "documents",
        "content",
    }
)
"""The parts of a configuration. Departments, scripts, books and so documents are free to change; a part that is not in
this list counts whenever it changes."""
