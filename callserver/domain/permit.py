"""May this number be dialed now? Facts in, a permit or a refusal with all its reasons out.

Only this file constructs a DialPermit (a test checks this).
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from callserver.domain import frequency, hours, legal_basis, phone, suppression
from callserver.domain.facts import Facts
from callserver.domain.policy import Policy
from callserver.domain.reason import ORDER, Reason

LIFETIME = timedelta(seconds=2)
"""A permit that is not spent within this time is void, and the gate is asked again (I2)."""


class PermitVoid(Exception):  # noqa: N818 - the domain's own word
    """The permit is already spent, or is too old."""


@dataclass(slots=True)
class DialPermit:
    """Permission to dial one number once, now. Telephony calls `spend` just before it sends the order."""

    attempt: str  # the attempt's id: the call row's key, the provider's label, part of the URLs
    number: str
    caller_id: str
    at: datetime
    ring_seconds: int
    revision: str
    closes_at: datetime | None = None  # when the calling hours end; None: outside them, as agreed
    spent_at: datetime | None = None

    def spend(self, now: datetime) -> None:
        """Use the permit up.

        Raises:
            PermitVoid: it was spent before, or more than LIFETIME has passed since the decision.
        """
        if self.spent_at is not None:
            raise PermitVoid("the permit was spent before")
        self.spent_at = now
        if now - self.at > LIFETIME:
            raise PermitVoid("the permit is too old")


@dataclass(frozen=True, slots=True)
class Refusal:
    """All the reasons, in the fixed order, and when the rules would next permit the dial."""

    reasons: tuple[Reason, ...]
    next_at: datetime | None  # None: the passing of time alone does not permit it


TRANSIENT = frozenset(
    {reason for reason in Reason if reason.startswith(("SYS_", "CAMP_", "AGENT_", "CLI_"))}
) | {Reason.FREQ_ACTIVE_CALL}
"""Reasons that concern the server or the present moment, not the person."""

TIMED = frozenset({reason for reason in Reason if reason.startswith(("TIME_", "FREQ_"))}) - {
    Reason.TIME_TZ_UNKNOWN,
    Reason.FREQ_ACTIVE_CALL,
}
"""Reasons that pass with time."""

_KINDS = {
    phone.NumberKind.EMERGENCY: Reason.NUM_EMERGENCY,
    phone.NumberKind.SHORT_CODE: Reason.NUM_SHORTCODE,
    phone.NumberKind.INVALID: Reason.NUM_INVALID,
    phone.NumberKind.PREMIUM: Reason.NUM_PREMIUM,
    phone.NumberKind.TOLL_FREE: Reason.NUM_TOLLFREE,
    phone.NumberKind.CORPORATE: Reason.NUM_CORPORATE_70,
    phone.NumberKind.M2M: Reason.NUM_M2M,
}
_NO_PLACE = frozenset(
    {phone.NumberKind.EMERGENCY, phone.NumberKind.SHORT_CODE, phone.NumberKind.INVALID}
)
MOST_CLOCK_SKEW_MS = 500
MOST_SUPPRESSION_AGE_S = 5.0
MOST_STEPS = 5000
"""Bounds the search for the next yes; a year of midnights needs far fewer."""


def decide(facts: Facts, attempt: str) -> DialPermit | Refusal:
    """Ask every rule. An error while asking is a refusal (I9)."""
    try:
        reasons = reasons_against(facts)
        if not reasons:
            return DialPermit(
                attempt=attempt,
                number=facts.number,
                caller_id=facts.caller_id or "",
                at=facts.now,
                ring_seconds=facts.ring_seconds,
                revision=facts.revision,
                closes_at=_closes_at(facts),
            )
        return Refusal(reasons, _next_permitted_at(facts, reasons))
    except Exception:  # noqa: BLE001 - whatever the error, nobody is called
        return Refusal((Reason.SYS_ERROR,), None)


def _closes_at(facts: Facts) -> datetime | None:
    policy = facts.policy
    return None if policy is None else hours.closes_at(policy, place_of(facts), facts.now)


def reasons_against(facts: Facts) -> tuple[Reason, ...]:
    kind, place = _kind(facts), place_of(facts)
    todays = hours.local_dates(place, facts.now)
    today = max(todays)  # on the later date gifts and relations are older: the stricter answer
    reasons: set[Reason] = set(_system(facts, today.year))
    reasons.update(_number(facts, kind))
    reasons.update(legal_basis.person_problems(facts, todays))
    reasons.update(suppression.problems(facts, today))
    reasons.update(legal_basis.problems(facts, today))
    if facts.row_refused and not _is_agreed(facts):
        reasons.add(Reason.BASIS_ROW_REFUSED)
    timed = set(frequency.problems(facts, place))
    # Where the kind of number is refused, there is no called person whose local time counts.
    if facts.policy is not None and (kind not in _KINDS or kind in facts.policy.numbers.kinds):
        timed.update(hours.problems(facts.policy, place, facts.now))
    reasons.update(_agreed(facts, timed))
    reasons.update(_campaign_and_call(facts))
    return tuple(sorted(reasons, key=ORDER.__getitem__))


def _kind(facts: Facts) -> phone.NumberKind:
    return phone.kind(facts.number) if facts.location is None else facts.location.kind


def place_of(facts: Facts) -> hours.Place:
    """Where the telephone rings, with every zone in which the person may be."""
    own, location = facts.person.zone, facts.location
    if location is None:
        place = hours.place_of(facts.number, own)
    else:
        place = hours.place_in(location.country, (own,) if own else location.zones)
    return hours.with_others(place, facts.person.other_zones)


def _system(facts: Facts, year: int) -> list[Reason]:
    reasons = []
    if abs(facts.system.clock_skew_ms) > MOST_CLOCK_SKEW_MS:
        reasons.append(Reason.SYS_CLOCK)
    if facts.system.suppression_age_s > MOST_SUPPRESSION_AGE_S:
        reasons.append(Reason.SYS_SUPPRESSION_STALE)
    if not facts.system.audit_ok:
        reasons.append(Reason.SYS_AUDIT_DOWN)
    if facts.policy is None:
        reasons.append(Reason.SYS_POLICY_MISSING)
        return reasons
    until = facts.policy.hours.calendar_checked_until
    if until is not None and year > until:
        reasons.append(Reason.SYS_CALENDAR_MISSING)
    if suppression.register_is_stale(facts):
        reasons.append(Reason.SYS_EXTLIST_STALE)
    return reasons


def _number(facts: Facts, kind: phone.NumberKind) -> list[Reason]:
    reasons = []
    allowed = (phone.NumberKind.ORDINARY,) if facts.policy is None else facts.policy.numbers.kinds
    if kind not in allowed and kind in _KINDS:
        reasons.append(_KINDS[kind])
    if facts.own_number:
        reasons.append(Reason.NUM_OWN)
    if (
        facts.policy is not None
        and kind not in _NO_PLACE
        and place_of(facts).country not in facts.policy.numbers.regions
    ):
        reasons.append(Reason.NUM_REGION)
    if legal_basis.reassigned(facts):
        reasons.append(Reason.NUM_REASSIGNED)
    if facts.bad_number:
        reasons.append(Reason.NUM_BAD)
    if facts.number_refused:
        reasons.append(Reason.NUM_REFUSED)
    return reasons


def _agreed(facts: Facts, timed: set[Reason]) -> set[Reason]:
    """The timed reasons that apply. An agreed call-back lifts the hours, the gap and the counts, but
    never a refusal or any other rest."""
    if not _is_agreed(facts):
        return timed
    return {
        reason
        for reason in timed
        if reason not in frequency.LIFTED_BY_CALL_BACK and not reason.startswith("TIME_")
    }


def _is_agreed(facts: Facts) -> bool:
    """Whether the person asked to be called at this time."""
    at = facts.callback_for
    return at is not None and abs(facts.now - at) <= _tolerance(facts)


def _tolerance(facts: Facts) -> timedelta:
    """How far from the agreed instant a call still counts as the agreed one."""
    most = facts.call_back_tolerance_minutes
    if facts.policy is not None:
        most = min(most, facts.policy.frequency.call_back_tolerance_minutes)
    return timedelta(minutes=most)


def _campaign_and_call(facts: Facts) -> list[Reason]:
    """Campaign, phoner and caller id."""
    reasons = []
    campaign, phoner = facts.campaign, facts.phoner
    if campaign.paused:
        reasons.append(Reason.CAMP_PAUSED)
    if facts.policy is not None and facts.policy.abandon.exceeded(
        campaign.answered, campaign.abandoned
    ):
        reasons.append(Reason.CAMP_ABANDON_RATE)
    if not facts.phoner_reserved:
        reasons.append(Reason.CAMP_NO_AGENT)
    if phoner.shift == 1:
        reasons.append(Reason.AGENT_LISTEN_ONLY)
    if (phoner.shift == 2 or phoner.talk_owed) and not phoner.supervisor_present:
        reasons.append(Reason.AGENT_NEEDS_SUPERVISOR)
    if not phoner.policy_ack:
        reasons.append(Reason.AGENT_POLICY_NOT_ACKED)
    if phoner.left:
        reasons.append(Reason.AGENT_LEFT)
    if not facts.caller_id:
        reasons.append(Reason.CLI_HIDDEN)
    return reasons


def _next_permitted_at(facts: Facts, reasons: tuple[Reason, ...]) -> datetime | None:
    """The first instant at which the rules permit the dial if nothing but the time changes."""
    if facts.policy is None or not all(reason in TIMED for reason in reasons):
        return None
    place = place_of(facts)
    candidates = (_next_open_hour(facts, facts.policy, place), _next_agreed(facts, place))
    return min((at for at in candidates if at is not None), default=None)


def _next_agreed(facts: Facts, place: hours.Place) -> datetime | None:
    """The first permitted instant around the agreed call-back, which may lie outside the hours."""
    if facts.callback_for is None:
        return None
    at = max(facts.now, facts.callback_for - _tolerance(facts))
    while at <= facts.callback_for + _tolerance(facts):
        then = replace(facts, now=at)
        if not reasons_against(then):
            return at
        at = frequency.next_change(then, place)
    return None


def _next_open_hour(facts: Facts, policy: Policy, place: hours.Place) -> datetime | None:
    """The first permitted instant within the calling hours."""
    then = facts
    for _ in range(MOST_STEPS):
        opens = hours.next_open(policy, place, then.now)
        if opens is None:
            return None
        then = replace(then, now=opens)
        remaining = [reason for reason in frequency.problems(then, place) if reason in TIMED]
        if not remaining:
            return then.now if not reasons_against(then) else None
        then = replace(then, now=frequency.next_change(then, place))
    return None
