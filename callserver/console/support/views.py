"""Answers and requests of support: a phoner's own, and what their supervisors see."""

from typing import Annotated

from pydantic import AwareDatetime, Field

from callserver.console.endpoint import Answer, Body
from callserver.console.fields import Id, Instant
from callserver.domain.support import MOST_WORDS, Hard, MessageKind, MessageState

Words = Annotated[str, Field(max_length=MOST_WORDS)]


class NewMessage(Body):
    """`to`: one supervisor; null: every supervisor of my department."""

    words: Words
    to: Id | None = None


class Report(Body):
    """`attempt`: which of my calls; null: the one in hand. `words` may be empty."""

    attempt: str | None = Field(default=None, max_length=60)
    words: Words = ""


class Reported(Answer):
    message: int
    break_until: AwareDatetime


class AnswerWords(Body):
    words: Words


class Offer(Body):
    at: Instant
    minutes: int = Field(ge=5, le=240)


class Talked(Body):
    phoner: Id


class Colleague(Answer):
    id: int
    name: str


class MyMessage(Answer):
    """A message of mine, and the answer."""

    id: int
    at: AwareDatetime
    kind: MessageKind
    state: MessageState
    to: str | None
    words: str
    taken_by: str | None
    answered_at: AwareDatetime | None
    answer: str


class TalkView(Answer):
    """A conversation. `with_name`: the other person; null: nobody has booked it."""

    id: int
    at: AwareDatetime
    minutes: int
    with_name: str | None


class MySupport(Answer):
    """What a phoner sees: their messages, and conversations that are booked or free."""

    now: AwareDatetime
    in_call: bool
    supervisors: list[Colleague]
    messages: list[MyMessage]
    booked: list[TalkView]
    free: list[TalkView]
    break_until: AwareDatetime | None


class SupportMessage(Answer):
    """A message to me or to the supervisors of my department."""

    id: int
    at: AwareDatetime
    phoner: int
    name: str
    kind: MessageKind
    state: MessageState
    to_me: bool
    words: str
    taken_by: str | None
    mine: bool
    answered_at: AwareDatetime | None
    answer: str


class HardTimeView(Answer):
    """Somebody to talk with, and what was hard. Nothing is counted."""

    phoner: int
    name: str
    reasons: list[Hard]
    last_talked: AwareDatetime | None


class SupportView(Answer):
    """What a supervisor sees."""

    now: AwareDatetime
    messages: list[SupportMessage]
    hard: list[HardTimeView]
    talks: list[TalkView]
