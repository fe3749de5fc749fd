"""The consequences of an outcome, and of a call that ended without one. Pure: values in and out.

One refusal ends the ask; every wish is data that takes effect before the next dial, anywhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from callserver.domain.audit import FIRST_YEAR, LAST_YEAR, stamp
from callserver.domain.call import Cause
from callserver.domain.campaign import Ask, Campaign, Effect, Outcome
from callserver.domain.facts import Scope
from callserver.domain.marks import MarkKind

FREQUENCIES = ("monthly", "quarterly", "yearly", "once")


@dataclass(frozen=True, slots=True)
class Finish:
    """The contact is finished; `reason` says why."""

    reason: str
    counts: Cause | None = None  # counts one more dial with this cause


@dataclass(frozen=True, slots=True)
class Again:
    """The contact waits until `at`; with a `reason`, the person asked for it and the gate enforces it."""

    at: datetime
    reason: str | None = None
    counts: Cause | None = None  # counts one more dial with this cause


@dataclass(frozen=True, slots=True)
class CallBackAt:
    """Agreed for `at`; reserved for the phoner who agreed it until `release_at`, then for the team."""

    at: datetime
    phoner: int | None
    release_at: datetime


@dataclass(frozen=True, slots=True)
class Suppress:
    scope: Scope


@dataclass(frozen=True, slots=True)
class Mark:
    """A fact to store about the person or number."""

    kind: MarkKind
    detail: Mapping[str, Any] = field(default_factory=dict)


SAID = (Suppress, Mark)
"""Consequences that stay valid, however many calls follow."""

_NEVER = (Suppress(Scope.PERSON), Suppress(Scope.NUMBER))
"""The person and the number: another list may identify the same person by the number alone."""

Consequence = Finish | Again | CallBackAt | Suppress | Mark


@dataclass(frozen=True, slots=True)
class Given:
    """What the phoner entered, and the contact's tries so far."""

    details: Mapping[str, Any]
    phoner: int | None  # None: has left
    campaign: Campaign
    tries: int
    tries_by_outcome: Mapping[str, int]
    key: str = ""


def follow(outcome: Outcome, given: Given, now: datetime) -> tuple[Consequence, ...]:  # noqa: C901
    """All consequences. Call `missing` first: the details are not checked here."""
    campaign = given.campaign
    match outcome.does:
        case Effect.DONE:
            return (Finish(given.key),)
        case Effect.REFUSED:
            return (Finish(given.key), Mark(MarkKind.REFUSED))
        case Effect.NOT_NOW:
            until = now + timedelta(days=outcome.rest_days or 1)
            peace = Mark(MarkKind.NOT_NOW, {"until": stamp(until)})
            return (Again(until, Effect.NOT_NOW.value), peace)
        case Effect.CALL_BACK:
            at = _instant(given.details["at"])
            rule = campaign.call_backs
            phoner = given.phoner if rule.personal else None
            wait = timedelta(minutes=0 if phoner is None else rule.release_after_minutes)
            return (CallBackAt(at, phoner, at + wait),)
        case Effect.RETRY:
            cause = cause_of(outcome) or Cause.NO_ANSWER
            tried = counted(given.tries_by_outcome, cause, 1)
            next_step = after_cause(campaign, cause, tried, given.tries, now)
            return (replace(next_step, counts=cause),)
        case Effect.SUPPRESS:
            scope = outcome.scope or Scope.PERSON
            if scope is Scope.PERSON:
                return (Finish(given.key), *_NEVER)
            return (Finish(given.key), Suppress(scope))
        case Effect.WRONG_NUMBER:
            # The number has another holder: it may not be called until that person consents.
            return (Finish(given.key), Mark(MarkKind.REASSIGNED))
        case Effect.DECEASED:
            return (Finish(given.key), Mark(MarkKind.DECEASED))
        case Effect.VULNERABLE:
            return (Finish(given.key), Mark(MarkKind.VULNERABLE))
        case Effect.COMPLAINT:
            return (Finish(given.key), Suppress(Scope.COMPLAINT), *_NEVER)
        case Effect.LEFT:
            # Leaving is a refusal as well: the person is not asked to return at once.
            return (Finish(given.key), Mark(MarkKind.LEFT), Mark(MarkKind.REFUSED))


