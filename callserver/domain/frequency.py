"""Was this person, number or household called too often?

Rules of elapsed time count in UTC, calendar rules on local dates; "60 days after" frees the 61st day.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from callserver.domain import hours
from callserver.domain.facts import Facts
from callserver.domain.hours import Place
from callserver.domain.policy import Frequency
from callserver.domain.reason import Reason

LIFTED_BY_CALL_BACK = frozenset({Reason.FREQ_GAP, Reason.FREQ_DAY, Reason.FREQ_PERIOD})


def problems(facts: Facts, place: Place) -> tuple[Reason, ...]:
    """Every cap or rest that forbids a call now."""
    reasons = []
    if facts.active_call:
        reasons.append(Reason.FREQ_ACTIVE_CALL)
    if facts.policy is not None:
        rule = facts.policy.frequency
        reasons += [reason for reason, check in _CHECKS if check(facts, rule, place)]
    return tuple(reasons)


def _gap(facts: Facts, rule: Frequency, _: Place) -> bool:
    if rule.gap_hours is None:
        return False
    gap = timedelta(hours=rule.gap_hours)
    return any(facts.now - at < gap for at in facts.attempts)


def _day(facts: Facts, rule: Frequency, place: Place) -> bool:
    return _too_many(facts, place, 1, rule.per_day)


def _24_hours(facts: Facts, rule: Frequency, _: Place) -> bool:
    if rule.per_24_hours is None:
        return False
    day = timedelta(hours=24)
    return sum(facts.now - at < day for at in facts.attempts) >= rule.per_24_hours


def _period(facts: Facts, rule: Frequency, place: Place) -> bool:
    cap = rule.per_period
    return cap is not None and _too_many(facts, place, cap.days, cap.count)


def _too_many(facts: Facts, place: Place, days: int, most: int | None) -> bool:
    """Attempts on the last `days` local dates, today included, in any of the zones."""
    if most is None or len(facts.attempts) < most:
        return False
    for zone in hours.zones_of(place):
        today = facts.now.astimezone(zone).date()
        within = sum((today - at.astimezone(zone).date()).days < days for at in facts.attempts)
        if within >= most:
            return True
    return False


def _refusal(facts: Facts, rule: Frequency, place: Place) -> bool:
    rest, refused = rule.rest_days_after_refusal, facts.refused_at
    if rest is None or refused is None or refused > facts.now:
        return False
    return any(
        (facts.now.astimezone(zone).date() - refused.astimezone(zone).date()).days <= rest
        for zone in hours.zones_of(place)
    )


def _not_now(facts: Facts, _: Frequency, __: Place) -> bool:
    """The person's own wish: no policy changes it, and only their own later wish ends it early."""
    return facts.not_now_until is not None and facts.now < facts.not_now_until


def _abandoned(facts: Facts, rule: Frequency, _: Place) -> bool:
    rest, abandoned = rule.rest_hours_after_abandoned, facts.abandoned_at
    if rest is None or abandoned is None or facts.phoner_reserved:
        return False
    return timedelta(0) <= facts.now - abandoned < timedelta(hours=rest)


_CHECKS = (
    (Reason.FREQ_GAP, _gap),
    (Reason.FREQ_DAY, _day),
    (Reason.FREQ_24H, _24_hours),
    (Reason.FREQ_PERIOD, _period),
    (Reason.FREQ_REFUSAL, _refusal),
    (Reason.FREQ_NOT_NOW, _not_now),
    (Reason.FREQ_ABANDON_72H, _abandoned),
)


def next_change(facts: Facts, place: Place) -> datetime:
    """The next instant after now at which one of the rules may give another answer.

    Rules of elapsed time change when an attempt is old enough, calendar rules at a local midnight.
    """
    candidates = [midnight(facts.now, zone) for zone in hours.zones_of(place)]
    if facts.not_now_until is not None:
        candidates.append(facts.not_now_until)
    rule = None if facts.policy is None else facts.policy.frequency
    if rule is not None:
        ages = [rule.gap_hours, 24.0 if rule.per_24_hours else None]
        candidates += [at + timedelta(hours=age) for at in facts.attempts for age in ages if age]
        if rule.rest_hours_after_abandoned and facts.abandoned_at is not None:
            candidates.append(facts.abandoned_at + timedelta(hours=rule.rest_hours_after_abandoned))
    return min(at for at in candidates if at > facts.now)


def midnight(now: datetime, zone: ZoneInfo) -> datetime:
    """The zone's next midnight."""
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    return hours.instant(tomorrow, 0, zone)
