"""Who called this number, and why? Every call and every refused attempt.

The look-up itself is an audit entry: people have a right to know who looked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from callserver.database import audit, calls, contacts, suppressions
from callserver.domain import phone, subject
from callserver.domain.audit import EntryKind
from callserver.domain.facts import Suppression
from callserver.domain.reason import Reason
from callserver.engine.context import Rules
from callserver.ports import Tx


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call we made."""

    at: datetime
    campaign: str
    path: str
    answered: bool
    cause: str | None
    code: int | None  # the final SIP response, or the provider's own code
    outcome: str | None


@dataclass(frozen=True, slots=True)
class RefusedAttempt:
    """One call the gate did not allow."""

    at: datetime
    campaign: str
    path: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """Where a campaign has the number from."""

    text: str
    campaign: str


@dataclass(frozen=True, slots=True)
class CallHistory:
    """Everything known about calls, and refused calls, to a number."""

    calls: tuple[CallRecord, ...]
    refused: tuple[RefusedAttempt, ...]
    sources: tuple[Source, ...]
    suppressed: tuple[Suppression, ...]


def why(tx: Tx, number: str, secret: bytes, by: str, now: datetime) -> CallHistory:
    """Look a number up, and write down that somebody did."""
    key = phone.to_int(number)
    known = contacts.by_number(tx, key)
    made = calls.of_number(tx, key)
    audit.append(tx, now, EntryKind.LOOKED_UP, by=by, contacts=[contact.id for contact in known])
    refused = [
        _refused(entry)
        for contact in known
        for entry in audit.about(tx, contact=contact.id)
        if entry["kind"] == EntryKind.REFUSED
    ]
    subjects = subject.everyone_at(key, known, secret)
    return CallHistory(
        calls=tuple(
            CallRecord(
                call.permit_at,
                call.campaign,
                call.path,
                call.answered_at is not None,
                call.cause,
                call.code,
                call.outcome,
            )
            for call in made
        ),
        refused=tuple(sorted(refused, key=lambda attempt: attempt.at)),
        sources=tuple(
            sorted(
                {
                    Source(said, contact.campaign)
                    for contact in known
                    if (said := subject.told_source(contact.source))
                }
            )
        ),
        suppressed=tuple(
            suppression
            for suppression in suppressions.for_subjects(tx, subjects)
            if suppression.lifted_at is None
        ),
    )


def _refused(entry: Mapping[str, Any]) -> RefusedAttempt:
    return RefusedAttempt(
        datetime.fromisoformat(entry["at"]),
        entry["campaign"],
        entry["path"],
        tuple(Reason(reason) for reason in entry["reasons"]),
    )


def names(rules: Rules, campaign: str, language: str) -> tuple[str, str]:
    """The organisation that rang, and why, in the campaign's own words."""
    known = rules.current.campaigns.get(campaign)
    if known is None:
        return campaign, ""
    return known.organisation, known.why.en if language == "en" else known.why.da
