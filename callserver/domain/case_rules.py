"""The organisation's rules about cases (config/cases.yaml): until when a case is answered, and the texts.

Texts are written in both languages. A receipt is sent when a case is opened; an answer's text is what a
colleague starts from.
"""

import re
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field

from callserver.domain import calendars
from callserver.domain.document import Document
from callserver.domain.home import HOME
from callserver.domain.hours import instant
from callserver.domain.label import Label
from callserver.domain.policy import Calendar, ClosedDay
from callserver.texts import InvalidInput

DAY = timedelta(days=1)


class CaseKind(StrEnum):
    """What a person asks for."""

    OPT_OUT = "opt_out"  # no more calls
    COMPLAINT = "complaint"  # dissatisfied, and no more calls
    ACCESS = "access"  # a copy of the data about them
    ERASURE = "erasure"
    CORRECTION = "correction"  # something recorded about them is wrong
    HARASSMENT = "harassment"  # a phoner behaved improperly
    PRIVACY_NOTICE = "privacy_notice"  # how we treat personal data


PLACEHOLDERS = frozenset({"case", "number", "date", "deadline"})
"""What a text may name in braces."""


def _known_placeholders(text: str) -> str:
    for braces in re.findall(r"\{[^{}\n]*\}?", text):
        if not braces.endswith("}") or braces[1:-1] not in PLACEHOLDERS:
            known = ", ".join(f"{{{name}}}" for name in sorted(PLACEHOLDERS))
            raise InvalidInput("placeholder", name=braces, known=known)
    return text


Text = Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(_known_placeholders)]
Subject = Annotated[str, Field(min_length=1, max_length=150), AfterValidator(_known_placeholders)]


class Subjects(Label):
    da: Subject
    en: Subject


class Texts(Label):
    da: Text
    en: Text


class MessageText(Document):
    """A message to a person. An SMS has the text only."""

    subject: Subjects
    text: Texts


class CaseRules(Document):
    working_days: Annotated[int, Field(ge=1, le=30)] = 5
    most_days: Annotated[int, Field(ge=1, le=30)] = 30  # however many of them are holidays
    calendar: Calendar = "DK"
    closed_days: tuple[ClosedDay, ...] = ()  # besides holidays
    receipts: dict[CaseKind, MessageText] = Field(default_factory=dict)
    answers: dict[CaseKind, MessageText] = Field(default_factory=dict)


def is_working_day(rules: CaseRules, day: date) -> bool:
    return (
        day.weekday() < 5
        and day not in calendars.public_holidays(rules.calendar, day.year)
        and not {day.strftime("%m-%d"), day.isoformat()} & set(rules.closed_days)
    )


def deadline(rules: CaseRules, opened_at: datetime) -> datetime:
    """The end of the last working day on which the case must be answered."""
    opened = opened_at.astimezone(HOME).date()
    day, working = opened, 0
    while working < rules.working_days and day < opened + rules.most_days * DAY:
        day += DAY
        working += is_working_day(rules, day)
    return end_of(day)


def end_of(day: date) -> datetime:
    """The deadline of a case that is answered on that day at the latest."""
    return instant(day + DAY, 0, HOME).astimezone(UTC)


def last_day(rules: CaseRules, opened_at: datetime) -> date:
    """The last day to which the deadline may be extended."""
    return opened_at.astimezone(HOME).date() + rules.most_days * DAY


def fill(text: str, **values: str) -> str:
    """A text with its placeholders filled in."""
    return re.sub(r"\{(\w+)\}", lambda match: values[match[1]], text)
