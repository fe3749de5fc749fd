"""Twilio's words into ours: forms to reports."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

from callserver.domain import sip
from callserver.domain.call import Receipt, Report
from callserver.domain.listening import Mode
from callserver.ports import Declined, Trouble

Form = Mapping[str, Sequence[str]]

NUMBER = re.compile("[0-9]{1,9}")
"""A whole number as forms and addresses carry it; any such fits every column."""

REPORTS = {
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
ENDED = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})

SIP_RESPONSE = re.compile("[1-6][0-9]{2}")

EVENTS = {
    "participant-join": "join",
    "participant-leave": "leave",
    "conference-end": "end",
    "conference-start": "start",
}


class Malformed(ValueError):  # noqa: N818 - what it is, not what went wrong with us
    """A form that lacks what its kind must have."""


def one(form: Form, name: str) -> str:
    """One field.

    Raises:
        Malformed: it is missing.
    """
    values = form.get(name)
    if not values:
        raise Malformed(f"{name} is missing")
    return values[0]


def report(form: Form) -> Report:
    """What a call status says."""
    status = one(form, "CallStatus")
    if status not in REPORTS:
        raise Malformed("CallStatus is none that we know")
    return REPORTS[status]


def sip_response(form: Form) -> int | None:
    """The final SIP response of a leg that has ended, where the provider tells it."""
    code = form.get("SipResponseCode", [""])[0]
    return int(code) if SIP_RESPONSE.fullmatch(code) else None


def declined(report: Report, code: int | None) -> Declined | None:
    """The carrier's refusal of a call that failed; nobody was called then.

    The provider signs in at the carrier, not the house: no response says that every call will fail.
    """
    if report is not Report.FAILED or code is None or not sip.is_refusal(code):
        return None
    return Declined(Trouble.REFUSED, code, "the carrier refused the call")


def ended(form: Form) -> bool:
    return one(form, "CallStatus") in ENDED


def mode(form: Form) -> Mode | None:
    """How a listener's leg is in a room; None when the form does not say."""
    muted, coaching = (form.get(name, [""])[0] for name in ("Muted", "Coaching"))
    if muted == "true":
        return Mode.SILENT
    if coaching == "true":
        return Mode.COACH
    return Mode.JOIN if (muted, coaching) == ("false", "false") else None


def at(form: Form) -> datetime | None:
    """The provider's own time of the event, in UTC; None when it does not say."""
    return _instant(form.get("Timestamp", [""])[0])


@lru_cache(maxsize=256)
def _instant(text: str) -> datetime | None:
    """What happens in one second says so in the same words."""
    if not text:
        return None
    try:
        found = parsedate_to_datetime(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def receipt(form: Form, kind: str, sid: str) -> Receipt | None:
    """The event's own name; None when the provider numbers it not, and repeats cannot be told."""
    number = form.get("SequenceNumber", [""])[0]
    if not NUMBER.fullmatch(number):
        return None
    return Receipt(kind, one(form, sid), int(number))
