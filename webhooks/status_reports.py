"""Twilio's forms, as reports in our words."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

from callserver.adapters.twilio import call_status
from callserver.domain import sip
from callserver.domain.call import Receipt, Report
from callserver.domain.listening import Mode
from callserver.ports import Declined, Trouble
from callserver.provider_events import CallReport, RoomChange, RoomEvent

Form = Mapping[str, Sequence[str]]

NUMBER = re.compile("[0-9]{1,9}")
"""A whole number as forms and addresses carry it; any such fits every column."""

SIP_RESPONSE = re.compile("[1-6][0-9]{2}")

MACHINES = ("machine", "fax")

ROOM_CHANGES = {
    "participant-join": RoomChange.JOINED,
    "participant-leave": RoomChange.LEFT,
    "conference-end": RoomChange.ENDED,
    "conference-start": RoomChange.STARTED,
}


class Malformed(ValueError):  # noqa: N818 - describes the form
    """A form that lacks what its kind must have."""


def field(form: Form, name: str) -> str:
    """One field.

    Raises:
        Malformed: it is missing.
    """
    values = form.get(name)
    if not values:
        raise Malformed(f"{name} is missing")
    return values[0]


def call_report(form: Form, attempt: str) -> CallReport:
    """What a status callback says about the leg of a called person."""
    status = _call_status(form)
    report = call_status.REPORTS[status]
    code = _sip_response(form) if call_status.has_ended(status) else None
    declined = _declined(report, code)
    return CallReport(
        attempt,
        report if declined is None else Report.DECLINED,
        at(form),
        field(form, "CallSid"),
        receipt(form, report.value[:4], "CallSid"),
        code=code,
        declined=declined,
    )


def machine_report(form: Form, attempt: str) -> CallReport | None:
    """The report that a machine answered; None: Twilio detected a person, or nothing."""
    answered_by, leg = field(form, "AnsweredBy").lower(), field(form, "CallSid")
    if not answered_by.startswith(MACHINES):
        return None
    return CallReport(attempt, Report.MACHINE, leg=leg)


def room_event(form: Form) -> RoomEvent | None:
    """What a conference callback says; None: an event that was never asked for."""
    change = ROOM_CHANGES.get(field(form, "StatusCallbackEvent").lower())
    if change is None:
        return None
    room, leg = field(form, "FriendlyName"), form.get("CallSid", [""])[0]
    label = form.get("ParticipantLabel", [""])[0]
    return RoomEvent(
        room=room,
        room_ref=field(form, "ConferenceSid"),
        leg=leg,
        change=change,
        receipt=receipt(form, f"{change.value[0]} {leg[-6:]}".rstrip(), "ConferenceSid"),
        may_be_listener=not label,
        mode=_listening_mode(form),
        at=at(form),
        of_phoner=label == room,
    )


def has_ended(form: Form) -> bool:
    return call_status.has_ended(_call_status(form))


def _call_status(form: Form) -> str:
    status = field(form, "CallStatus").lower()
    if status not in call_status.REPORTS:
        raise Malformed("CallStatus is unknown")
    return status


def _sip_response(form: Form) -> int | None:
    """The final SIP response of a leg that has ended, where the provider tells it."""
    code = form.get("SipResponseCode", [""])[0]
    return int(code) if SIP_RESPONSE.fullmatch(code) else None


def _declined(report: Report, code: int | None) -> Declined | None:
    """The carrier's refusal of a call that failed; nobody was called then.

    The provider, not this server, signs in at the carrier: no SIP response means that every call will fail.
    """
    if report is not Report.FAILED or code is None or not sip.is_refusal(code):
        return None
    return Declined(Trouble.REFUSED, code, "the carrier refused the call")


def _listening_mode(form: Form) -> Mode | None:
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
    """Cached: events of the same second carry the same text."""
    if not text:
        return None
    try:
        instant = parsedate_to_datetime(text)
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def receipt(form: Form, kind: str, sid: str) -> Receipt | None:
    """The event's own name; None when it has no number, and repeats cannot be recognised.

    `kind`: short, because it is kept for each event; it tells apart events to which a carrier gives one number.
    """
    number = form.get("SequenceNumber", [""])[0]
    if not NUMBER.fullmatch(number):
        return None
    return Receipt(kind, field(form, sid), int(number))
