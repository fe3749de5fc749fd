"""One attempt to reach one number: its states, the reports about it, and the table of transitions.

Rule: everything that decides what a report does to a call is in this file. `advance` is pure;
reports may come twice, late, in any order or never (I6), and an ended call stays ended.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class DialPath(StrEnum):
    """How a dial comes about. Every path asks the same gate."""

    LIST = "list"
    CALL_BACK = "call_back"  # agreed with the person
    MANUAL = "manual"  # a phoner typed the number of a contact
    REDIAL = "redial"  # a phoner's last contact again
    CONFIRMATION = "confirmation"  # of a user's line: no contact, no seat
    EXPLAIN = "explain"  # only asked about, never dialed


class CallState(StrEnum):
    PLACING = "placing"  # the permit is written; the provider's answer is not stored yet
    SILENT = "silent"  # the order was sent, and no reply tells whether a telephone rings
    DIALING = "dialing"  # the provider accepted the order
    RINGING = "ringing"
    TALKING = "talking"
    ENDED = "ended"


class Cause(StrEnum):
    """How a call ended."""

    COMPLETED = "completed"  # was answered, and is over
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    MACHINE = "machine"
    CANCELLED = "cancelled"  # the server stopped it before it was answered
    DECLINED = "declined"  # the provider refused to dial
    NEVER_PLACED = "never_placed"  # settled: no telephone ever rang


class Report(StrEnum):
    """What the provider may report about a call."""

    TAKEN = "taken"  # the provider accepted the order
    NO_REPLY = "no_reply"  # it is unknown whether the order was carried out
    RANG = "rang"
    ANSWERED = "answered"
    HUNG_UP = "hung_up"  # over, after having been answered
    NOT_ANSWERED = "not_answered"
    BUSY = "busy"
    FAILED = "failed"
    MACHINE = "machine"
    CANCELLED = "cancelled"
    DECLINED = "declined"
    NEVER_PLACED = "never_placed"


@dataclass(frozen=True, slots=True)
class Receipt:
    """The provider's own identifier of one report: the same receipt twice is the same report."""

    kind: str  # what of the sid's events it is
    sid: str
    sequence: int


MACHINE_WITHIN = timedelta(seconds=15)
"""A verdict that a machine has answered ends no talk that has lasted longer: the phoner knows better by then."""

S, R = CallState, Report

ENDINGS: Mapping[Report, Cause] = {
    R.HUNG_UP: Cause.COMPLETED,
    R.NOT_ANSWERED: Cause.NO_ANSWER,
    R.BUSY: Cause.BUSY,
    R.FAILED: Cause.UNREACHABLE,
    R.MACHINE: Cause.MACHINE,
    R.CANCELLED: Cause.CANCELLED,
    R.DECLINED: Cause.DECLINED,
    R.NEVER_PLACED: Cause.NEVER_PLACED,
}

_ANY_END: Mapping[Report, CallState] = dict.fromkeys(ENDINGS, S.ENDED)

NEXT: Mapping[CallState, Mapping[Report, CallState]] = {
    S.PLACING: {
        R.TAKEN: S.DIALING,
        R.NO_REPLY: S.SILENT,
        R.RANG: S.RINGING,
        R.ANSWERED: S.TALKING,
        **_ANY_END,
    },
    S.SILENT: {
        R.TAKEN: S.DIALING,
        R.NO_REPLY: S.SILENT,
        R.RANG: S.RINGING,
        R.ANSWERED: S.TALKING,
        **_ANY_END,
    },
    S.DIALING: {
        R.TAKEN: S.DIALING,
        R.NO_REPLY: S.DIALING,
        R.RANG: S.RINGING,
        R.ANSWERED: S.TALKING,
        **_ANY_END,
    },
    S.RINGING: {
        R.TAKEN: S.RINGING,
        R.NO_REPLY: S.RINGING,
        R.RANG: S.RINGING,
        R.ANSWERED: S.TALKING,
        **_ANY_END,
    },
    S.TALKING: {
        R.TAKEN: S.TALKING,
        R.NO_REPLY: S.TALKING,
        R.RANG: S.TALKING,
        R.ANSWERED: S.TALKING,
        **_ANY_END,
    },
    S.ENDED: dict.fromkeys(Report, S.ENDED),
}
"""Every report in every state. A report that changes nothing is late or repeated, and is recorded."""


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt to call a number. Instants are UTC; `ref` is the provider's name for the leg."""

    attempt: str
    state: CallState = CallState.PLACING
    ref: str | None = None
    rang_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    cause: Cause | None = None
    code: int | None = None  # the final SIP response, where the provider reports it


def advance(
    call: Call,
    report: Report,
    at: datetime,
    ref: str | None = None,
    code: int | None = None,
) -> Call:
    """The call after the report; equal to `call` when nothing changes.

    `at` is when it happened, by the provider's clock where it reports that. So a late report fills in
    its own instant, and the same reports in any order lead to the same call. A machine's verdict is the exception
    where it comes long after the answer: it ends a call whose answer is not known yet.
    """
    rang_at, answered_at = call.rang_at, call.answered_at
    if report is Report.MACHINE and answered_at is not None and at - answered_at > MACHINE_WITHIN:
        return call
    ref = call.ref or ref
    ended_at, cause = call.ended_at, call.cause
    if report is Report.RANG and rang_at is None:
        rang_at = at
    if report is Report.ANSWERED and answered_at is None:
        answered_at = at
    if report in ENDINGS and cause is None:
        ended_at, cause = at, ENDINGS[report]
    if cause is not None and cause is not Cause.MACHINE and answered_at is not None:
        cause = Cause.COMPLETED  # whatever final status the provider gives an answered call
    elif cause is Cause.DECLINED and rang_at is not None:
        cause = Cause.UNREACHABLE  # it rang after all
    return Call(
        attempt=call.attempt,
        state=NEXT[call.state][report],
        ref=ref,
        rang_at=rang_at,
        answered_at=answered_at,
        ended_at=ended_at,
        cause=cause,
        code=call.code if call.code is not None else code,
    )
