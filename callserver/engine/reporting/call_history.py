"""Calls, refused attempts, sources and opt-outs: the answer to "who called me, and why?"."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from callserver.database.calls import CallRow
from callserver.database.contacts import Contact
from callserver.domain import subject
from callserver.domain.audit import EntryKind
from callserver.domain.facts import Suppression
from callserver.domain.reason import Reason
from callserver.engine.context import Rules


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
class ListSource:
    """Where a campaign has the number from."""

    text: str
    campaign: str


@dataclass(frozen=True, slots=True)
class CallHistory:
    """Everything known about calls, and refused calls, to a number or a person."""

    calls: tuple[CallRecord, ...]
    refused: tuple[RefusedAttempt, ...]
    sources: tuple[ListSource, ...]
    suppressed: tuple[Suppression, ...]

    @property
    def count(self) -> int:
        return len(self.calls) + len(self.refused)


def history(
    known: Sequence[Contact],
    made: Sequence[CallRow],
    entries: Iterable[Mapping[str, Any]],
    suppressed: Iterable[Suppression],
) -> CallHistory:
    """`entries`: the audit log's about the contacts."""
    refused = [_refused(entry) for entry in entries if entry["kind"] == EntryKind.REFUSED]
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
                    ListSource(said, contact.campaign)
                    for contact in known
                    if (said := subject.told_source(contact.source))
                }
            )
        ),
        suppressed=tuple(row for row in suppressed if row.lifted_at is None),
    )


def campaigns_of(rules: Rules, department: str) -> frozenset[str]:
    """A department's campaigns."""
    return frozenset(
        name for name, campaign in rules.every.items() if campaign.department == department
    )


def seen_by(whole: CallHistory, rules: Rules, department: str | None) -> CallHistory:
    """The part that a user of the department sees; everything for a user without a department.

    An opt-out applies everywhere, and everybody sees it.
    """
    if department is None:
        return whole
    campaigns = campaigns_of(rules, department)
    return CallHistory(
        calls=tuple(call for call in whole.calls if call.campaign in campaigns),
        refused=tuple(row for row in whole.refused if row.campaign in campaigns),
        sources=tuple(source for source in whole.sources if source.campaign in campaigns),
        suppressed=whole.suppressed,
    )


def _refused(entry: Mapping[str, Any]) -> RefusedAttempt:
    return RefusedAttempt(
        datetime.fromisoformat(entry["at"]),
        entry["campaign"],
        entry["path"],
        tuple(Reason(reason) for reason in entry["reasons"]),
    )


def names(rules: Rules, campaign: str, language: str) -> tuple[str, str]:
    """The calling organisation and the reason for calling, in the campaign's words."""
    known = rules.every.get(campaign)
    if known is None:
        return campaign, ""
    return known.organisation, known.why.en if language == "en" else known.why.da
