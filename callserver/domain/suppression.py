"""Did somebody say no? Suppressions, consents and the external register.

A suppression at the very instant of the dial counts. A later explicit consent for the telephone
lifts the scopes number and person only; nothing lifts a complaint but its own closing.
"""

from datetime import date, datetime, timedelta

from callserver.domain.facts import Consent, ConsentEvent, Facts, Scope, Suppression
from callserver.domain.reason import Reason

REASONS = {
    Scope.NUMBER: Reason.SUP_NUMBER,
    Scope.PERSON: Reason.SUP_PERSON,
    Scope.HOUSEHOLD: Reason.SUP_HOUSEHOLD,
    Scope.HASH: Reason.SUP_HASH,
    Scope.COMPLAINT: Reason.SUP_COMPLAINT,
    Scope.PURPOSE: Reason.SUP_PURPOSE,
}
LIFTED_BY_CONSENT = frozenset({Scope.NUMBER, Scope.PERSON})


def add_years(day: date, years: int) -> date:
    """The same day years later; 29 February becomes 1 March."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def problems(facts: Facts, today: date) -> tuple[Reason, ...]:
    """Every no, explicit or by register."""
    found = {REASONS[one.scope] for one in facts.suppressions if _active(facts, one)}
    found.update(_consent_problems(facts, today))
    if _listed(facts, today):
        found.add(Reason.SUP_EXTERNAL)
    return tuple(found)


def _active(facts: Facts, one: Suppression) -> bool:
    if one.at > facts.now or (one.lifted_at is not None and one.lifted_at <= facts.now):
        return False
    if one.scope is Scope.PURPOSE and one.purpose not in (None, facts.purpose):
        return False
    lifted = one.scope in LIFTED_BY_CONSENT and consented_after(facts, one.at)
    return not lifted


def consents(facts: Facts) -> list[Consent]:
    """The telephone consents in force: those given that nothing at or after them revoked.

    Who takes a consent back takes the telephone's back too, whatever was named: in doubt it is a no.
    """
    known = [one for one in facts.consents if one.at <= facts.now]
    revoked = max((one.at for one in known if one.event is ConsentEvent.REVOKED), default=None)
    return [
        one
        for one in known
        if one.event is ConsentEvent.GIVEN and one.phone and (revoked is None or one.at > revoked)
    ]


def consented_after(facts: Facts, at: datetime) -> bool:
    """Whether a telephone consent in force was given later than that."""
    return any(one.at > at for one in consents(facts))


def _revoked(facts: Facts) -> bool:
    return not consents(facts) and any(
        one.event is ConsentEvent.REVOKED and one.at <= facts.now for one in facts.consents
    )


def _consent_problems(facts: Facts, today: date) -> tuple[Reason, ...]:
    if _revoked(facts):
        return (Reason.SUP_CONSENT_REVOKED,)
    if facts.policy is None or facts.policy.consent.mode == "not_needed":
        return ()
    rule = facts.policy.consent
    given = consents(facts)
    if given:
        proven = not rule.proof or any(one.proof for one in given)
        return () if proven else (Reason.SUP_CONSENT_UNPROVEN,)
    if rule.except_members and facts.relation.member:
        return ()
    ended, years = facts.relation.ended, rule.except_ended_years
    if ended is not None and years is not None and today <= add_years(ended, years):
        return ()
    return (Reason.SUP_CONSENT_MISSING,)


def _listed(facts: Facts, today: date) -> bool:
    if facts.policy is None or not facts.register.listed:
        return False
    rule = facts.policy.register_rule
    if not rule.respected or (rule.except_members and facts.relation.member):
        return False
    if rule.except_consent and consents(facts):
        return False
    gift, years = facts.relation.last_gift, rule.except_last_gift_years
    return not (gift is not None and years is not None and today <= add_years(gift, years))


def register_is_stale(facts: Facts) -> bool:
    """Our copy of the register is older than the policy allows, or there is none."""
    if facts.policy is None:
        return False
    rule, checked = facts.policy.register_rule, facts.register.checked_at
    if facts.register.missing:
        return rule.respected
    if checked is None or rule.wash_days is None:
        return False
    return facts.now - checked > timedelta(days=rule.wash_days)
