"""How a leg ended: Asterisk's Q.850 causes as reports.

The cause decides, not the dial's status, which is "no answer" for a decline and for a wrong number.
Measured against 22.10 (docs/decisions/0015-asterisk-create-bridge-then-dial.md).
"""

from collections.abc import Mapping
from typing import NamedTuple

from callserver.domain import sip
from callserver.domain.call import Report
from callserver.ports import Declined, LegState, Trouble

UNALLOCATED = 1
"""Refuses a call to a number that we do not show (404)."""

NORMAL_CLEARING = 16
"""An unanswered leg has this cause only when we end it."""

NO_SOUND = 44
"""Asterisk ends a leg with this cause after its time-out without sound."""

WE_GAVE_UP = 32
"""The dial's time-out ended the leg; the far end gave no SIP response."""

NO_ANSWER = 19
"""After ringing: not answered. Without ringing: not reached (a dead trunk has the same cause)."""

_UNANSWERED: Mapping[int, Report] = {
    NORMAL_CLEARING: Report.CANCELLED,
    17: Report.BUSY,  # 486, 600
    18: Report.NOT_ANSWERED,  # no user responding: 408
    21: Report.NOT_ANSWERED,  # declined (603): the person did not want to answer
}

STATES: Mapping[str, LegState] = {
    "Down": LegState.QUEUED,
    "Rsrvd": LegState.QUEUED,
    "Rsrved": LegState.QUEUED,
    "OffHook": LegState.QUEUED,
    "Dialing": LegState.QUEUED,
    "Ring": LegState.RINGING,
    "Ringing": LegState.RINGING,
    "Up": LegState.TALKING,
    "Busy": LegState.QUEUED,
    "Dialing Offhook": LegState.QUEUED,
    "Pre-ring": LegState.QUEUED,
}
"""Any other state says nothing: it is asked for again."""


_RESPONSES: Mapping[int, int] = {34: 503, 38: 500, 58: 488}
"""SIP responses by cause, for an Asterisk that does not report the response itself."""


class End(NamedTuple):
    """How a contact's leg ended. `code`: the far end's final SIP response."""

    report: Report
    code: int | None = None
    declined: Declined | None = None


def end(cause: int, code: int | None, *, answered: bool, rang: bool) -> End:
    """The end of a contact's leg. 404, 480 and similar: it could not be reached.

    A refusal by the carrier before ringing says nothing about the called person.
    """
    if answered:
        return End(Report.HUNG_UP)
    if code is None and not rang:
        code = _RESPONSES.get(cause)
    if code is not None and sip.is_refusal(code) and not rang:
        trouble = Trouble.STOP if code in sip.STOPS else Trouble.REFUSED
        return End(Report.DECLINED, code, Declined(trouble, code, "the carrier refused the call"))
    if cause == NO_ANSWER:
        return End(Report.NOT_ANSWERED if rang else Report.FAILED, code)
    return End(_UNANSWERED.get(cause, Report.FAILED), code)
