"""Twilio's call statuses as reports: one table for callbacks and look-ups."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from callserver.domain.call import ENDINGS, Cause, Report
from callserver.ports import Leg, LegState

log = structlog.get_logger(__name__)

REPORTS: Mapping[str, Report] = {
    "queued": Report.TAKEN,
    "initiated": Report.TAKEN,
    "ringing": Report.RANG,
    "in-progress": Report.ANSWERED,
    "completed": Report.HUNG_UP,
    "busy": Report.BUSY,
    "failed": Report.FAILED,
    "no-answer": Report.NOT_ANSWERED,
    "canceled": Report.CANCELLED,
}

_STATES = {
    Report.TAKEN: LegState.QUEUED,
    Report.RANG: LegState.RINGING,
    Report.ANSWERED: LegState.TALKING,
}


DIALED_WITHIN = timedelta(seconds=5)
"""From an order, apart from its wait in Twilio's queue, to its dial. Twilio's times are in whole seconds."""


def report(status: str) -> Report | None:
    """The report of a status in any letter case; None: an unknown one."""
    return REPORTS.get(status.lower())


def has_ended(status: str) -> bool:
    return report(status) in ENDINGS


def leg(call: Any) -> Leg:
    """The leg of a look-up. An unknown status says nothing: it is asked for again."""
    reported = report(str(call.status))
    if reported is None:
        log.error("unknown_call_status", status=str(call.status))
        return Leg(LegState.NO_ANSWER, call.sid)
    if reported in _STATES:
        answered_at = _answered_at(call) if reported is Report.ANSWERED else None
        return Leg(_STATES[reported], call.sid, answered_at=answered_at)
    cause = ENDINGS[reported]
    ended_at = _utc(call.end_time)
    answered_at = None
    if cause is Cause.COMPLETED and ended_at is not None and str(call.duration or "").isdecimal():
        answered_at = ended_at - timedelta(seconds=int(call.duration))
    return Leg(LegState.ENDED, call.sid, cause.value, answered_at, ended_at)


def _answered_at(call: Any) -> datetime | None:
    """When a leg in progress was answered; None: it is not certain.

    Twilio calls `start_time` "empty if the call has not yet been dialed": it may be the time of the dial. Only one
    that is clearly later than the dial can be that of the answer. Else a listener who left while it rang
    would be among those who heard the talk. (`duration`, of a leg that has ended, does not count the ringing.)
    """
    start, created = _utc(call.start_time), _utc(call.date_created)
    if start is None or created is None:
        return None
    queued = str(call.queue_time or "0")
    waited = timedelta(milliseconds=int(queued)) if queued.isdecimal() else timedelta()
    return start if start - created - waited > DIALED_WITHIN else None


def _utc(at: object) -> datetime | None:
    """twilio-python leaves what it cannot read as text."""
    return at.astimezone(UTC) if isinstance(at, datetime) else None
