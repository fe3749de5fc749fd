"""What a provider tells and asks the engine."""

from dataclasses import dataclass
from datetime import datetime

from callserver.domain.call import Receipt, Report
from callserver.ports import Declined


@dataclass(frozen=True, slots=True)
class CallReport:
    """Something happened to the leg of a called person.

    `at` is the provider's own time of the event; None: now.
    """

    attempt: str
    report: Report
    at: datetime | None = None
    leg: str | None = None  # the provider's name for it
    receipt: Receipt | None = None
    why: str = ""  # with NO_REPLY: what went wrong
    code: int | None = None  # the final SIP response
    declined: Declined | None = None  # with DECLINED: the carrier's refusal
