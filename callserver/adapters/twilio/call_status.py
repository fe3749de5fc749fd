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


def report(status: str) -> Report | None:
    """The report of a status in any letter case; None: an unknown one."""
    return REPORTS.get(status.lower())


def has_ended(status: str) -> bool:
    return report(status) in ENDINGS


def leg(status: str, sid: str) -> Leg:
    """The leg of a look-up; an unknown status counts as ended."""
    reported = report(status) or Report.FAILED
    if reported in _STATES:
        return Leg(_STATES[reported], sid)
    return Leg(LegState.ENDED, sid, ENDINGS.get(reported, Cause.UNREACHABLE).value)
