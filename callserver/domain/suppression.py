"""Has the person opted out? Suppressions, consents and the external register.

A suppression at the instant of the dial counts. A later explicit consent for the telephone lifts the
scopes number and person only; a complaint is lifted only when it is closed.
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
UNDO_WITHIN = timedelta(minutes=10)
"""How long the author of a mistaken opt-out may undo it alone."""


def add_years(day: date, years: int) -> date:
    """The same day years later; 29 February becomes 1 March. Systems write 9999-12-31 for never: nothing is later."""
    if day.year + years > date.max.year:
        return date.max
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def gave_within(gift: date | None, years: int, today: date) -> bool:
    """Whether the last gift is at most so many years old."""
    return gift is not None and today <= add_years(gift, years)


def problems(facts: Facts, today: date) -> tuple[Reason, ...]:
    """Every reason against the call by an opt-out, a missing consent or the register."""
    reasons = {REASONS[entry.scope] for entry in facts.suppressions if _active(facts, entry)}
    reasons.update(_consent_problems(facts, today))
    if (facts.register.listed or facts.register.unsure) and _is_register_respected(facts, today):
        is_listed = facts.register.listed
        reasons.add(Reason.SUP_EXTERNAL if is_listed else Reason.SUP_EXTERNAL_UNSURE)
    return tuple(reasons)


def _active(facts: Facts, entry: Suppression) -> bool:
    if entry.at > facts.now or (entry.lifted_at is not None and entry.lifted_at <= facts.now):
        return False
    if entry.scope is Scope.PURPOSE and entry.purpose not in (None, facts.purpose):
        return False
    lifted = entry.scope in LIFTED_BY_CONSENT and consented_after(facts, entry.at)
    return not lifted


def consents(facts: Facts) -> list[Consent]:
    """The telephone consents in force: those given and not revoked at the same time or later.

    A revocation of any consent also revokes the one for the telephone: in doubt nobody is called. Only a
    later one under the person's own key ends it: matches never bring facts that end a protection.
    """
    past = [consent for consent in facts.consents if consent.at <= facts.now]
    revocations = (consent.at for consent in past if consent.event is ConsentEvent.REVOKED)
    revoked = max(revocations, default=None)
    given = [consent for consent in past if consent.event is ConsentEvent.GIVEN and consent.phone]
    return [
        consent for consent in given if revoked is None or (consent.is_own and consent.at > revoked)
    ]


def consented_after(facts: Facts, at: datetime) -> bool:
    """Whether the person gave a telephone consent that is in force after that instant.

    Only one under their own key counts: it ends a protection, so it must not come from a match.
    """
    return any(consent.is_own and consent.at > at for consent in consents(facts))


def _revoked(facts: Facts) -> bool:
    return not consents(facts) and any(
        consent.event is ConsentEvent.REVOKED and consent.at <= facts.now
        for consent in facts.consents
    )


def _consent_problems(facts: Facts, today: date) -> tuple[Reason, ...]:
    if _revoked(facts):
        return (Reason.SUP_CONSENT_REVOKED,)
    if facts.policy is None or facts.policy.consent.mode == "not_needed":
        return ()
    rule = facts.policy.consent
    given = consents(facts)
    if given:
        proven = not rule.proof or any(consent.proof for consent in given)
        return () if proven else (Reason.SUP_CONSENT_UNPROVEN,)
    if rule.except_members and facts.relation.member:
        return ()
    ended, years = facts.relation.ended, rule.except_ended_years
    if ended is not None and years is not None and today <= add_years(ended, years):
        return ()
    return (Reason.SUP_CONSENT_MISSING,)


def _is_register_respected(facts: Facts, today: date) -> bool:
    """Whether the policy applies the register to this person."""
    if facts.policy is None:
        return False
    rule = facts.policy.register_rule
    if not rule.respected or (rule.except_members and facts.relation.member):
        return False
    if rule.except_consent and any(consent.is_own for consent in consents(facts)):
        return False
    years = rule.except_last_gift_years
    return years is None or not gave_within(facts.relation.last_gift, years, today)


def register_is_stale(facts: Facts) -> bool:
    """Whether the local copy of the register is older than the policy allows, or missing."""
    if facts.policy is None:
        return False
    rule, checked = facts.policy.register_rule, facts.register.checked_at
    if facts.register.missing:
        return rule.respected
    if checked is None or rule.wash_days is None:
        return False
    return facts.now - checked > timedelta(days=rule.wash_days)
