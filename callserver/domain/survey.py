"""The quarterly survey (config/survey.yaml): its questions, when it is open, what is an answer. Pure.

Nothing here knows who answers. Results of a quarter: domain/survey_results.py.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from callserver.domain.document import Document, Key
from callserver.domain.home import HOME
from callserver.domain.hours import instant
from callserver.domain.label import Label
from callserver.errors import Impossible
from callserver.texts import InvalidInput

STEPS = range(1, 6)
"""The answers to a question of the kind scale."""

MOST_CHARACTERS = 1000
"""The longest answer in words."""

MOST_WORDED = 3
"""The most questions that are answered in words."""

WAIT_FOR_KEY = timedelta(days=14)
"""How long after its closing a survey waits for a private key that is missing."""

BLANK = ""
"""What is counted for a question that somebody left open."""

Given = Mapping[str, int | str]
"""One person's answers by question: a step, the key of an option, or words."""


class SurveyState(StrEnum):
    OPEN = "open"
    COUNTED = "counted"  # closed, with results
    TOO_FEW = "too_few"  # closed without results: fewer answers than the smallest group
    LOST = "lost"  # closed without results: the private key is gone


class QuestionKind(StrEnum):
    SCALE = "scale"  # from 1 to 5
    CHOICE = "choice"  # one of the options
    TEXT = "text"  # in words


class Question(Document):
    kind: QuestionKind
    text: Label
    low: Label | None = None  # what 1 means
    high: Label | None = None  # what 5 means
    options: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], Label] = Field(
        default_factory=dict, max_length=8
    )

    @property
    def counted(self) -> tuple[str, ...]:
        """The answers that are counted, besides the blank ones."""
        if self.kind is QuestionKind.SCALE:
            return tuple(map(str, STEPS))
        return tuple(self.options)


class Opening(Document):
    """The survey opens on this day in each quarter."""

    month: Annotated[int, Field(ge=1, le=3)] = 2  # of the quarter
    day: Annotated[int, Field(ge=1, le=28)] = 1


class SurveyRules(Document):
    """Without questions there is no survey. What is in force when a quarter's survey opens holds for it."""

    opens: Opening = Opening()
    open_days: Annotated[int, Field(ge=5, le=45)] = 28
    smallest_group: Annotated[int, Field(ge=5, le=50)] = 5  # fewer answers are not shown
    introduction: Label | None = None
    questions: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], Question] = Field(
        default_factory=dict, max_length=12
    )


def problems(rules: SurveyRules) -> Iterator[tuple[Key, InvalidInput]]:
    """What is wrong with the questions as a whole, and where."""
    worded = 0
    for name, question in rules.questions.items():
        key: Key = ("questions", name)
        ends = question.low is not None and question.high is not None
        if question.kind is QuestionKind.SCALE and not ends:
            yield key, InvalidInput("survey_scale")
        if question.kind is QuestionKind.CHOICE and len(question.options) < 2:
            yield key, InvalidInput("survey_choice")
        if question.kind is not QuestionKind.SCALE:
            for end in ("low", "high"):
                if getattr(question, end) is not None:
                    yield (*key, end), InvalidInput("survey_unused", kind=QuestionKind.SCALE.value)
        if question.kind is not QuestionKind.CHOICE and question.options:
            wrong = InvalidInput("survey_unused", kind=QuestionKind.CHOICE.value)
            yield (*key, "options"), wrong
        worded += question.kind is QuestionKind.TEXT
        if question.kind is QuestionKind.TEXT and worded > MOST_WORDED:
            yield key, InvalidInput("survey_worded", most=MOST_WORDED)


@dataclass(frozen=True, slots=True)
class Period:
    """The time in which a quarter's survey may be answered."""

    quarter: str
    opens_at: datetime
    closes_at: datetime


_QUARTER = re.compile(r"(\d{4})-Q([1-4])", re.ASCII)


def quarter_of(day: date) -> str:
    return f"{day.year}-Q{(day.month + 2) // 3}"


def period(rules: SurveyRules, quarter: str) -> Period:
    """When the quarter's survey is open.

    Raises:
        ValueError: it is no quarter.
    """
    match = _QUARTER.fullmatch(quarter)
    if match is None:
        raise ValueError(f"{quarter!r} is no quarter")
    first_month = int(match[2]) * 3 - 2
    opens = date(int(match[1]), first_month + rules.opens.month - 1, rules.opens.day)
    closes = opens + timedelta(days=rules.open_days)
    return Period(quarter, instant(opens, 0, HOME), instant(closes, 0, HOME))


def due(rules: SurveyRules, now: datetime) -> Period | None:
    """The period that contains this instant; it may have begun in the previous quarter."""
    if not rules.questions:
        return None
    today = now.astimezone(HOME).date()
    last = date(today.year, (today.month - 1) // 3 * 3 + 1, 1) - timedelta(days=1)
    for quarter in (quarter_of(last), quarter_of(today)):
        within = period(rules, quarter)
        if within.opens_at <= now < within.closes_at:
            return within
    return None


def checked(rules: SurveyRules, given: Given) -> dict[str, int | str]:
    """The answers as they are kept: words without surrounding space, questions left open left out.

    Raises:
        Impossible: nothing is answered, or an answer does not belong to its question.
    """
    kept: dict[str, int | str] = {}
    for name, value in given.items():
        question = rules.questions.get(name)
        if question is None:
            raise Impossible("there is no such question", key="survey_answer")
        if question.kind is QuestionKind.TEXT and isinstance(value, str):
            words = value.strip()
            if len(words) > MOST_CHARACTERS:
                raise Impossible("the text is too long", key="survey_long", most=MOST_CHARACTERS)
            if words:
                kept[name] = words
        elif type(value) is (int if question.kind is QuestionKind.SCALE else str) and (
            str(value) in question.counted
        ):
            kept[name] = value
        else:
            raise Impossible("the question has no such answer", key="survey_answer")
    if not kept:
        raise Impossible("answer a question", key="survey_empty")
    return kept
