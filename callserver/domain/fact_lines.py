"""A decision's facts as a line of plain values, and back: the form of tests/vectors, and of what is published.

A field that is absent is harmless. What may have to be withheld separately has its own field: the date of
birth beside `of_age`, the number beside its country, kind and zones (docs/verifying.md).
"""

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

from callserver.domain import facts as f
from callserver.domain import hours, legal_basis, permit, phone
from callserver.domain.audit import stamp
from callserver.domain.facts import Facts
from callserver.domain.policy import Policy

Line = Mapping[str, Any]

CALL_BACK_TOLERANCE = 15
"""Minutes, where the line names none."""


def line_of(facts: Facts, policy: str, revision: str) -> dict[str, Any]:
    """The line of a decision's facts. `policy`: its name; `revision`: the configuration's full hash."""
    number = facts.number
    line: dict[str, Any] = {
        "now": stamp(facts.now),
        "policy": policy,
        "revision": revision,
        "num": number,
        "country": phone.country(number),
        "kind": phone.kind(number).value,
        "zones": phone.zones(number),
        "seg": facts.segment.value,
        "purpose": facts.purpose.value,
        "ring_seconds": facts.ring_seconds,
        "cli": facts.caller_id,
    }
    line.update((name, value) for name, value in _more(facts) if value)
    if not facts.source_known:
        line["source_known"] = False
    if not facts.phoner_reserved:
        line["agent_reserved"] = False
    if facts.person.born is not None:
        todays = hours.local_dates(permit.place_of(facts), facts.now)
        line["dob"] = facts.person.born.isoformat()
        line["of_age"] = not legal_basis.is_minor(facts, todays)
    return line


def _more(facts: Facts) -> Iterator[tuple[str, Any]]:
    """The fields that are absent when they say nothing."""
    yield "person", _person(facts.person)
    yield "rel", _relation(facts.relation)
    yield "consent", [_consent(consent) for consent in facts.consents]
    yield "sup", [_suppression(suppression) for suppression in facts.suppressions]
    register = facts.register
    yield "ext_listed", register.listed
    yield "ext_checked_at", _instant(register.checked_at)
    yield "ext_missing", register.missing
    yield "ext_unsure", register.unsure
    yield "attempts", [stamp(at) for at in facts.attempts]
    yield "refused_at", _instant(facts.refused_at)
    yield "not_now_until", _instant(facts.not_now_until)
    yield "abandoned_at", _instant(facts.abandoned_at)
    yield "callback", _call_back(facts)
    yield "reassigned_at", _instant(facts.reassigned_at)
    yield "bad_number", facts.bad_number
    yield "number_refused", facts.number_refused
    yield "active_call", facts.active_call
    yield "row_refused", facts.row_refused
    yield "own_number", facts.own_number
    yield "agent", _phoner(facts.phoner)
    campaign = facts.campaign
    yield (
        "camp",
        _said(paused=campaign.paused, answered=campaign.answered, abandoned=campaign.abandoned),
    )
    yield "sys", _system(facts)


def _said(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}


def _instant(at: datetime | None) -> str | None:
    return None if at is None else stamp(at)


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _person(person: f.Person) -> dict[str, Any]:
    return _said(
        tz=person.zone,
        other_tz=list(person.other_zones),
        deceased_at=_instant(person.deceased_at),
        guardian=person.guardian,
        vulnerable=person.vulnerable,
        erased=person.erased,
        in_crowd=person.in_crowd,
        outcome_missing=person.outcome_missing,
    )


def _relation(relation: f.Relation) -> dict[str, Any]:
    return _said(
        member=relation.member, last_gift=_day(relation.last_gift), ended=_day(relation.ended)
    )


def _consent(consent: f.Consent) -> dict[str, Any]:
    line = {"event": consent.event.value, "at": stamp(consent.at), **_said(proof=consent.proof)}
    if not consent.phone:
        line["phone"] = False
    if not consent.is_own:
        line["own"] = False
    return line


def _suppression(suppression: f.Suppression) -> dict[str, Any]:
    purpose = suppression.purpose
    return {
        "scope": suppression.scope.value,
        "at": stamp(suppression.at),
        **_said(
            lifted_at=_instant(suppression.lifted_at),
            purpose=None if purpose is None else purpose.value,
        ),
    }


def _call_back(facts: Facts) -> dict[str, Any] | None:
    if facts.callback_for is None:
        return None
    tolerance = facts.call_back_tolerance_minutes
    line: dict[str, Any] = {"for": stamp(facts.callback_for)}
    if tolerance != CALL_BACK_TOLERANCE:
        line["tolerance"] = tolerance
    return line


def _phoner(phoner: f.Phoner) -> dict[str, Any]:
    line: dict[str, Any] = _said(left=phoner.left)
    if phoner.shift != f.Phoner().shift:
        line["shift"] = phoner.shift
    if phoner.talk_owed:
        line["talk_owed"] = True
    if not phoner.supervisor_present:
        line["supervisor_present"] = False
    if not phoner.policy_ack:
        line["policy_ack"] = False
    return line


