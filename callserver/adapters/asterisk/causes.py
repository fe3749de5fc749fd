"""How a leg ended, in Asterisk's words (Q.850 causes) and in ours.

Decided by cause, not by the dial's own status: a decline and a wrong number both say "no answer"
there. Measured against 22.10 (docs/decisions/0015-create-bridge-dial.md).
"""

from collections.abc import Mapping

from callserver.domain.call import Report
from callserver.ports import LegState

NORMAL_CLEARING = 16
"""A leg that was not answered ends so only when we end it."""

NO_ANSWER = 19
"""After ringing: nobody answered. Without: nobody was ever reached (a dead trunk sounds the same)."""

_UNANSWERED: Mapping[int, Report] = {
    NORMAL_CLEARING: Report.CANCELLED,
    17: Report.BUSY,  # 486, 600
    18: Report.NOT_ANSWERED,  # no user responding: 408
    21: Report.NOT_ANSWERED,  # declined (603): somebody was there, and did not want to answer
}

STATES: Mapping[str, LegState] = {
    "Down": LegState.QUEUED,
    "Rsrved": LegState.QUEUED,
    "OffHook": LegState.QUEUED,
    "Dialing": LegState.QUEUED,
    "Ring": LegState.RINGING,
    "Ringing": LegState.RINGING,
    "Up": LegState.TALKING,
    "Busy": LegState.QUEUED,
}


def report(cause: int, *, answered: bool, rang: bool) -> Report:
    """What the end of a contact's leg says. 404, 484, 500, 503 and the like: it could not be reached."""
    if answered:
        return Report.HUNG_UP
    if cause == NO_ANSWER:
        return Report.NOT_ANSWERED if rang else Report.FAILED
    return _UNANSWERED.get(cause, Report.FAILED)
