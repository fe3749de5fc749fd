"""How a leg ended: Asterisk's words (Q.850 causes) as reports.

Decided by cause, not by the dial's own status: a decline and a wrong number both say "no answer"
there. Measured against 22.10 (docs/decisions/0015-asterisk-create-bridge-then-dial.md).
"""

from collections.abc import Mapping
from typing import NamedTuple

from callserver.domain import sip
from callserver.domain.call import Report
from callserver.ports import Declined, LegState, Trouble

UNALLOCATED = 1
"""The answer to a call to a number that we do not show: 404."""

NORMAL_CLEARING = 16
"""A leg that was not answered ends so only when we end it."""

NO_SOUND = 44
"""Asterisk ends a leg so from which no sound has come for as long as its time-out."""

WE_GAVE_UP = 32
"""Asked to hang up so: the dial's own time was over. No SIP response of the far end then."""

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


_RESPONSES: Mapping[int, int] = {34: 503, 38: 500, 58: 488}
"""The carrier's refusals, for an Asterisk that does not yet tell SIP's own response."""


class End(NamedTuple):
    """How a contact's leg ended. `code`: the far end's final SIP response."""

    report: Report
    code: int | None = None
    declined: Declined | None = None


def end(cause: int, code: int | None, *, answered: bool, rang: bool) -> End:
    """What the end of a contact's leg says. 404, 480 and the like: it could not be reached.

    A refusal by the carrier before anything rang says nothing about the person who was called.
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
