"""A dial decision in the log: its sealed entry commits to the facts, which are stored beside it.

The entry names ids, reasons and pseudonymous keys. With the opened facts the answer can be recomputed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from callserver.database import audit, openings
from callserver.domain import fact_lines, phone, pseudonyms
from callserver.domain.audit import EntryKind, stamp
from callserver.domain.commitment import commit
from callserver.domain.facts import Facts
from callserver.domain.permit import DialPermit, Refusal
from callserver.domain.reason import Reason
from callserver.engine.context import EngineContext, Rules
from callserver.engine.gate.stored_facts import DialRequest
from callserver.ports import Tx


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, and the line of the facts that it was made from."""

    answer: DialPermit | Refusal
    line: Mapping[str, Any]

    def __post_init__(self) -> None:
        if isinstance(self.answer, Refusal) and Reason.SYS_ERROR in self.answer.reasons:
            object.__setattr__(self, "line", {**self.line, "error": True})


def line(rules: Rules, request: DialRequest, facts: Facts) -> dict[str, Any]:
    """The line of the facts under the configuration in force."""
    return fact_lines.line_of(facts, request.campaign.policy, rules.current.sha256)


def failed(rules: Rules, request: DialRequest) -> Decision:
    """The refusal after an error while deciding. Only the request is known."""
    asked = {
        "now": stamp(request.now),
        "policy": request.campaign.policy,
        "revision": rules.current.sha256,
        "num": phone.from_int(request.contact.number),
    }
    return Decision(Refusal((Reason.SYS_ERROR,), None), asked)


def second_call(decision: Decision) -> Decision:
    """The refusal after the database refused a second open call (I3)."""
    return Decision(
        Refusal((Reason.FREQ_ACTIVE_CALL,), None), {**decision.line, "active_call": True}
    )


def _bounds(rules: Rules, request: DialRequest, permit: DialPermit) -> dict[str, Any]:
    """The limits of the permitted call, so that the log alone shows whether it kept to them."""
    policy = rules.policy_of(request.campaign)
    frequency = None if policy is None else policy.frequency
    gap = None if frequency is None else frequency.gap_hours
    return {
        "purpose": request.campaign.purpose.value,
        "ring_seconds": permit.ring_seconds,
        "closes_at": None if permit.closes_at is None else stamp(permit.closes_at),
        "gap_minutes": None if gap is None else int(gap * 60),
        "per_day": None if frequency is None else frequency.per_day,
    }


def write(
    tx: Tx, ctx: EngineContext, request: DialRequest, decision: Decision, **details: Any
) -> None:
    """Write the decision's entry, and the opening of its commitment beside it."""
    # Here, because a command that only explains would import Prometheus for it, in a twentieth of its time.
    from callserver.metrics import DECISIONS, PERMITTED

    answer, commitment = decision.answer, commit(decision.line)
    details |= {
        "revision": ctx.rules.current.sha256,
        "keys": pseudonyms.of_call(request.contact, ctx.secret),
        "commitment": commitment.root,
    }
    if isinstance(answer, Refusal):
        kind = EntryKind.REFUSED
        details["reasons"] = [reason.value for reason in answer.reasons]
        DECISIONS.labels("refused", details["reasons"][0]).inc()
        details["next_at"] = None if answer.next_at is None else stamp(answer.next_at)
    else:
        PERMITTED.inc()
        kind, details["call"] = EntryKind.PERMITTED, answer.attempt
        details |= _bounds(ctx.rules, request, answer)
    entry = audit.append_numbered(tx, request.now, kind, **details)
    number = None if "contact" in details else request.contact.number
    openings.add(tx, entry, request.now, number, commitment.opening)
