"""The notices page's requests and answers."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import Field

from callserver.console.endpoint import Answer, Body
from callserver.console.fields import Instant
from callserver.domain.label import Label
from callserver.domain.notice import NoticeKind


class Search(Body):
    words: str = Field(default="", max_length=100)  # all of them must occur


class NoticeText(Body):
    """`has_no_number`: I have checked that the digits in the text are not a telephone number."""

    kind: NoticeKind
    title: str = Field(min_length=1, max_length=150)
    text: str = Field(min_length=1, max_length=10_000)  # Markdown
    at: Instant  # when the talk begins; the day of the case
    department: str | None = Field(default=None, max_length=100)  # null: all
    expert: str = Field(default="", max_length=100)
    has_no_number: bool = False


class NewQuestion(Body):
    """`anonymous`: nobody learns who asks, and nothing about it is stored."""

    text: str = Field(min_length=1, max_length=2000)
    anonymous: bool = False
    has_no_number: bool = False


class NoticeView(Answer):
    id: int
    kind: NoticeKind
    title: str
    html: str
    at: datetime
    department: str | None
    expert: str | None
    by: str
    takes_questions: bool
    text: str | None  # Markdown, for those who may change it
    questions: int | None  # how many were asked, for those who may read them


class NoticesView(Answer):
    """`departments`: those for which I may write; `all`: I may write for all of them together."""

    notices: list[NoticeView]
    departments: Mapping[str, Label]
    all: bool


class CurrentView(Answer):
    """A notice before a shift."""

    id: int
    kind: NoticeKind
    title: str
    at: datetime
    expert: str | None
    takes_questions: bool


class CurrentNotices(Answer):
    notices: list[CurrentView]


class QuestionView(Answer):
    text: str
    sender: str | None  # null: asked anonymously


class QuestionsView(Answer):
    questions: list[QuestionView]