def _system(facts: Facts) -> dict[str, Any]:
    system, policy = facts.system, facts.policy
    until = None if policy is None else policy.hours.calendar_checked_until
    line = _said(
        clock_skew_ms=system.clock_skew_ms,
        suppression_age_s=math.ceil(system.suppression_age_s),
        calendar_until=until,
    )
    if not system.audit_ok:
        line["audit_ok"] = False
    if policy is None:
        line["policy"] = False
    return line


# -- and back ----------------------------------------------------------------------------------


def facts_of(line: Line, policy: Policy | None) -> Facts:
    """The facts of a line; missing fields are harmless.

    Without a number its `kind`, `country` and `zones` count, without a date of birth `of_age`.

    Raises:
        ValueError: a field or a value is not valid in a line.
    """
    system, person = line.get("sys") or {}, line.get("person") or {}
    relation, campaign = line.get("rel") or {}, line.get("camp") or {}
    phoner, call_back = line.get("agent") or {}, line.get("callback") or {}
    return Facts(
        now=some_instant(line["now"]),
        number=str(line.get("num", "")),
        location=None if "num" in line else _location(line),
        policy=_policy(policy, system),
        segment=f.Segment(line.get("seg") or "KANVAS"),
        purpose=f.Purpose(line.get("purpose") or "RECRUIT"),
        person=f.Person(
            zone=person.get("tz"),
            other_zones=tuple(person.get("other_tz", ())),
            born=_some_day(line.get("dob") or person.get("dob")),
            of_age=None if "dob" in line else line.get("of_age"),
            deceased_at=_some(person.get("deceased_at")),
            guardian=person.get("guardian", False),
            vulnerable=person.get("vulnerable", False),
            erased=person.get("erased", False),
            in_crowd=person.get("in_crowd", False),
            outcome_missing=person.get("outcome_missing", False),
        ),
        relation=f.Relation(
            member=relation.get("member", False),
            last_gift=_some_day(relation.get("last_gift")),
            ended=_some_day(relation.get("ended")),
        ),
        consents=tuple(_consent_of(consent) for consent in line.get("consent") or ()),
        suppressions=tuple(_suppression_of(stated) for stated in line.get("sup") or ()),
        register=f.Register(
            listed=line.get("ext_listed", False),
            checked_at=_some(line.get("ext_checked_at")),
            missing=line.get("ext_missing", False),
            unsure=line.get("ext_unsure", False),
        ),
        attempts=tuple(some_instant(at) for at in line.get("attempts") or ()),
        refused_at=_some(line.get("refused_at")),
        not_now_until=_some(line.get("not_now_until")),
        abandoned_at=_some(line.get("abandoned_at")),
        callback_for=_some(call_back.get("for")),
        call_back_tolerance_minutes=call_back.get("tolerance", CALL_BACK_TOLERANCE),
        reassigned_at=_some(line.get("reassigned_at")),
        bad_number=line.get("bad_number", False),
        number_refused=line.get("number_refused", False),
        active_call=line.get("active_call", False),
        source_known=line.get("source_known", True),
        row_refused=line.get("row_refused", False),
        own_number=line.get("own_number", False),
        phoner_reserved=line.get("agent_reserved", True),
        phoner=f.Phoner(
            shift=phoner.get("shift", f.Phoner().shift),
            talk_owed=phoner.get("talk_owed", False),
            supervisor_present=phoner.get("supervisor_present", True),
            policy_ack=phoner.get("policy_ack", True),
            left=phoner.get("left", False),
        ),
        campaign=f.CampaignState(
            campaign.get("paused", False), campaign.get("answered", 0), campaign.get("abandoned", 0)
        ),
        caller_id=line.get("cli", "one of the organisation's"),
        system=f.System(
            clock_skew_ms=system.get("clock_skew_ms", 0),
            suppression_age_s=system.get("suppression_age_s", 0),
            audit_ok=system.get("audit_ok", True),
        ),
        revision=line.get("revision", ""),
    )


def some_instant(text: str) -> datetime:
    """An instant, with or without fractions; without a zone it is UTC, without a time midnight."""
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)


def _some(text: str | None) -> datetime | None:
    return None if text is None else some_instant(text)


def _some_day(text: str | None) -> date | None:
    return None if text is None else some_instant(text).date()


def _policy(policy: Policy | None, system: Line) -> Policy | None:
    """The policy; a calendar that the line does not name counts as up to date."""
    if policy is None or not system.get("policy", True):
        return None
    until = {"calendar_checked_until": system.get("calendar_until")}
    if policy.hours.calendar_checked_until == until["calendar_checked_until"]:
        return policy
    return policy.model_copy(update={"hours": policy.hours.model_copy(update=until)})


def _location(line: Line) -> f.NumberLocation:
    return f.NumberLocation(
        phone.NumberKind(line.get("kind", "ordinary")),
        line.get("country"),
        tuple(line.get("zones", ())),
    )


def _consent_of(line: Line) -> f.Consent:
    return f.Consent(
        f.ConsentEvent(line["event"]),
        some_instant(line["at"]),
        line.get("phone", True),
        line.get("proof", False),
        line.get("own", True),
    )


def _suppression_of(line: Line) -> f.Suppression:
    purpose = line.get("purpose")
    return f.Suppression(
        f.Scope(line["scope"]),
        some_instant(line["at"]),
        _some(line.get("lifted_at")),
        f.Purpose(purpose) if purpose else None,
    )
