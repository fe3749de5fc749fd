"""Is there a legal basis for calling this person for this purpose? Persons, gifts, sources.

Asking a stranger for a gift by telephone is not allowed in Denmark without a permit; recruiting a
member is, and the two may not be mixed (Indsamlingsloven; civilstyrelsen.dk on good practice).
"""

from collections.abc import Iterable
from datetime import date

from callserver.domain.facts import Facts, Purpose
from callserver.domain.reason import Reason
from callserver.domain.suppression import add_years, consented_after, gave_within


def person_problems(facts: Facts, todays: Iterable[date]) -> tuple[Reason, ...]:
    """Why this person must never be called, whatever the campaign."""
    person = facts.person
    reasons = []
    if person.erased:
        reasons.append(Reason.PERSON_ERASED)
    if person.deceased_at is not None and person.deceased_at <= facts.now:
        reasons.append(Reason.PERSON_DECEASED)
    if is_minor(facts, todays):
        reasons.append(Reason.PERSON_MINOR)
    if person.guardian:
        reasons.append(Reason.PERSON_INCAPABLE)
    if person.vulnerable:
        reasons.append(Reason.PERSON_VULNERABLE)
    if person.in_crowd:
        reasons.append(Reason.PERSON_IN_CROWD)
    if person.outcome_missing:
        reasons.append(Reason.PERSON_OUTCOME_MISSING)
    return tuple(reasons)


def is_minor(facts: Facts, todays: Iterable[date]) -> bool:
    """Whether the person is younger than the policy allows on one of these dates."""
    if facts.policy is None:
        return False
    if facts.person.born is None:
        return facts.person.of_age is False
    adult = add_years(facts.person.born, facts.policy.person.min_age)
    return any(today < adult for today in todays)


def problems(facts: Facts, today: date) -> tuple[Reason, ...]:
    """Why there is no basis for the purpose: the relation, or an unknown source of the contact."""
    reasons = []
    if not facts.source_known:
        reasons.append(Reason.BASIS_SOURCE_UNKNOWN)
    rule = None if facts.policy is None else facts.policy.gifts
    if rule is None or not rule.restricted or facts.relation.member:
        return tuple(reasons)
    if facts.purpose is Purpose.RECRUIT_GIFT:
        reasons.append(Reason.BASIS_PURPOSE_MIX)
    elif facts.purpose is Purpose.GIFT:
        gift = facts.relation.last_gift
        if gift is None:
            reasons.append(Reason.BASIS_NO_GIFT_RELATION)
        elif not gave_within(gift, rule.last_gift_years, today):
            reasons.append(Reason.BASIS_GIFT_TOO_OLD)
    return tuple(reasons)


def reassigned(facts: Facts) -> bool:
    """Whether the number has a new holder who has not consented to calls."""
    at = facts.reassigned_at
    if at is None or at > facts.now:
        return False
    return not consented_after(facts, at)
