"""Twilio's call statuses as reports: one table for callbacks and look-ups."""

from collections.abc import Mapping

from callserver.domain.call import ENDINGS, Cause, Report
from callserver.ports import Leg, LegState

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


def has_ended(status: str) -> bool:
    return REPORTS.get(status) in ENDINGS


def leg(status: str, sid: str) -> Leg:
    """The leg of a look-up; an unknown status counts as ended."""
    report = REPORTS.get(status, Report.FAILED)
    if report in _STATES:
        return Leg(_STATES[report], sid)
    return Leg(LegState.ENDED, sid, ENDINGS.get(report, Cause.UNREACHABLE).value)
