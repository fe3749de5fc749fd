"""The survey page's requests and answers. No answer tells who has taken part, or how many so far."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from pydantic import Field

from callserver.console.endpoint import Answer, Body
from callserver.domain.label import Label
from callserver.domain.survey import Question, QuestionKind, SurveyState


class Answers(Body):
    """My answers by question: a step from 1 to 5, the key of an option, or words.

    `padding` makes every request equally long, so that its length does not tell how much somebody wrote.
    """

    quarter: str = Field(max_length=10)
    answers: dict[str, int | Annotated[str, Field(max_length=4000)]] = Field(max_length=20)
    padding: str = Field(default="", max_length=40_000)


class TextDecision(Body):
    shown: bool  # to all; otherwise it is withheld, and deleted


class NewDecision(Body):
    quarter: str = Field(max_length=10)
    text: str = Field(min_length=1, max_length=4000)


class OpenSurvey(Answer):
    """The survey that may be answered now."""

    quarter: str
    closes_at: datetime
    smallest_group: int
    introduction: Label | None
    questions: Mapping[str, Question]


class SurveyNow(Answer):
    """`open`: the survey that I may answer. `closes_at`: of the open survey, for everybody."""

    open: OpenSurvey | None
    quarter: str | None
    closes_at: datetime | None


class PointView(Answer):
    """The answers of a group in a quarter. An empty key counts who left the question open."""

    quarter: str
    department: str | None  # None: the whole organisation
    answers: int
    counts: Mapping[str, int] | None  # None: too few answered this question


class SeriesView(Answer):
    """The answers to one question across quarters, the latest first, with its latest wording."""

    question: str
    kind: QuestionKind
    text: Label
    low: Label | None
    high: Label | None
    options: Mapping[str, Label]
    points: list[PointView]


class TextView(Answer):
    """An answer in words. `numbers`: it holds something that looks like a telephone number."""

    id: str
    quarter: str
    question: Label
    text: str
    decided: bool
    numbers: bool


class DecisionView(Answer):
    quarter: str
    at: datetime
    by: str
    text: str


class QuarterView(Answer):
    """A quarter whose survey is closed. `answers`: None without results."""

    quarter: str
    state: SurveyState
    answers: int | None
    smallest_group: int
    withheld: int  # answers in words that the project leader has withheld


class SurveyView(SurveyNow):
    quarters: list[QuarterView]
    departments: Mapping[str, Label]  # with results that I may see
    series: list[SeriesView]
    texts: list[TextView]
    decisions: list[DecisionView]
    may_lead: bool