def cause_of(outcome: Outcome) -> Cause | None:
    """The cause as which an outcome counts towards the retry rules; None: it does not count."""
    return (outcome.retry_as or Cause.NO_ANSWER) if outcome.does is Effect.RETRY else None


def counted(tries: Mapping[str, int] | None, cause: Cause, more: int) -> dict[str, int]:
    """The tries by cause, with `more` added to this cause (or subtracted)."""
    counts = dict(tries or {})
    counts[cause.value] = max(counts.get(cause.value, 0) + more, 0)
    return counts


def after_cause(
    campaign: Campaign, cause: Cause, tried: Mapping[str, int], tries: int, now: datetime
) -> Again | Finish:
    """The retry rule of a cause; the contact is closed when the rule's count is used up."""
    rule = campaign.retry.get(cause)
    if rule is None or tried.get(cause.value, 0) > rule.most or tries >= campaign.most_tries:
        return Finish(f"tried:{cause.value}")
    return Again(now + rule.after)


def after_unclear(
    campaign: Campaign, tried: Mapping[str, int], tries: int, now: datetime
) -> Again | Finish:
    """After a call that no telephone is known to have ended: somebody may have answered it.

    The rule for "unreachable", and never sooner than after a call that was not answered.
    """
    follows = after_cause(campaign, Cause.UNREACHABLE, tried, tries, now)
    rule = campaign.retry.get(Cause.NO_ANSWER)
    if isinstance(follows, Finish) or rule is None:
        return follows
    return Again(max(follows.at, now + rule.after))


def without_words(details: Mapping[str, Any]) -> dict[str, Any]:
    """The details without those in the phoner's own words, which may name somebody."""
    return {key: value for key, value in details.items() if key not in (Ask.NOTE, Ask.REASON)}


def missing(
    outcome: Outcome, details: Mapping[str, Any], campaign: Campaign, now: datetime
) -> list[str]:
    """The required details that are missing or not valid, and details that were not asked for."""
    problems = [problem for ask in outcome.asks if (problem := _check(ask, details, campaign, now))]
    unknown = sorted(set(details) - {ask.value for ask in outcome.asks})
    return problems + [f"{key}: this outcome does not ask for it" for key in unknown]


def _check(ask: Ask, details: Mapping[str, Any], campaign: Campaign, now: datetime) -> str | None:
    value = details.get(ask.value)
    match ask:
        case Ask.AMOUNT:
            valid = isinstance(value, int) and not isinstance(value, bool) and 0 < value <= 100_000
            return None if valid else "amount: whole kroner above 0"
        case Ask.FREQUENCY:
            return None if value in FREQUENCIES else f"frequency: one of {', '.join(FREQUENCIES)}"
        case Ask.DATE:
            return None if _is_date(value) else "date: like 2026-12-01"
        case Ask.AT:
            return _check_at(value, campaign, now)
        case Ask.NOTE | Ask.REASON:
            valid = isinstance(value, str) and 0 < len(value.strip()) <= 2000
            return None if valid else f"{ask.value}: a few words"


def _check_at(value: Any, campaign: Campaign, now: datetime) -> str | None:
    try:
        at = _instant(value)
    except (TypeError, ValueError):
        return "at: an instant with its zone, like 2026-12-01T17:15:00+01:00"
    days = campaign.call_backs.most_days_ahead
    if not now < at <= now + timedelta(days=days):
        return f"at: should lie ahead, at most {days} days"
    return None


def _instant(value: Any) -> datetime:
    at = datetime.fromisoformat(value)
    if at.tzinfo is None or not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise ValueError("without a zone, or outside the supported years")
    return at


def _is_date(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(date.fromisoformat(value))
    except ValueError:
        return False
