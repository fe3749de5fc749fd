"""A notice of further education: the case of the month, or a talk by an in-house expert. Pure.

Rule: everything that decides who may write, read or ask is in this file.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from callserver.domain import numbers_in_text, subject
from callserver.domain.role import Action, may
from callserver.errors import Impossible, NotAllowed

CASE_SHOWN_FOR = timedelta(days=45)
"""How long the latest case of the month is shown before a shift."""

TALK_SHOWN_FOR = timedelta(hours=12)
"""How long after its beginning a talk is shown before a shift."""

MOST_WORDS = 8
"""The most words of a search; each must occur."""


class NoticeKind(StrEnum):
    CASE = "case"  # the case of the month
    TALK = "talk"  # with a question box until it begins


class NoticeEvent(StrEnum):
    WRITTEN = "written"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Notice:
    """`at`: when the talk begins, or the day of the case. `department`: None is all."""

    kind: NoticeKind
    title: str
    text: str
    at: datetime
    department: str | None = None
    expert: str | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """A user who reads or writes notices."""

    role: str
    department: str | None


def sees(reader: Reader, department: str | None) -> bool:
    """Whether a notice for this department is for the reader."""
    return department is None or reader.department in (None, department)


def may_write(reader: Reader, department: str | None) -> bool:
    """Whether the reader may write, change and remove notices for this department.

    A user of a department writes for that department; users of all departments for each and for all.
    """
    return may(reader.role, Action.WRITE_NOTICES) and reader.department in (None, department)


def takes_questions(kind: NoticeKind, at: datetime, now: datetime) -> bool:
    """Whether the question box is open: until the talk begins."""
    return kind is NoticeKind.TALK and now < at


def is_current(kind: NoticeKind, at: datetime, now: datetime) -> bool:
    """Whether the notice is shown before a shift; of the cases the latest one alone."""
    if kind is NoticeKind.TALK:
        return now < at + TALK_SHOWN_FOR
    return at <= now < at + CASE_SHOWN_FOR


class MayHoldNumber(Impossible):
    """A text holds something like a telephone number; its writer may confirm that it is none."""

    def __init__(self) -> None:
        super().__init__("this looks like a telephone number", key="notice_number")


def check(notice: Notice, writer: Reader, *, has_no_number: bool) -> None:
    """Whether the notice may be published. `has_no_number`: the writer says that digits in it are no
    telephone number.

    Raises:
        NotAllowed: it is for another department.
        Impossible: a talk lacks its expert.
        MayHoldNumber: the text holds something like a telephone number.
    """
    if not may_write(writer, notice.department):
        raise NotAllowed("write for your own department", key="notice_department")
    if not notice.title.strip() or not notice.text.strip():
        raise Impossible("write a title and a text", key="notice_empty")
    if (notice.kind is NoticeKind.TALK) is not bool(notice.expert):
        raise Impossible("a talk, and nothing else, has an expert", key="notice_expert")
    check_words(f"{notice.title}\n{notice.text}", has_no_number=has_no_number)


def check_words(text: str, *, has_no_number: bool) -> None:
    """Whether a text may be kept: nobody who was called is named by number.

    Raises:
        MayHoldNumber: it holds something like a telephone number, and nobody said that it is none.
    """
    if not has_no_number and numbers_in_text.may_hold_number(text):
        raise MayHoldNumber


def searched(*texts: str | None) -> str:
    """The text in which a search looks."""
    return subject.fold("\n".join(text for text in texts if text))


def words_of(search: str) -> list[str]:
    """The words that must occur."""
    return subject.fold(search).split()[:MOST_WORDS]
