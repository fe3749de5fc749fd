"""Twilio's call statuses as reports: one table for callbacks and look-ups."""

from collections.abc import Mapping

import structlog

from callserver.domain.call import ENDINGS, Report
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


def report(status: str) -> Report | None:
    """The report of a status in any letter case; None: an unknown one."""
    return REPORTS.get(status.lower())


def has_ended(status: str) -> bool:
    return report(status) in ENDINGS


def leg(status: str, sid: str) -> Leg:
    """The leg of a look-up. An unknown status says nothing: it is asked for again."""
    reported = report(status)
    if reported is None:
        log.error("unknown_call_status", status=status)
        return Leg(LegState.NO_ANSWER, sid)
    if reported in _STATES:
        return Leg(_STATES[reported], sid)
    return Leg(LegState.ENDED, sid, ENDINGS[reported].value)
