"""Have we a reason to ring this person for this purpose? Persons, gifts, sources.

Asking a stranger for a gift by telephone is not allowed in Denmark without a permit; recruiting a
member is, and the two may not be mixed (Indsamlingsloven; civilstyrelsen.dk on good practice).
"""

from collections.abc import Iterable
from datetime import date

from callserver.domain.facts import Facts, Purpose
from callserver.domain.reason import Reason
from callserver.domain.suppression import add_years, consented_after


def person_problems(facts: Facts, todays: Iterable[date]) -> tuple[Reason, ...]:
    """Who must never be rung, whatever the campaign."""
    person = facts.person
    found = []
    if person.erased:
        found.append(Reason.PERSON_ERASED)
    if person.deceased_at is not None and person.deceased_at <= facts.now:
        found.append(Reason.PERSON_DECEASED)
    if person.born is not None and facts.policy is not None:
        adult = add_years(person.born, facts.policy.person.min_age)
        if any(today < adult for today in todays):
            found.append(Reason.PERSON_MINOR)
    if person.guardian:
        found.append(Reason.PERSON_INCAPABLE)
    if person.vulnerable:
        found.append(Reason.PERSON_VULNERABLE)
    return tuple(found)


def problems(facts: Facts, today: date) -> tuple[Reason, ...]:
    """Whether the purpose has a basis in the relation, and the contact a known source."""
    found = []
    if not facts.source_known:
        found.append(Reason.BASIS_SOURCE_UNKNOWN)
    rule = None if facts.policy is None else facts.policy.gifts
    if rule is None or not rule.restricted or facts.relation.member:
        return tuple(found)
    if facts.purpose is Purpose.RECRUIT_GIFT:
        found.append(Reason.BASIS_PURPOSE_MIX)
    elif facts.purpose is Purpose.GIFT:
        gift = facts.relation.last_gift
        if gift is None:
            found.append(Reason.BASIS_NO_GIFT_RELATION)
        elif today > add_years(gift, rule.last_gift_years):
            found.append(Reason.BASIS_GIFT_TOO_OLD)
    return tuple(found)


def reassigned(facts: Facts) -> bool:
    """The number has a new holder, who has not asked to be called."""
    at = facts.reassigned_at
    if at is None or at > facts.now:
        return False
    return not consented_after(facts, at)
